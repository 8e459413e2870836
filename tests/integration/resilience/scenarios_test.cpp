// Whole stories about failures: what a service sees, with the truth asked of the server over another connection.

#include "support.hpp"

#include <future>

namespace tests {
namespace {

using bw::circuit_class;
using bw::circuit_state;
using clock = std::chrono::steady_clock;

class resilience_scenarios : public resilience_test {
 protected:
  static std::string sleeping() {
    return truth("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and state = 'active'");
  }
};

TEST_F(resilience_scenarios, s03_a_deadline_ends_the_wait_and_the_servers_work) {
  const bw::database db = open();
  ASSERT_OK(db.session().execute("select 1"));
  const auto started = clock::now();
  const auto late = db.session({.timeout = 50ms, .consistency = bw::consistency::primary})
                        .query("select 1 from pg_sleep(60)")
                        .read_only()
                        .one<int>();
  const auto took = clock::now() - started;
  EXPECT_ERROR(late, errc::deadline_exceeded);
  EXPECT_EQ(late.error().applied(), bw::applied::no);
  EXPECT_GE(took, 49ms);
  EXPECT_LT(took, 5s) << "not after the sleep";
  EXPECT_TRUE(eventually([] { return sleeping() == "0"; })) << "the server gave up too, long before its time";
}

TEST_F(resilience_scenarios, s03_a_write_past_its_deadline_is_not_applied_and_the_server_says_so) {
  const bw::database db = open();
  ASSERT_OK(db.session().execute("select 1"));
  const auto late = db.session({.timeout = 50ms}).execute("insert into items select 1, 'late' from pg_sleep(60)");
  EXPECT_ERROR(late, errc::deadline_exceeded);
  EXPECT_EQ(late.error().applied(), bw::applied::no);
  EXPECT_TRUE(eventually([] { return sleeping() == "0"; }));
  EXPECT_EQ(truth("select count(*) from items"), "0");
}

TEST_F(resilience_scenarios, s34_a_breaker_opens_for_killed_backends_lets_one_probe_pass_and_closes) {
  config.breaker.min_calls = 5;
  // A probe that is not answered for so long makes room for the next one: the test has to be done with it by then.
  config.breaker.open_for = 20s;
  config.breaker.open_jitter = 0;
  config.retry.max_attempts = 1;
  const bw::database db = open();
  const auto state = [&] {
    for (const auto& each : db.circuit_breakers()) {
      if (each.node == primary_name() && each.of == circuit_class::write) return each.state;
    }
    return circuit_state::closed;
  };
  for (int i = 0; i < 20; ++i) EXPECT_ERROR(db.session().execute("select * from nowhere"), errc::invalid_statement);
  EXPECT_EQ(state(), circuit_state::closed) << "an undefined table is no failure of the server";

  // Half of all calls have to fail: as many again as were answered, and no more.
  int killed = 0;
  auto opened = clock::now();
  while (state() == circuit_state::closed && killed < 50) {
    opened = clock::now();
    EXPECT_ERROR(db.session().execute("select pg_terminate_backend(pg_backend_pid())"), errc::commit_unknown);
    ++killed;
  }
  EXPECT_EQ(state(), circuit_state::open);
  EXPECT_LE(killed, 22);
  EXPECT_ERROR(db.session().execute("select 1"), errc::circuit_open);

  // The first call after the wait probes; while it runs the others are refused.
  std::future<bw::result<std::size_t>> probe;
  held_lock lock(34);
  const auto locked = [&] {
    return db.session({.operation_timeout = 60s}).execute("select pg_advisory_xact_lock(34)");
  };
  EXPECT_TRUE(eventually([&] {
    if (!probe.valid() || (probe.wait_for(0s) == std::future_status::ready && !probe.get())) {
      probe = std::async(std::launch::async, locked);
    }
    return state() == circuit_state::half_open;
  }));
  EXPECT_GE(clock::now() - opened, config.breaker.open_for / 5) << "connections that can be made end it no earlier";
  EXPECT_TRUE(lock.is_waited_for());
  for (int i = 0; i < 5; ++i) EXPECT_ERROR(db.session().execute("select 1"), errc::circuit_open);
  EXPECT_EQ(state(), circuit_state::half_open);
  lock.let_go();
  ASSERT_TRUE(probe.valid());
  EXPECT_OK(probe.get());
  EXPECT_EQ(state(), circuit_state::closed);
  EXPECT_OK(db.session().execute("select 1"));
}

TEST_F(resilience_scenarios, s35_a_retry_succeeds_on_the_third_try_for_transient_codes_only) {
  const bw::database db = open();
  EXPECT_OK(db.session().execute("select fail_times(2, '40001')"));
  EXPECT_EQ(calls(), 3);
  EXPECT_ERROR(db.session().execute("select fail_times(1000, '23505')"), errc::unique_violation);
  EXPECT_EQ(calls(), 4);
}

TEST_F(resilience_scenarios, s35_no_retries_means_one_call) {
  config.retry.max_attempts = 1;
  const bw::database db = open();
  EXPECT_ERROR(db.session().execute("select fail_times(1000, '40001')"), errc::serialization_failure);
  EXPECT_EQ(calls(), 1);
}

TEST_F(resilience_scenarios, s35_a_transaction_is_tried_again_as_a_whole_and_nothing_in_it) {
  const bw::database db = open();
  bw::session session = db.session();
  int runs = 0;
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (1, 'once')"));
    BOOST_OUTCOME_TRY(tx.execute("select fail_times(2, '40001')"));
    return bw::success();
  });
  EXPECT_OK(done);
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(truth("select count(*) from items"), "1");
}

TEST_F(resilience_scenarios, s35_a_transaction_whose_connection_is_lost_before_its_commit_runs_again) {
  const bw::database db = open();
  bw::session session = db.session();
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (1, 'once')"));
    BOOST_OUTCOME_TRY(tx.execute("select kill_times(2)"));
    return bw::success();
  });
  EXPECT_OK(done);
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(truth("select count(*) from items"), "1");
}

}  // namespace
}  // namespace tests
