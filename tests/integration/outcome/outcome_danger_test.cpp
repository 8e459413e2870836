// What makes guessing dangerous, each shown to happen, and what the guard makes of it.

#include "support.hpp"

#include <future>
#include <thread>

namespace tests {
namespace {

using fault = proxy::fault;

class outcome_danger : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<ledger_server>();
    server->arrange("create table balances (id int primary key, amount int not null); grant all on balances to app");
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    server->reset();
    server->arrange("truncate balances; insert into balances values (1, 0)");
  }
  static std::string balance() { return server->truth("select amount from balances where id = 1"); }

  static constexpr const char* upsert =
      "insert into balances values (1, ?) on conflict (id) do update set amount = excluded.amount";
  static inline std::unique_ptr<ledger_server> server;
};

TEST_F(outcome_danger, an_upsert_of_a_dead_connection_arrives_after_a_later_writers) {
  auto settings = watched_database::guarded_settings();
  settings.outcome_guard.enabled = false;
  watched_database far(*server, settings);
  bw::session first = far.db->session({.timeout = 300ms});
  far.between.on_message("on conflict", fault::hold);
  const auto unknown = first.execute(upsert, 100);
  ASSERT_TRUE(fails_with(unknown, errc::commit_unknown));
  EXPECT_EQ(unknown.error().attempts(), 1U) << "it is an upsert, and is not run again for that";
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::unresolved});

  bw::session second = far.db->session();
  ASSERT_OK(second.execute(upsert, 200));
  EXPECT_EQ(balance(), "200");
  far.between.release();
  EXPECT_TRUE(eventually([] { return balance() == "100"; })) << "the dead connection has written last";
}

TEST_F(outcome_danger, a_guarded_upsert_of_a_dead_connection_can_not_arrive_late) {
  watched_database far(*server);
  bw::session first = far.db->session({.timeout = 300ms});
  far.between.on_message("on conflict", fault::hold);
  const auto lost = first.execute(upsert, 100);
  ASSERT_TRUE(fails_with(lost, errc::deadline_exceeded));
  EXPECT_EQ(lost.error().applied(), bw::applied::no) << "its COMMIT was not sent, and never will be";

  bw::session second = far.db->session();
  ASSERT_OK(second.execute(upsert, 200));
  far.between.release();
  // What arrives has no COMMIT behind it: the server rolls it back when its time is up, or its client's end is seen.
  EXPECT_TRUE(eventually([] {
    return server->truth(
               "select count(pg_terminate_backend(pid)) from pg_stat_activity where state = 'idle in transaction'") ==
           "1";
  }));
  EXPECT_EQ(balance(), "200");
}

TEST_F(outcome_danger, a_guarded_upsert_whose_commit_is_late_is_done_by_then) {
  watched_database far(*server);
  bw::session first = far.db->session({.timeout = 3s});
  far.between.on_message(commit_message, fault::hold);
  ASSERT_OK(first.execute(upsert, 100));
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
  bw::session second = far.db->session();
  ASSERT_OK(second.execute(upsert, 200));
  far.between.release();
  ASSERT_OK(second.execute("select 1"));
  EXPECT_EQ(balance(), "200");
}

TEST_F(outcome_danger, a_read_that_does_not_see_the_write_proves_nothing_while_it_is_in_flight) {
  watched_database far(*server);
  bw::session first = far.db->session({.timeout = 300ms, .outcome_guard = false});
  far.between.on_message(commit_message, fault::hold);
  const auto unknown = first.transact([](bw::transaction& tx) -> bw::result<void> { return write_line(tx, "a"); });
  ASSERT_TRUE(fails_with(unknown, errc::commit_unknown));
  EXPECT_EQ(server->truth("select count(*) from ledger"), "0");
  far.between.release();
  EXPECT_TRUE(eventually([] { return server->truth("select count(*) from ledger") == "1"; }));
}

TEST_F(outcome_danger, callbacks_of_a_lost_run_may_use_the_only_connection_before_the_next_run) {
  auto settings = watched_database::guarded_settings();
  settings.pool.size = 1;
  watched_database far(*server, settings);
  bw::session session = far.db->session();
  int runs = 0;
  std::string log;
  far.between.on_message(commit_message, fault::cut_before);
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    tx.on_rollback([&] { log += session.query("select 1").one<int>() ? "undone " : "no connection "; });
    tx.on_commit([&] { log += "committed"; });
    return write_line(tx, "a");
  }));
  EXPECT_EQ(log, "undone committed");
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(server->truth("select count(*) from ledger"), "1");
}

TEST_F(outcome_danger, what_must_not_run_again_is_reported_as_not_applied) {
  watched_database far(*server);
  bw::session session = far.db->session();
  far.between.on_message(commit_message, fault::cut_before);
  int undone = 0;
  const auto lost = session.transact(
      [&](bw::transaction& tx) -> bw::result<void> {
        tx.on_rollback([&] { ++undone; });
        return write_line(tx, "a");
      },
      {.max_attempts = 1});
  ASSERT_TRUE(fails_with(lost, errc::connection_failed));
  EXPECT_EQ(lost.error().applied(), bw::applied::no);
  EXPECT_EQ(undone, 1);
  EXPECT_EQ(server->truth("select count(*) from ledger"), "0");
  EXPECT_EQ(server->truth("select count(*) from pg_stat_activity where usename = 'app' and state like 'idle in%'"),
            "0");
}

TEST_F(outcome_danger, the_settings_of_the_search_do_not_reach_the_closure) {
  watched_database far(*server);
  bw::session session = far.db->session();
  std::vector<std::string> seen;
  far.between.on_message(commit_message, fault::cut_before);
  ASSERT_OK(session.transact(
      [&](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(const auto now, tx.query("select current_setting('lock_timeout') || ' ' || "
                                                   "current_setting('transaction_isolation')")
                                              .one<std::string>());
        seen.push_back(now);
        return write_line(tx, "a");
      },
      {.isolation = bw::isolation::serializable}));
  EXPECT_EQ(seen, (std::vector<std::string>{"0 serializable", "0 serializable"}));
}

TEST_F(outcome_danger, conflicts_inside_guarded_transactions_are_run_again_as_ever) {
  watched_database far(*server);
  constexpr int threads = 4;
  constexpr int times = 25;
  std::vector<std::jthread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      bw::session own = far.db->session({.operation_timeout = 20s});
      for (int i = 0; i < times; ++i) {
        EXPECT_OK(own.transact(
            [](bw::transaction& tx) -> bw::result<void> {
              BOOST_OUTCOME_TRY(const int now, tx.query("select amount from balances where id = 1").one<int>());
              BOOST_OUTCOME_TRY(tx.execute("update balances set amount = ? where id = 1", now + 1));
              return bw::success();
            },
            {.isolation = bw::isolation::repeatable_read, .max_attempts = 100}));
      }
    });
  }
  all.clear();
  EXPECT_EQ(balance(), std::to_string(threads * times));
  EXPECT_EQ(server->truth("select count(*) from breakwater.outcomes"), std::to_string(threads * times));
}

TEST_F(outcome_danger, savepoints_are_a_part_of_what_is_found_out) {
  watched_database far(*server);
  bw::session session = far.db->session();
  for (const fault how : {fault::cut_after, fault::cut_before}) {
    server->arrange("truncate ledger");
    far.between.on_message(commit_message, how);
    int savepoints = 0;
    ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& inner) -> bw::result<void> {
        ++savepoints;
        return write_line(inner, "inside");
      }));
      return write_line(tx, "outside");
    }));
    EXPECT_EQ(savepoints, how == fault::cut_after ? 1 : 2);
    EXPECT_EQ(server->truth("select count(*) from ledger"), "2");
  }
}

TEST_F(outcome_danger, a_twin_on_a_silent_link_is_freed_by_the_server_itself) {
  auto settings = watched_database::guarded_settings();
  settings.outcome_guard.enabled = false;
  settings.idle_in_transaction_session_timeout = 500ms;
  watched_database far(*server, settings);
  bw::session session = far.db->session({.timeout = 300ms});
  far.between.on_message(commit_message, fault::hold);
  EXPECT_ERROR(session.transact([](bw::transaction& tx) { return tx.execute("update balances set amount = 1"); }),
               errc::commit_unknown);
  // Its row lock goes with it, although nobody was told that the client has gone.
  server->arrange("update balances set amount = 2");
  EXPECT_EQ(balance(), "2");

  watched_database fresh(*server);
  bw::session another = fresh.db->session();
  const auto bounds = another
                          .query(
                              "select current_setting('tcp_keepalives_idle') || ' ' || "
                              "current_setting('tcp_keepalives_interval') || ' ' || "
                              "current_setting('tcp_keepalives_count') || ' ' || "
                              "current_setting('client_connection_check_interval') || ' ' || "
                              "current_setting('idle_in_transaction_session_timeout')")
                          .one<std::string>();
  ASSERT_OK(bounds);
  EXPECT_EQ(bounds.value(), "5 2 3 2s 30s");
}

TEST_F(outcome_danger, a_process_that_waits_for_a_lock_is_freed_when_its_client_has_gone) {
  auto settings = watched_database::guarded_settings();
  settings.tcp.client_connection_check_interval = 50ms;
  watched_database far(*server, settings);
  watched_database near(*server);
  bw::session session = far.db->session({.timeout = 10s});
  bw::session holder = near.db->session();
  const auto waits = [] {
    return server->truth(
               "select count(*) from pg_stat_activity where query like '%amount = 1%' and wait_event_type = "
               "'Lock'") == "1";
  };
  ASSERT_OK(holder.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("update balances set amount = 5"));
    far.between.on_message("amount = 1", fault::mute_after);
    auto lost = std::async(std::launch::async, [&] {
      return session.transact([](bw::transaction& other) { return other.execute("update balances set amount = 1"); },
                              {.max_attempts = 1});
    });
    EXPECT_TRUE(eventually(waits));
    far.between.release();  // closes the link; what waits does not read from it
    EXPECT_TRUE(eventually([&] { return !waits(); })) << "the lock it waits for is still held";
    EXPECT_ERROR(lost.get(), errc::connection_failed);
    return bw::success();
  }));
  EXPECT_EQ(balance(), "5");
}

TEST_F(outcome_danger, a_command_that_is_complete_is_not_committed) {
  // The server says "INSERT 0 1", and only then, at the Sync, looks at what was deferred.
  server->arrange(
      "create table if not exists checked (id int unique deferrable initially deferred); grant all on checked to app; "
      "truncate checked; insert into checked values (1)");
  watched_database far(*server);
  for (const bool guarded : {false, true}) {
    bw::session session = far.db->session({.outcome_guard = guarded});
    const auto refused = session.execute("insert into checked values (1)");
    ASSERT_TRUE(fails_with(refused, errc::unique_violation));
    EXPECT_EQ(refused.error().applied(), bw::applied::no);
    EXPECT_EQ(refused.error().statement(), "sql");
  }
  EXPECT_EQ(server->truth("select count(*) from checked"), "1");
}

TEST_F(outcome_danger, an_unguarded_closure_is_run_again_only_if_it_is_declared_idempotent) {
  auto settings = watched_database::guarded_settings();
  settings.outcome_guard.enabled = false;
  watched_database far(*server, settings);
  bw::session session = far.db->session();
  int runs = 0;
  const auto set_balance = [&](bw::transaction& tx) { return ++runs, tx.execute("update balances set amount = 7"); };
  far.between.on_message(commit_message, fault::cut_after);
  EXPECT_ERROR(session.transact(set_balance), errc::commit_unknown);
  EXPECT_EQ(runs, 1);
  runs = 0;
  far.between.on_message(commit_message, fault::cut_after);
  EXPECT_OK(session.transact(set_balance, {.idempotent = true}));
  EXPECT_EQ(runs, 2);
  // What fails when it is run again may have been applied before.
  runs = 0;
  far.between.on_message(commit_message, fault::cut_after);
  const auto doubtful = session.transact(
      [&](bw::transaction& tx) -> bw::result<std::size_t> {
        if (++runs > 1) return bw::error(errc::not_found, "the closure's own");
        return tx.execute("update balances set amount = 8");
      },
      {.idempotent = true});
  ASSERT_TRUE(fails_with(doubtful, errc::commit_unknown));
  EXPECT_EQ(doubtful.error().applied(), bw::applied::unknown);
  EXPECT_EQ(balance(), "8");
}

TEST_F(outcome_danger, a_connection_that_is_lost_before_commit_is_no_doubt_and_the_closure_is_run_again) {
  watched_database far(*server);
  bw::session session = far.db->session();
  for (const bool guarded : {true, false}) {
    server->arrange("truncate ledger");
    int runs = 0;
    ASSERT_OK(session.transact(
        [&](bw::transaction& tx) -> bw::result<void> {
          BOOST_OUTCOME_TRY(write_line(tx, "a"));
          if (++runs == 1) {
            BOOST_OUTCOME_TRY(const int process, tx.query("select pg_backend_pid()").one<int>());
            server->arrange("select pg_terminate_backend(" + std::to_string(process) + ")");
          }
          return write_line(tx, "b");
        },
        {.outcome_guard = guarded}));
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(server->truth("select count(*) from ledger"), "2");
  }
  EXPECT_EQ(far.watcher->seen(), std::vector<commit_resolution>{});
}

/// The answer to a COMMIT is lost and its primary dies; a replica, which has replayed the commit or not, takes over.
void fail_over(bool replayed, int expected_runs, commit_resolution expected) {
  ledger_server server({.replicas = 1});
  server.reset();
  bw::testing::cluster& cluster = server.cluster();
  const auto replica = cluster.replica(0);
  auto settings = watched_database::guarded_settings();
  proxy between(cluster.primary().port());
  const auto watcher = std::make_shared<outcome_recorder>();
  settings.observer = watcher;
  settings.nodes = {server.dsn_through(between), cluster.dsn(replica)};
  const auto opened = bw::database::open(settings);
  ASSERT_OK(opened);
  ASSERT_OK(cluster.wait_for_replay(replica));
  if (!replayed) {
    ASSERT_OK(cluster.stop(replica));
  }
  bw::session session = opened.value().session({.timeout = 10s});
  int runs = 0;
  between.on_message(commit_message, fault::mute_after);
  auto done = std::async(std::launch::async, [&] { return write_line_in(session, "a", &runs); });
  ASSERT_TRUE(eventually([&] { return server.truth("select count(*) from ledger") == "1"; }));
  if (replayed) {
    ASSERT_OK(cluster.wait_for_replay(replica));
  }
  ASSERT_OK(cluster.kill(cluster.primary()));
  if (!replayed) {
    ASSERT_OK(cluster.start(replica));
  }
  ASSERT_OK(cluster.promote(replica));
  between.release();
  EXPECT_OK(done.get());
  EXPECT_EQ(runs, expected_runs);
  EXPECT_EQ(cluster.query_value(replica, "select count(*) from ledger").value(), "1");
  EXPECT_EQ(watcher->seen(), std::vector{expected});
}

TEST(outcome_failover, is_searched_on_the_new_primary_which_has_it) { fail_over(true, 1, commit_resolution::applied); }
TEST(outcome_failover, is_searched_on_the_new_primary_which_has_lost_it) {
  fail_over(false, 2, commit_resolution::not_applied);
}

TEST(outcome_crash, makes_the_servers_own_status_of_a_transaction_lie_and_the_guard_tell_the_truth) {
  // The WAL writer sleeps: what is committed asynchronously stays unflushed until the crash.
  ledger_server server({.settings = {{"wal_writer_delay", "10s"}, {"autovacuum", "off"}}});
  server.reset();
  watched_database far(server);
  bw::session session = far.db->session({.timeout = 12s});
  std::string id;
  int runs = 0;
  far.between.on_message(commit_message, fault::mute_after);
  auto done = std::async(std::launch::async, [&] {
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("set local synchronous_commit = off"));
      BOOST_OUTCOME_TRY(write_line(tx, "a"));
      if (++runs > 1) return bw::success();
      BOOST_OUTCOME_TRY(id, tx.query("select pg_current_xact_id()::text").one<std::string>());
      return bw::success();
    });
  });
  ASSERT_TRUE(eventually([&] { return far.between.faults() == 1; }));
  ASSERT_TRUE(eventually([&] { return server.truth("select pg_xact_status('" + id + "')") == "committed"; }));
  EXPECT_EQ(server.truth("select count(*) from ledger"), "1");
  ASSERT_EQ(server.truth("select pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn()"), "t");
  ASSERT_OK(server.cluster().kill(server.cluster().primary()));
  ASSERT_OK(server.cluster().start(server.cluster().primary()));
  EXPECT_EQ(server.truth("select count(*) from ledger"), "0") << "lost, as it was asked for";
  // Others take transaction numbers, and soon one has that of the transaction that is no more.
  ASSERT_TRUE(eventually([&] { return server.truth("select pg_current_xact_id() >= '" + id + "'") == "t"; }));
  EXPECT_EQ(server.truth("select pg_xact_status('" + id + "')"), "committed") << "somebody else's";
  far.between.release();

  EXPECT_OK(done.get());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(server.truth("select count(*) from ledger"), "1");
  EXPECT_EQ(far.watcher->seen(), std::vector{commit_resolution::not_applied});
}

}  // namespace
}  // namespace tests
