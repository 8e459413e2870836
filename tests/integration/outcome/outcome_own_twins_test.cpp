// The search's own transactions are cut on this side only: the server keeps them open, and what they hold.

#include "support.hpp"

#include <future>

namespace tests {
namespace {

using fault = proxy::fault;

/// Half of it goes by before a silent link is given up.
constexpr std::chrono::seconds time_limit{6};

class outcome_own_twins : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<ledger_server>(); }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override { server->reset(); }
  static std::string lines() { return server->truth("select count(*) from ledger"); }
  static std::string left_open() {
    return server->truth(
        "select count(*) from pg_stat_activity where usename = 'app' and state = 'idle in transaction'");
  }

  static inline std::unique_ptr<ledger_server> server;
};

TEST_F(outcome_own_twins, claim_on_a_link_that_falls_silent_does_not_hold_the_search_up) {
  watched_database far(*server);
  bw::session session = far.db->session({.operation_timeout = time_limit});
  int runs = 0;
  far.between.on_message(commit_message, fault::cut_before);
  far.between.then_on_message("set local lock_timeout to default", fault::dead_after);
  auto done = std::async(std::launch::async, [&] { return write_line_in(session, "a", &runs); });
  EXPECT_TRUE(eventually([&] { return far.between.faults() == 2 && left_open() == "1"; }))
      << "the server has the claim, and with it the token";
  EXPECT_OK(done.get());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(lines(), "1");
  EXPECT_EQ(left_open(), "0");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
}

TEST_F(outcome_own_twins, confirmation_on_a_link_that_falls_silent_does_not_hold_the_search_up) {
  watched_database far(*server);
  bw::session session = far.db->session({.operation_timeout = time_limit});
  int runs = 0;
  far.between.on_message(commit_message, fault::cut_after);
  far.between.then_on_message("update breakwater.outcomes", fault::dead_after);
  auto done = std::async(std::launch::async, [&] { return write_line_in(session, "a", &runs); });
  EXPECT_TRUE(eventually([&] { return far.between.faults() == 2 && left_open() == "1"; }))
      << "the server has the update, and the row's lock";
  EXPECT_OK(done.get());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(lines(), "1");
  EXPECT_EQ(left_open(), "0");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::applied});
}

TEST_F(outcome_own_twins, twin_whose_end_was_asked_for_in_vain_is_ended_later) {
  watched_database far(*server);
  bw::session session = far.db->session({.operation_timeout = time_limit});
  int runs = 0;
  far.between.on_message(commit_message, fault::hold);
  far.between.then_on_message("pg_terminate_backend", fault::cut_before);
  EXPECT_OK(write_line_in(session, "a", &runs));
  EXPECT_EQ(far.between.faults(), 2);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(lines(), "1");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
}

}  // namespace
}  // namespace tests
