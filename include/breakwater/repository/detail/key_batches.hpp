#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/query_rows.hpp>
#include <breakwater/repository/detail/query_state.hpp>
#include <breakwater/repository/detail/relation_loading.hpp>
#include <breakwater/repository/detail/row_handler.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// A query in batches by key. For the library's own use.
namespace breakwater::detail {

/// Errors: `invalid_argument` for an order, bounds or the like of its own, or for no size.
[[nodiscard]] result<void> check_batches(const query_state& wanted, std::size_t size, std::string_view name);

/// The `size` rows of the query that come first by key, or first after the key `after`.
[[nodiscard]] result<rows> run_batch(executor* on, const query_state& wanted, const parameters* after, std::size_t size,
                                     std::string_view name);

template <entity E, class Handler>
[[nodiscard]] result<std::size_t> for_each_batch(executor* on, const query_state& wanted,
                                                 std::span<const include_node> includes, std::size_t size,
                                                 Handler& handler, std::string_view name) {
  BOOST_OUTCOME_TRY(check_batches(wanted, size, name));
  std::optional<binder> last;
  for (std::size_t seen = 0;;) {
    std::vector<E> batch;
    {
      BOOST_OUTCOME_TRY(const auto answer, run_batch(on, wanted, last ? &last->values : nullptr, size, name));
      BOOST_OUTCOME_TRY(batch, decode_all<entity_rows<E>>(answer, 0, answer.size(), false));
    }
    if (batch.empty()) return seen;
    BOOST_OUTCOME_TRY(load_includes(*on, includes, batch.data(), batch.size()));
    // Before the handler has it, which may change it.
    bind_key<E>(last.emplace(), key_of(batch.back()));
    seen += batch.size();
    const bool was_last = batch.size() < size;
    BOOST_OUTCOME_TRY(const bool more, hand_over(handler, std::span<E>(batch)));
    if (was_last || !more) return seen;
  }
}

}  // namespace breakwater::detail
