#include <breakwater/repository/detail/key_batches.hpp>

#include <algorithm>
#include <limits>

namespace breakwater::detail {

result<void> check_batches(const query_state& wanted, std::size_t size, std::string_view name) {
  const auto refuse = [&](const char* why) {
    return error(errc::invalid_argument, why).with_statement(name).with_table(wanted.table.name.table);
  };
  if (size == 0) return refuse("a batch has at least one row");
  if (!wanted.order.empty()) return refuse("in_batches goes by the primary key; it takes no order_by");
  if (wanted.limit || wanted.offset || wanted.is_keyset() || !wanted.is_plain() || !wanted.distinct_on.empty()) {
    return refuse("in_batches goes through all rows of its condition; it takes no limit, offset, keyset or distinct");
  }
  return success();
}

result<rows> run_batch(executor* on, const query_state& wanted, const parameters* after, std::size_t size,
                       std::string_view name) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  query_state batch = wanted.with_complete_order();
  batch.limit = static_cast<std::int64_t>(std::min(size, most));
  if (after != nullptr) batch.after = {.given = true, .values = *after};
  return run_select(on, batch, name);
}

}  // namespace breakwater::detail
