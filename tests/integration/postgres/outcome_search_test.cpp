// Finding out what became of a guarded transaction, with time in the test's hands.

#include "postgres/outcome_search.hpp"

#include "proxy.hpp"
#include "support.hpp"

#include <future>

namespace breakwater::postgres::test {
namespace {

class outcome_searches : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const auto each : {outcome_schema_ddl, outcome_table_ddl, outcome_index_ddl}) arrange(each);
    arrange(
        "grant usage on schema breakwater to app; grant select, insert, update, delete on breakwater.outcomes to app");
  }
  static void TearDownTestSuite() { arrange("drop schema breakwater cascade"); }

  outcome_search search_for(const outcome_mark& mark) {
    return {.mark = mark, .until = deadline::after(2s), .borrow_primary = [this](deadline until) {
              return app.borrow(until);
            }};
  }
  std::unique_ptr<transaction_channel> begin_guarded() {
    auto held = app.borrow();
    EXPECT_TRUE(succeeds(held));
    auto tx = std::make_unique<transaction_channel>(std::move(held).value(), transaction_options{},
                                                    deadline::after(patience));
    tx->guard({.id = uuid::random(), .made_at = clock_type::now()}, false);
    const statement one = read("select 1");
    const parameters none;
    EXPECT_TRUE(succeeds(tx->run({.what = one, .values = none, .until = deadline::after(patience)})));
    EXPECT_TRUE(tx->mark());
    return tx;
  }
  static std::string rows_of(const outcome_mark& mark) {
    return ask("select count(*) from breakwater.outcomes where token = '" + mark.token.id.to_string() + "'");
  }

  client app{{.size = 4}};
};

TEST_F(outcome_searches, remember_the_server_process_by_its_own_word) {
  auto tx = begin_guarded();
  const outcome_mark mark = *tx->mark();
  EXPECT_EQ(
      ask("select backend_start = '" + mark.backend_start + "' from pg_stat_activity where pid = " + mark.backend),
      "t");
  EXPECT_EQ(mark.synchronous_commit, ask("show synchronous_commit"));
}

TEST_F(outcome_searches, know_the_process_from_the_start_of_the_connection) {
  client one{{.size = 1}};
  std::vector<std::string> starts;
  for (int i = 0; i < 3; ++i) {
    auto held = one.borrow();
    ASSERT_TRUE(succeeds(held));
    EXPECT_TRUE(held.value()->process().is_settled());
    EXPECT_TRUE(held.value()->process().is_direct);
    transaction_channel tx(std::move(held).value(), {}, deadline::after(patience));
    tx.guard({.id = uuid::random(), .made_at = clock_type::now()}, false);
    const statement one_row = read("select 1");
    const parameters none;
    ASSERT_TRUE(succeeds(tx.run({.what = one_row, .values = none, .until = deadline::after(patience)})));
    starts.push_back(tx.mark()->backend + " " + tx.mark()->backend_start);
    ASSERT_TRUE(succeeds(tx.commit()));
  }
  EXPECT_EQ(starts, std::vector(3, starts[0]));
  EXPECT_GT(starts[0].size(), 10U);
}

TEST_F(outcome_searches, behind_a_proxy_ask_for_the_process_each_time_and_never_end_it_for_a_claim) {
  proxy between(server().primary().port());
  between.hand_out_own_keys();
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  settings.pooler = pooler::session;
  client one{{.size = 1}, settings};
  for (int i = 0; i < 2; ++i) {
    auto held = one.borrow();
    ASSERT_TRUE(succeeds(held));
    EXPECT_FALSE(held.value()->process().is_settled());
    transaction_channel tx(std::move(held).value(), {}, deadline::after(patience));
    tx.guard({.id = uuid::random(), .made_at = clock_type::now()}, false);
    const statement one_row = read("select 1");
    const parameters none;
    ASSERT_TRUE(succeeds(tx.run({.what = one_row, .values = none, .until = deadline::after(patience)})));
    EXPECT_FALSE(tx.mark()->backend_start.empty());
    EXPECT_FALSE(tx.mark()->transaction_start.empty()) << "tells it from what another client runs there later";
    if (i == 0) {
      ASSERT_TRUE(succeeds(tx.commit()));
    } else {
      EXPECT_FALSE(tx.abandon()) << "the next transaction may be in another process, and this one somebody else's";
    }
  }
}

TEST_F(outcome_searches, lend_to_nobody_the_connection_whose_process_they_may_end) {
  client one{{.size = 1}};
  std::string process;
  {
    auto held = one.borrow();
    ASSERT_TRUE(succeeds(held));
    transaction_channel tx(std::move(held).value(), {}, deadline::after(patience));
    ASSERT_TRUE(succeeds(
        tx.claim({.id = uuid::random(), .made_at = clock_type::now()}, 100ms, deadline::after(patience), nullptr)));
    process = tx.mark()->backend;
    const auto left = tx.abandon();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->number, process);
  }
  auto next = one.borrow();
  ASSERT_TRUE(succeeds(next));
  EXPECT_NE(next.value()->process().number, process);
  EXPECT_TRUE(eventually([&] { return is_gone(std::stoi(process)); })) << "and it has gone with its connection";
}

TEST(outcome_marks, of_a_proxy_that_changes_the_process_are_asked_for_each_time) {
  server_process known{.number = "1", .start = "then"};
  EXPECT_EQ(&token_statement_for(known), &outcome_token_statement);
  known = {.changes = true};
  EXPECT_EQ(&token_statement_for(known), &outcome_token_and_start_statement);
}

TEST_F(outcome_searches, of_a_token_that_was_committed_find_it_applied) {
  auto tx = begin_guarded();
  const outcome_mark mark = *tx->mark();
  ASSERT_TRUE(succeeds(tx->commit()));
  tx.reset();
  EXPECT_EQ(find_outcome(search_for(mark)).what, commit_resolution::applied);
  EXPECT_EQ(rows_of(mark), "1");
}

TEST_F(outcome_searches, of_a_token_that_was_rolled_back_carry_on_with_it) {
  auto tx = begin_guarded();
  const outcome_mark mark = *tx->mark();
  tx->rollback();
  tx.reset();
  auto found = find_outcome(search_for(mark));
  ASSERT_EQ(found.what, commit_resolution::not_applied);
  ASSERT_TRUE(found.carrying_on);
  EXPECT_EQ(found.carrying_on->mark()->token.id, mark.token.id);
  ASSERT_TRUE(succeeds(found.carrying_on->commit()));
  EXPECT_EQ(rows_of(mark), "1");
}

TEST_F(outcome_searches, of_a_token_that_may_have_been_swept_never_have_it_run_again) {
  auto tx = begin_guarded();
  const outcome_mark mark = *tx->mark();
  ASSERT_TRUE(succeeds(tx->commit()));
  tx.reset();
  arrange("delete from breakwater.outcomes");  // as the sweeper does, a day later
  auto search = search_for(mark);
  search.now = [] { return clock_type::now() + oldest_claim; };
  auto found = find_outcome(search);
  EXPECT_EQ(found.what, commit_resolution::unresolved);
  EXPECT_FALSE(found.carrying_on);
  EXPECT_EQ(rows_of(mark), "0") << "nor is a token left behind that says otherwise";
  ASSERT_TRUE(found.obstacle);
  EXPECT_NE(found.obstacle->text().find("swept"), std::string::npos);
}

TEST_F(outcome_searches, end_a_twin_only_if_it_is_the_same_process) {
  auto tx = begin_guarded();
  outcome_mark mark = *tx->mark();
  mark.backend_start = "2001-01-01 00:00:00+00";
  auto search = search_for(mark);
  search.until = deadline::after(600ms);
  auto found = find_outcome(search);
  EXPECT_EQ(found.what, commit_resolution::unresolved) << "it goes on, and so its fate is open";
  ASSERT_TRUE(succeeds(tx->commit()));
  EXPECT_EQ(rows_of(mark), "1");

  auto other = begin_guarded();
  const outcome_mark its = *other->mark();
  found = find_outcome(search_for(its));
  EXPECT_EQ(found.what, commit_resolution::not_applied);
  EXPECT_TRUE(is_gone(std::stoi(its.backend)));
}

TEST_F(outcome_searches, end_when_their_caller_wants_to_stop) {
  auto tx = begin_guarded();
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  outcome_search search = search_for(*tx->mark());
  search.mark.backend_start.clear();  // it can not be ended, and goes on
  search.until = deadline::after(10 * patience);
  search.cancel = &token;
  auto found = std::async(std::launch::async, [&] { return find_outcome(search); });
  EXPECT_TRUE(eventually([] {
    return ask("select count(*) from pg_stat_activity where query like '%outcomes%' and wait_event = "
               "'transactionid'") == "1";
  }));
  stop.request_stop();
  EXPECT_EQ(found.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(found.get().what, commit_resolution::unresolved);
}

TEST_F(outcome_searches, end_at_their_deadline_where_nobody_is_the_primary) {
  auto tx = begin_guarded();
  const outcome_mark mark = *tx->mark();
  int asked = 0;
  outcome_search search = search_for(mark);
  search.until = deadline::after(300ms);
  search.borrow_primary = [&asked](deadline) -> result<lease> {
    ++asked;
    return error(errc::no_primary, "none");
  };
  const auto started = clock_type::now();
  const auto found = find_outcome(search);
  EXPECT_EQ(found.what, commit_resolution::unresolved);
  EXPECT_GT(asked, 1) << "it is asked again: a failover takes its time";
  EXPECT_LT(asked, 100) << "with pauses";
  EXPECT_LT(since(started), 2s);
  ASSERT_TRUE(found.obstacle);
  EXPECT_EQ(found.obstacle->code(), errc::no_primary);
}

}  // namespace
}  // namespace breakwater::postgres::test
