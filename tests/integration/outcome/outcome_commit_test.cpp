// A guarded transaction whose COMMIT's answer is lost: what became of it is found out.

#include "support.hpp"

#include <thread>

namespace tests {
namespace {

using fault = proxy::fault;

class outcome_guard : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<ledger_server>(); }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override { server->reset(); }

  static std::string lines() {
    return server->truth("select coalesce(string_agg(who, ',' order by who), '') from ledger");
  }
  static std::string tokens() { return server->truth("select count(*) from breakwater.outcomes"); }

  static inline std::unique_ptr<ledger_server> server;
};

TEST_F(outcome_guard, writes_one_row_and_costs_no_round_trip) {
  watched_database far(*server);
  bw::session guarded = far.db->session();
  bw::session plain = far.db->session({.outcome_guard = false});
  ASSERT_OK(write_line_in(guarded, "warm"));
  ASSERT_OK(write_line_in(plain, "warm"));

  int before = far.between.round_trips();
  ASSERT_OK(write_line_in(plain, "a"));
  const int unguarded = far.between.round_trips() - before;
  EXPECT_EQ(tokens(), "1");

  before = far.between.round_trips();
  ASSERT_OK(write_line_in(guarded, "b"));
  EXPECT_EQ(far.between.round_trips() - before, unguarded);
  EXPECT_EQ(tokens(), "2");
  EXPECT_EQ(far.watcher->seen(), std::vector<commit_resolution>{});
}

TEST_F(outcome_guard, leaves_transactions_alone_that_only_read_or_do_nothing) {
  watched_database far(*server);
  bw::session session = far.db->session();
  ASSERT_OK(session.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }));
  ASSERT_OK(session.transact([](bw::transaction& tx) { return tx.query("select 1").one<int>(); }, {.read_only = true}));
  ASSERT_OK(session.query("select 1").read_only().one<int>());
  ASSERT_OK(write_line_in(session, "a", nullptr, {.outcome_guard = false}));
  EXPECT_EQ(tokens(), "0");
}

TEST_F(outcome_guard, reports_success_where_only_the_answer_was_lost) {
  for (const fault how : {fault::cut_after, fault::mute_after}) {
    server->reset();
    watched_database far(*server);
    bw::session session = far.db->session();
    int runs = 0;
    int committed = 0;
    far.between.on_message(commit_message, how);
    const std::jthread network([&] {
      EXPECT_TRUE(eventually([&] { return far.between.faults() == 1 && lines() == "a"; }));
      far.between.drop_clients();
    });
    const auto done = session.transact([&](bw::transaction& tx) -> bw::result<std::string> {
      ++runs;
      tx.on_commit([&] { ++committed; });
      tx.on_rollback([&] { committed = -1; });
      BOOST_OUTCOME_TRY(write_line(tx, "a"));
      return std::string("what the closure returned");
    });
    ASSERT_OK(done);
    EXPECT_EQ(done.value(), "what the closure returned");
    EXPECT_EQ(far.between.faults(), 1);
    EXPECT_EQ(lines(), "a");
    EXPECT_EQ(runs, 1) << "it was not run again";
    EXPECT_EQ(committed, 1);
    EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::applied});
    ASSERT_OK(write_line_in(session, "b"));
  }
}

TEST_F(outcome_guard, runs_the_closure_again_where_the_commit_never_arrived) {
  watched_database far(*server);
  bw::session session = far.db->session();
  int runs = 0;
  far.between.on_message(commit_message, fault::cut_before);
  const auto done = write_line_in(session, "a", &runs);
  ASSERT_OK(done);
  EXPECT_EQ(done.value(), 2) << "the second run's value";
  EXPECT_EQ(far.between.faults(), 1);
  EXPECT_EQ(lines(), "a");
  EXPECT_EQ(tokens(), "1");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
}

TEST_F(outcome_guard, ends_a_twin_that_is_in_flight_on_a_silent_link) {
  watched_database far(*server);
  // The COMMIT is awaited for half of that.
  bw::session session = far.db->session({.timeout = 6s});
  int runs = 0;
  far.between.on_message(commit_message, fault::hold);
  ASSERT_OK(write_line_in(session, "a", &runs));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(lines(), "a");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
  // What was held arrives late, and finds nobody.
  far.between.release();
  ASSERT_OK(write_line_in(session, "b"));
  EXPECT_EQ(lines(), "a,b");
}

}  // namespace
}  // namespace tests
