#pragma once

#include "../assertions.hpp"
#include "../eventually.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// What the tests of causality stand on: a cluster of their own each, whose replicas can be stopped and promoted.
namespace causality {

using namespace std::chrono_literals;
using bw::errc;
using tests::eventually;

/// Remembers where the last operation ran, and how many attempts it took.
class recorder final : public bw::observer {
 public:
  void on_operation(const bw::operation_event& event) noexcept override {
    const std::lock_guard lock(mutex_);
    role_ = event.role;
    node_ = event.node;
    attempts_ = event.attempts;
  }
  [[nodiscard]] bw::node_role role() const {
    const std::lock_guard lock(mutex_);
    return role_;
  }
  [[nodiscard]] std::string node() const {
    const std::lock_guard lock(mutex_);
    return node_;
  }
  [[nodiscard]] unsigned attempts() const {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }

 private:
  mutable std::mutex mutex_;
  bw::node_role role_ = bw::node_role::unknown;
  std::string node_{};
  unsigned attempts_ = 0;
};

class fixture : public ::testing::Test {
 protected:
  static constexpr auto primary = bw::node_role::primary;
  static constexpr auto replica = bw::node_role::replica;

  /// A cluster with a table `counters`, whose role may see what replicas receive.
  void start(unsigned replicas, bool may_see_receivers = true);
  /// Another program's view of it.
  [[nodiscard]] bw::result<bw::database> open(std::shared_ptr<bw::observer> watcher = nullptr) const;
  void TearDown() override { db.reset(); }

  /// Sets counter 1 in a session.
  static void put(const bw::session& in, std::int64_t value);
  /// Reads it there; -1 where it is not there yet.
  [[nodiscard]] static std::int64_t get(const bw::session& in);
  /// All nodes are up, and each of them has replayed all.
  void settle();

  std::optional<bw::testing::cluster> cluster;
  std::shared_ptr<recorder> watcher = std::make_shared<recorder>();
  bw::config config{};
  std::optional<bw::database> db;
};

}  // namespace causality
