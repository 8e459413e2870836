// What the monitor finds out, and what operators are told of it.

#include "cluster/router.hpp"
#include "support.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace tests {
namespace {

class discovery : public cluster_test {
 protected:
  [[nodiscard]] std::unique_ptr<bw::routing::router> open_router() const {
    auto opened = bw::routing::router::open(config);
    EXPECT_OK(opened);
    return std::move(opened).value();
  }
};

std::size_t threads_now() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

TEST_F(discovery, is_complete_when_the_database_is_open) {
  start({.replicas = 2});
  std::rotate(config.nodes.begin(), config.nodes.begin() + 1, config.nodes.end());
  open();
  const auto stats = db->stats();
  ASSERT_EQ(stats.size(), 3U);
  EXPECT_FALSE(stats[0].confirmed || stats[1].confirmed);
  EXPECT_TRUE(stats[2].confirmed);
  EXPECT_EQ(stats[2].timeline, 1U);
  EXPECT_GT(stats[2].wal_position, 0U);
  EXPECT_EQ(stats[2].lag, 0ns);
  EXPECT_TRUE(db->readiness().can_write && db->readiness().can_read);
  const auto health = db->health();
  EXPECT_TRUE(health.can_write && health.nodes[2].confirmed);
  EXPECT_EQ(health.nodes[0].role, bw::node_role::replica);
}

TEST_F(discovery, shows_the_lag_of_a_replica_while_it_is_behind_and_none_while_the_primary_is_idle) {
  start({.replicas = 1});
  config.monitor.interval = config.monitor.unsure_interval = 50ms;
  open();
  ASSERT_TRUE(eventually([&] { return db->stats()[1].lag == 0ns; }));
  ASSERT_OK(servers->pause_replay(servers->replica(0)));
  ASSERT_OK(write(1, 20s));
  ASSERT_TRUE(eventually([&] { return db->stats()[1].lag > 200ms; }));
  ASSERT_OK(servers->resume_replay(servers->replica(0)));
  ASSERT_TRUE(eventually([&] { return db->stats()[1].lag == 0ns; }));
}

TEST_F(discovery, takes_connection_strings_at_their_word) {
  start({.replicas = 1});
  // The other way round: neither is what it is declared to be.
  const auto primary = config.nodes[0];
  const auto replica = config.nodes[1];
  config.nodes = {primary + "?target_session_attrs=standby", replica + "?target_session_attrs=primary"};
  open();
  EXPECT_TRUE(none_is_confirmed());
  const auto refused = write(1, 500ms);
  EXPECT_ERROR(refused, errc::no_primary);
  EXPECT_NE(refused.error().message().find("is a primary, and its connection string declares it to be a replica"),
            std::string::npos)
      << refused.error().message();
  config.nodes = {primary + "?target_session_attrs=read-write", replica + "?target_session_attrs=standby"};
  open();
  EXPECT_OK(write(1, 20s));
  EXPECT_OK(count(bw::consistency::eventual));
}

TEST_F(discovery, keeps_off_a_server_of_another_system) {
  start({.replicas = 1});
  auto other = bw::testing::cluster::start({});
  ASSERT_OK(other);
  config.nodes.insert(config.nodes.begin() + 1, other.value().dsn());
  open();
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(write(i, 20s));
    ASSERT_OK(count(bw::consistency::eventual));  // the other server has no such table
  }
  EXPECT_EQ(db->stats()[1].role, bw::node_role::unknown);
  EXPECT_TRUE(db->readiness().can_write);
  EXPECT_NE(db->readiness().reason.find("belongs to another database system"), std::string::npos)
      << db->readiness().reason;
  ASSERT_OK(servers->kill(servers->primary()));
  EXPECT_ERROR(write(1000, 1s), errc::no_primary);
  EXPECT_OK(count(bw::consistency::eventual));
}

TEST_F(discovery, says_that_a_primary_is_read_only) {
  start({});
  config.monitor.interval = config.monitor.unsure_interval = 50ms;
  open();
  ASSERT_OK(servers->execute("alter system set default_transaction_read_only = on"));
  ASSERT_OK(servers->execute("select pg_reload_conf()"));
  ASSERT_TRUE(eventually([&] { return !db->readiness().can_write; }));
  EXPECT_TRUE(db->readiness().can_read);
  EXPECT_FALSE(db->health().can_write);
  EXPECT_TRUE(is_confirmed(servers->primary()));
}

TEST_F(discovery, survives_the_end_of_all_its_connections) {
  start({.replicas = 1});
  config.monitor.interval = config.monitor.unsure_interval = 50ms;
  open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(servers->execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"));
    const auto written = write(i, 20s);
    // The signal may reach a server process in the middle of the write.
    EXPECT_TRUE(written || written.error().code() == errc::commit_unknown) << written.error().message();
  }
}

TEST_F(discovery, marks_how_far_a_replica_is_and_keeps_that_when_the_primary_dies) {
  start({.replicas = 1});
  ASSERT_OK(servers->wait_for_replay(servers->replica(0)));
  config.monitor.interval = config.monitor.unsure_interval = 50ms;
  const auto nodes = open_router();
  const auto& replica = *nodes->nodes()[1];
  ASSERT_TRUE(eventually([&] { return static_cast<bool>(replica.mark()); }));
  EXPECT_FALSE(nodes->nodes()[0]->mark()) << "a primary has none";
  EXPECT_EQ(nodes->primary_lineage(), replica.mark().of);
  EXPECT_EQ(replica.mark().of.timeline, 1U);
  const auto before = replica.mark();
  ASSERT_OK(servers->execute("insert into items values (1)"));
  ASSERT_TRUE(eventually([&] { return replica.mark().position > before.position; }));
  EXPECT_GT(replica.mark().probed_at, before.probed_at);
  ASSERT_OK(servers->kill(servers->primary()));
  ASSERT_TRUE(eventually([&] { return nodes->primary() == nullptr; }));
  const auto alone = replica.observed().sent;
  ASSERT_TRUE(eventually([&] { return replica.observed().sent > alone && !replica.observed().streaming; }));
  EXPECT_TRUE(replica.mark()) << "what it has replayed it has replayed";
  ASSERT_OK(servers->restart(servers->replica(0)));
  ASSERT_TRUE(eventually([&] { return !replica.mark(); })) << "after a restart it may stand before where it stood";
}

TEST_F(discovery, does_without_the_timeline_of_replicas_where_the_role_may_not_see_it) {
  start({.replicas = 1});
  ASSERT_OK(servers->execute("revoke pg_read_all_stats from app"));
  ASSERT_OK(servers->wait_for_replay(servers->replica(0)));
  const auto nodes = open_router();
  EXPECT_EQ(nodes->nodes()[1]->observed().timeline, 0U);
  EXPECT_FALSE(nodes->nodes()[1]->observed().streaming);
  EXPECT_GT(nodes->nodes()[1]->observed().position, 0U);
  EXPECT_FALSE(nodes->nodes()[1]->mark());
}

TEST_F(discovery, leaves_no_threads_behind) {
  start({.replicas = 1});
  open();
  db.reset();
  const std::size_t before = threads_now();
  for (int i = 0; i < 10; ++i) {
    open();
    db.reset();
  }
  EXPECT_TRUE(eventually([&] { return threads_now() <= before; })) << threads_now() << " of " << before;
}

TEST_F(discovery, fails_to_open_where_no_node_can_be_reached) {
  start({.replicas = 1});
  ASSERT_OK(servers->stop(servers->primary()));
  ASSERT_OK(servers->stop(servers->replica(0)));
  EXPECT_ERROR(bw::database::open(config), errc::connection_failed);
}

TEST_F(discovery, opens_where_no_primary_can_be_reached_and_reads) {
  start({.replicas = 1});
  ASSERT_OK(servers->stop(servers->primary()));
  open();
  EXPECT_OK(count(bw::consistency::eventual));
  EXPECT_FALSE(db->readiness().can_write);
  EXPECT_TRUE(db->readiness().can_read);
}

}  // namespace
}  // namespace tests
