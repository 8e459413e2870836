// Statements are prepared once, on the way, and prepared anew when the server lost them or their tables changed.

#include "proxy.hpp"
#include "support.hpp"
#include <breakwater/postgres/codec.hpp>

namespace breakwater::postgres::test {
namespace {

class prepared_statements : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    arrange("create table shapes (id int, name text); insert into shapes values (1, 'round')");
    arrange("alter table shapes owner to app");
  }
  static void TearDownTestSuite() { arrange("drop table shapes"); }

  static int prepared_on(connection& link) {
    statement ask_for_them = read("select count(*) from pg_prepared_statements");
    ask_for_them.prepare = false;
    return std::stoi(value_of(run_on(link, ask_for_them)));
  }
};

TEST_F(prepared_statements, are_prepared_on_first_use_and_reused) {
  auto link = connect();
  EXPECT_EQ(prepared_on(*link), 0) << "the session's set-up leaves nothing behind";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(value_of(run_on(*link, read("select 1"))), "1");
  EXPECT_EQ(prepared_on(*link), 1);
}

TEST_F(prepared_statements, cost_no_round_trip_of_their_own) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  auto link = connect(settings);
  const int before = between.round_trips();
  EXPECT_EQ(value_of(run_on(*link, read("select 'first use'"))), "first use");
  EXPECT_EQ(between.round_trips() - before, 1);
  EXPECT_EQ(value_of(run_on(*link, read("select 'first use'"))), "first use");
  EXPECT_EQ(between.round_trips() - before, 2);
}

TEST_F(prepared_statements, a_write_with_its_timeout_is_one_round_trip_too) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  client app({.size = 1}, settings);
  ASSERT_TRUE(succeeds(app.run(read("select 1"))));
  const int before = between.round_trips();
  EXPECT_TRUE(succeeds(app.run(write("update shapes set id = id"), deadline::after(2s))));
  EXPECT_EQ(between.round_trips() - before, 1);
}

TEST_F(prepared_statements, a_name_that_somebody_else_has_taken_on_a_shared_session_is_closed_and_used) {
  auto link = connect();
  statement stranger = read("prepare bw_1 as select 'not ours'");
  stranger.prepare = false;
  ASSERT_TRUE(succeeds(run_on(*link, stranger)));
  EXPECT_EQ(value_of(run_on(*link, read("select 'ours'"))), "ours");
  EXPECT_EQ(value_of(run_on(*link, read("select 'ours'"))), "ours");
  EXPECT_EQ(prepared_on(*link), 1);
}

TEST_F(prepared_statements, of_a_statement_that_fails_to_parse_nothing_is_kept) {
  auto link = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_of(run_on(*link, read("select * from nowhere"))).sqlstate(), "42P01");
  EXPECT_EQ(prepared_on(*link), 0);
}

TEST_F(prepared_statements, of_a_statement_that_fails_when_run_stay_prepared) {
  auto link = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_of(run_on(*link, read("select 1/0"))).sqlstate(), "22012");
  EXPECT_LE(prepared_on(*link), 1);
  EXPECT_EQ(value_of(run_on(*link, read("select 1"))), "1");
}

TEST_F(prepared_statements, are_bounded_on_the_server_too) {
  auto settings = settings_for(server().dsn());
  settings.statement_cache_size = 4;
  auto link = connect(settings);
  for (int i = 0; i < 50; ++i) {
    const std::string sql = "select " + std::to_string(i);
    EXPECT_EQ(value_of(run_on(*link, read(sql))), std::to_string(i));
    EXPECT_LE(prepared_on(*link), 4);
  }
  EXPECT_EQ(prepared_on(*link), 4);
}

TEST_F(prepared_statements, none_are_made_where_the_cache_is_off) {
  auto settings = settings_for(server().dsn());
  settings.statement_cache_size = 0;
  auto link = connect(settings);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(value_of(run_on(*link, read("select 1"))), "1");
  EXPECT_EQ(prepared_on(*link), 0);
}

TEST_F(prepared_statements, lost_on_the_server_are_prepared_anew_without_anybody_noticing) {
  auto link = connect();
  statement lose_all = write("deallocate all");
  lose_all.prepare = false;
  EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
  ASSERT_TRUE(succeeds(run_on(*link, lose_all)));
  EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
  EXPECT_EQ(prepared_on(*link), 1);
}

TEST_F(prepared_statements, that_were_lost_in_a_transaction_ask_for_it_to_be_run_again) {
  auto link = connect();
  statement lose_all = write("deallocate all");
  lose_all.prepare = false;
  EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
  ASSERT_TRUE(succeeds(run_on(*link, lose_all)));
  ASSERT_TRUE(succeeds(run_on(*link, write("begin"))));
  const statement what = read("select 7");
  const parameters none;
  const command only{.what = &what, .values = &none};
  const error stale = error_of(
      link->run({.commands = {&only, 1}, .kind = batch_kind::in_transaction, .until = deadline::after(patience)}));
  EXPECT_EQ(stale.code(), errc::serialization_failure);
  EXPECT_EQ(stale.sqlstate(), "26000");
  EXPECT_EQ(stale.applied(), applied::no);
  ASSERT_TRUE(succeeds(run_on(*link, write("rollback"))));
  EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
}

TEST_F(prepared_statements, whose_table_changed_its_columns_are_planned_anew) {
  auto link = connect();
  const statement all = read("select * from shapes");
  EXPECT_EQ(run_on(*link, all).value().columns(), 2U);
  ASSERT_TRUE(succeeds(run_on(*link, write("alter table shapes add extra int"))));
  const auto wider = run_on(*link, all);
  ASSERT_TRUE(succeeds(wider)) << "cached plan must not change result type";
  EXPECT_EQ(wider.value().columns(), 3U);

  ASSERT_TRUE(succeeds(run_on(*link, write("alter table shapes drop extra"))));
  ASSERT_TRUE(succeeds(run_on(*link, write("begin"))));
  const parameters none;
  const command only{.what = &all, .values = &none};
  const error stale = error_of(
      link->run({.commands = {&only, 1}, .kind = batch_kind::in_transaction, .until = deadline::after(patience)}));
  EXPECT_EQ(stale.code(), errc::serialization_failure);
  EXPECT_EQ(stale.sqlstate(), "0A000");
  ASSERT_TRUE(succeeds(run_on(*link, write("rollback"))));
  EXPECT_EQ(run_on(*link, all).value().columns(), 2U);
  EXPECT_LE(prepared_on(*link), 5) << "the stale ones were deallocated";
}

TEST_F(prepared_statements, that_were_given_up_on_their_first_use_are_neither_lost_nor_piled_up) {
  client app({.size = 1});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(error_of(app.run(read("select pg_sleep(60)"), deadline::after(20ms))).code(), errc::deadline_exceeded);
    ASSERT_TRUE(eventually([&app] { return app.is_quiet(); }));
  }
  EXPECT_EQ(app.events.opened(), 1);
  auto held = app.borrow();
  ASSERT_TRUE(held);
  EXPECT_EQ(prepared_on(*held.value()), 1);
}

TEST_F(prepared_statements, that_a_users_own_statement_names_wrongly_do_not_cost_ours) {
  auto link = connect();
  EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
  statement wrong = write("execute nobody_made_this");
  wrong.prepare = false;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(error_of(run_on(*link, wrong)).sqlstate(), "26000");
    EXPECT_EQ(value_of(run_on(*link, read("select 7"))), "7");
  }
  EXPECT_EQ(prepared_on(*link), 1);
}

TEST_F(prepared_statements, take_every_parameter_type_with_and_without_null) {
  auto link = connect();
  parameters values;
  bind(values, std::int64_t{42});
  bind(values, std::optional<std::string>{});
  bind(values, std::string("text"));
  bind_array(values, std::vector<std::string>{"a\"b", "c\\d", "e,f"});
  const auto answer =
      run_on(*link, read("select $1::bigint + 1, $2::text is null, $3 || '!', ($4::text[])[2]"), values);
  ASSERT_TRUE(succeeds(answer));
  EXPECT_EQ(answer.value().at(0, 0).text, "43");
  EXPECT_EQ(answer.value().at(0, 1).text, "t");
  EXPECT_EQ(answer.value().at(0, 2).text, "text!");
  EXPECT_EQ(answer.value().at(0, 3).text, "c\\d");
}

TEST_F(prepared_statements, of_floats_read_back_what_was_sent) {
  auto link = connect();
  for (const double value :
       {0.1, -1e300, 5e-324, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    parameters values;
    bind(values, value);
    double back = 0;
    const auto answer = run_on(*link, read("select $1::float8"), values);
    ASSERT_TRUE(succeeds(answer));
    ASSERT_TRUE(codec<double>::decode(answer.value().at(0, 0).text, back));
    EXPECT_EQ(back, value);
  }
}

}  // namespace
}  // namespace breakwater::postgres::test
