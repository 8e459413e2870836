// Batches: one round trip, all or nothing, each answer read as asked.

#include "support.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace tests {
namespace {

struct owner_balance {
  std::string owner;
  bw::numeric balance;
};

class batches : public repository_test {
 protected:
  bw::session session = on_primary();

  static std::string owners() {
    return truth("select coalesce(string_agg(owner, ',' order by owner), '') from accounts");
  }
  static bw::raw_query insert(const bw::session& on, const char* owner) {
    return on
        .query("insert into accounts (owner, balance, version, created_at, updated_at) values (?, 1, 1, now(), now())",
               owner)
        .named("accounts.add");
  }
};

TEST_F(batches, every_answer_is_read_as_it_was_asked) {
  ASSERT_OK(session.repository<account>().insert({.owner = "ada", .balance = bw::numeric{"1.50"}}));
  const auto bob = session.repository<account>().insert({.owner = "bob", .balance = bw::numeric{"2"}});
  ASSERT_OK(bob);
  watcher().clear();

  bw::batch b = session.batch();
  const auto all = b.add<owner_balance>(session.query("select owner, balance from accounts order by owner"));
  const auto count = b.one<std::int64_t>(session.query("select count(*) from accounts where balance > ?", 1));
  const auto nobody = b.maybe<std::string>(session.query("select owner from accounts where owner = ?", "eve"));
  const auto found = b.find<account>(bob.value().id);
  const auto missing = b.find<account>(-1);
  const auto raised = b.add(session.query("update accounts set balance = balance + 1"));
  EXPECT_EQ(b.size(), 6U);
  const auto answers = b.named("report").run();
  ASSERT_OK(answers);

  ASSERT_OK(answers.value().get(all));
  EXPECT_EQ(answers.value().get(all).value().size(), 2U);
  EXPECT_EQ(answers.value().get(all).value()[0].owner, "ada") << "as often as wanted";
  EXPECT_EQ(answers.value().get(count).value(), 2);
  EXPECT_EQ(answers.value().get(nobody).value(), std::nullopt);
  EXPECT_EQ(answers.value().get(found).value()->owner, "bob");
  EXPECT_FALSE(answers.value().get(missing).value().has_value());
  EXPECT_EQ(answers.value().get(raised).value(), 2U);
  ASSERT_EQ(watcher().operations().size(), 1U) << "one event, one round trip";
  EXPECT_EQ(watcher().last().statement, "report");
  EXPECT_EQ(truth("select sum(balance)::text from accounts"), "5.50000000");
}

TEST_F(batches, all_of_it_is_one_round_trip_and_one_transaction) {
  bw::batch b = session.batch();
  const auto first = b.one<std::string>(session.query("select txid_current() || ' ' || pg_backend_pid()"));
  const auto second = b.one<std::string>(session.query("select txid_current() || ' ' || pg_backend_pid()"));
  const auto started = b.one<bool>(session.query("select now() < clock_timestamp()"));
  const auto answers = b.run();
  ASSERT_OK(answers);
  EXPECT_EQ(answers.value().get(first).value(), answers.value().get(second).value());
  EXPECT_TRUE(answers.value().get(started).value());
}

TEST_F(batches, a_failure_undoes_all_and_says_which_one_it_was) {
  bw::batch b = session.batch();
  b.add(insert(session, "ada"));
  b.add(insert(session, "bob"));
  b.add(insert(session, "ada"));
  b.add(insert(session, "eve"));
  const auto refused = b.run();
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(refused.error().statement(), "accounts.add");
  EXPECT_EQ(refused.error().constraint(), "accounts_owner_key");
  EXPECT_NE(refused.error().message().find("number 3 of a batch of 4, of which nothing was applied"), std::string::npos)
      << refused.error().message();
  EXPECT_EQ(owners(), "");
  // The connection is in order at once.
  EXPECT_EQ(db().stats()[0].idle, db().stats()[0].connections);
  ASSERT_OK(insert(session, "ada").execute());
}

TEST_F(batches, what_fails_at_the_commit_undoes_all) {
  ASSERT_OK(session.execute("drop table if exists later"));
  ASSERT_OK(session.execute("create table later (n int unique deferrable initially deferred)"));
  bw::batch b = session.batch();
  b.add(session.query("insert into later values (1)"));
  b.add(session.query("insert into later values (1)"));
  const auto refused = b.run();
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(refused.error().statement(), "batch");
  EXPECT_EQ(truth("select count(*) from later"), "0");
}

TEST_F(batches, nothing_in_it_can_commit_a_part_of_it) {
  ASSERT_OK(session.execute(
      "create or replace procedure commits() language plpgsql as $$ begin insert into tags values ('early'); commit; "
      "end $$"));
  bw::batch calls = session.batch();
  calls.add(insert(session, "ada"));
  calls.add(session.query("call commits()"));
  calls.add(insert(session, "ada"));
  const auto refused = calls.run();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().sqlstate(), "2D000") << refused.error().message();
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(owners(), "");
  EXPECT_EQ(truth("select count(*) from tags"), "0");

  watcher().clear();
  for (const char* sql : {"commit", "/* x */ END", "rollback", "begin", "start transaction", "savepoint s", "release s",
                          "abort", "prepare transaction 'x'"}) {
    bw::batch ends = session.batch();
    ends.add(insert(session, "ada"));
    ends.add(session.query(sql).named("the end"));
    const auto ended = ends.run();
    EXPECT_ERROR(ended, errc::invalid_argument) << sql;
    EXPECT_EQ(ended.error().statement(), "the end");
    EXPECT_NE(ended.error().message().find("number 2"), std::string::npos);
  }
  EXPECT_TRUE(watcher().operations().empty()) << "nothing was sent";

  bw::batch vacuums = session.batch();
  vacuums.add(session.query("vacuum tags"));
  vacuums.add(session.query("select 1"));
  EXPECT_FALSE(vacuums.run().has_value());
}

TEST_F(batches, in_a_transaction_it_stays_inside) {
  const auto undone = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    bw::batch b = tx.batch();
    b.add(tx.query("insert into tags values ('a'), ('b')"));
    const auto count = b.one<std::int64_t>(tx.query("select count(*) from tags"));
    BOOST_OUTCOME_TRY(const auto answers, b.run());
    EXPECT_EQ(answers.get(count).value(), 2);
    EXPECT_EQ(truth("select count(*) from tags"), "0") << "not before the commit";
    return bw::errc::validation_failed;
  });
  EXPECT_ERROR(undone, errc::validation_failed);
  EXPECT_EQ(truth("select count(*) from tags"), "0");

  watcher().clear();
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    bw::batch b = tx.batch();
    b.add(tx.query("insert into tags values ('a')"));
    b.add(tx.query("insert into tags values ('b')"));
    BOOST_OUTCOME_TRY(b.run());
    return bw::success();
  }));
  EXPECT_EQ(watcher().operations().size(), 2U) << "the batch, with BEGIN in it, and the commit";
  EXPECT_EQ(truth("select count(*) from tags"), "2");
}

TEST_F(batches, a_failed_one_fails_its_transaction_or_its_savepoint) {
  const auto fails = [](bw::transaction& tx) -> bw::result<void> {
    bw::batch b = tx.batch();
    b.add(tx.query("insert into tags values ('x')"));
    b.add(tx.query("insert into tags values ('x')"));
    BOOST_OUTCOME_TRY(b.run());
    return bw::success();
  };
  const auto pretended = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_ERROR(fails(tx), errc::unique_violation);
    EXPECT_ERROR(tx.execute("select 1"), errc::unique_violation) << "the cause";
    return bw::success();
  });
  EXPECT_ERROR(pretended, errc::rolled_back);
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_ERROR(tx.transact(fails), errc::unique_violation);
    BOOST_OUTCOME_TRY(tx.execute("insert into tags values ('y')"));
    return bw::success();
  }));
  EXPECT_EQ(truth("select string_agg(name, ',') from tags"), "y");
}

TEST_F(batches, reads_go_to_a_replica_and_are_held_to_reading) {
  bw::session anywhere = db().session({.consistency = bw::consistency::eventual});
  watcher().clear();
  bw::batch reads = anywhere.batch();
  const auto standby = reads.one<bool>(anywhere.query("select pg_is_in_recovery()").read_only());
  (void)reads.find<account>(1);
  const auto answers = reads.run();
  ASSERT_OK(answers);
  EXPECT_TRUE(answers.value().get(standby).value());
  EXPECT_EQ(watcher().last().role, bw::node_role::replica);

  bw::batch mixed = anywhere.batch();
  (void)mixed.find<account>(1);
  mixed.add(anywhere.query("insert into tags values ('w')"));
  ASSERT_OK(mixed.run());
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);

  bw::batch lies = session.batch();
  lies.add(session.query("select 1").read_only());
  lies.add(session.query("insert into tags values ('lie')").read_only());
  EXPECT_ERROR(lies.run(), errc::read_only);
  EXPECT_EQ(truth("select string_agg(name, ',') from tags"), "w");
}

TEST_F(batches, what_a_writing_one_wrote_the_session_reads_where_it_is) {
  const paused_replay replica_stands_still;
  bw::session own = db().session();
  bw::batch b = own.batch();
  b.add(own.query("insert into tags values ('mine')"));
  b.add(own.query("select 1"));
  ASSERT_OK(b.run());
  ASSERT_OK(own.repository<tag>().get("mine"));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

TEST_F(batches, mistakes_are_refused_before_anything_is_sent) {
  watcher().clear();
  bw::batch b = session.batch();
  b.add(session.query("select 1"));
  b.add(session.query("select ?").named("short"));
  const auto refused = b.run();
  EXPECT_ERROR(refused, errc::invalid_argument);
  EXPECT_EQ(refused.error().statement(), "short");
  EXPECT_NE(refused.error().message().find("number 2 of the batch"), std::string::npos) << refused.error().message();

  bw::session other = on_primary();
  bw::batch foreign = session.batch();
  foreign.add(other.query("select 1"));
  EXPECT_ERROR(foreign.run(), errc::invalid_argument);

  bw::batch large = session.batch();
  for (std::size_t i = 0; i <= bw::batch::most_statements; ++i) large.add(session.query("select 1"));
  EXPECT_ERROR(large.run(), errc::invalid_argument);

  bw::batch inside = session.batch();
  inside.add(session.query("select 1"));
  inside.add(session.query("select 2"));
  ASSERT_OK(session.transact([&](bw::transaction&) -> bw::result<void> {
    EXPECT_ERROR(inside.run(), errc::unsafe_operation);
    return bw::success();
  }));
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(batches, an_empty_one_sends_nothing_and_one_statement_is_itself) {
  watcher().clear();
  ASSERT_OK(session.batch().run());
  EXPECT_TRUE(watcher().operations().empty());
  bw::batch one = session.batch();
  const auto added = one.add(insert(session, "ada"));
  const auto answers = one.run();
  ASSERT_OK(answers);
  EXPECT_EQ(answers.value().get(added).value(), 1U);
  EXPECT_EQ(watcher().last().statement, "accounts.add");
}

TEST_F(batches, the_largest_one_runs_whatever_it_moves) {
  bw::batch b = session.batch();
  const std::string large(20'000, 'x');
  std::vector<bw::batch_item<std::string, bw::detail::batch_reading::one>> items;
  for (std::size_t i = 0; i < bw::batch::most_statements; ++i) {
    items.push_back(b.one<std::string>(session.query("select ? || ?::int", large, i)));
  }
  const auto answers = b.run();
  ASSERT_OK(answers);
  EXPECT_EQ(answers.value().get(items.front()).value(), large + "0");
  EXPECT_EQ(answers.value().get(items.back()).value(), large + "999");
}

TEST_F(batches, what_can_not_be_read_was_applied_all_the_same) {
  bw::batch b = session.batch();
  b.add(insert(session, "ada"));
  const auto wrong = b.one<std::int64_t>(session.query("select 'x' || 'y'").named("text"));
  const auto none = b.one<std::string>(session.query("select owner from accounts where false").named("none"));
  const auto two = b.maybe<int>(session.query("select generate_series(1, 2)").named("two"));
  const auto answers = b.run();
  ASSERT_OK(answers);
  EXPECT_ERROR(answers.value().get(wrong), errc::mapping_mismatch);
  EXPECT_EQ(answers.value().get(wrong).error().applied(), bw::applied::yes);
  EXPECT_EQ(answers.value().get(wrong).error().statement(), "text");
  EXPECT_ERROR(answers.value().get(none), errc::not_found);
  EXPECT_ERROR(answers.value().get(two), errc::too_many_rows);
  bw::batch other = session.batch();
  const auto foreign = other.one<int>(session.query("select 1"));
  EXPECT_ERROR(answers.value().get(foreign), errc::invalid_argument);
}

TEST_F(batches, the_deadline_covers_all_of_it_and_nothing_stays) {
  // Each statement is well within the time, all of them are not. The server has some milliseconds to say that it ended
  // them: on a machine that is too busy for that the fate is unknown, and never is more said than is known.
  constexpr int most_tries = 20;
  bool told = false;
  for (int i = 0; i < most_tries && !told; ++i) {
    bw::session hurried = db().session({.timeout = 600ms});
    bw::batch b = hurried.batch();
    b.add(hurried.query("insert into tags values ('slow')"));
    for (int k = 0; k < 3; ++k) b.add(hurried.query("select pg_sleep(0.25)"));
    const auto started = std::chrono::steady_clock::now();
    const auto late = b.run();
    ASSERT_FALSE(late.has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
    told = late.error().code() == errc::deadline_exceeded;
    EXPECT_EQ(late.error().applied(), told ? bw::applied::no : bw::applied::unknown) << late.error().message();
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

TEST_F(batches, prepared_statements_outdated_by_a_schema_change_are_prepared_anew) {
  ASSERT_OK(session.execute("drop table if exists changing"));
  ASSERT_OK(session.execute("create table changing (a int)"));
  const auto run = [&]() -> bw::result<void> {
    bw::batch b = session.batch();
    b.add(session.query("insert into changing values (1)"));
    b.add(session.query("select * from changing"));
    BOOST_OUTCOME_TRY(b.run());
    return bw::success();
  };
  ASSERT_OK(run());
  ASSERT_OK(session.execute("alter table changing add b int"));
  ASSERT_OK(run());
  EXPECT_EQ(truth("select count(*) from changing"), "2");
}

TEST_F(batches, a_setting_made_inside_does_not_reach_the_next_borrower) {
  bw::batch b = session.batch();
  b.add(session.query("select 1"));
  b.add(session.query("set application_name = 'left behind'"));
  ASSERT_OK(b.run());
  EXPECT_NE(session.query("select current_setting('application_name')").one<std::string>().value(), "left behind");
}

TEST_F(batches, a_lost_connection_leaves_the_fate_of_all_unknown) {
  bw::batch b = session.batch();
  b.add(insert(session, "ada"));
  b.add(session.query("select pg_terminate_backend(pg_backend_pid())").named("the end"));
  b.add(insert(session, "bob"));
  const auto lost = b.named("orders.place").run();
  EXPECT_ERROR(lost, errc::commit_unknown);
  EXPECT_EQ(lost.error().applied(), bw::applied::unknown);
  EXPECT_EQ(lost.error().statement(), "orders.place");
  ASSERT_OK(insert(session, "eve").execute());

  bw::batch reads = session.batch();
  reads.add(session.query("select 1").read_only());
  reads.add(session.query("select pg_terminate_backend(pg_backend_pid())").read_only());
  const auto failed = reads.run();
  EXPECT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().applied(), bw::applied::no);
}

TEST_F(batches, one_that_is_cancelled_is_not_applied) {
  std::stop_source source;
  bw::session own = db().session({.cancel = source.get_token()});
  bw::batch b = own.batch();
  b.add(own.query("insert into tags values ('stopped')"));
  b.add(own.query("select pg_sleep(20)"));
  std::jthread stopper([&] {
    while (
        truth("select count(*) from pg_stat_activity where query like 'select pg_sleep(20)%' and state = 'active'") ==
        "0") {
    }
    source.request_stop();
  });
  const auto stopped = b.run();
  EXPECT_ERROR(stopped, errc::cancelled);
  EXPECT_EQ(stopped.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

}  // namespace
}  // namespace tests
