#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/repository/detail/row_shape.hpp>
#include <breakwater/repository/stream.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Results of raw SQL as streams. For the library's own use.
namespace breakwater::detail {

/// The type of a row, and where its columns are.
template <class T>
[[nodiscard]] result<row_stream<T>> as_shape(result<row_source> source, extra_columns extra, std::string_view name) {
  using shape = typename decltype(choose_shape<T>())::type;
  static_assert(!std::is_void_v<shape>,
                "breakwater: stream<T> needs T to be a mapped entity, a flat struct of 1 to 64 fields without base "
                "classes, a std::tuple, or a type with a bw::codec or an optional of one; text is read into "
                "std::string");
  if constexpr (!std::is_void_v<shape>) {
    if (!source) return std::move(source).error();
    const rows& first = source.assume_value().fetched();
    std::vector<std::size_t> places(shape::fields.size());
    result<void> matched = success();
    if constexpr (shape::by_name) {
      matched = match_by_name(first, shape::fields, extra, places);
    } else {
      matched = match_by_position(first, shape::fields, places);
    }
    if (!matched) return std::move(matched).error().with_statement(name);
    return row_stream<T>(std::move(source).assume_value(), std::move(places),
                         [](const rows& from, std::size_t row, const std::size_t* at, T& to) -> result<void> {
                           const std::size_t done = shape::decode(from, row, at, to);
                           if (done < shape::fields.size()) return bad_value(from, row, at[done]);
                           return success();
                         });
  } else {
    return errc::internal;
  }
}

}  // namespace breakwater::detail
