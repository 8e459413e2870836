#include <breakwater/core/deadline.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using clock_type = deadline::clock;

constexpr clock_type::time_point start{100s};

TEST(deadline, default_one_never_comes) {
  constexpr deadline none;
  EXPECT_TRUE(none.is_never());
  EXPECT_EQ(none, deadline::never());
  EXPECT_FALSE(none.expired(start));
  EXPECT_EQ(none.remaining(start), clock_type::duration::max());
}

TEST(deadline, expires_exactly_at_its_time) {
  constexpr deadline until = deadline::after(10ms, start);
  EXPECT_FALSE(until.is_never());
  EXPECT_EQ(until.at(), start + 10ms);
  EXPECT_FALSE(until.expired(start + 10ms - 1ns));
  EXPECT_TRUE(until.expired(start + 10ms));
  EXPECT_TRUE(until.expired(start + 11ms));
}

TEST(deadline, remaining_time_shrinks_to_zero_and_not_below) {
  constexpr deadline until = deadline::after(10ms, start);
  EXPECT_EQ(until.remaining(start), 10ms);
  EXPECT_EQ(until.remaining(start + 4ms), 6ms);
  EXPECT_EQ(until.remaining(start + 1h), 0ms);
}

TEST(deadline, negative_duration_is_in_the_past_and_zero_is_now) {
  EXPECT_TRUE(deadline::after(-1ns, start).expired(start));
  EXPECT_TRUE(deadline::after(0ns, start).expired(start));
  EXPECT_EQ(deadline::after(-1ns, start).remaining(start), 0ns);
}

TEST(deadline, duration_too_long_for_the_clock_is_no_limit) {
  EXPECT_TRUE(deadline::after(clock_type::duration::max(), start).is_never());
  EXPECT_TRUE(deadline::after(clock_type::time_point::max() - start, start).is_never());
  EXPECT_FALSE(deadline::after(clock_type::time_point::max() - start - 1ns, start).is_never());
}

TEST(deadline, earlier_of_two_wins_and_never_is_the_latest) {
  constexpr deadline soon = deadline::after(1ms, start);
  constexpr deadline late = deadline::after(1h, start);
  EXPECT_EQ(soon.earlier_of(late), soon);
  EXPECT_EQ(late.earlier_of(soon), soon);
  EXPECT_EQ(deadline::never().earlier_of(late), late);
  EXPECT_LT(soon, late);
  EXPECT_LT(late, deadline::never());
}

TEST(deadline, counts_from_the_monotonic_clock_by_default) {
  const auto before = clock_type::now();
  const deadline until = deadline::after(1h);
  EXPECT_GE(until.at(), before + 1h);
  EXPECT_LE(until.at(), clock_type::now() + 1h);
  static_assert(clock_type::is_steady);
}

}  // namespace
