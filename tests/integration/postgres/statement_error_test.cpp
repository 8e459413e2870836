// What the server's errors become.

#include "support.hpp"

#include <array>

namespace breakwater::postgres::test {
namespace {

class statement_errors : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    arrange(R"(
      create table parents (id int primary key);
      create table people (
        id int constraint people_pk primary key,
        email text constraint people_email_unique unique,
        age int constraint people_age_check check (age >= 0),
        name text not null default 'x',
        parent int constraint people_parent_exists references parents deferrable initially immediate);
      create table later (id int constraint later_unique unique deferrable initially deferred);
      create table slots (during int4range,
        constraint slots_overlap exclude using gist (during with &&));
      grant all on all tables in schema public to app)");
  }
  static void TearDownTestSuite() { arrange("drop table people, parents, later, slots"); }
  void TearDown() override { arrange("truncate people, later, slots; delete from parents"); }

  client app;

  error failing(std::string_view sql) {
    const error refused = error_of(app.run(write(sql)));
    EXPECT_EQ(refused.applied(), applied::no);
    EXPECT_EQ(refused.statement(), "test.write");
    EXPECT_FALSE(refused.node().empty());
    EXPECT_FALSE(refused.poisons_connection());
    return refused;
  }
};

TEST_F(statement_errors, syntax_and_unknown_names_are_an_invalid_statement) {
  const error syntax = failing("selekt 1");
  EXPECT_EQ(syntax.code(), errc::invalid_statement);
  EXPECT_EQ(syntax.sqlstate(), "42601");
  EXPECT_TRUE(syntax.is_callers_mistake());
  const error table = failing("select * from nowhere");
  EXPECT_EQ(table.code(), errc::invalid_statement);
  EXPECT_EQ(table.sqlstate(), "42P01");
  EXPECT_NE(table.message().find("nowhere"), std::string::npos) << "a name may be shown";
}

TEST_F(statement_errors, unknown_names_in_a_mapped_statement_are_the_mappings_mismatch) {
  statement mapped = write("select wrong from people");
  mapped.mapped = true;
  const error refused = error_of(app.run(mapped));
  EXPECT_EQ(refused.code(), errc::mapping_mismatch);
  EXPECT_EQ(refused.sqlstate(), "42703");
}

TEST_F(statement_errors, constraints_are_told_apart_and_named) {
  arrange("insert into people(id, email) values (1, 'ada@example.org')");
  const error unique = failing("insert into people(id, email) values (2, 'ada@example.org')");
  EXPECT_EQ(unique.code(), errc::unique_violation);
  EXPECT_EQ(unique.sqlstate(), "23505");
  EXPECT_EQ(unique.constraint(), "people_email_unique");
  EXPECT_EQ(unique.table(), "people");
  EXPECT_EQ(unique.message().find("ada@example.org"), std::string::npos) << unique.message();

  const error foreign = failing("insert into people(id, parent) values (2, 77)");
  EXPECT_EQ(foreign.code(), errc::foreign_key_violation);
  EXPECT_EQ(foreign.sqlstate(), "23503");
  EXPECT_EQ(foreign.constraint(), "people_parent_exists");

  const error check = failing("insert into people(id, age) values (2, -1)");
  EXPECT_EQ(check.code(), errc::check_violation);
  EXPECT_EQ(check.sqlstate(), "23514");
  EXPECT_EQ(check.constraint(), "people_age_check");

  const error null = failing("insert into people(id, name) values (2, null)");
  EXPECT_EQ(null.code(), errc::not_null_violation);
  EXPECT_EQ(null.sqlstate(), "23502");
  EXPECT_EQ(null.column(), "name");

  arrange("insert into slots values ('[1,5)')");
  const error exclusion = failing("insert into slots values ('[4,6)')");
  EXPECT_EQ(exclusion.code(), errc::exclusion_violation);
  EXPECT_EQ(exclusion.constraint(), "slots_overlap");
}

TEST_F(statement_errors, a_deferred_constraint_that_fails_at_the_sync_is_an_error_and_not_applied) {
  // The insert itself is answered with success; only the commit at the Sync refuses.
  arrange("insert into later values (1)");
  const error refused = failing("insert into later values (1)");
  EXPECT_EQ(refused.code(), errc::unique_violation);
  EXPECT_EQ(refused.constraint(), "later_unique");
  EXPECT_EQ(ask("select count(*) from later"), "1");
  EXPECT_TRUE(succeeds(app.run(write("insert into later values (2)"))));
}

TEST_F(statement_errors, values_that_do_not_fit_are_a_data_error_that_does_not_quote_them) {
  parameters values;
  values.add_text("not-a-number");
  const error refused = error_of(app.run(read("select $1::int"), values));
  EXPECT_EQ(refused.code(), errc::data_error);
  EXPECT_EQ(refused.sqlstate(), "22P02");
  EXPECT_EQ(refused.message().find("not-a-number"), std::string::npos) << refused.message();
  EXPECT_EQ(failing("select 1/0").sqlstate(), "22012");
}

TEST_F(statement_errors, a_lock_held_by_another_is_told_at_once_with_nowait) {
  arrange("insert into people(id) values (1)");
  auto other = connect();
  ASSERT_TRUE(succeeds(run_on(*other, write("begin"))));
  ASSERT_TRUE(succeeds(run_on(*other, write("select 1 from people where id = 1 for update"))));
  const error busy = failing("select 1 from people where id = 1 for update nowait");
  EXPECT_EQ(busy.code(), errc::lock_not_available);
  EXPECT_EQ(busy.sqlstate(), "55P03");
  EXPECT_TRUE(busy.is_transient());
}

TEST_F(statement_errors, an_operators_cancellation_is_cancelled_and_leaves_a_good_connection) {
  auto link = connect();
  const int backend = backend_of(*link);
  std::thread operator_thread([backend] {
    EXPECT_TRUE(eventually([backend] { return is_waiting_for(backend, "PgSleep"); }));
    EXPECT_EQ(ask("select pg_cancel_backend(" + std::to_string(backend) + ")"), "t");
  });
  const error cancelled = error_of(run_on(*link, write("select pg_sleep(60)")));
  operator_thread.join();
  EXPECT_EQ(cancelled.code(), errc::cancelled);
  EXPECT_EQ(cancelled.sqlstate(), "57014");
  EXPECT_EQ(cancelled.applied(), applied::no);
  EXPECT_TRUE(link->is_clean());
}

TEST_F(statement_errors, privileges_and_read_only_are_told_apart) {
  arrange("create table secret (id int); revoke all on secret from public, app");
  const error forbidden = failing("select * from secret");
  arrange("drop table secret");
  EXPECT_EQ(forbidden.code(), errc::insufficient_privilege);
  EXPECT_EQ(forbidden.sqlstate(), "42501");
}

TEST_F(statement_errors, a_deadlock_has_one_victim) {
  arrange("insert into people(id) values (1), (2)");
  auto first = connect();
  auto second = connect();
  for (auto* each : {first.get(), second.get()}) ASSERT_TRUE(succeeds(run_on(*each, write("begin"))));
  ASSERT_TRUE(succeeds(run_on(*first, write("update people set age = 1 where id = 1"))));
  ASSERT_TRUE(succeeds(run_on(*second, write("update people set age = 1 where id = 2"))));
  result<rows> of_first;
  std::thread other([&] { of_first = run_on(*first, write("update people set age = 2 where id = 2")); });
  const auto of_second = run_on(*second, write("update people set age = 2 where id = 1"));
  other.join();
  ASSERT_NE(of_first.has_value(), of_second.has_value());
  const error victim = of_first ? of_second.error() : of_first.error();
  EXPECT_EQ(victim.code(), errc::deadlock);
  EXPECT_EQ(victim.sqlstate(), "40P01");
}

TEST_F(statement_errors, raised_by_the_databases_own_code_are_masked) {
  const error raised = error_of(app.run(write("do $$ begin raise exception 'customer 4711'; end $$")));
  EXPECT_EQ(raised.applied(), applied::unknown) << "a DO block may have committed before it failed";
  EXPECT_EQ(raised.code(), errc::data_error);
  EXPECT_EQ(raised.sqlstate(), "P0001");
  EXPECT_EQ(raised.message().find("4711"), std::string::npos) << raised.message();
}

TEST_F(statement_errors, a_raised_warning_does_not_put_a_write_in_doubt) {
  EXPECT_TRUE(succeeds(app.run(write("do $$ begin raise warning 'careful'; end $$"))));
}

TEST_F(statement_errors, copy_is_refused_instead_of_waiting_for_data_that_never_comes) {
  const std::array refused_ones{write("copy people from stdin"), read("copy people to stdout"),
                                read("copy people from stdin")};
  for (const statement& copy : refused_ones) {
    const auto started = clock_type::now();
    const error refused = error_of(app.run(copy));
    EXPECT_EQ(refused.code(), errc::invalid_statement) << copy.sql << refused.message();
    EXPECT_EQ(refused.applied(), applied::no);
    EXPECT_NE(refused.message().find("COPY"), std::string::npos) << refused.message();
    EXPECT_LT(since(started), 5s);
    EXPECT_TRUE(succeeds(app.run(read("select 1")))) << "another connection serves";
  }
}

TEST_F(statement_errors, copy_of_what_an_insert_returns_is_not_said_to_have_done_nothing) {
  const error refused = error_of(app.run(write("copy (insert into people(id) values (1) returning id) to stdout")));
  EXPECT_EQ(refused.code(), errc::invalid_statement);
  EXPECT_EQ(refused.applied(), applied::unknown);
}

TEST_F(statement_errors, a_value_with_a_nul_byte_is_refused_and_never_sent_cut) {
  parameters values;
  values.add_text(std::string_view("cut\0here", 8));
  const error refused = error_of(app.run(write("insert into people(id, email) values (9, $1)"), values));
  EXPECT_EQ(refused.code(), errc::invalid_argument);
  EXPECT_EQ(refused.applied(), applied::no);
  EXPECT_EQ(refused.message().find("cut"), std::string::npos);
  EXPECT_EQ(ask("select count(*) from people"), "0");
  EXPECT_TRUE(app.is_quiet());
}

TEST_F(statement_errors, more_values_than_the_protocol_carries_are_the_callers_mistake) {
  parameters values;
  for (int i = 0; i < 65536; ++i) values.add_text("1");
  const error refused = error_of(app.run(read("select 1"), values));
  EXPECT_EQ(refused.code(), errc::invalid_argument);
  EXPECT_FALSE(refused.poisons_connection());
  EXPECT_NE(refused.message().find("65535"), std::string::npos) << refused.message();
  EXPECT_EQ(app.events.closed().size(), 0U);
}

TEST_F(statement_errors, an_empty_statement_is_no_error) { EXPECT_TRUE(succeeds(app.run(write("")))); }

}  // namespace
}  // namespace breakwater::postgres::test
