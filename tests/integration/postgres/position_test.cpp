// Where in the log a write is, and statements around a write: what may fail, and what it then means.

#include "postgres/causal_read.hpp"
#include "postgres/transaction_channel.hpp"
#include "proxy.hpp"
#include "support.hpp"
#include <breakwater/core/causality_token.hpp>

#include <array>
#include <thread>

namespace breakwater::postgres::test {
namespace {

constexpr std::string_view tenant_sql = "select pg_catalog.set_config('app.tenant', 'acme', true)";
constexpr std::string_view timeline_sql =
    "select ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int";

class positions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    arrange(
        "create table places (n int primary key, tenant text default current_setting('app.tenant', true));"
        "create table later (n int unique deferrable initially deferred);"
        "create function careless() returns trigger language plpgsql as "
        "$$begin perform set_config('synchronous_commit', 'off', true); return new; end$$;"
        "create table careless (n int); create trigger careless before insert on careless for each row execute "
        "function "
        "careless(); grant all on places, later, careless to app");
  }
  static void TearDownTestSuite() { arrange("drop table places, later, careless; drop function careless()"); }
  void TearDown() override { arrange("truncate places, later, careless"); }

  result<rows> put(client& on, const statement& what, std::span<const batched_statement> ahead = {},
                   deadline until = deadline::after(patience)) {
    return on.statements.run({.what = what, .values = none, .until = until, .before = ahead, .written = &written});
  }
  static connection_settings through(const proxy& between) {
    auto settings = settings_for(server().dsn());
    settings.address = settings.address.with("port", std::to_string(between.port())).value();
    return settings;
  }

  const parameters none{};
  causality_token written{};
  const statement set_tenant = read(tenant_sql);
  const std::array<batched_statement, 1> before{batched_statement{&set_tenant, &none}};
  client app{{.size = 1}};
};

TEST_F(positions, of_a_write_is_not_before_the_write) {
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (1)"))));
  ASSERT_TRUE(written.knows_position());
  EXPECT_EQ(std::to_string(written.system()), ask("select system_identifier from pg_control_system()"));
  EXPECT_EQ(std::to_string(written.timeline()), ask(timeline_sql));
  const auto first = written;
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (2)"))));
  EXPECT_GT(written.position(), first.position());
  EXPECT_EQ(ask("select count(*) from places"), "2");
}

TEST_F(positions, cost_no_further_round_trip) {
  proxy between(server().primary().port());
  client far({.size = 1}, through(between));
  ASSERT_TRUE(succeeds(put(far, write("insert into places values (1)"))));
  const int before_it = between.round_trips();
  ASSERT_TRUE(succeeds(put(far, write("insert into places values (2)"))));
  EXPECT_EQ(between.round_trips() - before_it, 1);
  EXPECT_TRUE(written.knows_position());
}

TEST_F(positions, of_what_is_committed_without_a_flush_cover_it_all_the_same) {
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (0)"))));
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(succeeds(put(app, write("insert into careless values (1)"))));
    const std::string at = std::to_string(written.position());
    // All that was inserted up to here is what the position covers; the commit is among it.
    ASSERT_TRUE(written.knows_position());
    EXPECT_EQ(ask("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') >= " + at), "t");
  }
}

TEST_F(positions, failing_write_is_rolled_back_and_leaves_the_connection_clean) {
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (1)"))));
  written = {};
  const error twice = error_of(put(app, write("insert into places values (1)")));
  EXPECT_EQ(twice.code(), errc::unique_violation);
  EXPECT_EQ(twice.applied(), applied::no);
  EXPECT_EQ(twice.statement(), "test.write");
  EXPECT_TRUE(written.empty());
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (2)"))));
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(positions, constraint_that_is_checked_at_the_commit_is_the_statements_error) {
  const error refused = error_of(put(app, write("insert into later values (1), (1)")));
  EXPECT_EQ(refused.code(), errc::unique_violation);
  EXPECT_EQ(refused.applied(), applied::no);
  EXPECT_EQ(refused.statement(), "test.write");
  EXPECT_EQ(ask("select count(*) from later"), "0");
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (2)"))));
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(positions, refused_question_behind_a_commit_is_no_failure_of_the_write) {
  arrange("revoke execute on function pg_catalog.pg_walfile_name(pg_lsn) from public");
  const auto done = put(app, write("insert into places values (1)"));
  arrange("grant execute on function pg_catalog.pg_walfile_name(pg_lsn) to public");
  ASSERT_TRUE(succeeds(done));
  EXPECT_EQ(done.value().affected(), 1U);
  EXPECT_FALSE(written.empty());
  EXPECT_FALSE(written.knows_position());
  EXPECT_EQ(ask("select count(*) from places"), "1") << "once, not twice";
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (2)"))));
  EXPECT_TRUE(written.knows_position());
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(positions, stale_question_behind_a_commit_does_not_run_the_write_again) {
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (1)"))));
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (2)"))));
  // As a proxy does that hands out another server's session: the question is the last one that was prepared.
  const auto names =
      app.run(read("select string_agg(format('deallocate %I', name), ';') from pg_prepared_statements "
                   "where statement like '%pg_walfile_name%'"));
  ASSERT_TRUE(succeeds(names));
  {
    auto held = app.borrow();
    ASSERT_TRUE(succeeds(held));
    std::string all(names.value().at(0, 0).text);
    while (!all.empty()) {
      const auto end = std::min(all.find(';'), all.size());
      const std::string one = all.substr(0, end);
      all.erase(0, std::min(end + 1, all.size()));
      ASSERT_TRUE(succeeds(run_on(*held.value(), write(one))));
    }
  }
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (3)"))));
  EXPECT_FALSE(written.knows_position());
  EXPECT_EQ(ask("select count(*) from places where n = 3"), "1");
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (4)"))));
  EXPECT_TRUE(written.knows_position()) << "prepared anew";
}

TEST_F(positions, lost_answer_is_an_unknown_write) {
  proxy between(server().primary().port());
  client far({.size = 1}, through(between));
  ASSERT_TRUE(succeeds(put(far, write("insert into places values (1)"))));
  between.on_message("places values (2)", proxy::fault::cut_after);
  const error lost = error_of(put(far, write("insert into places values (2)")));
  EXPECT_EQ(lost.code(), errc::commit_unknown);
  EXPECT_EQ(lost.applied(), applied::unknown);
  between.on_message("places values (3)", proxy::fault::cut_before);
  const error cut = error_of(put(far, write("insert into places values (3)")));
  EXPECT_EQ(cut.applied(), applied::unknown);
  EXPECT_EQ(ask("select string_agg(n::text, ' ' order by n) from places"), "1 2");
}

TEST_F(positions, write_that_takes_too_long_is_ended_by_the_server) {
  const error late =
      error_of(put(app, write("insert into places select 1 from pg_sleep(10)"), {}, deadline::after(300ms)));
  EXPECT_EQ(late.code(), errc::deadline_exceeded);
  EXPECT_EQ(late.applied(), applied::no);
  EXPECT_EQ(ask("select count(*) from places"), "0");
}

TEST_F(positions, of_what_can_not_run_in_a_transaction_are_unknown) {
  for (const char* sql : {"do $$begin insert into places values (1); commit; end$$", "analyze places"}) {
    written = {};
    ASSERT_TRUE(succeeds(put(app, write(sql)))) << sql;
    EXPECT_FALSE(written.empty()) << sql;
    EXPECT_FALSE(written.knows_position()) << sql;
  }
  EXPECT_EQ(ask("select count(*) from places"), "1");
  EXPECT_EQ(error_of(put(app, write("begin"))).code(), errc::unsafe_operation);
}

TEST_F(positions, batch_is_placed_as_a_whole) {
  const statement first = write("insert into places values (1)");
  const statement second = write("insert into places values (2)");
  const std::array both{batched_statement{&first, &none}, batched_statement{&second, &none}};
  const statement whole{.sql = {}, .name = "two", .operation = "BATCH"};
  const request wanted{
      .what = whole, .values = none, .until = deadline::after(patience), .before = before, .written = &written};
  const auto done = app.statements.run_batch(wanted, both);
  ASSERT_TRUE(succeeds(done));
  EXPECT_EQ(done.value().size(), 2U);
  EXPECT_EQ(done.value()[0].affected(), 1U);
  EXPECT_TRUE(written.knows_position());
  EXPECT_EQ(ask("select string_agg(tenant, ' ') from places"), "acme acme");
  const error again = error_of(app.statements.run_batch(wanted, both));
  EXPECT_NE(again.message().find("number 1 of a batch of 2"), std::string::npos) << again.message();
}

TEST_F(positions, transaction_that_failed_is_rolled_back_as_ever) {
  transaction_channel tx(app.borrow().value(), {}, deadline::after(patience));
  const statement insert = write("insert into places values (1)");
  const request wanted{.what = insert, .values = none, .until = deadline::after(patience)};
  ASSERT_TRUE(succeeds(tx.run(wanted)));
  EXPECT_EQ(error_of(tx.run(wanted)).code(), errc::unique_violation);
  const error undone = error_of(tx.commit(&written));
  EXPECT_EQ(undone.code(), errc::rolled_back);
  EXPECT_EQ(undone.applied(), applied::no);
  EXPECT_TRUE(written.empty());
}

TEST_F(positions, transaction_is_placed_in_the_same_message_as_its_commit) {
  proxy between(server().primary().port());
  client far({.size = 1}, through(between));
  for (int i = 0; i < 2; ++i) {
    transaction_channel tx(far.borrow().value(), {}, deadline::after(patience));
    tx.set_up(before);
    const std::string sql = "insert into places values (" + std::to_string(i) + ")";
    const statement insert = write(sql);
    const int start = between.round_trips();
    ASSERT_TRUE(succeeds(tx.run({.what = insert, .values = none, .until = deadline::after(patience)})));
    ASSERT_TRUE(succeeds(tx.commit(&written)));
    EXPECT_EQ(between.round_trips() - start, 2);
    EXPECT_TRUE(written.knows_position());
  }
  EXPECT_EQ(ask("select string_agg(tenant, ' ') from places"), "acme acme");
}

// ---- what is sent before

TEST_F(positions, set_up_reaches_the_statement_and_nobody_after_it) {
  const statement seen = read("select current_setting('app.tenant', true)");
  EXPECT_EQ(value_of(app.statements.run(
                {.what = seen, .values = none, .until = deadline::after(patience), .before = before})),
            "acme");
  EXPECT_EQ(value_of(app.run(seen)), "");
  ASSERT_TRUE(succeeds(put(app, write("insert into places values (1) returning tenant"), before)));
  EXPECT_EQ(ask("select tenant from places"), "acme");
}

TEST_F(positions, read_with_a_set_up_can_not_write) {
  const statement sneaky = read("insert into places values (1)");
  EXPECT_EQ(error_of(app.statements.run(
                         {.what = sneaky, .values = none, .until = deadline::after(patience), .before = before}))
                .code(),
            errc::read_only);
}

TEST_F(positions, set_up_that_fails_keeps_the_statement_from_running_and_is_named) {
  const statement bad{.sql = "select no_such_function()",
                      .name = "tenant",
                      .operation = "SELECT",
                      .print = fingerprint("select no_such_function()"),
                      .kind = statement_class::read};
  const std::array wrong{batched_statement{&bad, &none}};
  const error refused = error_of(put(app, write("insert into places values (1)"), wrong));
  EXPECT_EQ(refused.statement(), "tenant");
  EXPECT_EQ(refused.applied(), applied::no);
  EXPECT_EQ(ask("select count(*) from places"), "0");
}

TEST_F(positions, statement_that_ends_transactions_is_refused_beside_a_set_up) {
  for (const char* sql : {"commit", "rollback", "begin", "prepare transaction 'x'"}) {
    EXPECT_EQ(error_of(put(app, write(sql), before)).code(), errc::unsafe_operation) << sql;
  }
  EXPECT_EQ(app.events.opened(), 1);
}

}  // namespace
}  // namespace breakwater::postgres::test
