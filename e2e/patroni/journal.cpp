#include "journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace e2e {
namespace {

constexpr std::array<const char*, 9> words = {"sent",   "acknowledged",   "refused",     "unknown", "stale",
                                              "unread", "eventual_error", "node_change", "guard"};

/// A line is written by one call, which O_APPEND makes one piece; what would not fit is cut.
constexpr std::size_t longest_line = 1024;

long long microseconds() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

journal::journal(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (file_ >= 0) return;
  std::fprintf(stderr, "load: %s: %s\n", path.c_str(), std::strerror(errno));
  std::exit(2);
}

journal::~journal() { ::close(file_); }

void journal::note(fact what, const bw::uuid* which, std::string_view more) noexcept {
  const auto at = static_cast<std::size_t>(what);
  ++counts_[at];
  std::array<char, longest_line> line{};
  const int size = std::snprintf(line.data(), line.size() - 1, "%lld %s %s %.*s", microseconds(), words[at],
                                 which == nullptr ? "-" : which->to_string().c_str(),
                                 static_cast<int>(std::min(more.size(), longest_line)), more.data());
  std::size_t used = std::min(static_cast<std::size_t>(std::max(size, 0)), line.size() - 2);
  std::replace(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(used), '\n', ' ');
  line[used++] = '\n';
  if (::write(file_, line.data(), used) == static_cast<ssize_t>(used)) return;
  std::fprintf(stderr, "load: the record can not be written: %s\n", std::strerror(errno));
  std::_Exit(2);  // without a record no verdict
}

void witness::on_node_change(const bw::node_event& event) noexcept {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%.*s %s -> %s", static_cast<int>(event.node.size()), event.node.data(),
                bw::to_string(event.before).data(), bw::to_string(event.now).data());
  journal_.note(fact::node_change, nullptr, text.data());
}

void witness::on_commit_unknown(const bw::commit_unknown_event& event) noexcept {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%s %lld ms", bw::to_string(event.resolution).data(),
                static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(event.duration).count()));
  journal_.note(fact::guard, nullptr, text.data());
}

void witness::on_retry(const bw::retry_event& event) noexcept {
  if (!event.refused_by_budget) ++retries_;
}

void witness::on_operation(const bw::operation_event& event) noexcept {
  if (event.failure != nullptr || event.role != bw::node_role::replica) return;
  if (event.statement == read_back_name) ++read_back_on_replicas_;
}

}  // namespace e2e
