#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

/// Changes to all rows of a query, beyond update_all and delete_all. For the library's own use.
namespace breakwater::detail {

/// Deletes the rows for good; those in the trash too, or only, as the query says. Returns how many there were. Errors:
/// `unsafe_operation` without a condition unless `every_row` was said, `invalid_argument` with an order or bounds.
[[nodiscard]] result<std::size_t> run_purge_all(executor* on, const query_state& wanted, std::string_view name);

/// \name As `run_update_all` and `run_delete_all`, but they return the rows as they are then (or were last), with the
/// columns of the mapping, in no particular order.
/// @{
[[nodiscard]] result<rows> run_update_all_returning(executor* on, const query_state& wanted,
                                                    std::span<const assignment_view> sets, std::string_view name);
[[nodiscard]] result<rows> run_delete_all_returning(executor* on, const query_state& wanted, std::string_view name);
/// @}

/// The rows of such a change.
template <entity E>
[[nodiscard]] result<std::vector<E>> decode_changed(const executor& on, const rows& answer, std::string_view name) {
  std::vector<E> all;
  all.reserve(answer.size());
  BOOST_OUTCOME_TRY(append_written(on, answer, {.sql = {}, .name = name, .operation = {}}, all));
  return all;
}

}  // namespace breakwater::detail
