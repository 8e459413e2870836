// What a pool's size is, and who says why.

#include "support.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tests {
namespace {

struct listener final : bw::observer {
  std::mutex mutex;
  std::vector<bw::config_decision> heard;
  void on_config_decision(const bw::config_decision& made) noexcept override {
    const std::lock_guard lock(mutex);
    heard.push_back(made);
  }
};

class sizing : public ::testing::Test {
 protected:
  void SetUp() override {
    config.nodes = shared_cluster().dsns();
    config.observer = told;
    ASSERT_OK(shared_cluster().execute("alter role app connection limit -1"));
  }
  void TearDown() override { ASSERT_OK(shared_cluster().execute("alter role app connection limit -1")); }

  bw::config_decision decided() {
    auto db = bw::database::open(config);
    EXPECT_OK(db);
    if (!db) return {};
    const auto all = db.value().explain_config();
    EXPECT_EQ(all.size(), 1U);
    EXPECT_EQ(all, told->heard);
    told->heard.clear();
    return all.empty() ? bw::config_decision{} : all.front();
  }

  std::shared_ptr<listener> told = std::make_shared<listener>();
  bw::config config;
};

bool says(const bw::config_decision& decision, std::string_view part) {
  return decision.reason.find(part) != std::string::npos;
}

TEST_F(sizing, is_decided_by_the_machine_and_by_what_the_server_has_free) {
  config.pool.instances = 50;
  const auto made = decided();
  EXPECT_EQ(made.node, bw::dsn::parse(shared_cluster().dsn()).value().node_name());
  EXPECT_EQ(made.setting, "pool.size");
  EXPECT_TRUE(says(made, "connections each, within 4..50; the server has ")) << made.reason;
  EXPECT_TRUE(says(made, "shared by 50 instances: at most 1 each")) << made.reason;
  EXPECT_EQ(made.value, "1");
}

TEST_F(sizing, knows_the_limit_of_the_role) {
  ASSERT_OK(shared_cluster().execute("alter role app connection limit 6"));
  const auto made = decided();
  EXPECT_TRUE(says(made, "the server has 6 of 100 connections free")) << made.reason;
  EXPECT_EQ(made.value, "3");
}

TEST_F(sizing, does_not_count_its_own_siblings_as_others) {
  ASSERT_OK(shared_cluster().execute("alter role app connection limit 6"));
  config.application_name = "siblings";
  auto sibling = bw::database::open(config);
  ASSERT_OK(sibling);
  told->heard.clear();
  EXPECT_TRUE(says(decided(), "the server has 6 of 100 connections free"));
}

TEST_F(sizing, of_a_configured_pool_is_kept_and_the_excess_named) {
  ASSERT_OK(shared_cluster().execute("alter role app connection limit 6"));
  config.pool.size = 4;
  const auto made = decided();
  EXPECT_EQ(made.value, "4");
  EXPECT_TRUE(says(made, "as configured; ")) << made.reason;
  EXPECT_TRUE(says(made, "exceeds")) << made.reason;
}

TEST_F(sizing, bounds_the_connections_that_are_opened) {
  ASSERT_OK(shared_cluster().execute("alter role app connection limit 4"));
  config.application_name = "bounded";
  auto db = bw::database::open(config);
  ASSERT_OK(db);
  bw::session first = db.value().session();
  bw::session second = db.value().session();
  bw::session third = db.value().session({.operation_timeout = 300ms});
  EXPECT_OK(first.transact([&](bw::transaction& one) -> bw::result<void> {
    BOOST_OUTCOME_TRY(one.execute("select 1"));
    return second.transact([&](bw::transaction& two) -> bw::result<void> {
      BOOST_OUTCOME_TRY(two.execute("select 1"));
      const auto none = third.execute("select 1");
      EXPECT_ERROR(none, errc::deadline_exceeded);
      EXPECT_NE(none.error().message().find("pool.size = 2"), std::string::npos) << none.error().message();
      return bw::success();
    });
  }));
  EXPECT_EQ(truth("select count(*) from pg_stat_activity where application_name = 'bounded'"), "2");
}

}  // namespace
}  // namespace tests
