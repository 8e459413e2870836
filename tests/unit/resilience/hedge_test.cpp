#include <breakwater/resilience/hedge.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::hedge_options;
using breakwater::hedge_result;
using breakwater::result;
using breakwater::resilience::hedge_budget;
using breakwater::resilience::hedge_timer;
using breakwater::resilience::hedger;
using breakwater::resilience::detail::hedged_call;

constexpr auto patience = 30s;

/// Waits until it is told to stop.
result<int> stopped(std::stop_token stop, int code_when_late = 0) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, patience, [] { return false; });
  if (stop.stop_requested()) return error(errc::cancelled);
  return code_when_late;
}

/// The time comes when the test says.
class hand_timer final : public hedge_timer {
 public:
  void at(deadline::clock::time_point when, std::weak_ptr<hedged_call> what) override {
    const std::lock_guard lock(mutex_);
    last_ = what.lock();
    when_ = when;
    ++count_;
  }
  void fire() { last()->due(); }
  std::shared_ptr<hedged_call> last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  deadline::clock::time_point when() const { return when_; }
  int count() const { return count_; }

 private:
  std::mutex mutex_;
  std::shared_ptr<hedged_call> last_;
  deadline::clock::time_point when_;
  int count_ = 0;
};

struct hedging : testing::Test {
  std::shared_ptr<hand_timer> timer = std::make_shared<hand_timer>();
  std::vector<std::jthread> threads;
  hedger reads{hedge_options{.enabled = true, .quantile = 0.95, .max_extra = 1.0},
               [this](std::function<void()> task) { threads.emplace_back(std::move(task)); }, timer};
  std::optional<hedge_result> outcome;

  void SetUp() override { learn(reads); }
  /// Until the quantile is known.
  static void learn(hedger& of) {
    for (int i = 0; i < 128; ++i) (void)of.run([](std::size_t, std::stop_token) -> result<int> { return 0; });
    ASSERT_NE(of.delay(), 0ns);
  }
};

TEST_F(hedging, call_in_time_is_made_once_on_the_callers_thread) {
  const auto here = std::this_thread::get_id();
  const auto answer = reads.run(
      [here](std::size_t copy, std::stop_token) -> result<int> {
        EXPECT_EQ(copy, 0U);
        EXPECT_EQ(std::this_thread::get_id(), here);
        return 7;
      },
      {.outcome = &outcome});
  EXPECT_EQ(answer.value(), 7);
  timer->fire();  // late: nothing happens
  EXPECT_TRUE(threads.empty());
  EXPECT_FALSE(outcome);
}

TEST_F(hedging, second_copy_is_due_after_the_quantile) {
  const auto before = deadline::clock::now();
  (void)reads.run([](std::size_t, std::stop_token) -> result<int> { return 7; });
  EXPECT_GE(timer->when(), before + reads.delay());
  EXPECT_LE(timer->when(), deadline::clock::now() + reads.delay());
  EXPECT_EQ(reads.delay(), hedger::least_delay);
}

TEST_F(hedging, second_copy_that_answers_first_wins_and_the_first_is_stopped) {
  const auto answer = reads.run(
      [this](std::size_t copy, std::stop_token stop) -> result<int> {
        if (copy == 1) return 8;
        timer->fire();
        return stopped(std::move(stop));
      },
      {.outcome = &outcome});
  EXPECT_EQ(answer.value(), 8);
  EXPECT_EQ(outcome, hedge_result::won);
}

TEST_F(hedging, first_copy_that_answers_wins_and_the_second_is_stopped) {
  std::atomic<bool> second_began{false};
  std::atomic<bool> second_stopped{false};
  const auto answer = reads.run(
      [&, this](std::size_t copy, std::stop_token stop) -> result<int> {
        if (copy == 1) {
          second_began = true;
          auto end = stopped(std::move(stop));
          second_stopped = end.has_error();
          return end;
        }
        timer->fire();
        while (!second_began) std::this_thread::yield();
        return 7;
      },
      {.outcome = &outcome});
  EXPECT_EQ(answer.value(), 7);
  EXPECT_EQ(outcome, hedge_result::lost);
  threads.clear();
  EXPECT_TRUE(second_stopped);
}

TEST_F(hedging, first_copys_failure_waits_for_the_second) {
  std::atomic<bool> first_failed{false};
  const auto answer = reads.run(
      [&, this](std::size_t copy, std::stop_token) -> result<int> {
        if (copy == 1) {
          while (!first_failed) std::this_thread::yield();
          return 8;
        }
        timer->fire();
        first_failed = true;
        return error(errc::connection_failed);
      },
      {.outcome = &outcome});
  EXPECT_EQ(answer.value(), 8);
  EXPECT_EQ(outcome, hedge_result::won);
}

TEST_F(hedging, when_both_fail_the_error_is_the_first_ones) {
  const auto answer = reads.run(
      [this](std::size_t copy, std::stop_token) -> result<int> {
        if (copy == 1) return error(errc::no_primary);
        timer->fire();
        return error(errc::connection_failed);
      },
      {.outcome = &outcome});
  EXPECT_EQ(answer.error().code(), errc::connection_failed);
  EXPECT_EQ(outcome, hedge_result::lost);
}

TEST_F(hedging, failure_before_the_second_copy_is_the_answer) {
  const auto answer =
      reads.run([](std::size_t, std::stop_token) -> result<int> { return error(errc::connection_failed); });
  EXPECT_EQ(answer.error().code(), errc::connection_failed);
  EXPECT_TRUE(threads.empty());
}

TEST_F(hedging, waiting_for_the_second_ends_at_the_deadline) {
  const auto answer = reads.run(
      [this](std::size_t copy, std::stop_token stop) -> result<int> {
        if (copy == 1) return stopped(std::move(stop));
        timer->fire();
        return error(errc::connection_failed);
      },
      {.until = deadline::after(5ms)});
  EXPECT_EQ(answer.error().code(), errc::connection_failed);
  threads.clear();  // the second was stopped, or this would take its patience
}

TEST_F(hedging, callers_cancellation_reaches_both_copies) {
  std::stop_source cancel;
  const auto answer = reads.run(
      [&, this](std::size_t copy, std::stop_token stop) -> result<int> {
        if (copy == 0) {
          timer->fire();
          cancel.request_stop();
        }
        return stopped(std::move(stop));
      },
      {.cancel = cancel.get_token()});
  EXPECT_EQ(answer.error().code(), errc::cancelled);
  threads.clear();
}

TEST_F(hedging, exception_of_the_first_copy_passes_and_stops_the_second) {
  const auto throws = [this](std::size_t copy, std::stop_token stop) -> result<int> {
    if (copy == 1) return stopped(std::move(stop));
    timer->fire();
    throw std::runtime_error("the caller's own");
  };
  EXPECT_THROW((void)reads.run(throws), std::runtime_error);
  threads.clear();
}

TEST_F(hedging, exception_of_the_second_copy_is_a_failure) {
  const auto answer = reads.run([this](std::size_t copy, std::stop_token) -> result<int> {
    if (copy == 1) throw std::runtime_error("not the caller's");
    timer->fire();
    threads.clear();
    return 7;
  });
  EXPECT_EQ(answer.value(), 7);
}

TEST_F(hedging, copy_dropped_by_the_executor_is_a_failure) {
  hedger dropping(
      {.enabled = true, .max_extra = 1.0}, [](const std::function<void()>&) {}, timer);
  learn(dropping);
  const auto answer = dropping.run([this](std::size_t, std::stop_token) -> result<int> {
    timer->fire();
    return error(errc::connection_failed);
  });
  EXPECT_EQ(answer.error().code(), errc::connection_failed);
}

TEST_F(hedging, loser_may_outlive_the_hedger) {
  std::jthread loser;
  std::atomic<bool> ended{false};
  {
    hedger short_lived(
        {.enabled = true, .max_extra = 1.0}, [&](std::function<void()> task) { loser = std::jthread(std::move(task)); },
        timer);
    learn(short_lived);
    const auto text = std::make_shared<std::string>("owned by the callable");
    const auto answer = short_lived.run([&, text, this](std::size_t copy, std::stop_token) -> result<std::size_t> {
      if (copy == 0) {
        timer->fire();
        return 1;
      }
      while (!ended) std::this_thread::yield();
      return text->size();
    });
    EXPECT_TRUE(answer);
  }
  ended = true;
}

TEST_F(hedging, nothing_is_hedged_before_the_quantile_is_known) {
  hedger young(
      {.enabled = true, .max_extra = 1.0}, [](const std::function<void()>&) {}, timer);
  const int before = timer->count();
  (void)young.run([](std::size_t, std::stop_token) -> result<int> { return 0; });
  EXPECT_EQ(young.delay(), 0ns);
  EXPECT_EQ(timer->count(), before);
}

TEST_F(hedging, budget_refuses_what_is_too_much) {
  int copies = 0;
  hedger thrifty(
      {.enabled = true, .max_extra = 0.02}, [&](const std::function<void()>&) { ++copies; }, timer);
  learn(thrifty);
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    (void)thrifty.run(
        [this](std::size_t, std::stop_token) -> result<int> {
          timer->fire();
          return 0;
        },
        {.outcome = &outcome});
    if (outcome == hedge_result::refused) ++refused;
  }
  EXPECT_LE(copies, static_cast<int>(0.02 * 1128));
  EXPECT_GE(copies, 20);
  EXPECT_EQ(refused + copies, 1000);
}

TEST(hedge_budget, gives_no_more_than_its_part_and_saves_no_more_than_a_hundred) {
  hedge_budget tenth(0.1);
  EXPECT_FALSE(tenth.try_withdraw());
  for (int i = 0; i < 10; ++i) tenth.deposit();
  EXPECT_TRUE(tenth.try_withdraw());
  EXPECT_FALSE(tenth.try_withdraw());
  for (int i = 0; i < 100'000; ++i) tenth.deposit();
  int copies = 0;
  while (tenth.try_withdraw()) ++copies;
  EXPECT_EQ(copies, 100);
}

TEST(hedger, disabled_it_makes_the_call_and_nothing_else) {
  hedger off({.enabled = false}, [](const std::function<void()>&) { FAIL(); });
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(off.run([](std::size_t, std::stop_token) -> result<int> { return 7; }).value(), 7);
  }
  EXPECT_EQ(off.delay(), 0ns);
}

TEST(hedger, own_thread_starts_the_second_copy_of_a_slow_call) {
  std::vector<std::jthread> threads;
  hedger reads({.enabled = true, .max_extra = 1.0},
               [&](std::function<void()> task) { threads.emplace_back(std::move(task)); });
  hedging::learn(reads);
  for (int i = 0; i < 3; ++i) {
    const auto answer = reads.run([](std::size_t copy, std::stop_token stop) -> result<int> {
      if (copy == 1) return 8;
      return stopped(std::move(stop), 7);
    });
    EXPECT_EQ(answer.value(), 8);
  }
}

TEST(hedger, many_callers_and_copies_get_right_answers) {
  std::mutex mutex;
  std::vector<std::jthread> copies;
  hedger reads({.enabled = true, .max_extra = 1.0}, [&](std::function<void()> task) {
    const std::lock_guard lock(mutex);
    copies.emplace_back(std::move(task));
  });
  hedging::learn(reads);
  std::vector<std::jthread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const int wanted = t * 1000 + i;
        const auto answer = reads.run([=](std::size_t copy, std::stop_token stop) -> result<int> {
          if (copy == 0 && i % 5 == 0) return stopped(std::move(stop), -1);
          return wanted;
        });
        EXPECT_EQ(answer.value(), wanted);
      }
    });
  }
  callers.clear();
}

}  // namespace
