// What is known of a write when something behind or before PgBouncer breaks.

#include "../postgres/proxy.hpp"
#include "support.hpp"

#include <thread>
#include <vector>

namespace tests {
namespace {

using breakwater::postgres::test::proxy;
using fault = proxy::fault;

/// How a COMMIT begins on the wire: with the NUL behind it that "read committed" does not have.
const std::string commit_message{"commit\0", 7};

std::string dsn_to(std::uint16_t port, const bouncer& between) {
  std::string dsn = between.dsn();
  const std::string there = ":" + std::to_string(between.port()) + "/";
  return dsn.replace(dsn.find(there), there.size(), ":" + std::to_string(port) + "/");
}

class behind_bouncer : public ::testing::TestWithParam<pooling> {
 protected:
  void SetUp() override { ASSERT_OK(shared_cluster().execute("truncate notes, breakwater.outcomes")); }
  static bw::config settings_for(const bouncer& between) {
    bw::config settings = config_through(between);
    settings.pooler = GetParam() == pooling::session ? bw::pooler::session : bw::pooler::automatic;
    settings.outcome_guard.enabled = true;
    return settings;
  }
  static std::string notes() { return truth("select coalesce(string_agg(who, ',' order by who), '') from notes"); }
  static bw::result<int> write_in_transaction(bw::session& session, std::string_view who, int& runs,
                                              const std::function<void()>& then = {}) {
    return session.transact([&](bw::transaction& tx) -> bw::result<int> {
      ++runs;
      BOOST_OUTCOME_TRY(tx.execute("insert into notes values (?)", std::string(who)));
      if (then && runs == 1) then();
      BOOST_OUTCOME_TRY(tx.execute("insert into notes values (?)", std::string(who)));
      return runs;
    });
  }
};
INSTANTIATE_TEST_SUITE_P(, behind_bouncer, ::testing::Values(pooling::session, pooling::transaction),
                         [](const auto& of) {
                           return of.param == pooling::session ? "in_session_mode" : "in_transaction_mode";
                         });

TEST_P(behind_bouncer, a_guarded_commit_whose_answer_was_lost_is_found_out) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  for (const fault how : {fault::cut_before, fault::cut_after, fault::mute_after}) {
    ASSERT_OK(shared_cluster().execute("truncate notes"));
    proxy network(between->port());
    bw::config settings = settings_for(*between);
    settings.nodes = {dsn_to(network.port(), *between)};
    const auto db = open(settings);
    ASSERT_TRUE(db);
    bw::session session = db->session();
    int runs = 0;
    network.on_message(commit_message, how);
    const std::jthread breaker([&] {
      EXPECT_TRUE(eventually([&] { return network.faults() == 1; }));
      network.drop_clients();
    });
    ASSERT_OK(write_in_transaction(session, "a", runs));
    EXPECT_EQ(notes(), "a,a") << static_cast<int>(how);
    EXPECT_EQ(runs, how == fault::cut_before ? 2 : 1);
  }
}

TEST_P(behind_bouncer, a_guarded_commit_that_its_pooler_lost_is_found_out) {
  for (const fault how : {fault::cut_before, fault::cut_after}) {
    ASSERT_OK(shared_cluster().execute("truncate notes"));
    proxy network(shared_cluster().primary().port());
    const auto between = bouncer_before_primary({.mode = GetParam(), .server_port = network.port()});
    const auto db = open(settings_for(*between));
    ASSERT_TRUE(db);
    bw::session session = db->session();
    int runs = 0;
    network.on_message(commit_message, how);
    ASSERT_OK(write_in_transaction(session, "a", runs));
    EXPECT_EQ(notes(), "a,a") << static_cast<int>(how);
    EXPECT_EQ(runs, how == fault::cut_before ? 2 : 1);
  }
}

TEST_P(behind_bouncer, a_guarded_transaction_left_open_by_a_silent_link_is_ended_and_runs_again) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  proxy network(between->port());
  bw::config settings = settings_for(*between);
  settings.nodes = {dsn_to(network.port(), *between)};
  settings.operation_timeout = 5s;
  const auto db = open(settings);
  ASSERT_TRUE(db);
  bw::session session = db->session();
  int runs = 0;
  network.on_message(commit_message, fault::hold);
  ASSERT_OK(write_in_transaction(session, "a", runs));
  EXPECT_EQ(notes(), "a,a");
  EXPECT_EQ(runs, 2);
  network.release();
}

TEST_P(behind_bouncer, a_transaction_whose_server_process_died_runs_again) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  const auto db = open(settings_for(*between));
  ASSERT_TRUE(db);
  bw::session session = db->session();
  int runs = 0;
  ASSERT_OK(write_in_transaction(session, "a", runs, [] {
    EXPECT_NE(truth("select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = 'app'"), "0");
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(notes(), "a,a");
}

TEST_P(behind_bouncer, a_transaction_whose_server_process_died_before_its_commit_runs_again) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  const auto db = open(settings_for(*between));
  ASSERT_TRUE(db);
  int runs = 0;
  ASSERT_OK(db->session().transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into notes values ('a')"));
    if (++runs > 1) return bw::success();
    EXPECT_NE(truth("select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = 'app'"), "0");
    // Its goodbye is read before COMMIT is sent; where it is not there yet, the guard finds out.
    EXPECT_TRUE(eventually([&] { return between->log().find("closing because") != std::string::npos; }));
    return bw::success();
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(notes(), "a");
}

TEST_P(behind_bouncer, a_write_under_way_when_its_server_process_died_is_unknown) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  bw::config settings = settings_for(*between);
  settings.outcome_guard.enabled = false;
  const auto db = open(settings);
  ASSERT_TRUE(db);
  const std::jthread killer([] {
    EXPECT_TRUE(eventually([] {
      return truth(
                 "select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity where usename = 'app' and state = "
                 "'active' and query like 'insert into notes select pg_sleep(28)%'") == "t";
    }));
  });
  const auto lost = db->session().execute("insert into notes select pg_sleep(28)::text");
  EXPECT_ERROR(lost, errc::commit_unknown);
  EXPECT_EQ(lost.error().applied(), bw::applied::unknown);
  EXPECT_OK(db->session().execute("insert into notes values ('next')"));
}

TEST_P(behind_bouncer, cancel_requests_that_run_out_of_time_do_no_harm) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  bw::config settings = settings_for(*between);
  settings.outcome_guard.enabled = false;
  const auto db = open(settings);
  ASSERT_TRUE(db);
  constexpr int times = 40;
  for (int i = 0; i < times; ++i) {
    bw::session hurried = db->session({.operation_timeout = 20ms + i * 1ms});
    bw::batch sleeping = hurried.batch();
    sleeping.add(hurried.query("insert into notes select pg_sleep(0.02)::text"));
    sleeping.add(hurried.query("insert into notes select pg_sleep(20)::text"));
    EXPECT_FALSE(sleeping.run().has_value());
  }
  EXPECT_TRUE(eventually([&] { return db->session().query("select 1").read_only().one<int>().has_value(); }));
  EXPECT_EQ(between->log().find(" FATAL @"), std::string::npos) << "PgBouncer has died";
}

TEST_P(behind_bouncer, an_idle_server_process_that_died_hinders_nobody) {
  const auto between = bouncer_before_primary({.mode = GetParam()});
  const auto db = open(settings_for(*between));
  ASSERT_TRUE(db);
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(db->session({.outcome_guard = false}).execute("insert into notes values ('a')"));
    EXPECT_NE(truth("select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = 'app'"), "0");
    // PgBouncer has to have read the goodbye; until then it hands the dead connection out.
    EXPECT_TRUE(eventually([&] { return db->session().query("select 1").read_only().one<int>().has_value(); }));
  }
  EXPECT_EQ(notes(), "a,a,a");
}

TEST_P(behind_bouncer, who_finds_all_connections_taken_waits_no_longer_than_allowed) {
  const auto between = bouncer_before_primary({.mode = GetParam(), .pool_size = 1});
  std::optional<stranger> busy(*between);
  busy->run("begin");
  bw::config settings = settings_for(*between);
  settings.connect_timeout = 300ms;
  const auto refused = bw::database::open(settings);
  EXPECT_ERROR(refused, errc::deadline_exceeded);
  busy.reset();
  EXPECT_TRUE(eventually([&] { return bw::database::open(settings).has_value(); }));
}

}  // namespace
}  // namespace tests
