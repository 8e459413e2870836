// Which failures open a node's breaker, what an open one does, and how it closes.

#include "support.hpp"

namespace tests {
namespace {

using bw::circuit_class;
using bw::circuit_state;

class circuit_breaker : public resilience_test {
 protected:
  void SetUp() override {
    resilience_test::SetUp();
    config.breaker.min_calls = 5;
    // A fifth of it passes before a connection that can be made lets a probe through: time enough to see it open.
    config.breaker.open_for = 15s;
    config.breaker.open_jitter = 0;
    config.retry.max_attempts = 1;
  }
  static bw::circuit_status status(const bw::database& db, const std::string& node, circuit_class of) {
    for (const auto& each : db.circuit_breakers()) {
      if (each.node == node && each.of == of) return each;
    }
    ADD_FAILURE() << "no breaker of " << node;
    return {};
  }
  static bw::result<std::size_t> killed(const bw::database& db) {
    return db.session().execute("select pg_terminate_backend(pg_backend_pid())");
  }
};

TEST_F(circuit_breaker, is_never_opened_by_what_its_caller_has_to_mend) {
  const bw::database db = open();
  ASSERT_OK(db.session().execute("insert into items values (1, 'one')"));
  for (int i = 0; i < 50; ++i) {
    EXPECT_ERROR(db.session().execute("select * from nowhere"), errc::invalid_statement);
    EXPECT_ERROR(db.session().execute("insert into items values (1, 'one')"), errc::unique_violation);
  }
  const auto seen = status(db, primary_name(), circuit_class::write);
  EXPECT_EQ(seen.state, circuit_state::closed);
  EXPECT_EQ(seen.failures, 0U);
  EXPECT_TRUE(events->circuits().empty());
}

TEST_F(circuit_breaker, opens_when_backends_are_killed_and_closes_after_one_probe) {
  const bw::database db = open();
  for (int i = 0; i < 5; ++i) EXPECT_ERROR(killed(db), errc::commit_unknown);
  EXPECT_EQ(status(db, primary_name(), circuit_class::write).state, circuit_state::open);

  const auto refused = db.session().execute("insert into items values (1, 'too early')");
  EXPECT_ERROR(refused, errc::circuit_open);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(refused.error().attempts(), 0U);
  EXPECT_EQ(refused.error().node(), primary_name());
  EXPECT_TRUE(refused.error().is_transient());
  EXPECT_GE(events->rejected(), 1);
  EXPECT_OK(db.session({.consistency = bw::consistency::primary}).query("select 1").read_only().one<int>())
      << "reads have a breaker of their own";

  EXPECT_TRUE(eventually([&] { return db.session().execute("insert into items values (2, 'back')").has_value(); }));
  const auto seen = events->circuits();
  ASSERT_EQ(seen.size(), 3U);
  const auto change = [](circuit_state before, circuit_state now) {
    return recorder::circuit{.node = primary_name(), .of = circuit_class::write, .before = before, .now = now};
  };
  EXPECT_EQ(seen[0], change(circuit_state::closed, circuit_state::open));
  EXPECT_EQ(seen[1], change(circuit_state::open, circuit_state::half_open));
  EXPECT_EQ(seen[2], change(circuit_state::half_open, circuit_state::closed));
  EXPECT_EQ(truth("select count(*) from items where id = 1"), "0");
}

TEST(circuit_breaker_of_a_lost_server, lets_a_call_probe_as_soon_as_a_connection_can_be_made) {
  auto started = bw::testing::cluster::start({});
  ASSERT_OK(started);
  bw::testing::cluster cluster = std::move(started).value();
  bw::config config;
  config.nodes = cluster.dsns();
  config.breaker.min_calls = 5;
  config.breaker.open_for = 12s;
  config.breaker.open_jitter = 0;
  config.retry.max_attempts = 1;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();
  for (int i = 0; i < 5; ++i) {
    EXPECT_ERROR(db.session().execute("select pg_terminate_backend(pg_backend_pid())"), errc::commit_unknown);
  }
  EXPECT_ERROR(db.session().execute("select 1"), errc::circuit_open);
  const auto at = std::chrono::steady_clock::now();
  ASSERT_OK(cluster.restart(cluster.primary()));
  EXPECT_TRUE(eventually([&] { return db.session({.timeout = 1s}).execute("select 1").has_value(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - at, 11s) << "by itself it would not have let anybody pass so early";
}

TEST_F(circuit_breaker, of_a_replica_sends_reads_to_the_primary) {
  const bw::database db = open();
  ASSERT_OK(db.set_circuit_breaker(replica_name(), circuit_class::read, bw::circuit_order::force_open));
  const auto where = db.session().query("select pg_is_in_recovery()").read_only().one<bool>();
  ASSERT_OK(where);
  EXPECT_FALSE(where.value());
  ASSERT_OK(db.set_circuit_breaker(replica_name(), circuit_class::read, bw::circuit_order::reset));
  EXPECT_TRUE(db.session().query("select pg_is_in_recovery()").read_only().one<bool>().value());
}

TEST_F(circuit_breaker, obeys_its_operator_until_it_is_reset) {
  const bw::database db = open();
  ASSERT_OK(db.set_circuit_breaker(primary_name(), circuit_class::write, bw::circuit_order::force_open));
  const auto refused = db.session().execute("insert into items values (1, 'refused')");
  EXPECT_ERROR(refused, errc::circuit_open);
  EXPECT_NE(refused.error().message().find("operator"), std::string::npos) << refused.error().message();
  bw::session session = db.session();
  EXPECT_ERROR(session.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }),
               errc::circuit_open);
  EXPECT_TRUE(status(db, primary_name(), circuit_class::write).forced);

  ASSERT_OK(db.set_circuit_breaker(primary_name(), circuit_class::write, bw::circuit_order::force_closed));
  for (int i = 0; i < 10; ++i) EXPECT_ERROR(killed(db), errc::commit_unknown);
  EXPECT_EQ(status(db, primary_name(), circuit_class::write).state, circuit_state::closed);

  ASSERT_OK(db.set_circuit_breaker(primary_name(), circuit_class::write, bw::circuit_order::reset));
  EXPECT_FALSE(status(db, primary_name(), circuit_class::write).forced);
  EXPECT_ERROR(db.set_circuit_breaker("nowhere:1", circuit_class::write, bw::circuit_order::reset),
               errc::invalid_argument);
}

TEST_F(circuit_breaker, counts_transactions_as_calls) {
  const bw::database db = open();
  for (int i = 0; i < 5; ++i) {
    bw::session session = db.session();
    const auto done = session.transact(
        [](bw::transaction& tx) -> bw::result<void> {
          BOOST_OUTCOME_TRY(tx.execute("select pg_terminate_backend(pg_backend_pid())"));
          return bw::success();
        },
        {.max_attempts = 1});
    EXPECT_ERROR(done, errc::connection_failed);
  }
  EXPECT_EQ(status(db, primary_name(), circuit_class::write).state, circuit_state::open);
}

TEST_F(circuit_breaker, lets_a_transaction_of_any_length_count_as_quick) {
  config.breaker.slow_threshold = 20ms;
  const bw::database db = open();
  for (int i = 0; i < 6; ++i) {
    bw::session session = db.session();
    EXPECT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("select pg_sleep(0.03)"));
      return bw::success();
    }));
  }
  EXPECT_EQ(status(db, primary_name(), circuit_class::write).slow, 0U);
  for (int i = 0; i < 6; ++i) (void)db.session().execute("select pg_sleep(0.03)");
  EXPECT_EQ(status(db, primary_name(), circuit_class::write).state, circuit_state::open)
      << "single statements do count";
}

}  // namespace
}  // namespace tests
