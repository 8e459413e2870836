#pragma once

#include <breakwater/breakwater.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ledger {

/// What the workload did. Thread-safe.
struct statistics {
  std::atomic<std::uint64_t> transfers{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> conflicts{0};     ///< transfers that met a newer version and were tried again
  std::atomic<std::uint64_t> refused{0};       ///< transfers without sufficient funds
  std::atomic<std::uint64_t> write_errors{0};  ///< transfers that ended in any other error
  std::atomic<std::uint64_t> read_errors{0};

  /// A transfer was acknowledged.
  void note_transfer(const bw::uuid& id);
  /// One ended in an error; `applied()` says whether it may be in the books all the same.
  void note_failed_transfer(const bw::uuid& id, const bw::error& cause);
  void note_failed_read(const bw::error& cause);

  /// The longest time in which no transfer was acknowledged, from now on.
  void watch_pauses();
  [[nodiscard]] std::chrono::milliseconds longest_pause() const;

  [[nodiscard]] std::string last_error() const;
  /// What was acknowledged, and what nobody knows of.
  [[nodiscard]] std::vector<bw::uuid> acknowledged() const;
  [[nodiscard]] std::vector<bw::uuid> unknown() const;

 private:
  using clock = std::chrono::steady_clock;

  mutable std::mutex mutex_;
  std::string last_error_;
  std::vector<bw::uuid> acknowledged_;
  std::vector<bw::uuid> unknown_;
  clock::time_point last_transfer_ = clock::now();
  clock::duration longest_pause_{};
};

/// Counts which node answered, by listening to the library's events.
class node_counter final : public bw::observer {
 public:
  void on_operation(const bw::operation_event& event) noexcept override;
  void on_lease_leak(const bw::lease_leak_event& event) noexcept override;

  struct counts {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    bw::node_role role = bw::node_role::unknown;
  };
  [[nodiscard]] std::map<std::string, counts> by_node() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, counts, std::less<>> counts_;
};

}  // namespace ledger
