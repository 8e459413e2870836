#pragma once

#include "../../unit/repository/entities.hpp"
#include "../assertions.hpp"
#include "../pgbouncer/bouncer.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
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

/// While it lives, the replica's data stands still: what is written meanwhile only the primary has.
class paused_replay {
 public:
  paused_replay();
  paused_replay(const paused_replay&) = delete;
  paused_replay& operator=(const paused_replay&) = delete;
  ~paused_replay();
};
/// How they reach it: BW_TEST_THROUGH may put a PgBouncer in front of each node.
[[nodiscard]] const way_to& way_to_shared_cluster();

/// Records what the library reports.
class recorder final : public bw::observer {
 public:
  struct seen {
    std::string statement;
    std::string node;
    bw::node_role role = bw::node_role::unknown;
    unsigned attempts = 0;
    std::string correlation_id;
    bool failed = false;
    std::string operation{};
    std::size_t rows = 0;
  };
  void on_operation(const bw::operation_event& event) noexcept override;
  [[nodiscard]] std::vector<seen> operations() const;
  /// The last operation. REQUIRES that there was one.
  [[nodiscard]] seen last() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<seen> seen_;
};

/// A database over the shared cluster with the tables of entities.hpp, empty before every test.
class repository_test : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  /// A session that reads from the primary, so that tests see what they wrote through others.
  [[nodiscard]] static bw::session on_primary();
  /// What the database holds, asked over a connection of its own.
  [[nodiscard]] static std::string truth(std::string_view sql);
  /// Changes it behind the library's back.
  static void behind_the_back(std::string_view sql);

  [[nodiscard]] static const bw::database& db() { return *db_; }
  [[nodiscard]] static recorder& watcher() { return *watcher_; }

 private:
  static std::unique_ptr<bw::database> db_;
  static std::shared_ptr<recorder> watcher_;
};

}  // namespace tests
