#pragma once

#include <breakwater/core/range.hpp>
#include <breakwater/postgres/codec.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>

/// Codecs of ranges and multiranges; see core/range.hpp for what they are. Stateless.
namespace breakwater {
namespace detail {

struct range_type {
  std::string_view name;
  std::uint32_t type;
  std::string_view multi_name;
  std::uint32_t multi_type;
};

template <class T>
[[nodiscard]] consteval range_type range_type_of() {
  if constexpr (std::same_as<T, std::int32_t>) return {"int4range", 3904, "int4multirange", 4451};
  if constexpr (std::same_as<T, numeric>) return {"numrange", 3906, "nummultirange", 4532};
  if constexpr (std::same_as<T, timestamp>) return {"tsrange", 3908, "tsmultirange", 4533};
  if constexpr (std::same_as<T, timestamptz>) return {"tstzrange", 3910, "tstzmultirange", 4534};
  if constexpr (std::same_as<T, date>) return {"daterange", 3912, "datemultirange", 4535};
  return {"int8range", 3926, "int8multirange", 4536};
}

inline constexpr const char* inverted_range = "is a range whose lower bound is above its upper one";

}  // namespace detail

template <class T>
struct codec<range<T>> {
  static constexpr std::string_view sql_type = detail::range_type_of<T>().name;
  static constexpr std::uint32_t type = detail::range_type_of<T>().type;
  static constexpr std::array<std::uint32_t, 1> reads{type};
  static void encode(const range<T>& value, parameters& out) {
    value.is_inverted() ? out.refuse(detail::inverted_range) : out.add_text(value.to_string(), type);
  }
  static bool decode(std::string_view text, range<T>& out) { return range<T>::parse_into(text, out); }
};

template <class T>
struct codec<multirange<T>> {
  static constexpr std::string_view sql_type = detail::range_type_of<T>().multi_name;
  static constexpr std::uint32_t type = detail::range_type_of<T>().multi_type;
  static constexpr std::array<std::uint32_t, 1> reads{type};
  static void encode(const multirange<T>& value, parameters& out) {
    for (const range<T>& each : value.ranges()) {
      if (each.is_inverted()) return out.refuse(detail::inverted_range);
    }
    out.add_text(value.to_string(), type);
  }
  static bool decode(std::string_view text, multirange<T>& out) { return multirange<T>::parse_into(text, out); }
};

}  // namespace breakwater
