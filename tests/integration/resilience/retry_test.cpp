// What is run again, how often, and what is not; on a real server, whose functions fail as often as they are told.

#include "support.hpp"
#include <breakwater/postgres/sqlstate.hpp>

#include <algorithm>

namespace tests {
namespace {

using bw::postgres::remedy;

class retry : public resilience_test {
 protected:
  static bw::result<std::int64_t> fail(const bw::database& db, int times, std::string_view code) {
    return db.session().query("select fail_times(?, ?)", times, code).one<std::int64_t>();
  }
};

/// How often a statement runs that is always answered with this error, of three attempts that are allowed.
int runs_with(const bw::postgres::sqlstate_row& row) {
  if (row.code == "57014") return 1;  // not from the library's own time limit
  switch (row.remedy) {
    case remedy::rerun:
    case remedy::reconnect:
    case remedy::connection_lost:
    case remedy::reconnect_paced: return 3;
    case remedy::rerun_once:
    case remedy::reconnect_once: return 2;
    default: return 1;
  }
}

TEST_F(retry, runs_a_statement_as_often_as_the_remedy_of_its_sqlstate_allows) {
  config.retry_budget.per_second = 1000;
  config.retry.base = config.retry.cap = 1ms;
  config.breaker.enabled = false;
  const bw::database db = open();
  for (const auto& row : bw::postgres::sqlstates()) {
    if (row.code.starts_with("00")) continue;  // can not be raised
    const int before = calls();
    const auto answer = fail(db, 1'000'000, row.code);
    ASSERT_FALSE(answer) << row.code;
    EXPECT_EQ(answer.error().sqlstate(), row.code);
    EXPECT_EQ(calls() - before, runs_with(row)) << row.code << " " << row.condition;
    EXPECT_EQ(static_cast<int>(answer.error().attempts()), runs_with(row)) << row.code;
    const bool in_doubt = row.remedy == remedy::resolve;
    EXPECT_EQ(answer.error().applied(), in_doubt ? bw::applied::unknown : bw::applied::no) << row.code;
  }
}

TEST_F(retry, succeeds_on_the_third_try) {
  const bw::database db = open();
  const auto answer = fail(db, 2, "40001");
  ASSERT_OK(answer);
  EXPECT_EQ(answer.value(), 3);
  const auto seen = events->retries();
  ASSERT_EQ(seen.size(), 2U);
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_EQ(seen[i].sqlstate, "40001");
    EXPECT_EQ(seen[i].attempt, i + 1);
    EXPECT_EQ(seen[i].node, primary_name());
    EXPECT_EQ(seen[i].statement, "sql");
    EXPECT_FALSE(seen[i].refused_by_budget);
  }
}

TEST_F(retry, of_one_attempt_is_none) {
  config.retry.max_attempts = 1;
  const bw::database db = open();
  EXPECT_ERROR(fail(db, 1, "40001"), errc::serialization_failure);
  EXPECT_EQ(calls(), 1);
}

TEST_F(retry, happens_to_no_statement_inside_a_transaction) {
  const bw::database db = open();
  bw::session session = db.session();
  const auto done = session.transact(
      [&](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(tx.query("select fail_times(1, '40001')").one<std::int64_t>());
        return bw::success();
      },
      {.max_attempts = 1});
  EXPECT_ERROR(done, errc::serialization_failure);
  EXPECT_EQ(calls(), 1);
}

TEST_F(retry, ends_when_the_budget_is_spent) {
  config.retry_budget = {.ratio = 0, .per_second = 0};
  const bw::database db = open();
  EXPECT_ERROR(fail(db, 1, "57P03"), errc::connection_failed);
  EXPECT_EQ(calls(), 1);
  ASSERT_EQ(events->retries().size(), 1U);
  EXPECT_TRUE(events->retries()[0].refused_by_budget);
}

TEST_F(retry, after_a_conflict_asks_for_no_budget) {
  config.retry_budget = {.ratio = 0, .per_second = 0};
  const bw::database db = open();
  EXPECT_OK(fail(db, 2, "40001"));
  bw::session session = db.session();
  int runs = 0;
  EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    // Calls are counted from the beginning of the test: the third one was the last of the statement above.
    BOOST_OUTCOME_TRY(tx.execute("select fail_times(5, '40P01')"));
    ++runs;
    return bw::success();
  }));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(calls(), 6);
}

TEST_F(retry, never_outlasts_the_deadline) {
  config.retry.base = config.retry.cap = 1min;
  config.retry.max_attempts = 100;
  const bw::database db = open();
  const auto answer = db.session({.timeout = 500ms}).query("select fail_times(1000, '40001')").one<std::int64_t>();
  EXPECT_ERROR(answer, errc::serialization_failure);
  EXPECT_LE(calls(), 3) << "a pause of up to a minute seldom fits into half a second";
}

TEST_F(retry, of_a_batch_runs_all_of_it_again) {
  const bw::database db = open();
  const bw::session session = db.session();
  bw::batch batch = session.batch();
  (void)batch.add(session.query("insert into items values (1, 'one')"));
  const auto tries = batch.one<std::int64_t>(session.query("select fail_times(2, '40P01')"));
  const auto answers = batch.run();
  ASSERT_OK(answers);
  EXPECT_EQ(answers.value().get(tries).value(), 3);
  EXPECT_EQ(truth("select count(*) from items"), "1");
}

// ---- lost connections -----------------------------------------------------------------------------------------------

TEST_F(retry, of_a_read_survives_a_lost_connection) {
  const bw::database db = open();
  bw::session session = db.session({.consistency = bw::consistency::primary});
  // Read-only, and still it counts: the session's own statement ends it from another one's sight.
  const auto killed = session.query("select pg_terminate_backend(pg_backend_pid())").read_only().one<bool>();
  EXPECT_ERROR(killed, errc::connection_failed);
  EXPECT_EQ(killed.error().attempts(), 3U);
  EXPECT_EQ(killed.error().applied(), bw::applied::no);
  EXPECT_EQ(events->retries().size(), 2U);
}

TEST_F(retry, of_a_read_goes_from_the_replica_to_the_primary) {
  const bw::database db = open();
  const auto killed = db.session().query("select pg_terminate_backend(pg_backend_pid())").read_only().one<bool>();
  EXPECT_ERROR(killed, errc::connection_failed);
  const auto seen = events->retries();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].node, replica_name());
  EXPECT_EQ(seen[1].node, primary_name());
}

TEST_F(retry, of_a_name_that_the_replica_does_not_know_yet_asks_the_primary) {
  const bw::database db = open();
  ASSERT_OK(shared_cluster().pause_replay(shared_cluster().replica(0)));
  ASSERT_OK(shared_cluster().execute("create table newborn as select 7 as id; grant all on newborn to public"));
  const bw::session session = db.session({.consistency = bw::consistency::eventual});
  const auto found = session.query("select id from newborn").read_only().one<int>();
  EXPECT_OK(shared_cluster().resume_replay(shared_cluster().replica(0)));
  ASSERT_OK(found);
  EXPECT_EQ(found.value(), 7);
  EXPECT_ERROR(session.query("select id from nowhere").read_only().one<int>(), errc::invalid_statement);
  EXPECT_OK(shared_cluster().execute("drop table newborn"));
}

TEST_F(retry, of_a_write_whose_answer_was_lost_is_not_made) {
  const bw::database db = open();
  const auto lost = db.session().execute("insert into items select kill_times(1), 'killed'");
  EXPECT_ERROR(lost, errc::commit_unknown);
  EXPECT_EQ(lost.error().applied(), bw::applied::unknown);
  EXPECT_EQ(calls(), 1);
  EXPECT_TRUE(events->retries().empty());
}

TEST_F(retry, of_a_write_whose_answer_was_lost_is_made_where_it_was_declared_idempotent) {
  const bw::database db = open();
  const auto done = db.session().query("insert into items select kill_times(1), 'again'").idempotent().execute();
  ASSERT_OK(done);
  EXPECT_EQ(done.value(), 1U);
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(truth("select note from items"), "again");
}

TEST_F(retry, of_an_idempotent_write_that_changes_no_row_leaves_it_in_doubt) {
  const bw::database db = open();
  ASSERT_OK(shared_cluster().execute("insert into items values (1, 'there')"));
  const auto done = db.session().query("delete from items where kill_times(1) < 0").idempotent().execute();
  EXPECT_ERROR(done, errc::commit_unknown);
  EXPECT_EQ(done.error().applied(), bw::applied::unknown);
  EXPECT_EQ(done.error().attempts(), 2U);
  // The same without a first attempt in doubt is a plain answer.
  const auto none = db.session().query("delete from items where id < 0").idempotent().execute();
  ASSERT_OK(none);
  EXPECT_EQ(none.value(), 0U);
}

TEST_F(retry, of_an_idempotent_write_that_is_refused_leaves_it_in_doubt) {
  const bw::database db = open();
  ASSERT_OK(shared_cluster().execute("insert into items values (2, 'there')"));
  const auto done = db.session().query("insert into items select kill_times(1), 'twice'").idempotent().execute();
  EXPECT_ERROR(done, errc::commit_unknown);
  EXPECT_EQ(done.error().applied(), bw::applied::unknown);
  EXPECT_EQ(done.error().sqlstate(), "23505") << "the first attempt may be what is in the way";
}

}  // namespace
}  // namespace tests
