// Single writes, batches and copies of a guarded session.

#include "../../unit/repository/entities.hpp"
#include "support.hpp"

namespace tests {
namespace {

using fault = proxy::fault;

class outcome_single : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<ledger_server>();
    server->arrange("create table tags (name text primary key); grant all on tags to app");
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    server->reset();
    server->arrange("truncate tags");
  }
  static std::string tags() {
    return server->truth("select coalesce(string_agg(name, ',' order by name), '') from tags");
  }
  static std::string tokens() { return server->truth("select count(*) from breakwater.outcomes"); }

  static inline std::unique_ptr<ledger_server> server;
};

TEST_F(outcome_single, write_costs_one_row_and_one_round_trip_more) {
  watched_database far(*server);
  bw::session guarded = far.db->session();
  bw::session plain = far.db->session({.outcome_guard = false});
  ASSERT_OK(guarded.repository<tag>().insert({.name = "warm"}));
  ASSERT_OK(plain.repository<tag>().insert({.name = "warmer"}));

  int before = far.between.round_trips();
  ASSERT_OK(plain.repository<tag>().insert({.name = "a"}));
  EXPECT_EQ(far.between.round_trips() - before, 1);
  EXPECT_EQ(tokens(), "1");

  before = far.between.round_trips();
  ASSERT_OK(guarded.repository<tag>().insert({.name = "b"}));
  EXPECT_EQ(far.between.round_trips() - before, 2);
  EXPECT_EQ(tokens(), "2");

  before = far.between.round_trips();
  ASSERT_OK(guarded.repository<tag>().get("a"));
  EXPECT_EQ(far.between.round_trips() - before, 1) << "reads are as ever";
}

TEST_F(outcome_single, write_whose_answer_is_lost_returns_what_it_had_read) {
  watched_database far(*server);
  bw::session session = far.db->session();
  far.between.on_message(commit_message, fault::cut_after);
  const auto stored = session.repository<tag>().insert({.name = "a"});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value().name, "a");
  EXPECT_EQ(tags(), "a");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::applied});
}

TEST_F(outcome_single, write_that_never_arrived_is_sent_again) {
  watched_database far(*server);
  bw::session session = far.db->session();
  far.between.on_message(commit_message, fault::cut_before);
  const auto added = session.execute("insert into ledger values (?)", "a");
  ASSERT_OK(added);
  EXPECT_EQ(added.value(), 1U);
  EXPECT_EQ(server->truth("select count(*) from ledger"), "1");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
}

TEST_F(outcome_single, batch_is_one_guarded_transaction) {
  watched_database far(*server);
  bw::session session = far.db->session();
  for (const fault how : {fault::cut_after, fault::cut_before}) {
    server->reset();
    far.between.on_message(commit_message, how);
    auto batch = session.batch();
    batch.add(session.query("insert into ledger values ('a')"));
    const auto second = batch.add(session.query("insert into ledger values ('b'), ('c')"));
    const auto answers = batch.run();
    ASSERT_OK(answers);
    EXPECT_EQ(answers.value().get(second).value(), 2U);
    EXPECT_EQ(server->truth("select count(*) from ledger"), "3");
    EXPECT_EQ(tokens(), "1");
  }
}

TEST_F(outcome_single, copy_is_found_out_and_never_begun_again) {
  watched_database far(*server);
  bw::session session = far.db->session();
  const std::vector<tag> rows{{"a"}, {"b"}};
  far.between.on_message(commit_message, fault::cut_after);
  const auto copied = session.repository<tag>().copy_in(rows);
  ASSERT_OK(copied);
  EXPECT_EQ(copied.value(), 2U);
  EXPECT_EQ(tags(), "a,b");

  server->arrange("truncate tags");
  far.between.on_message(commit_message, fault::cut_before);
  const auto lost = session.repository<tag>().copy_in(rows);
  ASSERT_TRUE(fails_with(lost, errc::connection_failed));
  EXPECT_EQ(lost.error().applied(), bw::applied::no);
  EXPECT_EQ(tags(), "");
}

TEST_F(outcome_single, error_of_the_statement_is_as_it_is_unguarded) {
  watched_database far(*server);
  bw::session guarded = far.db->session();
  bw::session plain = far.db->session({.outcome_guard = false});
  ASSERT_OK(plain.repository<tag>().insert({.name = "a"}));
  const auto of_guarded = guarded.repository<tag>().insert({.name = "a"});
  const auto of_plain = plain.repository<tag>().insert({.name = "a"});
  ASSERT_TRUE(fails_with(of_guarded, errc::unique_violation));
  ASSERT_TRUE(fails_with(of_plain, errc::unique_violation));
  EXPECT_EQ(of_guarded.error().message(), of_plain.error().message());
  EXPECT_EQ(of_guarded.error().applied(), bw::applied::no);
}

TEST_F(outcome_single, statement_that_can_not_be_put_into_a_transaction_says_how_to_run_it) {
  watched_database far(*server);
  server->arrange(
      "create or replace procedure commits() language plpgsql as $$ begin insert into ledger values ('p'); commit; end "
      "$$; grant execute on procedure commits() to app");
  bw::session guarded = far.db->session();
  for (const char* sql : {"vacuum ledger", "call commits()", "begin", "commit"}) {
    const auto refused = guarded.execute(sql);
    ASSERT_TRUE(fails_with(refused, errc::unsafe_operation)) << sql;
    EXPECT_EQ(refused.error().applied(), bw::applied::no) << sql;
  }
  EXPECT_EQ(server->truth("select count(*) from ledger"), "0");
  EXPECT_OK(guarded.execute("do $$ begin insert into ledger values ('d'); end $$"));
  EXPECT_OK(far.db->session({.outcome_guard = false}).execute("call commits()"));
  EXPECT_EQ(server->truth("select count(*) from ledger"), "2");
}

/// Has every write of a repository run in a transaction, with a statement of its own.
struct ledger_auditor final : bw::auditor {
  bw::result<void> on_change(bw::hook_context& context, const bw::audit_event& event) override {
    BOOST_OUTCOME_TRY(context.execute("insert into ledger values (?)", std::string(event.key)));
    return bw::success();
  }
};

TEST_F(outcome_single, write_with_hooks_is_found_out_and_its_hooks_are_not_called_again) {
  auto settings = watched_database::guarded_settings();
  settings.auditor = std::make_shared<ledger_auditor>();
  watched_database far(*server, settings);
  bw::session session = far.db->session();
  far.between.on_message(commit_message, fault::cut_after);
  EXPECT_OK(session.repository<tag>().insert({.name = "a"}));
  far.between.on_message(commit_message, fault::cut_before);
  const auto lost = session.repository<tag>().insert({.name = "b"});
  ASSERT_TRUE(fails_with(lost, errc::connection_failed));
  EXPECT_EQ(lost.error().applied(), bw::applied::no);
  EXPECT_EQ(tags(), "a");
  EXPECT_EQ(server->truth("select string_agg(who, ',') from ledger"), "a");
  EXPECT_EQ(far.watcher->seen(), (std::vector{commit_resolution::applied, commit_resolution::not_applied}));
  EXPECT_OK(session.repository<tag>().insert({.name = "b"}));
}

}  // namespace
}  // namespace tests
