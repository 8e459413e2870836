#pragma once

// What the tests of retries, breakers and shutdown share: a cluster, an observer that remembers, and functions on the
// server that fail as often as they are told.

#include "../assertions.hpp"
#include "../eventually.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

using namespace std::chrono_literals;
using bw::errc;

/// The cluster that all tests of this program share: a primary and a replica.
[[nodiscard]] bw::testing::cluster& shared_cluster();

/// An advisory lock on the shared cluster's primary, held over a database of its own until `let_go`: a statement that
/// takes it too runs for as long as the test wants.
class held_lock {
 public:
  explicit held_lock(int key);
  held_lock(const held_lock&) = delete;
  held_lock& operator=(const held_lock&) = delete;
  ~held_lock() { let_go(); }

  /// Whether somebody comes to wait for it.
  [[nodiscard]] bool is_waited_for() const;
  void let_go();

 private:
  const int key_;
  std::promise<void> end_;
  std::future<void> holder_;
};

/// Records what the library reports.
class recorder final : public bw::observer {
 public:
  struct retry {
    std::string statement, node, sqlstate;
    unsigned attempt = 0;
    bool refused_by_budget = false;
  };
  struct circuit {
    std::string node;
    bw::circuit_class of{};
    bw::circuit_state before{}, now{};
    bool forced = false;
    friend bool operator==(const circuit&, const circuit&) = default;
  };
  void on_retry(const bw::retry_event& event) noexcept override;
  void on_circuit_change(const bw::circuit_event& event) noexcept override;
  void on_circuit_rejected(const bw::circuit_rejected_event& event) noexcept override;

  [[nodiscard]] std::vector<retry> retries() const;
  [[nodiscard]] std::vector<circuit> circuits() const;
  [[nodiscard]] int rejected() const;

 private:
  mutable std::mutex mutex_;
  std::vector<retry> retries_;
  std::vector<circuit> circuits_;
  int rejected_ = 0;
};

/// A database over the shared cluster, and tables that are empty before every test.
class resilience_test : public ::testing::Test {
 protected:
  void SetUp() override;

  /// The configuration of `open`; to be changed before.
  bw::config config;
  std::shared_ptr<recorder> events = std::make_shared<recorder>();

  [[nodiscard]] bw::database open();
  /// How often `fail_times` and `kill_times` were called since the test began.
  [[nodiscard]] static int calls();
  /// What the database holds, asked over a connection of its own.
  [[nodiscard]] static std::string truth(std::string_view sql);
  [[nodiscard]] static std::string primary_name();
  [[nodiscard]] static std::string replica_name();
};

}  // namespace tests
