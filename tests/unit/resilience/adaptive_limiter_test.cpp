#include <breakwater/resilience/adaptive_limiter.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::limit_algorithm;
using breakwater::resilience::adaptive_limiter;
using breakwater::resilience::call_outcome;
using breakwater::resilience::limit_estimator;

constexpr breakwater::limiter_options gradient{.algorithm = limit_algorithm::gradient2, .min = 20, .max = 200};
constexpr breakwater::limiter_options aimd{.algorithm = limit_algorithm::aimd, .min = 20, .max = 200};

/// As many windows of busy calls with that latency.
void feed(limit_estimator& into, std::chrono::nanoseconds latency, int windows = 1) {
  for (int i = 0; i < windows; ++i) into.update({.latency = latency, .succeeded = 100, .most_in_flight = into.limit()});
}

TEST(gradient2, grows_by_a_fifth_of_the_queue_while_latency_stays) {
  limit_estimator limit(gradient);
  feed(limit, 10ms);
  EXPECT_DOUBLE_EQ(limit.estimate(), 20.8);
  feed(limit, 10ms);
  EXPECT_DOUBLE_EQ(limit.estimate(), 21.6);
}

TEST(gradient2, shrinks_by_the_formula) {
  limit_estimator limit(gradient, {.tolerance = 1.5});
  feed(limit, 10ms, 50);
  ASSERT_NEAR(limit.estimate(), 60.0, 1e-9);
  feed(limit, 20ms);
  EXPECT_NEAR(limit.estimate(), 0.8 * 60 + 0.2 * (1.5 * 10 / 20 * 60 + 4), 1e-6);
}

TEST(gradient2, gradient_is_at_least_a_half) {
  limit_estimator limit(gradient);
  feed(limit, 10ms, 50);
  feed(limit, 10s);
  EXPECT_NEAR(limit.estimate(), 0.8 * 60 + 0.2 * (0.5 * 60 + 4), 1e-6);
}

TEST(gradient2, a_twentieth_of_dropped_calls_shrinks_it) {
  limit_estimator limit(gradient);
  feed(limit, 10ms, 50);
  limit.update({.latency = 10ms, .succeeded = 95, .dropped = 5, .most_in_flight = 60});
  EXPECT_NEAR(limit.estimate(), 0.8 * 60 + 0.2 * (0.5 * 60 + 4), 1e-6);
}

TEST(gradient2, average_of_unhurried_calls_is_one_over_600_windows) {
  limit_estimator limit(gradient);
  feed(limit, 100ms, 20);
  feed(limit, 104ms);
  EXPECT_NEAR(static_cast<double>(limit.unhurried_latency().count()), 100e6 + 4e6 * 2 / 601, 2);
  feed(limit, 200ms);  // a queue: left out
  EXPECT_NEAR(static_cast<double>(limit.unhurried_latency().count()), 100e6 + 4e6 * 2 / 601, 2);
}

TEST(gradient2, average_of_unhurried_calls_is_eased_when_slowness_is_over) {
  limit_estimator limit(gradient);
  feed(limit, 100ms);
  limit.update({.latency = 10ms, .succeeded = 100, .most_in_flight = 0});
  // The mean of both, 55 ms, is more than twice 10 ms.
  EXPECT_EQ(limit.unhurried_latency(), 52250us);
}

TEST(aimd, grows_by_one_and_shrinks_by_a_tenth) {
  limit_estimator limit(aimd);
  feed(limit, 10ms, 20);
  EXPECT_DOUBLE_EQ(limit.estimate(), 40.0);
  feed(limit, 11400us);
  EXPECT_DOUBLE_EQ(limit.estimate(), 41.0);
  feed(limit, 11600us);
  EXPECT_DOUBLE_EQ(limit.estimate(), 36.9);
  limit.update({.latency = 10ms, .succeeded = 95, .dropped = 5, .most_in_flight = 36});
  EXPECT_DOUBLE_EQ(limit.estimate(), 33.21);
}

class either_algorithm : public testing::TestWithParam<breakwater::limiter_options> {};

TEST_P(either_algorithm, keeps_within_its_bounds) {
  limit_estimator limit(GetParam());
  feed(limit, 10ms, 90);
  for (int i = 0; i < 1000; ++i) {
    limit.update({.latency = 10ms, .succeeded = 100, .most_in_flight = 200});
    EXPECT_LE(limit.limit(), 200U);
  }
  EXPECT_GT(limit.estimate(), 199.0);
  for (int i = 0; i < 1000; ++i) {
    limit.update({.dropped = 100, .most_in_flight = 200});
    EXPECT_GE(limit.estimate(), 20.0);
  }
  EXPECT_LT(limit.estimate(), 21.0);
}

TEST_P(either_algorithm, grows_as_before_while_few_calls_are_dropped) {
  limit_estimator without(GetParam());
  limit_estimator with(GetParam());
  feed(without, 10ms, 50);
  for (int i = 0; i < 50; ++i) {
    with.update({.latency = 10ms, .succeeded = 96, .dropped = 4, .most_in_flight = with.limit()});
  }
  EXPECT_DOUBLE_EQ(with.estimate(), without.estimate());
}

TEST_P(either_algorithm, does_not_yield_to_a_single_dropped_call) {
  limit_estimator limit(GetParam());
  feed(limit, 10ms, 40);
  const double before = limit.estimate();
  limit.update({.latency = 10ms, .succeeded = 9, .dropped = 1, .most_in_flight = limit.limit()});
  EXPECT_GT(limit.estimate(), before);
}

TEST_P(either_algorithm, is_not_changed_by_windows_of_little_load) {
  limit_estimator limit(GetParam());
  feed(limit, 10ms, 40);
  const double before = limit.estimate();
  for (int i = 0; i < 1000; ++i) {
    limit.update({.latency = 10ms, .succeeded = 100, .most_in_flight = static_cast<std::size_t>(before / 2) - 1});
  }
  EXPECT_DOUBLE_EQ(limit.estimate(), before);
}

TEST_P(either_algorithm, is_lowered_for_a_probe_after_a_hundred_windows_of_load) {
  limit_estimator limit(GetParam());
  feed(limit, 10ms, 99);
  const auto before = limit.limit();
  feed(limit, 10ms);
  EXPECT_LT(limit.limit(), before);
  const auto estimate = limit.estimate();
  feed(limit, 99ms);  // drained: not looked at
  EXPECT_EQ(limit.unhurried_latency(), 10ms);
  feed(limit, 11ms);  // measured
  EXPECT_EQ(limit.unhurried_latency(), 10500us);
  EXPECT_DOUBLE_EQ(limit.estimate(), estimate);
  EXPECT_GE(limit.limit(), before);
}

INSTANTIATE_TEST_SUITE_P(algorithms, either_algorithm, testing::Values(gradient, aimd),
                         [](const auto& of) { return std::string(to_string(of.param.algorithm)); });

TEST(adaptive_limiter, refuses_above_the_limit) {
  adaptive_limiter limiter({.algorithm = limit_algorithm::aimd, .min = 2, .max = 2});
  auto first = limiter.try_acquire();
  auto second = limiter.try_acquire();
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limiter.try_acquire());
  EXPECT_EQ(limiter.in_flight(), 2U);
  first.release(1ms, call_outcome::success);
  first.release(1ms, call_outcome::success);
  EXPECT_FALSE(first);
  EXPECT_EQ(limiter.in_flight(), 1U);
  { const auto third = limiter.try_acquire(); }
  EXPECT_EQ(limiter.in_flight(), 1U);
}

TEST(adaptive_limiter, without_an_algorithm_all_pass) {
  adaptive_limiter limiter({.algorithm = limit_algorithm::none});
  std::vector<adaptive_limiter::permit> permits;
  for (int i = 0; i < 10'000; ++i) permits.push_back(limiter.try_acquire());
  EXPECT_TRUE(permits.back());
  EXPECT_EQ(limiter.in_flight(), 10'000U);
  permits.clear();
  EXPECT_EQ(limiter.in_flight(), 0U);
}

TEST(adaptive_limiter, a_window_of_samples_moves_the_limit_and_ignored_calls_do_not) {
  adaptive_limiter limiter(aimd);
  const auto window = [&](call_outcome outcome) {
    for (int i = 0; i < 20; ++i) {
      std::vector<adaptive_limiter::permit> permits;
      for (int call = 0; call < 20; ++call) permits.push_back(limiter.try_acquire());
      for (auto& permit : permits) permit.release(1ms, outcome);
    }
  };
  window(call_outcome::ignored);
  EXPECT_EQ(limiter.limit(), 20U);
  window(call_outcome::success);
  EXPECT_EQ(limiter.limit(), 21U);
  window(call_outcome::dropped);
  EXPECT_EQ(limiter.limit(), 20U);
}

TEST(adaptive_limiter, many_threads_never_exceed_the_limit_and_leave_nothing_behind) {
  adaptive_limiter limiter({.algorithm = limit_algorithm::gradient2, .min = 3, .max = 3});
  std::atomic<std::size_t> inside{0};
  std::atomic<bool> exceeded{false};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 20'000; ++call) {
          auto permit = limiter.try_acquire();
          if (!permit) continue;
          if (++inside > 3) exceeded = true;
          --inside;
          permit.release(1us, call % 50 == 0 ? call_outcome::dropped : call_outcome::success);
        }
      });
    }
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(limiter.in_flight(), 0U);
  EXPECT_EQ(limiter.limit(), 3U);
}

}  // namespace
