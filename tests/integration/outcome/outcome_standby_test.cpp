// Commits that wait for a synchronous standby: committed on the primary is not committed.

#include "support.hpp"

#include <future>
#include <thread>

namespace tests {
namespace {

/// A primary that waits for its one standby, which is down.
class outcome_standby : public ::testing::Test {
 protected:
  void SetUp() override {
    server = std::make_unique<ledger_server>(bw::testing::cluster_options{.replicas = 1, .synchronous_replicas = 1});
    server->reset();
    far = std::make_unique<watched_database>(*server);
    bw::session session = far->db->session();
    ASSERT_OK(write_line_in(session, "warm"));
    ASSERT_OK(server->cluster().kill(server->cluster().replica(0)));
  }
  void bring_standby_back() { ASSERT_OK(server->cluster().start(server->cluster().replica(0))); }
  std::string lines_of(std::string_view who) {
    return server->truth("select count(*) from ledger where who = '" + std::string(who) + "'");
  }
  [[nodiscard]] bool is_there(const std::string& condition) {
    return server->truth("select count(*) > 0 from pg_stat_activity where usename = 'app' and " + condition) == "t";
  }
  /// Somebody waits for the doubtful transaction to end.
  [[nodiscard]] bool is_being_resolved() { return is_there("wait_event = 'transactionid'"); }
  void cancel_wait() {
    EXPECT_TRUE(eventually([this] {
      return server->truth(
                 "select coalesce(bool_or(pg_cancel_backend(pid)), false) from pg_stat_activity where wait_event = "
                 "'SyncRep' and usename = 'app'") == "t";
    }));
  }

  std::unique_ptr<ledger_server> server;
  std::unique_ptr<watched_database> far;
};

TEST_F(outcome_standby, that_stays_away_leaves_a_commit_unknown_and_its_process_alone) {
  bw::session session = far->db->session({.timeout = 1500ms});
  int called = 0;
  const auto unknown = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit([&] { ++called; });
    tx.on_rollback([&] { ++called; });
    return write_line(tx, "a");
  });
  ASSERT_TRUE(fails_with(unknown, errc::commit_unknown));
  EXPECT_EQ(unknown.error().applied(), bw::applied::unknown);
  EXPECT_EQ(called, 0);
  EXPECT_EQ(far->watcher->seen(), std::vector{commit_resolution::unresolved});
  EXPECT_TRUE(is_there("wait_event = 'SyncRep'"));
  EXPECT_EQ(lines_of("a"), "0") << "its process was ended, and what is not replicated is visible";
  bring_standby_back();
  EXPECT_TRUE(eventually([this] { return lines_of("a") == "1"; }));
}

TEST_F(outcome_standby, that_comes_back_makes_it_a_success) {
  bw::session session = far->db->session();
  int runs = 0;
  far->between.on_message(commit_message, proxy::fault::mute_after);
  auto done = std::async(std::launch::async, [&] { return write_line_in(session, "a", &runs); });
  EXPECT_TRUE(eventually([this] { return is_there("wait_event = 'SyncRep'"); }));
  far->between.drop_clients();
  EXPECT_TRUE(eventually([this] { return is_being_resolved(); }));
  bring_standby_back();
  EXPECT_OK(done.get());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(lines_of("a"), "1");
  EXPECT_EQ(far->watcher->seen(), std::vector{commit_resolution::applied});
}

TEST_F(outcome_standby, whose_wait_is_cancelled_is_no_success) {
  bw::session session = far->db->session({.timeout = 1500ms});
  auto unknown = std::async(std::launch::async, [&] { return write_line_in(session, "a"); });
  EXPECT_TRUE(eventually([this] { return is_there("wait_event = 'SyncRep'"); }));
  const std::string process =
      server->truth("select pid from pg_stat_activity where wait_event = 'SyncRep' and usename = 'app'");
  cancel_wait();
  const auto outcome = unknown.get();
  ASSERT_TRUE(fails_with(outcome, errc::commit_unknown));
  EXPECT_EQ(lines_of("a"), "1") << "committed here, visible to all, and perhaps nowhere else";
  EXPECT_TRUE(eventually([&] { return !is_there("pid = " + process); })) << "its connection may be lent to another";
  EXPECT_EQ(far->watcher->seen(), std::vector{commit_resolution::unresolved});
}

TEST_F(outcome_standby, whose_wait_is_cancelled_is_a_success_once_the_standby_has_it) {
  bw::session session = far->db->session();
  auto done = std::async(std::launch::async, [&] { return write_line_in(session, "a"); });
  cancel_wait();
  // The row's UPDATE waits for the standby in its place.
  EXPECT_TRUE(eventually([this] { return is_there("wait_event = 'SyncRep' and query ilike 'commit%'"); }));
  bring_standby_back();
  EXPECT_OK(done.get());
  EXPECT_EQ(lines_of("a"), "1");
  EXPECT_EQ(far->watcher->seen(), std::vector{commit_resolution::applied});
}

TEST_F(outcome_standby, is_waited_for_as_the_transaction_itself_would_have) {
  server->arrange("set synchronous_commit = local; alter role app set synchronous_commit = local");
  watched_database local(*server);
  bw::session relaxed = local.db->session();
  // It asked for no standby, so neither does finding out.
  local.between.on_message(commit_message, proxy::fault::cut_after);
  EXPECT_OK(write_line_in(relaxed, "b"));
  EXPECT_EQ(local.watcher->seen(), std::vector{commit_resolution::applied});
  // What raw SQL does to the setting is not known: the strongest counts.
  bw::session strict = local.db->session({.timeout = 2s});
  auto unknown = std::async(std::launch::async, [&] {
    return strict.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("set local synchronous_commit = on"));
      return write_line(tx, "c");
    });
  });
  cancel_wait();
  EXPECT_ERROR(unknown.get(), errc::commit_unknown);
}

TEST_F(outcome_standby, is_waited_for_whatever_statement_timeout_says) {
  bw::session session = far->db->session({.timeout = 500ms, .outcome_guard = false});
  const auto unknown = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("set local statement_timeout = '20ms'"));
    return write_line(tx, "a");
  });
  ASSERT_TRUE(fails_with(unknown, errc::commit_unknown)) << "only the client bounds a COMMIT";
  EXPECT_EQ(unknown.error().applied(), bw::applied::unknown);
  EXPECT_TRUE(is_there("wait_event = 'SyncRep'"));
  EXPECT_EQ(lines_of("a"), "0");
}

TEST_F(outcome_standby, unguarded_is_reported_once) {
  bw::session session = far->db->session({.timeout = 300ms, .outcome_guard = false});
  EXPECT_ERROR(write_line_in(session, "a"), errc::commit_unknown);
  bw::session another = far->db->session({.timeout = 300ms, .outcome_guard = false});
  EXPECT_ERROR(another.execute("insert into ledger values ('b')"), errc::commit_unknown);
  EXPECT_EQ(far->watcher->seen(), (std::vector{commit_resolution::unresolved, commit_resolution::unresolved}));
}

}  // namespace
}  // namespace tests
