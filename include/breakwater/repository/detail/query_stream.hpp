#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/query_state.hpp>
#include <breakwater/repository/stream.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

/// Queries as streams. For the library's own use.
namespace breakwater::detail {

/// Errors: as a query that is run; `invalid_argument` for one that goes backward from `before`.
[[nodiscard]] result<row_source> open_select(const std::shared_ptr<executor>& on, const query_state& wanted,
                                             std::string_view name, const stream_options& options);

/// Relations are loaded for many rows at once.
[[nodiscard]] error refuse_includes(std::string_view name);

/// A source whose columns are what `Rows` reads.
template <class Rows>
[[nodiscard]] result<row_stream<typename Rows::value_type>> as_stream(result<row_source> source) {
  using value = typename Rows::value_type;
  if (!source) return std::move(source).error();
  BOOST_OUTCOME_TRY(Rows::check(source.assume_value().fetched(), 0));
  return row_stream<value>(std::move(source).assume_value(), {},
                           [](const rows& from, std::size_t row, const std::size_t* /*places*/, value& to) {
                             return Rows::read(from, row, 0, to);
                           });
}

}  // namespace breakwater::detail
