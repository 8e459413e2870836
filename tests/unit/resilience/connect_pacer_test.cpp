#include <breakwater/resilience/connect_pacer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::resilience::connect_pacer;
using time_point = connect_pacer::time_point;

constexpr time_point start{100h};

int start_all(connect_pacer& pacer, time_point now, std::size_t on_their_way = 0) {
  int begun = 0;
  while (begun < 1000 && pacer.may_start(now, on_their_way + static_cast<std::size_t>(begun))) {
    pacer.started(now);
    ++begun;
  }
  return begun;
}

TEST(connect_pacer, doubles_from_one_to_four_at_a_time) {
  connect_pacer pacer;
  EXPECT_EQ(start_all(pacer, start), 1);
  pacer.succeeded(start);
  EXPECT_EQ(start_all(pacer, start), 2);
  pacer.succeeded(start);
  pacer.succeeded(start);
  EXPECT_EQ(start_all(pacer, start), 4);
  pacer.succeeded(start);
  EXPECT_EQ(start_all(pacer, start, 3), 1);
}

TEST(connect_pacer, a_node_without_trouble_is_connected_to_as_fast_as_the_ramp_allows) {
  connect_pacer pacer;
  int begun = 0;
  for (int i = 0; i < 100; ++i) {
    begun += start_all(pacer, start);
    pacer.succeeded(start);
  }
  EXPECT_GT(begun, 300);
}

TEST(connect_pacer, pauses_after_a_failure_and_then_tries_one) {
  connect_pacer pacer;
  for (int i = 0; i < 4; ++i) pacer.succeeded(start);
  pacer.failed(start, 0.999);
  EXPECT_EQ(pacer.failures(), 1);
  EXPECT_EQ(start_all(pacer, start + 99ms), 0);
  EXPECT_EQ(start_all(pacer, start + 100ms), 1);
}

TEST(connect_pacer, the_pause_grows_to_a_second_and_never_falls_below_its_minimum) {
  connect_pacer pacer;
  auto now = start;
  for (int i = 0; i < 10; ++i) pacer.failed(now, 1.0);
  EXPECT_EQ(pacer.next_start(now), now + 1s);
  now += 10s;
  pacer.failed(now, 0.0);
  EXPECT_EQ(pacer.next_start(now), now + 100ms);
}

TEST(connect_pacer, a_success_ends_the_row_of_failures) {
  connect_pacer pacer;
  for (int i = 0; i < 10; ++i) pacer.failed(start, 0.0);
  pacer.succeeded(start + 1s);
  EXPECT_EQ(pacer.failures(), 0);
  pacer.failed(start + 2s, 1.0);
  EXPECT_EQ(pacer.next_start(start + 2s), start + 2s + 100ms);
}

TEST(connect_pacer, a_server_that_somebody_else_found_alive_ends_the_pause_but_not_the_pacing) {
  connect_pacer pacer;
  for (int i = 0; i < 10; ++i) pacer.failed(start, 1.0);
  ASSERT_EQ(start_all(pacer, start + 100ms), 0);
  pacer.found_alive(start + 100ms);
  EXPECT_EQ(pacer.failures(), 0);
  int begun = 0;
  for (auto now = start + 100ms; now < start + 1100ms; now += 1ms) {
    const int more = start_all(pacer, now);
    begun += more;
    for (int i = 0; i < more; ++i) pacer.succeeded(now);
  }
  EXPECT_EQ(begun, 10);
}

TEST(connect_pacer, connections_that_open_and_die_are_bounded_too) {
  connect_pacer pacer;
  int begun = 0;
  for (auto now = start; now < start + 10s; now += 1ms) {
    while (begun < 1000 && pacer.may_start(now, 0)) {
      pacer.started(now);
      ++begun;
      pacer.succeeded(now);
      pacer.lost(now);
    }
  }
  EXPECT_EQ(begun, 100);
}

TEST(connect_pacer, a_node_that_was_calm_for_a_while_is_not_paced_any_more) {
  connect_pacer pacer;
  pacer.failed(start, 0.0);
  EXPECT_TRUE(pacer.is_in_trouble(start + 10s - 1ns));
  EXPECT_FALSE(pacer.is_in_trouble(start + 10s));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(start_all(pacer, start + 10s), i == 0 ? 1 : i == 1 ? 2 : 4);
    pacer.succeeded(start + 10s);
  }
}

TEST(connect_pacer, a_clock_that_goes_back_takes_the_pause_back_with_it) {
  connect_pacer pacer;
  for (int i = 0; i < 20; ++i) pacer.failed(start, 1.0);
  EXPECT_EQ(start_all(pacer, start - 1h), 0);
  EXPECT_EQ(start_all(pacer, start - 1h + 1s), 1);
}

/// Random outcomes, some in the wrong order of time.
bool bound_holds(std::uint32_t seed) {
  std::minstd_rand random(seed);
  const auto up_to = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % (most + 1); };
  connect_pacer pacer;
  std::vector<time_point> starts;
  std::size_t on_their_way = 0;
  auto now = start;
  pacer.failed(now, 0.0);  // trouble from here on, and again at least every 5 s
  for (int step = 0; step < 300; ++step) {
    now += 1ms * up_to(up_to(9) == 0 ? 400 : 20);
    if (pacer.may_start(now, on_their_way)) {
      pacer.started(now);
      starts.push_back(now);
      ++on_their_way;
    }
    const auto late = now - 1ms * up_to(2);
    if (on_their_way > 0 && up_to(1) == 0) {
      --on_their_way;
      up_to(9) < 2 ? pacer.failed(late, up_to(1000) / 1000.0) : pacer.succeeded(late);
    }
    if (step % 10 == 0) pacer.lost(late);
  }
  for (std::size_t i = connect_pacer::most_per_second; i < starts.size(); ++i) {
    if (starts[i] - starts[i - connect_pacer::most_per_second] < 1s) return false;
  }
  return true;
}

TEST(connect_pacer, no_second_of_trouble_sees_more_than_ten_connects) {
  for (std::uint32_t seed = 1; seed <= 5'000; ++seed) ASSERT_TRUE(bound_holds(seed)) << "seed " << seed;
}

}  // namespace
