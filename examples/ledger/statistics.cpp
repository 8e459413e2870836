#include "statistics.hpp"

#include <algorithm>
#include <cstdio>

namespace ledger {

void statistics::note_transfer(const bw::uuid& id) {
  ++transfers;
  const std::lock_guard lock(mutex_);
  const auto now = clock::now();
  longest_pause_ = std::max(longest_pause_, now - last_transfer_);
  last_transfer_ = now;
  acknowledged_.push_back(id);
}

void statistics::note_failed_transfer(const bw::uuid& id, const bw::error& cause) {
  ++write_errors;
  const std::lock_guard lock(mutex_);
  last_error_ = cause.message();
  if (cause.applied() == bw::applied::unknown) unknown_.push_back(id);
}

void statistics::note_failed_read(const bw::error& cause) {
  ++read_errors;
  const std::lock_guard lock(mutex_);
  last_error_ = cause.message();
}

void statistics::watch_pauses() {
  const std::lock_guard lock(mutex_);
  last_transfer_ = clock::now();
  longest_pause_ = {};
}

std::chrono::milliseconds statistics::longest_pause() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::milliseconds>(longest_pause_);
}

std::string statistics::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::vector<bw::uuid> statistics::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

std::vector<bw::uuid> statistics::unknown() const {
  const std::lock_guard lock(mutex_);
  return unknown_;
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
