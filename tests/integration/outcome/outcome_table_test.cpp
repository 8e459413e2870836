// The outcome guard's table: made on first use, by whom may, and swept.

#include "support.hpp"

#include <atomic>
#include <barrier>
#include <thread>

namespace tests {
namespace {

class outcome_table : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<ledger_server>(); }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override { server->reset(false); }

  static std::string lines() { return server->truth("select count(*) from ledger"); }
  static std::string tokens() { return server->truth("select count(*) from breakwater.outcomes"); }

  static inline std::unique_ptr<ledger_server> server;
};

TEST_F(outcome_table, is_made_by_the_first_guarded_transaction_which_then_begins_again) {
  watched_database far(*server);
  bw::session session = far.db->session();
  int runs = 0;
  ASSERT_OK(write_line_in(session, "a", &runs));
  EXPECT_EQ(runs, 1) << "the closure does not notice";
  EXPECT_EQ(lines(), "1");
  EXPECT_EQ(tokens(), "1");
  EXPECT_EQ(server->truth("select count(*) from pg_indexes where schemaname = 'breakwater'"), "2");
  EXPECT_EQ(server->truth("select relpersistence::text || relkind::text from pg_class where relname = 'outcomes'"),
            "pr");
}

TEST_F(outcome_table, is_made_anew_when_somebody_dropped_it) {
  watched_database far(*server);
  bw::session session = far.db->session();
  ASSERT_OK(write_line_in(session, "a"));
  server->arrange("drop table breakwater.outcomes");
  ASSERT_OK(write_line_in(session, "b"));
  server->arrange("drop schema breakwater cascade");
  ASSERT_OK(session.execute("insert into ledger values ('c')"));
  EXPECT_EQ(lines(), "3");
  EXPECT_EQ(tokens(), "1");
}

TEST_F(outcome_table, is_made_once_by_many_at_the_same_time) {
  constexpr int rounds = 5;
  constexpr int threads = 8;
  auto settings = watched_database::guarded_settings();
  settings.pool.size = threads;
  watched_database far(*server, settings);
  for (int i = 0; i < rounds; ++i) {
    server->reset(false);
    std::barrier start(threads);
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&] {
        bw::session own = far.db->session();
        start.arrive_and_wait();
        EXPECT_OK(write_line_in(own, "a"));
      });
    }
    all.clear();
    EXPECT_EQ(lines(), std::to_string(threads));
    EXPECT_EQ(tokens(), std::to_string(threads));
  }
}

TEST_F(outcome_table, that_may_not_be_made_is_an_error_that_says_what_to_run_and_nothing_is_applied) {
  server->arrange("revoke create on database app from app; alter database app owner to postgres");
  watched_database far(*server);
  bw::session session = far.db->session();
  const auto refused = write_line_in(session, "a");
  server->arrange("alter database app owner to app; grant create on database app to app");
  ASSERT_TRUE(fails_with(refused, errc::insufficient_privilege));
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  const std::string text = refused.error().message();
  EXPECT_NE(text.find("create table if not exists breakwater.outcomes"), std::string::npos) << text;
  EXPECT_NE(text.find("\"app\""), std::string::npos) << text;
  EXPECT_EQ(lines(), "0");
}

TEST_F(outcome_table, that_must_not_be_made_is_an_error_that_says_what_to_run) {
  auto settings = watched_database::guarded_settings();
  settings.outcome_guard.create_table = false;
  watched_database far(*server, settings);
  bw::session session = far.db->session();
  const auto refused = write_line_in(session, "a");
  ASSERT_TRUE(fails_with(refused, errc::invalid_statement));
  EXPECT_NE(refused.error().message().find("outcome_guard_ddl"), std::string::npos) << refused.error().message();
  EXPECT_EQ(server->truth("select count(*) from pg_namespace where nspname = 'breakwater'"), "0");
}

TEST_F(outcome_table, that_may_not_be_written_is_an_error_that_says_what_to_grant) {
  server->arrange(bw::outcome_guard_ddl());
  server->arrange("revoke all on breakwater.outcomes from app; revoke all on schema breakwater from app");
  watched_database far(*server);
  bw::session session = far.db->session();
  const auto refused = write_line_in(session, "a");
  ASSERT_TRUE(fails_with(refused, errc::insufficient_privilege));
  EXPECT_NE(refused.error().message().find("grant usage on schema breakwater"), std::string::npos)
      << refused.error().message();
}

TEST_F(outcome_table, ddl_can_be_run_twice) {
  server->arrange(bw::outcome_guard_ddl());
  server->arrange(bw::outcome_guard_ddl());
  EXPECT_EQ(tokens(), "0");
}

TEST_F(outcome_table, a_name_that_the_closure_gets_wrong_is_no_reason_to_make_anything) {
  watched_database far(*server);
  bw::session session = far.db->session();
  ASSERT_OK(write_line_in(session, "a"));
  EXPECT_ERROR(session.transact([](bw::transaction& tx) { return tx.execute("insert into ledgre values ('x')"); }),
               errc::invalid_statement);
  EXPECT_EQ(tokens(), "1") << "rolled back with the rest";
}

TEST_F(outcome_table, is_swept_of_what_is_older_than_the_retention_in_batches) {
  server->reset();
  watched_database far(*server);
  server->arrange(
      "insert into breakwater.outcomes select gen_random_uuid(), now() - interval '25 hours' from generate_series(1, "
      "2500); insert into breakwater.outcomes select gen_random_uuid(), now() - interval '23 hours' from "
      "generate_series(1, 10)");
  const auto swept = far.db->sweep_outcomes();
  ASSERT_OK(swept);
  EXPECT_EQ(swept.value(), 2500U);
  EXPECT_EQ(tokens(), "10");
  EXPECT_EQ(far.db->sweep_outcomes().value(), 0U);
}

TEST_F(outcome_table, that_is_missing_needs_no_sweep) {
  watched_database far(*server);
  EXPECT_EQ(far.db->sweep_outcomes().value(), 0U);
}

TEST_F(outcome_table, is_swept_in_the_background_once_something_was_guarded) {
  server->reset();
  auto settings = watched_database::guarded_settings();
  settings.outcome_guard.sweep_interval = 20ms;
  watched_database far(*server, settings);
  server->arrange("insert into breakwater.outcomes values (gen_random_uuid(), now() - interval '25 hours')");
  bw::session session = far.db->session();
  ASSERT_OK(write_line_in(session, "a"));
  EXPECT_TRUE(eventually([] { return tokens() == "1"; })) << tokens();
  ASSERT_OK(far.db->shutdown());
}

}  // namespace
}  // namespace tests
