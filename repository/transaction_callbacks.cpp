#include "transaction_callbacks.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace breakwater::detail {

void callback_list::add(std::unique_ptr<end_callback> call, transaction_end when, unsigned depth) {
  entries_.push_back({.call = std::move(call), .when = when, .depth = depth, .due = false});
}

void callback_list::release(unsigned depth) noexcept {
  for (entry& each : entries_) each.depth = std::min(each.depth, depth - 1);
}

void callback_list::undo(unsigned depth) noexcept {
  std::erase_if(entries_,
                [depth](const entry& each) { return each.depth >= depth && each.when == transaction_end::commit; });
  for (entry& each : entries_) {
    if (each.depth < depth) continue;
    each.depth = depth - 1;
    each.due = true;
  }
}

end_callbacks callback_list::take(transaction_fate fate) {
  std::erase_if(entries_, [fate](const entry& each) {
    const auto wanted = each.when == transaction_end::commit ? transaction_fate::committed : transaction_fate::undone;
    return !each.due && fate != wanted;
  });
  end_callbacks wanted;
  wanted.reserve(entries_.size());
  for (entry& each : entries_) wanted.push_back(std::move(each.call));
  entries_.clear();
  return wanted;
}

void call_all(end_callbacks callbacks) {
  std::exception_ptr first;
  for (const auto& each : callbacks) {
    try {
      each->call();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace breakwater::detail
