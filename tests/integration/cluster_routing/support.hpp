#pragma once

// What the tests of discovery and failover share: a cluster of their own, and an observer that remembers.

#include "../assertions.hpp"
#include "../eventually.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tests {

using namespace std::chrono_literals;
using bw::errc;

/// Remembers which node was the primary, and when.
class topology_recorder final : public bw::observer {
 public:
  struct change {
    std::string before, now, reason;
    std::uint32_t timeline = 0;
  };
  void on_topology_change(const bw::topology_event& event) noexcept override;
  [[nodiscard]] std::vector<change> changes() const;

 private:
  mutable std::mutex mutex_;
  std::vector<change> changes_;
};

/// A cluster for each test, because the tests leave none as it was, with a table `items`.
class cluster_test : public ::testing::Test {
 protected:
  void start(const bw::testing::cluster_options& options);
  void open();
  /// In milliseconds' detail: a session's write, with its own time.
  [[nodiscard]] bw::result<std::size_t> write(int id, std::chrono::milliseconds timeout) const;
  [[nodiscard]] bw::result<std::int64_t> count(bw::consistency where, std::chrono::milliseconds timeout = 20s) const;
  /// How many rows this node has, as it says itself.
  [[nodiscard]] std::string rows_at(bw::testing::node at);
  [[nodiscard]] static std::string name_of(bw::testing::node at) { return "127.0.0.1:" + std::to_string(at.port()); }
  [[nodiscard]] bool is_confirmed(bw::testing::node at) const;
  [[nodiscard]] bool none_is_confirmed() const;

  bw::config config;
  std::shared_ptr<topology_recorder> events = std::make_shared<topology_recorder>();
  std::optional<bw::testing::cluster> servers;
  std::optional<bw::database> db;
};

/// Runs something in a thread of its own until it is destroyed.
class background_loop {
 public:
  explicit background_loop(std::function<void()> body)
      : thread_([body = std::move(body)](const std::stop_token& stop) {
          while (!stop.stop_requested()) body();
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace tests
