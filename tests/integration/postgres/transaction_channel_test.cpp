// Transactions: everything on one connection, and the truth about its end.

#include "postgres/transaction_channel.hpp"

#include "proxy.hpp"
#include "support.hpp"

#include <pqxx/dbtransaction>
#include <pqxx/except>
#include <pqxx/result>

namespace breakwater::postgres::test {
namespace {

class transactions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    arrange("create table ledger (id int primary key); grant all on ledger to app");
    arrange(
        "create table checked (id int unique deferrable initially deferred); "
        "grant all on checked to app");
  }
  static void TearDownTestSuite() { arrange("drop table ledger, checked"); }
  void TearDown() override { arrange("truncate ledger, checked"); }

  /// A transaction of its own; `until` bounds all of it.
  std::unique_ptr<transaction_channel> begin(client& on, transaction_options options = {},
                                             deadline until = deadline::after(patience)) {
    auto held = on.borrow();
    EXPECT_TRUE(succeeds(held));
    return std::make_unique<transaction_channel>(std::move(held).value(), options, until);
  }
  static result<rows> run(transaction_channel& in, const statement& what, const parameters& values = {},
                          deadline until = deadline::after(patience), const std::stop_token* cancel = nullptr) {
    return in.run({.what = what, .values = values, .until = until, .cancel = cancel});
  }
  static int backend_in(transaction_channel& in) {
    return std::stoi(value_of(run(in, read("select pg_backend_pid()"))));
  }
  static std::string rows_in_ledger() { return ask("select count(*) from ledger"); }

  client app{{.size = 2}};
};

TEST_F(transactions, without_statements_cost_no_round_trip) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  client far({.size = 1}, settings);
  ASSERT_TRUE(succeeds(far.run(read("select 1"))));
  int before = between.round_trips();
  EXPECT_TRUE(succeeds(begin(far)->commit()));
  EXPECT_EQ(between.round_trips(), before);

  {
    auto tx = begin(far);
    before = between.round_trips();
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
    EXPECT_EQ(between.round_trips() - before, 1) << "BEGIN travels with it";
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (2)"))));
    ASSERT_TRUE(succeeds(tx->commit()));
    EXPECT_EQ(between.round_trips() - before, 3);
  }
}

TEST_F(transactions, are_visible_to_others_once_committed_and_not_before) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  EXPECT_EQ(value_of(run(*tx, read("select count(*) from ledger"))), "1");
  EXPECT_EQ(rows_in_ledger(), "0");
  ASSERT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_in_ledger(), "1");
}

TEST_F(transactions, rolled_back_leave_nothing_and_a_clean_connection) {
  {
    auto tx = begin(app);
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
    tx->rollback();
    const error refused = error_of(run(*tx, write("insert into ledger values (2)")));
    EXPECT_EQ(refused.code(), errc::unsafe_operation) << "it has ended";
  }
  EXPECT_EQ(rows_in_ledger(), "0");
  EXPECT_TRUE(app.is_quiet());
  EXPECT_EQ(app.connections.counts().idle, 1U);
}

TEST_F(transactions, that_are_just_dropped_are_rolled_back) {
  {
    auto tx = begin(app);
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  }
  EXPECT_TRUE(eventually([this] { return app.is_quiet(); }));
  EXPECT_EQ(rows_in_ledger(), "0");
  EXPECT_EQ(ask("select count(*) from pg_stat_activity where state like 'idle in transaction%'"), "0");
}

TEST_F(transactions, refuse_to_call_it_success_when_a_statement_had_failed) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  EXPECT_EQ(error_of(run(*tx, write("insert into ledger values (1)"))).code(), errc::unique_violation);
  const error undone = error_of(tx->commit());
  EXPECT_EQ(undone.code(), errc::rolled_back);
  EXPECT_EQ(undone.applied(), applied::no);
  EXPECT_NE(undone.message().find("unique"), std::string::npos) << undone.message();
  EXPECT_EQ(rows_in_ledger(), "0");
}

TEST_F(transactions, whose_very_first_statement_failed_are_rolled_back_too) {
  auto tx = begin(app);
  EXPECT_FALSE(run(*tx, write("selekt")));
  EXPECT_EQ(error_of(tx->commit()).code(), errc::rolled_back);
}

TEST_F(transactions, whose_first_statement_never_left_begin_with_the_next) {
  auto tx = begin(app);
  EXPECT_EQ(error_of(run(*tx, write("insert into ledger values (1)"), {}, deadline::after(-1s))).code(),
            errc::deadline_exceeded);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (2)"))));
  EXPECT_EQ(rows_in_ledger(), "0") << "it is inside the transaction";
  tx->rollback();
  EXPECT_EQ(rows_in_ledger(), "0");
}

TEST_F(transactions, report_the_root_cause_of_an_aborted_transaction) {
  arrange("insert into ledger values (1)");
  auto tx = begin(app);
  EXPECT_EQ(error_of(run(*tx, write("insert into ledger values (1)"))).code(), errc::unique_violation);
  statement next = read("select 1");
  next.name = "test.next";
  const error echo = error_of(run(*tx, next));
  EXPECT_EQ(echo.code(), errc::unique_violation) << "not 'current transaction is aborted'";
  EXPECT_EQ(echo.constraint(), "ledger_pkey");
  EXPECT_EQ(echo.statement(), "test.next");
  EXPECT_EQ(echo.applied(), applied::no);
}

TEST_F(transactions, do_not_blame_a_refusal_that_never_reached_the_server) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  EXPECT_EQ(error_of(run(*tx, read("select 1"), {}, deadline::after(-1s))).code(), errc::deadline_exceeded);
  EXPECT_EQ(error_of(run(*tx, write("insert into ledger values (1)"))).code(), errc::unique_violation);
  EXPECT_EQ(error_of(run(*tx, read("select 1"))).code(), errc::unique_violation);
}

TEST_F(transactions, whose_deferred_constraint_fails_at_commit_are_not_applied) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into checked values (1), (1)"))));
  const error refused = error_of(tx->commit());
  EXPECT_EQ(refused.code(), errc::unique_violation);
  EXPECT_EQ(refused.applied(), applied::no);
  EXPECT_EQ(ask("select count(*) from checked"), "0");
}

TEST_F(transactions, go_on_after_a_rollback_to_a_savepoint) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  ASSERT_TRUE(succeeds(tx->set_savepoint(1)));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (2)"))));
  EXPECT_FALSE(run(*tx, write("insert into ledger values (1)")));
  ASSERT_TRUE(succeeds(tx->rollback_to_savepoint(1)));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (3)"))));
  ASSERT_TRUE(succeeds(tx->set_savepoint(2)));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (4)"))));
  ASSERT_TRUE(succeeds(tx->release_savepoint(2)));
  ASSERT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(ask("select string_agg(id::text, ',' order by id) from ledger"), "1,3,4");
}

TEST_F(transactions, a_savepoint_may_be_the_first_statement) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(tx->set_savepoint(1)));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  ASSERT_TRUE(succeeds(tx->rollback_to_savepoint(1)));
  ASSERT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_in_ledger(), "0");
}

TEST_F(transactions, a_raw_commit_inside_is_found_out) {
  for (const auto* sql : {"commit", "commit and chain", "rollback"}) {
    auto tx = begin(app);
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
    const error unsafe = error_of(run(*tx, write(sql)));
    EXPECT_EQ(unsafe.code(), errc::unsafe_operation) << sql;
    EXPECT_EQ(unsafe.applied(), applied::unknown) << sql;
    EXPECT_EQ(error_of(run(*tx, write("insert into ledger values (2)"))).code(), errc::unsafe_operation)
        << "nothing more may run outside a transaction";
    const error end = error_of(tx->commit());
    EXPECT_EQ(end.code(), errc::unsafe_operation) << sql;
    EXPECT_EQ(end.applied(), applied::unknown) << sql;
    tx.reset();
    EXPECT_TRUE(eventually([this] { return app.is_quiet(); }));
    arrange("truncate ledger");
  }
}

TEST_F(transactions, a_raw_commit_after_a_survived_error_still_makes_its_fate_unknown) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  EXPECT_FALSE(run(*tx, read("select 1"), {}, deadline::after(-1s)));  // refused, never sent
  EXPECT_EQ(error_of(run(*tx, write("commit"))).code(), errc::unsafe_operation);
  EXPECT_EQ(error_of(tx->commit()).applied(), applied::unknown);
  EXPECT_EQ(rows_in_ledger(), "1");
}

TEST_F(transactions, a_raw_rollback_to_a_savepoint_of_ones_own_is_fine) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("savepoint mine"))));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  ASSERT_TRUE(succeeds(run(*tx, write("rollback to savepoint mine"))));
  EXPECT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_in_ledger(), "0");
}

TEST_F(transactions, have_the_isolation_that_was_asked_for) {
  const auto level = [this](isolation wanted) {
    auto tx = begin(app, {.isolation = wanted});
    return value_of(run(*tx, read("show transaction_isolation")));
  };
  EXPECT_EQ(level(isolation::read_committed), "read committed");
  EXPECT_EQ(level(isolation::repeatable_read), "repeatable read");
  EXPECT_EQ(level(isolation::serializable), "serializable");
}

TEST_F(transactions, have_their_access_mode_whatever_the_sessions_default) {
  {
    auto tx = begin(app, {.read_only = true});
    const error refused = error_of(run(*tx, write("insert into ledger values (1)")));
    EXPECT_EQ(refused.code(), errc::read_only);
  }
  auto tx = begin(app, {.isolation = isolation::serializable, .read_only = true, .deferrable = true});
  EXPECT_EQ(value_of(run(*tx, read("show transaction_deferrable"))), "on");
  EXPECT_EQ(value_of(run(*tx, read("show transaction_read_only"))), "on");
  EXPECT_TRUE(succeeds(tx->commit()));
}

TEST_F(transactions, that_conflict_under_serializable_say_so_and_are_not_applied) {
  arrange("insert into ledger values (1), (2)");
  auto first = begin(app, {.isolation = isolation::serializable});
  auto second = begin(app, {.isolation = isolation::serializable});
  for (auto* each : {first.get(), second.get()})
    ASSERT_EQ(value_of(run(*each, read("select count(*) from ledger"))), "2");
  ASSERT_TRUE(succeeds(run(*first, write("insert into ledger values (3)"))));
  ASSERT_TRUE(succeeds(run(*second, write("insert into ledger values (4)"))));
  ASSERT_TRUE(succeeds(first->commit()));
  const error lost = error_of(second->commit());
  EXPECT_EQ(lost.code(), errc::serialization_failure);
  EXPECT_EQ(lost.sqlstate(), "40001");
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_EQ(rows_in_ledger(), "3");
}

// --- deadlines and losses -------------------------------------------------------------------------------------

TEST_F(transactions, end_at_their_deadline_and_leave_nothing) {
  const auto started = clock_type::now();
  {
    auto tx = begin(app, {}, deadline::after(150ms));
    ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
    const error overdue = error_of(run(*tx, read("select pg_sleep(60)")));
    EXPECT_EQ(overdue.code(), errc::deadline_exceeded) << overdue.message();
    EXPECT_EQ(overdue.applied(), applied::no);
    EXPECT_LT(since(started), 400ms);
    EXPECT_FALSE(tx->commit());
  }
  EXPECT_TRUE(eventually([this] { return app.is_quiet(); }));
  EXPECT_EQ(rows_in_ledger(), "0");
  EXPECT_LT(since(started), 5s) << "what ran was cancelled";
}

TEST_F(transactions, whose_deadline_passes_before_the_commit_are_rolled_back) {
  const deadline until = deadline::after(100ms);
  auto tx = begin(app, {}, until);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  ASSERT_TRUE(eventually([&] { return until.expired(clock_type::now()); }));
  const error late = error_of(tx->commit());
  EXPECT_EQ(late.code(), errc::deadline_exceeded);
  EXPECT_EQ(late.applied(), applied::no) << "COMMIT was never sent";
  tx.reset();
  EXPECT_EQ(rows_in_ledger(), "0");
  EXPECT_EQ(app.connections.counts().idle, 1U);
}

TEST_F(transactions, a_stop_ends_a_statement_inside) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  auto tx = begin(app);
  const int backend = backend_in(*tx);
  std::thread other([&] {
    EXPECT_TRUE(eventually([&] { return is_waiting_for(backend, "PgSleep"); }));
    source.request_stop();
  });
  const error stopped = error_of(run(*tx, write("select pg_sleep(60)"), {}, deadline::after(patience), &token));
  other.join();
  EXPECT_EQ(stopped.code(), errc::cancelled);
  EXPECT_EQ(stopped.applied(), applied::no);
}

TEST_F(transactions, whose_connection_was_ended_before_the_commit_know_that_nothing_was_applied) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  const int backend = backend_in(*tx);
  terminate(backend);
  ASSERT_TRUE(eventually([backend] { return is_gone(backend); }));
  const error lost = error_of(tx->commit());
  EXPECT_EQ(lost.code(), errc::connection_failed) << lost.message();
  EXPECT_EQ(lost.applied(), applied::no) << "the goodbye had come before COMMIT was sent";
  EXPECT_EQ(rows_in_ledger(), "0");
}

TEST_F(transactions, whose_connection_is_ended_between_statements_are_not_applied) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  terminate(backend_in(*tx));
  const error lost = error_of(run(*tx, write("insert into ledger values (2)")));
  EXPECT_EQ(lost.code(), errc::connection_failed);
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_TRUE(lost.poisons_connection());
  const error end = error_of(tx->commit());
  EXPECT_EQ(end.code(), errc::connection_failed);
  EXPECT_EQ(end.applied(), applied::no);
}

TEST_F(transactions, whose_commit_meets_a_frozen_server_are_unknown_at_the_deadline) {
  auto tx = begin(app, {}, deadline::after(500ms));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  const frozen peer(backend_in(*tx));
  const auto started = clock_type::now();
  const error unknown = error_of(tx->commit());
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_LT(since(started), 800ms);
}

TEST_F(transactions, whose_commit_is_lost_on_the_way_back_are_unknown_though_applied) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  client far({.size = 1}, settings);
  auto tx = begin(far, {}, deadline::after(300ms));
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  between.lose_answers();
  const error unknown = error_of(tx->commit());
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_EQ(rows_in_ledger(), "1");
}

// --- libpqxx --------------------------------------------------------------------------------------------------

TEST_F(transactions, hand_out_a_libpqxx_transaction_that_shares_everything) {
  auto tx = begin(app);
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (1)"))));
  tx->native().exec("insert into ledger values (2)");
  EXPECT_EQ(value_of(run(*tx, read("select count(*) from ledger"))), "2");
  const pqxx::result seen = tx->native().exec("select count(*) from ledger");
  EXPECT_EQ(seen[0][0].as<int>(), 2);
  EXPECT_EQ(rows_in_ledger(), "0");
  ASSERT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_in_ledger(), "2");
}

TEST_F(transactions, begin_when_libpqxx_is_the_first_to_use_them) {
  auto tx = begin(app);
  tx->native().exec("insert into ledger values (1)");
  EXPECT_EQ(rows_in_ledger(), "0");
  tx->rollback();
  EXPECT_EQ(rows_in_ledger(), "0");
  tx.reset();
  EXPECT_EQ(value_of(app.run(read("select 'usable'"))), "usable");
}

TEST_F(transactions, can_not_be_committed_through_libpqxx) {
  auto tx = begin(app);
  tx->native().exec("insert into ledger values (1)");
  EXPECT_THROW(tx->native().commit(), pqxx::usage_error);
  EXPECT_EQ(rows_in_ledger(), "0");
  ASSERT_TRUE(succeeds(run(*tx, write("insert into ledger values (2)"))));
  EXPECT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_in_ledger(), "2");
}

TEST_F(transactions, that_failed_in_libpqxx_are_rolled_back) {
  auto tx = begin(app);
  EXPECT_THROW(tx->native().exec("selekt"), pqxx::sql_error);
  EXPECT_EQ(error_of(tx->commit()).code(), errc::rolled_back);
}

TEST_F(transactions, whose_connection_is_lost_throw_in_libpqxx_and_run_nothing_elsewhere) {
  auto tx = begin(app);
  terminate(backend_in(*tx));
  EXPECT_FALSE(run(*tx, read("select 1")));
  EXPECT_THROW(tx->native().exec("insert into ledger values (1)"), pqxx::broken_connection);
  EXPECT_FALSE(tx->commit());
  EXPECT_EQ(rows_in_ledger(), "0");
}

}  // namespace
}  // namespace breakwater::postgres::test
