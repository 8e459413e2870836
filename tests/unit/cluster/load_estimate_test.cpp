#include "cluster/load_estimate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::routing::load_estimate;
using breakwater::routing::slow_start;

using time_point = load_estimate::time_point;
constexpr time_point start{1000h};
constexpr auto decay = 10s;

double in_ms(double nanoseconds) { return nanoseconds / 1e6; }

/// One call that was answered.
void answer(load_estimate& of, std::chrono::nanoseconds took, time_point now) {
  of.begin();
  of.end_answered(took, now);
}

TEST(load_estimate, nothing_is_known_of_a_node_that_was_never_used) {
  const load_estimate of(decay, start);
  EXPECT_EQ(of.read(start).latency, 0);
  EXPECT_FALSE(of.read(start).recent);
  EXPECT_EQ(of.read(start).in_flight, 0U);
}

TEST(load_estimate, first_answer_is_the_estimate) {
  load_estimate of(decay, start);
  answer(of, 3ms, start);
  EXPECT_NEAR(in_ms(of.read(start).latency), 3, 0.001);
  EXPECT_TRUE(of.read(start).recent);
}

TEST(load_estimate, slow_answer_raises_it_at_once) {
  load_estimate of(decay, start);
  for (int i = 0; i < 1000; ++i) answer(of, 1ms, start + i * 1ms);
  answer(of, 80ms, start + 1s);
  EXPECT_NEAR(in_ms(of.read(start + 1s).latency), 80, 0.1);
  answer(of, 90ms, start + 1s);
  EXPECT_NEAR(in_ms(of.read(start + 1s).latency), 90, 0.1) << "within the same millisecond too";
}

TEST(load_estimate, fast_answers_lower_it_with_the_decay_however_many_they_are) {
  for (const auto apart : {1ms, 10ms, 100ms}) {
    load_estimate of(decay, start);
    answer(of, 101ms, start);
    for (auto at = start + apart; at <= start + decay; at += apart) answer(of, 1ms, at);
    EXPECT_NEAR(in_ms(of.read(start + decay).latency), 1 + 100 * std::exp(-1.0), 1) << apart.count();
  }
}

TEST(load_estimate, estimate_of_an_idle_node_eases_and_is_a_guess_then) {
  load_estimate of(decay, start);
  answer(of, 100ms, start);
  EXPECT_NEAR(in_ms(of.read(start + 5s).latency), 100 * std::exp(-0.5), 0.1);
  EXPECT_TRUE(of.read(start + 10s).recent);
  EXPECT_NEAR(in_ms(of.read(start + 20s).latency), 100 * std::exp(-2.0), 0.1);
  EXPECT_FALSE(of.read(start + 11s).recent);
  EXPECT_EQ(of.read(start + 10min).latency, 0) << "in the end nothing is known";
}

TEST(load_estimate, reading_changes_nothing) {
  load_estimate of(decay, start);
  answer(of, 100ms, start);
  for (int i = 0; i < 100; ++i) (void)of.read(start + 5s);
  EXPECT_NEAR(in_ms(of.read(start + 5s).latency), 100 * std::exp(-0.5), 0.1);
}

TEST(load_estimate, failure_may_raise_it_and_never_lowers_it) {
  load_estimate of(decay, start);
  answer(of, 10ms, start);
  for (int i = 0; i < 100; ++i) {
    of.begin();
    of.end_failed(10us, start + 1s);
  }
  EXPECT_NEAR(in_ms(of.read(start + 1s).latency), 10 * std::exp(-0.1), 0.01) << "a refusal is no fast answer";
  of.begin();
  of.end_failed(500ms, start + 1s);
  EXPECT_NEAR(in_ms(of.read(start + 1s).latency), 500, 0.1) << "it takes at least so long";
}

TEST(load_estimate, failures_do_not_keep_an_estimate_recent) {
  load_estimate of(decay, start);
  answer(of, 10ms, start);
  for (int i = 1; i <= 11; ++i) {
    of.begin();
    of.end_failed(10us, start + i * 1s);
  }
  EXPECT_FALSE(of.read(start + 11s).recent);
}

TEST(load_estimate, node_that_only_refuses_does_not_become_a_fast_one) {
  load_estimate of(decay, start);
  of.begin();
  of.end_failed(10us, start);
  EXPECT_EQ(of.read(start).latency, 0);
}

TEST(load_estimate, calls_in_flight_are_counted) {
  load_estimate of(decay, start);
  for (int i = 0; i < 4; ++i) of.begin();
  EXPECT_EQ(of.read(start).in_flight, 4U);
  of.end_answered(1ms, start);
  of.end_failed(1ms, start);
  of.end_unmeasured();
  EXPECT_EQ(of.read(start).in_flight, 1U);
}

TEST(load_estimate, forgotten_latency_is_unknown_and_calls_in_flight_stay) {
  load_estimate of(decay, start);
  of.begin();
  answer(of, 1ms, start);
  of.forget();
  EXPECT_EQ(of.read(start).latency, 0);
  EXPECT_EQ(of.read(start).in_flight, 1U);
}

TEST(load_estimate, thread_that_comes_late_does_not_ease_it) {
  load_estimate of(decay, start);
  answer(of, 100ms, start + 10s);
  answer(of, 1ms, start + 9s);
  EXPECT_NEAR(in_ms(of.read(start + 9s).latency), 100, 0.1);
  EXPECT_NEAR(in_ms(of.read(start + 10s).latency), 100, 0.1);
  EXPECT_NEAR(in_ms(of.read(start + 20s).latency), 100 * std::exp(-1.0), 0.1) << "its time did not go back either";
  answer(of, 200ms, start + 9s);
  EXPECT_NEAR(in_ms(of.read(start + 20s).latency), 200 * std::exp(-1.0), 0.1) << "nor with a slower answer";
}

TEST(load_estimate, goes_on_when_its_clock_begins_anew) {
  load_estimate of(decay, start);
  answer(of, 100ms, start);
  for (const auto idle : {24h * 25, 24h * 49, 24h * 60, 24h * 400}) {
    EXPECT_EQ(of.read(start + idle).latency, 0);
    answer(of, 5ms, start + idle);
    EXPECT_NEAR(in_ms(of.read(start + idle).latency), 5, 0.01);
    EXPECT_NEAR(in_ms(of.read(start + idle + 10s).latency), 5 * std::exp(-1.0), 0.01);
  }
}

TEST(load_estimate, threads_together_keep_it_within_what_they_saw) {
  load_estimate of(decay, start);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&of, t] {
      for (int i = 1; i <= 20'000; ++i) {
        of.begin();
        (void)of.read(start + i * 1ms);
        if (i % 3 == 0) {
          of.end_failed(1ms * (t + 1), start + i * 1ms);
        } else {
          of.end_answered(1ms * (t + 1), start + i * 1ms);
        }
      }
    });
  }
  threads.clear();
  const auto seen = of.read(start + 20s);
  EXPECT_EQ(seen.in_flight, 0U);
  EXPECT_GE(in_ms(seen.latency), 0.99);
  EXPECT_LE(in_ms(seen.latency), 4.01);
}

TEST(slow_start, share_grows_evenly_from_a_tenth_to_all) {
  slow_start of(10s);
  EXPECT_EQ(of.share(start), 1) << "who never came back is warm";
  of.begin(start);
  EXPECT_DOUBLE_EQ(of.share(start), 0.1);
  EXPECT_DOUBLE_EQ(of.share(start + 5s), 0.5);
  EXPECT_DOUBLE_EQ(of.share(start + 10s), 1);
  EXPECT_DOUBLE_EQ(of.share(start + 1h), 1);
  EXPECT_DOUBLE_EQ(of.share(start + 1h, start + 1h - 3s), 0.3) << "it came back later for another reason";
  EXPECT_DOUBLE_EQ(of.share(start + 5s, start - 1h), 0.5) << "or earlier";
  EXPECT_DOUBLE_EQ(of.share(start + 1h, start + 2h), 0.1) << "that may lie ahead";
}

TEST(slow_start, duration_of_zero_turns_it_off) {
  slow_start of(0s);
  of.begin(start);
  EXPECT_EQ(of.share(start), 1);
}

}  // namespace
