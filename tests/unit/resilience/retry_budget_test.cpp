#include <breakwater/resilience/retry_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::retry_budget_options;
using breakwater::resilience::retry_budget;
using time_point = retry_budget::time_point;

constexpr time_point start{1000h};
constexpr retry_budget_options a_fifth_only{.ratio = 0.2, .per_second = 0, .window = 10s};

int withdrawn(retry_budget& budget, time_point now, int tries) {
  int granted = 0;
  for (int i = 0; i < tries; ++i) granted += budget.try_withdraw(now) ? 1 : 0;
  return granted;
}

TEST(retry_budget, one_retry_for_five_first_attempts) {
  retry_budget budget(a_fifth_only);
  for (int i = 0; i < 4; ++i) budget.deposit(start);
  EXPECT_FALSE(budget.try_withdraw(start));
  budget.deposit(start);
  EXPECT_TRUE(budget.try_withdraw(start));
  EXPECT_FALSE(budget.try_withdraw(start));
}

TEST(retry_budget, a_service_with_little_traffic_may_retry_at_a_fixed_rate) {
  retry_budget budget({.ratio = 0.2, .per_second = 10, .window = 10s});
  EXPECT_EQ(withdrawn(budget, start, 1000), 100);
  EXPECT_EQ(withdrawn(budget, start + 5s, 1000), 0);
  EXPECT_EQ(withdrawn(budget, start + 11s, 1000), 100);
}

TEST(retry_budget, what_left_the_window_pays_for_nothing) {
  retry_budget budget(a_fifth_only);
  for (int i = 0; i < 100; ++i) budget.deposit(start);
  EXPECT_DOUBLE_EQ(budget.available(start + 9s), 20.0);
  EXPECT_DOUBLE_EQ(budget.available(start + 10s), 0.0);
  EXPECT_FALSE(budget.try_withdraw(start + 10s));
}

TEST(retry_budget, a_ratio_that_is_no_binary_fraction_is_not_rounded_to_the_retrys_disadvantage) {
  retry_budget budget({.ratio = 0.29, .per_second = 0, .window = 10s});
  for (int i = 0; i < 100; ++i) budget.deposit(start);  // 0.29 * 100 is 28.999999999999996
  EXPECT_EQ(withdrawn(budget, start, 100), 29);
}

TEST(retry_budget, nothing_at_all_may_be_allowed) {
  retry_budget budget({.ratio = 0.0, .per_second = 0, .window = 1s});
  for (int i = 0; i < 1000; ++i) budget.deposit(start);
  EXPECT_FALSE(budget.try_withdraw(start));
}

TEST(retry_budget, a_clock_that_goes_back_neither_gives_nor_takes) {
  retry_budget budget(a_fifth_only);
  for (int i = 0; i < 10; ++i) budget.deposit(start);
  EXPECT_EQ(withdrawn(budget, start - 1h, 10), 2);
  for (int i = 0; i < 10; ++i) budget.deposit(start - 2h);
  EXPECT_EQ(withdrawn(budget, start, 10), 2);
  EXPECT_EQ(withdrawn(budget, start + 1s, 10), 0);
}

TEST(retry_budget, silence_of_years_is_just_an_empty_window) {
  retry_budget budget({.ratio = 1.0, .per_second = 0, .window = 1s});
  for (const auto silence : {1h, 24h * 365, 24h * 365 * 5}) {
    budget.deposit(start + silence);
    EXPECT_EQ(withdrawn(budget, start + silence, 10), 1) << silence.count();
  }
}

/// What was granted, kept exactly and without cleverness.
class ledger {
 public:
  explicit ledger(const retry_budget_options& options) : options_(options) {}
  void deposit(time_point at) { deposits_.push_back(at); }
  /// Whether the bound held with this one granted.
  bool granted(time_point at) {
    retries_.push_back(at);
    const auto within = [&](std::deque<time_point>& times) {
      while (!times.empty() && times.front() <= at - options_.window) times.pop_front();
      return static_cast<double>(times.size());
    };
    const double allowed =
        options_.ratio * within(deposits_) +
        static_cast<double>(options_.per_second) * std::chrono::duration<double>(options_.window).count();
    return within(retries_) <= allowed + 1e-6;
  }

 private:
  retry_budget_options options_;
  std::deque<time_point> deposits_;
  std::deque<time_point> retries_;
};

/// A random history; false when the budget was exceeded.
bool history_keeps_the_bound(std::uint64_t seed) {
  std::minstd_rand random(static_cast<std::uint32_t>(seed * 2654435761U + 1));
  const auto up_to = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % (most + 1); };
  const retry_budget_options options{.ratio = 0.1 * up_to(20), .per_second = up_to(3), .window = 1s * (1 + up_to(4))};
  retry_budget budget(options);
  ledger truth(options);
  time_point now = start;
  time_point latest = time_point::min();
  for (int step = 0; step < 40; ++step) {
    const std::uint32_t what = up_to(15);
    if (what == 0) {
      now += 1ms * up_to(20000);
    } else if (what == 1) {
      now -= 1ms * up_to(3000);
    } else {
      now += 1ms * up_to(200);
    }
    latest = std::max(latest, now);  // the budget never goes back
    if (what < 9) {
      budget.deposit(now);
      truth.deposit(latest);
    } else if (budget.try_withdraw(now) && !truth.granted(latest)) {
      return false;
    }
  }
  return true;
}

TEST(retry_budget, is_never_exceeded_over_a_million_random_histories) {
  for (std::uint64_t seed = 0; seed < 1'000'000; ++seed) {
    ASSERT_TRUE(history_keeps_the_bound(seed)) << "seed " << seed;
  }
}

TEST(retry_budget, many_threads_together_get_exactly_what_is_there) {
  constexpr int threads = 4;
  constexpr int deposits = 5000;
  for (int round = 0; round < 20; ++round) {
    retry_budget budget(a_fifth_only);
    std::atomic<int> granted{0};
    {
      std::vector<std::jthread> all;
      for (int t = 0; t < threads; ++t) {
        all.emplace_back([&] {
          for (int i = 0; i < deposits; ++i) {
            budget.deposit(start);
            granted += budget.try_withdraw(start) ? 1 : 0;
          }
        });
      }
    }
    granted += withdrawn(budget, start, threads * deposits);
    EXPECT_EQ(granted, threads * deposits / 5);
  }
}

TEST(retry_budget, threads_that_always_want_more_never_get_more_than_was_paid_for) {
  constexpr int threads = 3;
  constexpr int rounds = 100'000;
  retry_budget budget({.ratio = 1.0, .per_second = 0, .window = 10s});
  std::atomic<int> paid{0};
  std::atomic<int> granted{0};
  std::atomic<bool> exceeded{false};
  const auto hammer = [&] {
    for (int round = 0; round < rounds; ++round) {
      if (round % 4 == 0) {
        ++paid;  // before: so that it is never behind what the budget knows
        budget.deposit(start);
      }
      if (!budget.try_withdraw(start)) continue;
      const int now = ++granted;
      if (now > paid.load()) exceeded = true;
    }
  };
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) all.emplace_back(hammer);
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(granted + withdrawn(budget, start, rounds), paid);
}

TEST(retry_budget, many_threads_never_exceed_it_while_the_window_moves) {
  constexpr int threads = 4;
  constexpr int steps = 20000;
  const retry_budget_options options{.ratio = 0.0, .per_second = 1, .window = 10s};
  retry_budget budget(options);
  std::atomic<std::int64_t> clock{0};  // milliseconds
  std::vector<std::vector<time_point>> granted(threads);
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&, t] {
        for (int i = 0; i < steps; ++i) {
          const auto now = start + 1ms * clock.fetch_add(5);
          budget.deposit(now);
          // Between the look at the clock and the retry others may have moved the window on; it counts no earlier.
          if (budget.try_withdraw(now)) granted[static_cast<std::size_t>(t)].push_back(now);
        }
      });
    }
  }
  std::size_t total = 0;
  for (const auto& each : granted) total += each.size();
  const double seconds = 0.005 * threads * steps;
  EXPECT_LE(static_cast<double>(total), seconds + 10.0);
  EXPECT_GE(static_cast<double>(total), seconds * 0.8);
}

}  // namespace
