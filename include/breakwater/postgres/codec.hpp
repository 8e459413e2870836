#pragma once

#include <breakwater/core/date.hpp>
#include <breakwater/core/inet.hpp>
#include <breakwater/core/interval.hpp>
#include <breakwater/core/json.hpp>
#include <breakwater/core/numeric.hpp>
#include <breakwater/core/time_of_day.hpp>
#include <breakwater/core/timestamp.hpp>
#include <breakwater/core/timestamptz.hpp>
#include <breakwater/core/uuid.hpp>
#include <breakwater/postgres/parameters.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace breakwater {

/// How a C++ type travels to and from the server, in text form. Specialise it for a type of your own:
///
///     template <>
///     struct breakwater::codec<colour> {
///       static constexpr std::string_view sql_type = "text";          // for schema checks
///       static constexpr std::uint32_t type = bw::oid::unknown;       // what a raw-SQL argument is sent as
///       static constexpr std::array reads{bw::oid::text};             // result types it understands; empty: any
///       static void encode(const colour& value, bw::parameters& out) { out.add_text(name_of(value)); }
///       static bool decode(std::string_view text, colour& out) noexcept { return parse(text, out); }
///     };
///
/// `decode` answers false for text that is not such a value; the caller reports the column. It is never given
/// NULL: NULL is `std::optional`'s business. Both must be thread-safe, which without state they are.
template <class T>
struct codec;

namespace detail {

using any_type = std::array<std::uint32_t, 0>;

template <class Int, std::uint32_t Type, std::uint32_t... Reads>
struct integer_codec {
  static constexpr std::uint32_t type = Type;
  static constexpr std::array<std::uint32_t, sizeof...(Reads)> reads{Reads...};
  static void encode(Int value, parameters& out) {
    constexpr std::size_t longest = 20;  // -9223372036854775808
    char* at = out.reserve(longest);
    out.commit(static_cast<std::size_t>(std::to_chars(at, at + longest, value).ptr - at), type);
  }
  static bool decode(std::string_view text, Int& out) noexcept {
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, out);
    return failure == std::errc{} && at == end;
  }
};

template <class Float, std::uint32_t Type, std::uint32_t... Reads>
struct float_codec {
  static constexpr std::uint32_t type = Type;
  static constexpr std::array<std::uint32_t, sizeof...(Reads)> reads{Reads...};
  static void encode(Float value, parameters& out) {
    constexpr std::size_t longest = 32;  // shortest text that reads back as the same value
    char* at = out.reserve(longest);
    out.commit(static_cast<std::size_t>(std::to_chars(at, at + longest, value).ptr - at), type);
  }
  static bool decode(std::string_view text, Float& out) noexcept {
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, out);
    return failure == std::errc{} && at == end;
  }
};

/// For the value types of core, which know their own text.
template <class Value, std::uint32_t Type>
struct value_codec {
  static constexpr std::uint32_t type = Type;
  static constexpr std::array<std::uint32_t, 1> reads{Type};
  static void encode(const Value& value, parameters& out) {
    char* at = out.reserve(Value::max_text_size);
    out.commit(static_cast<std::size_t>(value.write_to(at) - at), type);
  }
  static bool decode(std::string_view text, Value& out) noexcept { return Value::parse_into(text, out); }
};

}  // namespace detail

template <>
struct codec<bool> {
  static constexpr std::string_view sql_type = "boolean";
  static constexpr std::uint32_t type = oid::boolean;
  static constexpr std::array reads{oid::boolean};
  static void encode(bool value, parameters& out) { out.add_text(value ? "t" : "f", type); }
  static bool decode(std::string_view text, bool& out) noexcept {
    out = text == "t";
    return out || text == "f";
  }
};

template <>
struct codec<std::int16_t> : detail::integer_codec<std::int16_t, oid::int2, oid::int2, oid::int4, oid::int8> {
  static constexpr std::string_view sql_type = "smallint";
};
template <>
struct codec<std::int32_t> : detail::integer_codec<std::int32_t, oid::int4, oid::int4, oid::int2, oid::int8> {
  static constexpr std::string_view sql_type = "integer";
};
/// Also reads numeric, as far as it is a whole number in range: what sum(bigint) answers.
template <>
struct codec<std::int64_t>
    : detail::integer_codec<std::int64_t, oid::int8, oid::int8, oid::int4, oid::int2, oid::numeric> {
  static constexpr std::string_view sql_type = "bigint";
};
template <>
struct codec<long long> : detail::integer_codec<long long, oid::int8, oid::int8, oid::int4, oid::int2, oid::numeric> {
  static constexpr std::string_view sql_type = "bigint";
};
template <>
struct codec<float> : detail::float_codec<float, oid::float4, oid::float4> {
  static constexpr std::string_view sql_type = "real";
};
template <>
struct codec<double> : detail::float_codec<double, oid::float8, oid::float8, oid::float4> {
  static constexpr std::string_view sql_type = "double precision";
};

/// Text is sent without a type, so that it fits enums, inet and whatever else reads text.
template <>
struct codec<std::string> {
  static constexpr std::string_view sql_type = "text";
  static constexpr std::uint32_t type = oid::unknown;
  static constexpr detail::any_type reads{};
  static void encode(std::string_view value, parameters& out) { out.add_text(value, type); }
  static bool decode(std::string_view text, std::string& out) {
    out.assign(text);
    return true;
  }
};
template <>
struct codec<std::string_view> : codec<std::string> {};  // to send only

/// bytea, in hexadecimal form.
template <>
struct codec<std::vector<std::byte>> {
  static constexpr std::string_view sql_type = "bytea";
  static constexpr std::uint32_t type = oid::bytea;
  static constexpr std::array reads{oid::bytea};
  static void encode(const std::vector<std::byte>& value, parameters& out);
  static bool decode(std::string_view text, std::vector<std::byte>& out);
};

template <>
struct codec<uuid> : detail::value_codec<uuid, oid::uuid> {
  static constexpr std::string_view sql_type = "uuid";
};
template <>
struct codec<timestamptz> : detail::value_codec<timestamptz, oid::timestamptz> {
  static constexpr std::string_view sql_type = "timestamptz";
};
template <>
struct codec<timestamp> : detail::value_codec<timestamp, oid::timestamp> {
  static constexpr std::string_view sql_type = "timestamp";
};
template <>
struct codec<date> : detail::value_codec<date, oid::date> {
  static constexpr std::string_view sql_type = "date";
};
template <>
struct codec<time_of_day> : detail::value_codec<time_of_day, oid::time> {
  static constexpr std::string_view sql_type = "time";
};
template <>
struct codec<interval> : detail::value_codec<interval, oid::interval> {
  static constexpr std::string_view sql_type = "interval";
};
/// Sent without a type: as an inet it would lose the bits behind its prefix on the way into a cidr column.
template <>
struct codec<inet> : detail::value_codec<inet, oid::unknown> {
  static constexpr std::string_view sql_type = "inet";
  static constexpr std::array reads{oid::inet, oid::cidr};
};
template <>
struct codec<numeric> {
  static constexpr std::string_view sql_type = "numeric";
  static constexpr std::uint32_t type = oid::numeric;
  static constexpr std::array reads{oid::numeric, oid::int8, oid::int4, oid::int2};
  static void encode(const numeric& value, parameters& out);
  static bool decode(std::string_view text, numeric& out) { return numeric::parse_into(text, out); }
};
template <>
struct codec<json> {
  static constexpr std::string_view sql_type = "jsonb";
  static constexpr std::uint32_t type = oid::unknown;  // fits json as well as jsonb columns
  static constexpr std::array reads{oid::jsonb, oid::json};
  static void encode(const json& value, parameters& out) { out.add_text(value.text(), type); }
  static bool decode(std::string_view text, json& out) {
    out = json::from_server(std::string(text));
    return true;
  }
};

/// A day of std::chrono. It has no infinities: reading one is `errc::data_error`.
template <>
struct codec<std::chrono::sys_days> {
  static constexpr std::string_view sql_type = "date";
  static constexpr std::uint32_t type = oid::date;
  static constexpr std::array reads{oid::date};
  static void encode(std::chrono::sys_days value, parameters& out) { codec<date>::encode(date(value), out); }
  static bool decode(std::string_view text, std::chrono::sys_days& out) noexcept;
};
/// A moment of std::chrono. It has no infinities: reading one is `errc::data_error`.
template <>
struct codec<std::chrono::sys_time<std::chrono::microseconds>> {
  using moment = std::chrono::sys_time<std::chrono::microseconds>;
  static constexpr std::string_view sql_type = "timestamptz";
  static constexpr std::uint32_t type = oid::timestamptz;
  static constexpr std::array reads{oid::timestamptz};
  static void encode(moment value, parameters& out) { codec<timestamptz>::encode(timestamptz(value), out); }
  static bool decode(std::string_view text, moment& out) noexcept;
};

/// A type with a codec.
template <class T>
concept has_codec = requires {
  codec<std::remove_cvref_t<T>>::type;
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// What is inside an optional; anything else is itself.
template <class T>
struct without_optional {
  using type = T;
};
template <class T>
struct without_optional<std::optional<T>> {
  using type = T;
};
template <class T>
using without_optional_t = typename without_optional<T>::type;

/// An enum, a composite, or an array of these: the type is known by the name in `sql_type`.
template <class T>
inline constexpr bool has_named_type = [] {
  if constexpr (requires { codec<T>::has_named_type; }) {
    return codec<T>::has_named_type;
  } else {
    return false;
  }
}();

/// A type that can stand in a column: one with a codec, or an optional of one.
template <class T>
concept column_type = has_codec<without_optional_t<std::remove_cvref_t<T>>>;

/// Appends `value` to `out`; an empty optional as NULL.
///
/// Takes a forwarding reference so that an unqualified call with a type of namespace std is never std::bind's.
template <column_type T>
void bind(parameters& out, T&& value) {
  using plain = std::remove_cvref_t<T>;
  if constexpr (is_optional<plain>) {
    if (value) {
      codec<typename plain::value_type>::encode(*value, out);
    } else {
      out.add_null(codec<typename plain::value_type>::type);
    }
  } else {
    codec<plain>::encode(value, out);
  }
}

/// Appends `values` as one array parameter, for `= any($n)`: a list of any length is one value.
template <class Range>
void bind_array(parameters& out, const Range& values);

namespace detail {
/// One element of an array, or one field of a composite.
struct text_part {
  std::string_view text{};  ///< valid until the next one is read
  bool null = false;
};

/// Collects the text of an array literal, element by element: {"a",NULL,"b \"c\""}.
class array_text {
 public:
  /// Appends the values of `element` from its first, then forgets them.
  void add(parameters& element);
  void finish(parameters& out);

 private:
  std::string text_ = "{";
};
}  // namespace detail

template <class Range>
void bind_array(parameters& out, const Range& values) {
  detail::array_text text;
  parameters element;
  for (const auto& value : values) {
    bind(element, value);
    text.add(element);
  }
  text.finish(out);
}

}  // namespace breakwater

// So that what has a codec is the same wherever this header is included.
#include <breakwater/postgres/array.hpp>
#include <breakwater/postgres/composite_type.hpp>
#include <breakwater/postgres/enum_type.hpp>
#include <breakwater/postgres/range_codec.hpp>
