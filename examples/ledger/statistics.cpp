#include "statistics.hpp"

#include <cstdio>

namespace ledger {

void statistics::note_error(const bw::error& cause) {
  ++errors;
  const std::lock_guard lock(mutex_);
  last_error_ = cause.message();
}

std::string statistics::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void node_counter::on_operation(const bw::operation_event& event) noexcept {
  if (event.node.empty()) return;
  const std::lock_guard lock(mutex_);
  auto at = counts_.find(event.node);
  if (at == counts_.end()) at = counts_.emplace(event.node, counts{}).first;
  at->second.role = event.role;
  ++(event.operation == "SELECT" ? at->second.reads : at->second.writes);
}

void node_counter::on_lease_leak(const bw::lease_leak_event& event) noexcept {
  std::fprintf(stderr, "a connection is held by %s:%u\n", event.borrower.file_name(),
               static_cast<unsigned>(event.borrower.line()));
}

std::map<std::string, node_counter::counts> node_counter::by_node() const {
  const std::lock_guard lock(mutex_);
  return {counts_.begin(), counts_.end()};
}

}  // namespace ledger
