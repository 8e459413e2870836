#include "core/task_runner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::task_runner;
using clock_type = std::chrono::steady_clock;

/// Long enough for a loaded machine; reached only when a test fails.
constexpr auto patience = 10s;

bool eventually(const std::function<bool()>& is_so) {
  const auto until = clock_type::now() + patience;
  while (!is_so()) {
    if (clock_type::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// A door that tasks wait at until the test opens it.
class gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_for_arrivals(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return arrived_ >= count; });
  }
  [[nodiscard]] int arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  bool open_ = false;
};

int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  }
  return -1;
}

TEST(task_runner, runs_a_task_off_the_callers_thread) {
  task_runner runner(1);
  std::atomic<bool> done{false};
  std::thread::id ran_on;
  runner.post([&] {
    ran_on = std::this_thread::get_id();
    done = true;
  });
  ASSERT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(task_runner, runs_as_many_tasks_at_once_as_allowed_and_no_more) {
  task_runner runner(3);
  gate door;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  for (int i = 0; i < 12; ++i) {
    runner.post([&] {
      const int now = ++running;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      door.pass();
      --running;
    });
  }
  ASSERT_TRUE(door.wait_for_arrivals(3)) << "three tasks must run side by side";
  door.open();
  ASSERT_TRUE(door.wait_for_arrivals(12));
  EXPECT_EQ(most, 3);
}

TEST(task_runner, a_blocked_task_does_not_hold_up_the_next_while_threads_are_allowed) {
  task_runner runner(2);
  gate door;
  std::atomic<bool> done{false};
  runner.post([&] { door.pass(); });
  ASSERT_TRUE(door.wait_for_arrivals(1));
  runner.post([&] { done = true; });
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  door.open();
}

TEST(task_runner, with_one_thread_tasks_run_in_the_order_they_were_posted) {
  std::vector<int> order;
  {
    task_runner runner(1);
    for (int i = 0; i < 100; ++i) runner.post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(task_runner, threads_without_work_end_and_new_work_starts_new_ones) {
  const int before = threads_of_this_process();
  std::array<gate, 3> doors;
  task_runner runner(4, 10ms);
  for (gate& door : doors) {
    for (int i = 0; i < 4; ++i) runner.post([&] { door.pass(); });
    ASSERT_TRUE(door.wait_for_arrivals(4));
    EXPECT_GE(threads_of_this_process(), before + 4);
    door.open();
    EXPECT_TRUE(eventually([&] { return threads_of_this_process() == before; }));
  }
}

TEST(task_runner, stop_runs_what_is_queued_and_waits_for_it) {
  std::atomic<int> ran{0};
  gate door;
  task_runner runner(2);
  runner.post([&] { door.pass(); });
  runner.post([&] { door.pass(); });
  ASSERT_TRUE(door.wait_for_arrivals(2));
  for (int i = 0; i < 20; ++i) runner.post([&] { ++ran; });
  EXPECT_EQ(ran, 0);
  std::thread opener([&] { door.open(); });
  runner.stop();
  EXPECT_EQ(ran, 20);
  opener.join();
}

TEST(task_runner, a_task_posted_after_the_stop_runs_at_once_on_its_poster) {
  task_runner runner(1);
  runner.stop();
  std::thread::id ran_on;
  runner.post([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(task_runner, a_task_may_post_another_one_even_while_the_runner_stops) {
  std::atomic<int> ran{0};
  {
    task_runner runner(1);
    runner.post([&] {
      runner.post([&] { ++ran; });
      ++ran;
    });
  }
  EXPECT_EQ(ran, 2);
}

TEST(task_runner, destroys_a_task_before_others_have_to_wait_for_it) {
  // What a task owns may be slow to destroy (a connection says goodbye); posting must not block meanwhile.
  task_runner runner(2);
  gate door;
  struct slow_to_destroy {
    gate& at;
    explicit slow_to_destroy(gate& door) : at(door) {}
    slow_to_destroy(const slow_to_destroy&) = delete;
    slow_to_destroy& operator=(const slow_to_destroy&) = delete;
    ~slow_to_destroy() { at.pass(); }
  };
  {
    auto owned = std::make_shared<slow_to_destroy>(door);
    runner.post([owned = std::move(owned)] {});
  }
  ASSERT_TRUE(door.wait_for_arrivals(1));
  std::atomic<bool> other_ran{false};
  std::thread poster([&] { runner.post([&] { other_ran = true; }); });
  const bool in_time = eventually([&] { return other_ran.load(); });
  door.open();
  poster.join();
  EXPECT_TRUE(in_time);
}

TEST(task_runner, takes_posts_from_many_threads_and_loses_none) {
  std::atomic<int> ran{0};
  {
    task_runner runner(4, 1ms);  // so short that threads end and start all the time
    std::vector<std::thread> posters;
    for (int p = 0; p < 4; ++p) {
      posters.emplace_back([&] {
        for (int i = 0; i < 500; ++i) runner.post([&] { ++ran; });
      });
    }
    for (auto& poster : posters) poster.join();
  }
  EXPECT_EQ(ran, 2000);
}

}  // namespace
