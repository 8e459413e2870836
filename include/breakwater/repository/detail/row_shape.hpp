#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/codec.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/repository/detail/aggregate.hpp>
#include <breakwater/repository/detail/decode.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Rows into whatever type the caller of raw SQL asks for. For the library's own use.
namespace breakwater::detail {

enum class extra_columns : std::uint8_t { refused, allowed };

/// Where in the answer each field's column is, found by name. Errors: `mapping_mismatch` naming
/// columns that are missing, too many or there twice, or the first of a type that the field does
/// not read.
[[nodiscard]] result<void> match_by_name(const rows& answer, std::span<const field_type> fields, extra_columns extra,
                                         std::span<std::size_t> places);

/// The same by position; the columns have to be as many as the fields.
[[nodiscard]] result<void> match_by_position(const rows& answer, std::span<const field_type> fields,
                                             std::span<std::size_t> places);

/// The error for the value in this place.
[[nodiscard]] error bad_value(const rows& answer, std::size_t row, std::size_t column);

// ---- what a type is -----------------------------------------------------------------------------

template <class T>
inline constexpr bool is_tuple = false;
template <class... Fields>
inline constexpr bool is_tuple<std::tuple<Fields...>> = true;

/// A type that one column's value can be read into: a codec's, or an optional of it, that owns what
/// it holds.
template <class T>
inline constexpr bool is_readable = column_type<T> && !std::is_same_v<without_optional_t<T>, std::string_view>;

template <class... Fields>
struct field_list {
  static constexpr std::size_t count = sizeof...(Fields);
  static constexpr bool readable = (is_readable<Fields> && ...);
  static constexpr std::array<field_type, count> types(const std::array<std::string_view, count>& names) {
    std::size_t i = 0;
    return {field_type_of<Fields>(names[i++])...};
  }
};

/// Decodes the row's columns `places` into the fields. Returns how many were read before the first
/// that could not be.
template <class... Fields>
[[nodiscard]] std::size_t decode_cells(const rows& answer, std::size_t row, const std::size_t* places,
                                       Fields&... fields) {
  std::size_t done = 0;
  static_cast<void>(((decode_cell(answer.at(row, places[done]), fields) && (++done, true)) && ...));
  return done;
}

// ---- shapes -------------------------------------------------------------------------------------

/// One value, from the only column.
template <class T>
struct value_shape {
  static constexpr bool by_name = false;
  static constexpr std::array fields{field_type_of<T>({})};
  static std::size_t decode(const rows& answer, std::size_t row, const std::size_t* places, T& to) {
    return decode_cells(answer, row, places, to);
  }
};

template <class T>
struct tuple_shape;
template <class... Fields>
struct tuple_shape<std::tuple<Fields...>> {
  static_assert(sizeof...(Fields) > 0, "breakwater: as<std::tuple<>> has no columns to read");
  static_assert((is_readable<Fields> && ...),
                "breakwater: as<std::tuple<...>> needs every element to have a bw::codec, or to be "
                "an optional of such a type; text is read into std::string");
  static constexpr bool by_name = false;
  static constexpr std::array<field_type, sizeof...(Fields)> fields{field_type_of<Fields>({})...};
  static std::size_t decode(const rows& answer, std::size_t row, const std::size_t* places, std::tuple<Fields...>& to) {
    return std::apply([&](auto&... field) { return decode_cells(answer, row, places, field...); }, to);
  }
};

template <class E>
struct entity_shape {
  static constexpr bool by_name = true;
  static constexpr const auto& fields = field_types<E>;
  static std::size_t decode(const rows& answer, std::size_t row, const std::size_t* places, E& to) {
    const std::size_t done = decode_members(mapping_of<E>, answer, row, places, to);
    if (done == fields.size()) loaded(to);
    return done;
  }

 private:
  template <auto... Members>
  static std::size_t decode_members(const table_def<Members...>& /*mapping*/, const rows& answer, std::size_t row,
                                    const std::size_t* places, E& to) {
    return decode_cells(answer, row, places, to.*Members...);
  }
};

template <class T>
struct aggregate_shape {
  using list = aggregate_fields<T, field_list>;
  static_assert(list::readable,
                "breakwater: as<T> needs every field of the struct to have a bw::codec, or to be "
                "an optional of such a type; text is read into std::string");
  static constexpr bool by_name = true;
  static constexpr auto fields = list::types(field_names<T>);
  static std::size_t decode(const rows& answer, std::size_t row, const std::size_t* places, T& to) {
    return with_fields(to, [&](auto&... field) { return decode_cells(answer, row, places, field...); });
  }
};

template <class T>
consteval auto choose_shape() {
  if constexpr (is_readable<T>) {
    return std::type_identity<value_shape<T>>{};
  } else if constexpr (entity<T>) {
    return std::type_identity<entity_shape<T>>{};
  } else if constexpr (is_tuple<T>) {
    return std::type_identity<tuple_shape<T>>{};
  } else if constexpr (is_flat_aggregate<T>) {
    return std::type_identity<aggregate_shape<T>>{};
  } else {
    return std::type_identity<void>{};
  }
}

// ---- decoding -----------------------------------------------------------------------------------

template <class T>
[[nodiscard]] result<std::vector<T>> decode_rows(const rows& answer, extra_columns extra) {
  using shape = typename decltype(choose_shape<T>())::type;
  static_assert(!std::is_void_v<shape>,
                "breakwater: as<T> needs T to be a mapped entity, a flat struct of 1 to 64 fields "
                "without base classes, a std::tuple, or a type with a bw::codec or an optional of "
                "one; text is read into std::string");
  if constexpr (!std::is_void_v<shape>) {
    std::array<std::size_t, shape::fields.size()> places{};
    if constexpr (shape::by_name) {
      BOOST_OUTCOME_TRY(match_by_name(answer, shape::fields, extra, places));
    } else {
      BOOST_OUTCOME_TRY(match_by_position(answer, shape::fields, places));
    }
    std::vector<T> all;
    all.reserve(answer.size());
    for (std::size_t row = 0; row < answer.size(); ++row) {
      T one{};
      const std::size_t done = shape::decode(answer, row, places.data(), one);
      if (done < places.size()) return bad_value(answer, row, places[done]);
      all.push_back(std::move(one));
    }
    return all;
  } else {
    return errc::internal;
  }
}

}  // namespace breakwater::detail
