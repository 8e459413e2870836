#pragma once

#include <breakwater/breakwater.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace ledger {

/// What the workload did. Thread-safe.
struct statistics {
  std::atomic<std::uint64_t> transfers{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> conflicts{0};  ///< transfers that met a newer version and were tried again
  std::atomic<std::uint64_t> refused{0};    ///< transfers without sufficient funds
  std::atomic<std::uint64_t> errors{0};     ///< anything else; the last one's message is kept

  void note_error(const bw::error& cause);
  [[nodiscard]] std::string last_error() const;

 private:
  mutable std::mutex mutex_;
  std::string last_error_;
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
