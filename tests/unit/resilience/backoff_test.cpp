#include <breakwater/resilience/backoff.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>

namespace {

using namespace std::chrono_literals;
using breakwater::resilience::backoff_ceiling;
using breakwater::resilience::backoff_options;
using breakwater::resilience::decorrelated_jitter;
using breakwater::resilience::full_jitter;

constexpr backoff_options ten_to_thousand{.base = 10ms, .cap = 1000ms};

TEST(backoff_ceiling, doubles_from_the_base) {
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, 0), 10ms);
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, 1), 20ms);
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, 2), 40ms);
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, 6), 640ms);
}

TEST(backoff_ceiling, stops_at_the_cap_even_when_the_cap_is_no_power_of_two_times_the_base) {
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, 7), 1000ms);
  EXPECT_EQ(backoff_ceiling({.base = 3ms, .cap = 10ms}, 1), 6ms);
  EXPECT_EQ(backoff_ceiling({.base = 3ms, .cap = 10ms}, 2), 10ms);
  EXPECT_EQ(backoff_ceiling({.base = 5ms, .cap = 5ms}, 0), 5ms);
}

TEST(backoff_ceiling, does_not_overflow_however_often_is_tried) {
  constexpr unsigned most = std::numeric_limits<unsigned>::max();
  EXPECT_EQ(backoff_ceiling(ten_to_thousand, most), 1000ms);
  EXPECT_EQ(backoff_ceiling({.base = 1ms, .cap = std::chrono::hours(24 * 365)}, most), std::chrono::hours(24 * 365));
}

TEST(backoff_ceiling, a_base_above_the_cap_is_cut_to_it) {
  EXPECT_EQ(backoff_ceiling({.base = 50ms, .cap = 20ms}, 0), 20ms);
}

TEST(full_jitter, spreads_from_nothing_to_the_ceiling) {
  EXPECT_EQ(full_jitter(ten_to_thousand, 1, 0.0), 0ns);
  EXPECT_EQ(full_jitter(ten_to_thousand, 1, 0.5), 10ms);
  EXPECT_EQ(full_jitter(ten_to_thousand, 1, 0.25), 5ms);
  EXPECT_LT(full_jitter(ten_to_thousand, 1, 0.999), 20ms);
}

TEST(full_jitter, never_leaves_its_bounds_whatever_the_random_number) {
  EXPECT_EQ(full_jitter(ten_to_thousand, 0, -1.0), 0ns);
  EXPECT_EQ(full_jitter(ten_to_thousand, 0, 7.0), 10ms);
  EXPECT_EQ(full_jitter(ten_to_thousand, 40, 1.0), 1000ms);
}

TEST(decorrelated_jitter, spreads_from_the_base_to_three_times_the_previous_wait) {
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, 0ns, 0.9), 10ms);
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, 10ms, 0.0), 10ms);
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, 10ms, 0.5), 20ms);
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, 20ms, 0.5), 35ms);
}

TEST(decorrelated_jitter, stops_at_the_cap_and_does_not_overflow) {
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, 900ms, 1.0), 1000ms);
  EXPECT_EQ(decorrelated_jitter(ten_to_thousand, std::chrono::nanoseconds::max(), 1.0), 1000ms);
}

TEST(jitter, stays_within_its_bounds_over_random_histories) {
  std::minstd_rand random(1);
  const auto up_to = [&random](unsigned most) { return static_cast<unsigned>(random()) % (most + 1); };
  for (int history = 0; history < 20'000; ++history) {
    const backoff_options options{.base = 1ms * (1 + up_to(100)), .cap = 1ms * (1 + up_to(2000))};
    const std::chrono::nanoseconds lowest = std::min(options.base, options.cap);
    std::chrono::nanoseconds previous{0};
    for (unsigned retry = 0; retry < 12; ++retry) {
      const double unit = up_to(999) / 1000.0;
      const auto full = full_jitter(options, retry, unit);
      ASSERT_GE(full, 0ns);
      ASSERT_LE(full, backoff_ceiling(options, retry));
      const auto next = decorrelated_jitter(options, previous, unit);
      ASSERT_GE(next, lowest);
      ASSERT_LE(next, std::max<std::chrono::nanoseconds>(
                          lowest, std::min<std::chrono::nanoseconds>(options.cap, previous * 3)));
      previous = next;
    }
  }
}

}  // namespace
