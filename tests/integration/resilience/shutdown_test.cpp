// How a database is closed, and what a health endpoint is told before, while and after.

#include "support.hpp"

#include <future>

namespace tests {
namespace {

class shutdown : public resilience_test {
 protected:
  static bool is_sleeping() {
    return eventually(
        [] { return truth("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"; });
  }
};

TEST_F(shutdown, lets_what_runs_finish_and_refuses_what_is_new) {
  bw::database db = open();
  std::future<bw::result<std::size_t>> running;
  held_lock lock(1);
  running = std::async(std::launch::async, [&] {
    return db.session({.operation_timeout = 60s})
        .execute("insert into items select 1, 'finished' from pg_advisory_xact_lock(1)");
  });
  ASSERT_TRUE(lock.is_waited_for());
  auto closing = std::async(std::launch::async, [&] { return db.shutdown(60s); });
  ASSERT_TRUE(eventually([&] { return !db.readiness().ready; }));
  const auto refused = db.session().execute("insert into items values (2, 'late')");
  EXPECT_ERROR(refused, errc::cancelled);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  lock.let_go();
  EXPECT_OK(running.get());
  EXPECT_OK(closing.get());
  EXPECT_EQ(truth("select string_agg(note, ',') from items"), "finished");
}

TEST_F(shutdown, lets_a_transaction_come_to_its_end) {
  bw::database db = open();
  std::promise<void> begun;
  std::promise<void> go_on;
  auto running = std::async(std::launch::async, [&] {
    bw::session session = db.session();
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("insert into items values (1, 'one')"));
      begun.set_value();
      go_on.get_future().wait();
      BOOST_OUTCOME_TRY(tx.execute("insert into items values (2, 'two')"));
      return bw::success();
    });
  });
  begun.get_future().wait();
  auto closing = std::async(std::launch::async, [&] { return db.shutdown(20s); });
  ASSERT_TRUE(eventually([&] { return !db.readiness().ready; }));
  go_on.set_value();
  EXPECT_OK(running.get());
  EXPECT_OK(closing.get());
  EXPECT_EQ(truth("select count(*) from items"), "2");
}

TEST_F(shutdown, cuts_off_what_outlasts_the_grace_period_and_says_so) {
  bw::database db = open();
  auto running = std::async(std::launch::async, [&] {
    return db.session({.operation_timeout = 60s, .consistency = bw::consistency::primary})
        .query("select 1 from pg_sleep(60)")
        .read_only()
        .one<int>();
  });
  ASSERT_TRUE(is_sleeping());
  EXPECT_ERROR(db.shutdown(100ms), errc::deadline_exceeded);
  const auto ended = running.get();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().applied(), bw::applied::no);
}

TEST_F(shutdown, is_told_to_health_endpoints) {
  bw::database db = open();
  EXPECT_TRUE(db.liveness().alive) << db.liveness().reason;
  const auto before = db.readiness();
  EXPECT_TRUE(before.ready && before.can_read && before.can_write) << before.reason;
  EXPECT_EQ(before.reason, "");
  ASSERT_OK(db.shutdown());
  EXPECT_FALSE(db.liveness().alive);
  EXPECT_NE(db.liveness().reason, "");
  const auto after = db.readiness();
  EXPECT_FALSE(after.ready || after.can_read || after.can_write);
  EXPECT_NE(after.reason, "");
}

TEST_F(shutdown, is_not_what_an_open_breaker_is_taken_for) {
  const bw::database db = open();
  using bw::circuit_class;
  using bw::circuit_order;
  ASSERT_OK(db.set_circuit_breaker(primary_name(), circuit_class::write, circuit_order::force_open));
  const auto read_only = db.readiness();
  EXPECT_TRUE(read_only.ready);
  EXPECT_TRUE(read_only.can_read);
  EXPECT_FALSE(read_only.can_write);
  EXPECT_NE(read_only.reason.find(primary_name()), std::string::npos) << read_only.reason;
  ASSERT_OK(db.set_circuit_breaker(primary_name(), circuit_class::read, circuit_order::force_open));
  EXPECT_TRUE(db.readiness().can_read) << "there is the replica";
  ASSERT_OK(db.set_circuit_breaker(replica_name(), circuit_class::read, circuit_order::force_open));
  EXPECT_FALSE(db.readiness().ready);
  EXPECT_TRUE(db.liveness().alive) << "restarting the process would not mend the database";
}

}  // namespace
}  // namespace tests
