// How a connection finds out that a pooler stands between, and what its server is.

#include "postgres/connection.hpp"
#include "support.hpp"

#include <array>

namespace tests {
namespace {

using breakwater::postgres::command;
using breakwater::postgres::connection;
using breakwater::postgres::connection_settings;

std::unique_ptr<connection> connect(const std::string& dsn, bw::pooler what = bw::pooler::automatic) {
  connection_settings settings{.address = bw::dsn::parse(dsn).value(),
                               .node = "node",
                               .application_name = "breakwater test",
                               .connect_timeout = 10s,
                               .statement_timeout = 30s,
                               .idle_in_transaction_timeout = 30s,
                               .statement_cache_size = 64,
                               .tcp = {},
                               .pooler = what};
  auto made = connection::open(std::make_shared<const connection_settings>(std::move(settings)),
                               bw::deadline::after(patience), nullptr);
  EXPECT_OK(made);
  return made ? std::move(made).value() : nullptr;
}

std::string value_of(connection& on, std::string_view sql) {
  const bw::statement what{
      .sql = sql, .name = "test", .operation = "SELECT", .kind = bw::statement_class::read, .prepare = false};
  const bw::parameters none;
  const std::array commands{command{&what, &none}};
  const auto answer = on.run({.commands = commands, .until = bw::deadline::after(patience)});
  if (!answer) return answer.error().message();
  return std::string(answer.value().at(0, 0).text);
}

TEST(pooler, is_noticed_by_the_key_that_it_hands_out) {
  const auto direct = connect(shared_cluster().dsn());
  ASSERT_NE(direct, nullptr);
  EXPECT_FALSE(direct->is_pooled());
  EXPECT_TRUE(direct->process().is_direct);
  for (const pooling mode : {pooling::transaction, pooling::session}) {
    const auto between = bouncer_before_primary({.mode = mode, .pool_size = 2});
    const auto through = connect(between->dsn());
    ASSERT_NE(through, nullptr);
    EXPECT_TRUE(through->is_pooled()) << "what is right for transactions is right for sessions";
    EXPECT_FALSE(through->process().is_direct);
    const auto told = connect(between->dsn(), bw::pooler::session);
    ASSERT_NE(told, nullptr);
    EXPECT_FALSE(told->is_pooled());
    EXPECT_FALSE(told->process().is_direct);
  }
}

TEST(pooler, leaves_the_session_as_it_is_when_it_is_noticed) {
  const auto between = bouncer_before_primary({.pool_size = 1});
  stranger other(*between);
  const std::string before = other.session_state();
  const auto through = connect(between->dsn());
  ASSERT_NE(through, nullptr);
  EXPECT_EQ(other.session_state(), before);
}

TEST(pooler, in_session_mode_keeps_what_a_session_sets_and_cleans_it_for_the_next) {
  const auto between = bouncer_before_primary({.mode = pooling::session, .pool_size = 1});
  std::string used;
  {
    const auto through = connect(between->dsn(), bw::pooler::session);
    ASSERT_NE(through, nullptr);
    EXPECT_EQ(value_of(*through, "show statement_timeout"), "30s");
    EXPECT_EQ(value_of(*through, "show client_min_messages"), "warning");
    used = value_of(*through, "select pg_backend_pid()");
  }
  stranger next(*between);
  EXPECT_EQ(next.run("select pg_backend_pid()"), used);
  EXPECT_EQ(next.run("show statement_timeout"), "0");
}

TEST(pooler, does_not_report_the_role_so_the_server_is_asked) {
  const auto replica = shared_cluster().replica(0);
  for (const pooling mode : {pooling::transaction, pooling::session}) {
    auto started = bouncer::start(shared_cluster(), replica, {.mode = mode, .pool_size = 2});
    ASSERT_OK(started);
    const auto told = mode == pooling::session ? bw::pooler::session : bw::pooler::automatic;
    const auto to_replica = connect(started.value().dsn(), told);
    ASSERT_NE(to_replica, nullptr);
    EXPECT_TRUE(to_replica->was_replica());
    EXPECT_TRUE(to_replica->is_replica());
    EXPECT_EQ(value_of(*to_replica, "show transaction_read_only"), "on");

    const auto before_primary = bouncer_before_primary({.mode = mode, .pool_size = 2});
    const auto to_primary = connect(before_primary->dsn(), told);
    ASSERT_NE(to_primary, nullptr);
    EXPECT_FALSE(to_primary->was_replica());
    EXPECT_FALSE(to_primary->is_replica());
  }
}

TEST(pooler, that_can_not_reach_its_server_is_a_connection_that_failed) {
  auto started = bouncer::start(shared_cluster(), shared_cluster().primary(),
                                {.server_port = 1, .settings = "query_wait_timeout = 1\n"});
  ASSERT_OK(started);
  const auto refused = bw::database::open(config_through(started.value()));
  EXPECT_ERROR(refused, errc::connection_failed);
  EXPECT_EQ(refused.error().sqlstate(), "08P01") << refused.error().message();
}

/// Both modes, with what the library is told of them.
class role_change : public ::testing::TestWithParam<pooling> {};
INSTANTIATE_TEST_SUITE_P(, role_change, ::testing::Values(pooling::session, pooling::transaction), [](const auto& of) {
  return of.param == pooling::session ? "in_session_mode" : "in_transaction_mode";
});

TEST_P(role_change, is_followed_although_nobody_reports_it) {
  auto made = bw::testing::cluster::start({.replicas = 1});
  ASSERT_OK(made);
  bw::testing::cluster& cluster = made.value();
  ASSERT_OK(cluster.execute("create table notes (who text not null); grant all on notes to app"));
  ASSERT_OK(cluster.wait_for_replay(cluster.replica(0)));
  bw::config settings;
  std::vector<bouncer> between;
  for (const bw::testing::node node : cluster.nodes()) {
    auto started = bouncer::start(cluster, node, {.mode = GetParam(), .settings = "query_wait_timeout = 1\n"});
    ASSERT_OK(started);
    between.push_back(std::move(started).value());
    settings.nodes.push_back(between.back().dsn());
  }
  settings.pooler = GetParam() == pooling::session ? bw::pooler::session : bw::pooler::automatic;
  settings.operation_timeout = 5s;
  const auto db = open(settings);
  ASSERT_TRUE(db);
  EXPECT_EQ(db->health().nodes[0].role, bw::node_role::primary);
  EXPECT_EQ(db->health().nodes[1].role, bw::node_role::replica);
  ASSERT_OK(db->session().execute("insert into notes values ('before')"));
  ASSERT_OK(cluster.wait_for_replay(cluster.replica(0)));

  ASSERT_OK(cluster.kill(cluster.primary()));
  ASSERT_OK(cluster.promote(cluster.replica(0)));
  std::string last;
  EXPECT_TRUE(eventually([&] {
    const auto done = db->session().execute("insert into notes values ('after')");
    if (!done) last = done.error().message();
    return done.has_value();
  })) << last;
  EXPECT_EQ(cluster.query_value(cluster.replica(0), "select count(*) > 0 from notes where who = 'after'").value(), "t");
}

}  // namespace
}  // namespace tests
