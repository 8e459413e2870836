// A primary that dies, a replica that takes its place, and what callers see of it.

#include "support.hpp"

#include <algorithm>
#include <cstdio>
#include <future>

namespace tests {
namespace {

using clock = std::chrono::steady_clock;

long milliseconds_since(clock::time_point then) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - then).count());
}

class failover : public cluster_test {};

TEST_F(failover, reads_go_on_without_an_error_and_writes_end_by_their_deadline_when_the_primary_dies) {
  start({.replicas = 1});
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  for (int i = 0; i < 200; ++i) EXPECT_OK(count(bw::consistency::eventual));
  const auto begun = clock::now();
  const auto refused = write(1, 700ms);
  EXPECT_ERROR(refused, errc::no_primary);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_GE(clock::now() - begun, 600ms) << "it did not wait for another primary";
  EXPECT_LT(clock::now() - begun, 5s);
  EXPECT_NE(refused.error().message().find(name_of(servers->primary())), std::string::npos)
      << refused.error().message();
  EXPECT_FALSE(db->readiness().can_write);
  EXPECT_TRUE(db->readiness().can_read);
  for (int i = 0; i < 200; ++i) EXPECT_OK(count(bw::consistency::eventual));
}

TEST_F(failover, a_transaction_and_a_locking_read_wait_within_their_deadline_too) {
  start({.replicas = 1});
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  bw::session session = db->session({.timeout = 600ms});
  const auto begun = clock::now();
  const auto refused = session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (1)"));
    return bw::success();
  });
  EXPECT_ERROR(refused, errc::no_primary);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_GE(clock::now() - begun, 500ms);
}

TEST_F(failover, a_promotion_is_followed_without_a_restart) {
  start({.replicas = 1});
  open();
  ASSERT_OK(write(0, 20s));
  ASSERT_OK(servers->wait_for_replay(servers->replica(0)));
  ASSERT_OK(servers->kill(servers->primary()));
  // One that waits all the time, and so measures what callers wait.
  std::atomic<clock::time_point> written{};
  auto waiting = std::async(std::launch::async, [&] {
    auto done = write(1, 25s);
    written = clock::now();
    return done;
  });
  ASSERT_OK(servers->promote(servers->replica(0)));
  const auto promoted = clock::now();
  const auto done = waiting.get();
  EXPECT_OK(done);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(written.load() - promoted);
  std::printf("promotion done to first write: %ld ms\n", static_cast<long>(std::max(took, 0ms).count()));
  RecordProperty("ms_to_first_write", static_cast<int>(took.count()));
  for (int i = 2; i < 20; ++i) EXPECT_OK(write(i, 20s));
  EXPECT_EQ(rows_at(servers->replica(0)), "20");
  EXPECT_TRUE(is_confirmed(servers->replica(0)));
  const auto changes = events->changes();
  ASSERT_GE(changes.size(), 3U);
  EXPECT_EQ(changes.front().now, name_of(servers->primary()));
  EXPECT_EQ(changes.front().timeline, 1U);
  EXPECT_EQ(changes.back().now, name_of(servers->replica(0)));
  EXPECT_EQ(changes.back().timeline, 2U);
}

TEST_F(failover, waiting_costs_neither_attempts_nor_the_budget) {
  start({.replicas = 1});
  config.retry_budget.ratio = 0.0;
  config.retry_budget.per_second = 0.0;
  config.retry.max_attempts = 1;
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  std::vector<std::future<bw::result<std::size_t>>> all;
  for (int i = 0; i < 32; ++i) all.push_back(std::async(std::launch::async, [&, i] { return write(i, 25s); }));
  ASSERT_OK(servers->promote(servers->replica(0)));
  for (auto& each : all) {
    const auto done = each.get();
    EXPECT_OK(done);
  }
  EXPECT_EQ(rows_at(servers->replica(0)), "32");
}

TEST_F(failover, a_write_under_way_in_many_threads_is_never_lied_about) {
  start({.replicas = 1});
  ASSERT_OK(servers->execute("alter system set synchronous_standby_names = ''"));
  open();
  std::atomic<int> next{0};
  std::atomic<int> refused{0};
  std::atomic<int> said_no_and_is_there{0};
  std::mutex mutex;
  std::vector<int> not_applied;
  {
    std::vector<std::unique_ptr<background_loop>> writers;
    for (int i = 0; i < 8; ++i) {
      writers.push_back(std::make_unique<background_loop>([&] {
        const int id = next++;
        const auto done = write(id, 20s);
        if (done || done.error().applied() != bw::applied::no) return;
        ++refused;
        const std::lock_guard lock(mutex);
        not_applied.push_back(id);
      }));
    }
    ASSERT_TRUE(eventually([&] { return next > 200; }));
    ASSERT_OK(servers->kill(servers->primary()));
    ASSERT_OK(servers->promote(servers->replica(0)));
    const int then = next;
    ASSERT_TRUE(eventually([&] { return next > then + 200; })) << "writes go on";
  }
  for (const int id : not_applied) {
    const auto there =
        servers->query_value(servers->replica(0), "select count(*) from items where id = " + std::to_string(id));
    if (there && there.value() != "0") ++said_no_and_is_there;
  }
  EXPECT_EQ(said_no_and_is_there, 0);
}

TEST_F(failover, of_a_switchover_the_demoted_node_gets_nothing_to_write) {
  start({.replicas = 1, .settings = {{"log_min_error_statement", "error"}, {"log_min_messages", "error"}}});
  open();
  std::atomic<int> next{0};
  std::atomic<int> lost{0};
  std::vector<std::unique_ptr<background_loop>> writers;
  for (int i = 0; i < 4; ++i) {
    writers.push_back(std::make_unique<background_loop>([&] {
      const auto done = write(next++, 20s);
      if (!done && done.error().applied() == bw::applied::no) ++lost;
    }));
  }
  ASSERT_TRUE(eventually([&] { return next > 100; }));
  ASSERT_OK(servers->stop(servers->primary()));
  ASSERT_OK(servers->promote(servers->replica(0)));
  const int promoted = next;
  ASSERT_TRUE(eventually([&] { return next > promoted + 100; }));
  ASSERT_OK(servers->rejoin(servers->primary()));
  const int rejoined = next;
  ASSERT_TRUE(eventually([&] { return next > rejoined + 500; }));
  ASSERT_TRUE(eventually([&] { return db->stats()[0].role == bw::node_role::replica; }));
  writers.clear();
  EXPECT_EQ(lost, 0) << "all waited for the new primary";
  const std::string log = servers->log(servers->primary());
  EXPECT_EQ(log.find("read-only transaction"), std::string::npos) << log;
}

TEST_F(failover, an_old_primary_that_comes_back_is_never_written_to) {
  start({.replicas = 1});
  open();
  ASSERT_OK(write(0, 20s));
  ASSERT_OK(servers->wait_for_replay(servers->replica(0)));
  ASSERT_OK(servers->stop(servers->primary()));
  ASSERT_OK(servers->promote(servers->replica(0)));
  ASSERT_OK(write(1, 20s));
  ASSERT_OK(servers->start(servers->primary()));
  ASSERT_TRUE(eventually([&] { return db->stats()[0].timeline == 1 && db->stats()[0].wal_position != 0; }));
  for (int i = 2; i < 50; ++i) ASSERT_OK(write(i, 20s));
  EXPECT_EQ(rows_at(servers->primary()), "1");
  EXPECT_EQ(rows_at(servers->replica(0)), "50");
  // Alone it is no better: what was written to the other one would be lost.
  ASSERT_OK(servers->kill(servers->replica(0)));
  const auto refused = write(100, 1s);
  EXPECT_ERROR(refused, errc::no_primary);
  EXPECT_NE(refused.error().message().find("timeline 2"), std::string::npos) << refused.error().message();
  EXPECT_EQ(rows_at(servers->primary()), "1");
}

TEST_F(failover, of_two_that_were_promoted_none_is_written_to) {
  start({.replicas = 2});
  open();
  ASSERT_OK(servers->stop(servers->primary()));
  ASSERT_OK(servers->promote(servers->replica(0)));
  ASSERT_OK(servers->promote(servers->replica(1)));
  ASSERT_TRUE(eventually([&] {
    const auto changes = events->changes();
    return !changes.empty() && changes.back().reason == "split_brain" && none_is_confirmed();
  }));
  const std::string before = rows_at(servers->replica(0));
  const auto refused = write(1, 600ms);
  EXPECT_ERROR(refused, errc::no_primary);
  const std::string text = refused.error().message();
  EXPECT_NE(text.find(name_of(servers->replica(0)) + " and " + name_of(servers->replica(1))), std::string::npos)
      << text;
  EXPECT_FALSE(db->readiness().can_write);
  EXPECT_FALSE(db->health().can_write);
  EXPECT_EQ(rows_at(servers->replica(0)), before);
  EXPECT_EQ(rows_at(servers->replica(1)), before);
  // Who waits while it is resolved gets through.
  auto waiting = std::async(std::launch::async, [&] { return write(2, 25s); });
  ASSERT_OK(servers->kill(servers->replica(1)));
  const auto done = waiting.get();
  EXPECT_OK(done);
}

TEST_F(failover, all_nodes_may_go_and_come_back) {
  start({.replicas = 1});
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  ASSERT_OK(servers->kill(servers->replica(0)));
  ASSERT_TRUE(eventually([&] { return none_is_confirmed(); }));
  EXPECT_FALSE(db->readiness().ready);
  auto writing = std::async(std::launch::async, [&] { return write(1, 25s); });
  auto reading = std::async(std::launch::async, [&] { return count(bw::consistency::eventual, 25s); });
  ASSERT_OK(servers->start(servers->primary()));
  ASSERT_OK(servers->start(servers->replica(0)));
  const auto written = writing.get();
  EXPECT_OK(written);
  const auto read = reading.get();
  EXPECT_OK(read);
  ASSERT_TRUE(eventually([&] { return db->readiness().can_read && db->readiness().can_write; }));
}

TEST_F(failover, a_shutdown_ends_the_wait_for_a_primary) {
  start({});
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  auto writing = std::async(std::launch::async, [&] { return write(1, 10min); });
  ASSERT_TRUE(eventually([&] { return none_is_confirmed(); }));
  const auto begun = clock::now();
  ASSERT_OK(db->shutdown(5s));
  const auto ended = writing.get();
  EXPECT_ERROR(ended, errc::cancelled);
  EXPECT_LT(milliseconds_since(begun), 5000);
}

TEST_F(failover, a_cancelled_caller_stops_waiting_for_a_primary) {
  start({});
  open();
  ASSERT_OK(servers->kill(servers->primary()));
  ASSERT_TRUE(eventually([&] { return none_is_confirmed(); }));
  std::stop_source cancel;
  auto writing = std::async(std::launch::async, [&] {
    return db->session({.timeout = 10min, .cancel = cancel.get_token()}).execute("insert into items values (1)");
  });
  cancel.request_stop();
  const auto ended = writing.get();
  EXPECT_ERROR(ended, errc::cancelled);
}

}  // namespace
}  // namespace tests
