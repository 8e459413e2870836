// What becomes of transactions whose connection, server or closure does not do what it should.

#include "../postgres/proxy.hpp"
#include "support.hpp"

#include <string>

namespace tests {
namespace {

using breakwater::postgres::test::proxy;

class transaction_failure : public resilience_test {
 protected:
  /// A database whose only node is the primary, behind a proxy.
  [[nodiscard]] bw::database open_through(const proxy& between) {
    std::string address = shared_cluster().dsn();
    const std::string port = std::to_string(primary_port());
    address.replace(address.find(port), port.size(), std::to_string(between.port()));
    config.nodes = {address};
    return open();
  }
  [[nodiscard]] static std::uint16_t primary_port() { return shared_cluster().primary().port(); }
  [[nodiscard]] static bw::circuit_state write_breaker(const bw::database& db) {
    return db.circuit_breakers().back().state;
  }
};

TEST_F(transaction_failure, a_raw_commit_whose_answer_is_lost_is_unknown_and_not_run_again) {
  proxy between(primary_port());
  const bw::database db = open_through(between);
  bw::session session = db.session();
  int runs = 0;
  between.on_message("commit /* raw */", proxy::fault::cut_after);
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (1, 'once')"));
    BOOST_OUTCOME_TRY(tx.execute("commit /* raw */"));
    return bw::success();
  });
  EXPECT_ERROR(done, errc::commit_unknown);
  EXPECT_EQ(done.error().applied(), bw::applied::unknown);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(truth("select count(*) from items"), "1");
}

TEST_F(transaction_failure, a_silent_server_opens_the_breaker_through_transactions_too) {
  config.breaker.min_calls = 3;
  config.breaker.silence = 100ms;
  proxy between(primary_port());
  const bw::database db = open_through(between);
  ASSERT_OK(db.session().execute("insert into items values (1, 'before')"));
  // New connections work: only what runs on one of them says that something is amiss.
  for (int i = 0; i < 10 && write_breaker(db) == bw::circuit_state::closed; ++i) {
    bw::session session = db.session({.timeout = 500ms});
    const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("select 1"));
      between.silence_present_connections();
      BOOST_OUTCOME_TRY(tx.execute("insert into items values (2, 'silence')"));
      return bw::success();
    });
    EXPECT_ERROR(done, errc::deadline_exceeded);
    EXPECT_EQ(done.error().applied(), bw::applied::no);
  }
  EXPECT_EQ(write_breaker(db), bw::circuit_state::open);
}

TEST_F(transaction_failure, writes_whose_link_is_cut_open_the_breaker_at_once) {
  config.breaker.min_calls = 5;
  proxy between(primary_port());
  const bw::database db = open_through(between);
  ASSERT_OK(db.session().execute("select 1"));
  between.on_message("insert into items", proxy::fault::cut_after, 100);
  for (int i = 0; i < 6; ++i) (void)db.session().execute("insert into items values (?, 'cut')", i);
  EXPECT_EQ(write_breaker(db), bw::circuit_state::open);
}

TEST_F(transaction_failure, inside_a_nested_closure_is_told_as_what_it_was) {
  const bw::database db = open();
  bw::session session = db.session({.timeout = 300ms});
  const auto done = session.transact([](bw::transaction& tx) -> bw::result<void> {
    return tx.transact([](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(inner.execute("select pg_sleep(30)"));
      return bw::success();
    });
  });
  EXPECT_ERROR(done, errc::deadline_exceeded);
  EXPECT_EQ(done.error().applied(), bw::applied::no);
  EXPECT_FALSE(done.error().is_callers_mistake());
}

TEST_F(transaction_failure, that_was_undone_with_its_savepoint_is_no_reason_to_run_again) {
  const bw::database db = open();
  bw::session session = db.session();
  int runs = 0;
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    // Swallowed inside, so that the savepoint can not be released.
    const auto inner = tx.transact([](bw::transaction& in) -> bw::result<void> {
      (void)in.execute("select fail_times(1000, '55P03')");
      return bw::success();
    });
    EXPECT_FALSE(inner);
    return bw::errc::validation_failed;
  });
  EXPECT_ERROR(done, errc::validation_failed);
  EXPECT_EQ(runs, 1);
}

TEST_F(transaction_failure, of_one_that_idled_too_long_is_its_own_and_not_run_again) {
  config.idle_in_transaction_session_timeout = 100ms;
  const bw::database db = open();
  bw::session session = db.session();
  int runs = 0;
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    BOOST_OUTCOME_TRY(const auto pid, tx.query("select pg_backend_pid()").one<int>());
    const std::string is_there = "select count(*) from pg_stat_activity where pid = " + std::to_string(pid);
    EXPECT_TRUE(eventually([&] { return truth(is_there) == "0"; }));
    return bw::success();
  });
  EXPECT_ERROR(done, errc::deadline_exceeded);
  EXPECT_EQ(done.error().sqlstate(), "25P03");
  EXPECT_EQ(done.error().applied(), bw::applied::no);
  EXPECT_EQ(runs, 1);
}

TEST_F(transaction_failure, ends_a_guarded_single_write_after_as_many_attempts_as_any_statement) {
  config.retry.max_attempts = 1;
  const bw::database db = open();
  EXPECT_ERROR(db.session({.outcome_guard = true}).execute("select fail_times(1000, '40001')"),
               errc::serialization_failure);
  EXPECT_EQ(calls(), 1);
}

TEST_F(transaction_failure, of_the_guards_table_to_take_its_token_is_noticed_before_anything_is_written) {
  const bw::database db = open();
  ASSERT_OK(db.session({.outcome_guard = true}).execute("insert into items values (1, 'guarded')"));
  ASSERT_OK(
      db.session().execute("create rule lost as on insert to breakwater.outcomes do instead select 1, 2, 3 where "
                           "false"));
  const auto refused = db.session({.outcome_guard = true}).execute("insert into items values (2, 'not guarded')");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_OK(db.session().execute("drop rule lost on breakwater.outcomes"));
  EXPECT_EQ(truth("select count(*) from items"), "1");
}

TEST(switchover, is_survived_by_the_first_transaction_after_it_though_the_old_primary_is_back_as_a_replica) {
  auto started = bw::testing::cluster::start({.replicas = 1});
  ASSERT_OK(started);
  bw::testing::cluster cluster = std::move(started).value();
  bw::config config;
  config.nodes = cluster.dsns();
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();
  ASSERT_OK(db.session().execute("create table items (id int primary key)"));
  ASSERT_OK(cluster.wait_for_replay(cluster.replica(0)));
  const auto old_primary = cluster.primary();
  const auto new_primary = cluster.replica(0);

  // The program is idle meanwhile.
  ASSERT_OK(cluster.stop(old_primary));
  ASSERT_OK(cluster.promote(new_primary));
  ASSERT_OK(cluster.rejoin(old_primary));

  bw::session session = db.session({.timeout = 20s});
  const auto done = session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (1)"));
    return bw::success();
  });
  EXPECT_OK(done);
  EXPECT_OK(db.session({.timeout = 20s, .outcome_guard = true}).execute("insert into items values (2)"));
  const auto where = db.session({.timeout = 20s, .consistency = bw::consistency::primary})
                         .query("select pg_is_in_recovery()")
                         .read_only()
                         .one<bool>();
  ASSERT_OK(where);
  EXPECT_FALSE(where.value());
}

TEST(readiness, comes_back_while_nobody_calls) {
  auto started = bw::testing::cluster::start({});
  ASSERT_OK(started);
  bw::testing::cluster cluster = std::move(started).value();
  bw::config config;
  config.nodes = cluster.dsns();
  config.breaker.min_calls = 5;
  config.retry.max_attempts = 1;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();
  for (int i = 0; i < 5; ++i) {
    EXPECT_ERROR(db.session().execute("select pg_terminate_backend(pg_backend_pid())"), errc::commit_unknown);
  }
  EXPECT_FALSE(db.readiness().can_write);
  EXPECT_TRUE(eventually([&] { return db.readiness().can_write; })) << "its breaker would let a call pass again";

  ASSERT_OK(cluster.stop(cluster.primary()));
  EXPECT_TRUE(eventually([&] {
    (void)db.session({.timeout = 1s}).execute("select 1");
    return !db.readiness().ready;
  }));
  ASSERT_OK(cluster.start(cluster.primary()));
  EXPECT_TRUE(eventually([&] { return db.readiness().ready; })) << db.readiness().reason;
}

}  // namespace
}  // namespace tests
