// Behind a pooler of transactions: nothing is left in the server's session, and nothing found there is relied on.

#include "support.hpp"

#include <stop_token>
#include <thread>

namespace tests {
namespace {

class one_connection_for_all : public ::testing::Test {
 protected:
  void SetUp() override {
    between = bouncer_before_primary({.mode = pooling::transaction, .pool_size = 1});
    ASSERT_NE(between, nullptr);
    other.emplace(*between);
    db = open(config_through(*between));
    ASSERT_TRUE(db);
  }
  void TearDown() override {
    db.reset();
    other.reset();
  }

  std::unique_ptr<bouncer> between;
  std::optional<stranger> other;
  std::optional<bw::database> db;
};

TEST_F(one_connection_for_all, finds_its_session_as_it_was_whatever_ran_in_between) {
  const std::string before = other->session_state();
  const auto unchanged = [&](const char* what) { EXPECT_EQ(other->session_state(), before) << what; };
  bw::session session = db->session();

  ASSERT_OK(session.query("select 1").read_only().one<int>());
  unchanged("a read");
  ASSERT_OK(session.execute("insert into notes values ('a')"));
  unchanged("a write");
  ASSERT_OK(db->session({.operation_timeout = 3s}).execute("insert into notes values ('a')"));
  unchanged("a write with a deadline of its own");
  ASSERT_OK(db->session({.operation_timeout = 60s}).query("select 1").read_only().one<int>());
  unchanged("a read that may take long");
  ASSERT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("set local time zone 'Asia/Tokyo'"));
    BOOST_OUTCOME_TRY(tx.execute("set local search_path to pg_temp"));
    BOOST_OUTCOME_TRY(tx.execute("set local statement_timeout to 12345"));
    BOOST_OUTCOME_TRY(const auto zone, tx.query("select current_setting('TimeZone')").one<std::string>());
    EXPECT_EQ(zone, "Asia/Tokyo");
    return bw::success();
  }));
  unchanged("a transaction that sets what it needs");
  ASSERT_OK(session.transact([](bw::transaction& tx) { return tx.query("select 1").one<int>(); }, {.read_only = true}));
  unchanged("a transaction that only reads");
  EXPECT_ERROR(session.execute("insert into nowhere values (1)"), errc::invalid_statement);
  unchanged("a statement that failed");
}

TEST_F(one_connection_for_all, is_not_marked_by_a_deadline_that_ended_a_statement) {
  const std::string before = other->session_state();
  const auto late = db->session({.operation_timeout = 200ms}).execute("insert into notes select pg_sleep(30)::text");
  EXPECT_ERROR(late, errc::deadline_exceeded);
  EXPECT_EQ(late.error().applied(), bw::applied::no);
  EXPECT_EQ(other->session_state(), before);
}

TEST_F(one_connection_for_all, is_used_as_the_library_needs_it_whatever_others_left_there) {
  other->run(
      "set IntervalStyle = sql_standard; set bytea_output = escape; set extra_float_digits = -15; "
      "set statement_timeout = 300; set idle_in_transaction_session_timeout = 300; set client_min_messages = error");
  bw::session session = db->session();
  const auto pid = session.query("select pg_backend_pid()::text").read_only().one<std::string>();
  ASSERT_OK(pid);
  EXPECT_EQ(pid.value(), other->run("select pg_backend_pid()"));
  const auto shown = session.query("select (interval '1 day 2 hours')::text").read_only().one<std::string>();
  ASSERT_OK(shown);
  EXPECT_EQ(shown.value(), "1 day 02:00:00");
  EXPECT_EQ(session.query("select 0.1::float8 + 0.2::float8").read_only().one<double>().value(), 0.1 + 0.2);
  EXPECT_OK(session.query("select pg_sleep(0.6)::text").read_only().one<std::string>());
  EXPECT_EQ(session.query("select current_setting('statement_timeout')").read_only().one<std::string>().value(),
            "14980ms");
  const auto in_transaction = session.transact([](bw::transaction& tx) {
    return tx.query("select current_setting('idle_in_transaction_session_timeout')").one<std::string>();
  });
  ASSERT_OK(in_transaction);
  EXPECT_EQ(in_transaction.value(), "30s");
}

TEST_F(one_connection_for_all, serves_two_databases_with_limits_of_their_own) {
  bw::config quick = config_through(*between);
  quick.operation_timeout = 1s;
  quick.pooler = bw::pooler::transaction;
  const auto quick_db = open(quick);
  ASSERT_TRUE(quick_db);
  const std::string_view ask = "select current_setting('statement_timeout')";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(db->session().query(ask).read_only().one<std::string>().value(), "14980ms");
    EXPECT_EQ(quick_db->session().query(ask).read_only().one<std::string>().value(), "980ms");
  }
}

TEST_F(one_connection_for_all, is_never_asked_to_keep_what_a_statement_would_leave_there) {
  bw::session session = db->session();
  for (const std::string_view sql :
       {"set time zone 'Asia/Tokyo'", "SET SESSION work_mem = '1MB'", "reset all", "listen changes", "unlisten *",
        "discard all", "prepare p as select 1", "deallocate all", "load 'auto_explain'", "-- why\n set role app"}) {
    const auto refused = session.execute(sql);
    EXPECT_ERROR(refused, errc::unsafe_operation) << sql;
    EXPECT_EQ(refused.error().applied(), bw::applied::no);
    const auto inside = session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("insert into notes values ('not to stay')"));
      BOOST_OUTCOME_TRY(tx.execute(sql));
      return bw::success();
    });
    EXPECT_ERROR(inside, errc::unsafe_operation) << sql;
  }
  EXPECT_EQ(truth("select count(*) from notes where who = 'not to stay'"), "0");
}

TEST_F(one_connection_for_all, gets_no_prepared_statements) {
  for (int i = 0; i < 3; ++i) ASSERT_OK(db->session().query("select ?::int", i).read_only().one<int>());
  EXPECT_EQ(other->run("select count(*) from pg_prepared_statements"), "0");
}

TEST_F(one_connection_for_all, runs_what_can_not_stand_in_a_transaction) {
  bw::session session = db->session();
  ASSERT_OK(session.execute("create table own (who text)"));
  EXPECT_OK(session.execute("vacuum own"));
  EXPECT_OK(session.execute("create index concurrently own_who on own (who)"));
  EXPECT_OK(session.execute("reindex table concurrently own"));
  EXPECT_OK(session.execute("drop index concurrently own_who"));
  EXPECT_OK(session.execute("do $$ begin insert into own values ('a'); commit; insert into own values ('b'); end $$"));
  EXPECT_EQ(truth("select count(*) from own"), "2");
  ASSERT_OK(session.execute("drop table own"));
}

TEST_F(one_connection_for_all, is_free_again_when_a_reader_is_told_to_stop) {
  std::stop_source stop;
  bw::session session = db->session({.cancel = stop.get_token()});
  const std::jthread stopper([&] {
    EXPECT_TRUE(eventually(
        [] { return truth("select count(*) from pg_stat_activity where query like 'select pg_sleep(29)%'") == "1"; }));
    stop.request_stop();
  });
  EXPECT_ERROR(session.query("select pg_sleep(29)::text").read_only().one<std::string>(), errc::cancelled);
  EXPECT_TRUE(eventually([] {
    return truth(
               "select count(*) from pg_stat_activity where query like 'select pg_sleep(29)%' and state = 'active'") ==
           "0";
  }));
  EXPECT_OK(db->session().query("select 1").read_only().one<int>());
}

}  // namespace
}  // namespace tests
