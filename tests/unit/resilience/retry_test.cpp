#include "unit/resilience/fake_timing.hpp"
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/retry.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

using namespace std::chrono_literals;
using breakwater::applied;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::jitter;
using breakwater::result;
using breakwater::retry_budget_options;
using breakwater::retry_options;
using breakwater::resilience::call_context;
using breakwater::resilience::fake_timing;
using breakwater::resilience::is_retryable;
using breakwater::resilience::retry;
using breakwater::resilience::retry_budget;
using breakwater::resilience::retry_sequence;
using breakwater::resilience::retry_stop;
using testing::HasSubstr;

constexpr retry_sequence::time_point start{100h};
constexpr double half = 0.5;
constexpr retry_budget_options none_at_all{.ratio = 0.0, .per_second = 0, .window = 10s};

TEST(retry_sequence, makes_three_attempts_with_growing_pauses) {
  retry_sequence tries({}, nullptr, deadline::never(), start);
  EXPECT_EQ(tries.attempts(), 1);
  EXPECT_EQ(tries.next(start, half), 5ms);
  EXPECT_EQ(tries.next(start, half), 10ms);
  EXPECT_EQ(tries.attempts(), 3);
  EXPECT_EQ(tries.next(start, half), std::nullopt);
  EXPECT_EQ(tries.stopped_by(), retry_stop::attempts);
  EXPECT_EQ(tries.attempts(), 3);
}

TEST(retry_sequence, a_free_attempt_asks_for_no_budget) {
  retry_budget empty({.ratio = 0, .per_second = 0});
  retry_sequence tries({}, &empty, deadline::never(), start);
  EXPECT_EQ(tries.next(start, half), std::nullopt);
  EXPECT_EQ(tries.stopped_by(), retry_stop::budget);
  EXPECT_EQ(tries.next(start, half, {.free = true}), 5ms);
}

TEST(retry_sequence, one_attempt_means_no_retry) {
  retry_sequence tries({.max_attempts = 1}, nullptr, deadline::never(), start);
  EXPECT_EQ(tries.next(start, half), std::nullopt);
}

TEST(retry_sequence, decorrelated_pauses_follow_what_was_drawn) {
  retry_sequence tries({.max_attempts = 10, .jitter = jitter::decorrelated}, nullptr, deadline::never(), start);
  EXPECT_EQ(tries.next(start, 0.0), 10ms);
  EXPECT_EQ(tries.next(start, half), 20ms);
  EXPECT_EQ(tries.next(start, half), 35ms);
}

TEST(retry_sequence, a_pause_that_would_outlast_the_deadline_is_not_begun) {
  retry_sequence tries({}, nullptr, deadline(start + 5ms), start);
  EXPECT_EQ(tries.next(start, half), std::nullopt);
  EXPECT_EQ(tries.stopped_by(), retry_stop::deadline);
  EXPECT_EQ(tries.next(start, 0.4), 4ms);
}

TEST(retry_sequence, an_expired_deadline_allows_nothing_even_without_a_pause) {
  retry_sequence tries({}, nullptr, deadline(start), start);
  EXPECT_EQ(tries.next(start, 0.0, {.at_once = true}), std::nullopt);
}

TEST(retry_sequence, a_failure_may_allow_less_than_the_options) {
  retry_sequence tries({.max_attempts = 10}, nullptr, deadline::never(), start);
  EXPECT_TRUE(tries.next(start, half, {.max_attempts = 2}));
  EXPECT_FALSE(tries.next(start, half, {.max_attempts = 2}));
  EXPECT_TRUE(tries.next(start, half));
}

TEST(retry_sequence, at_once_is_without_a_pause) {
  retry_sequence tries({}, nullptr, deadline::never(), start);
  EXPECT_EQ(tries.next(start, half, {.at_once = true}), 0ns);
}

TEST(retry_sequence, deposits_with_the_first_attempt_and_withdraws_with_each_further_one) {
  retry_budget budget({.ratio = 1.0, .per_second = 0, .window = 10s});
  retry_sequence tries({}, &budget, deadline::never(), start);
  EXPECT_DOUBLE_EQ(budget.available(start), 1.0);
  EXPECT_TRUE(tries.next(start, half));
  EXPECT_DOUBLE_EQ(budget.available(start), 0.0);
  EXPECT_FALSE(tries.next(start, half));
  EXPECT_EQ(tries.stopped_by(), retry_stop::budget);
}

TEST(retry_sequence, what_attempts_or_deadline_forbid_costs_no_budget) {
  retry_budget budget({.ratio = 1.0, .per_second = 0, .window = 10s});
  retry_sequence once({.max_attempts = 1}, &budget, deadline::never(), start);
  EXPECT_FALSE(once.next(start, half));
  retry_sequence late({}, &budget, deadline(start), start);
  EXPECT_FALSE(late.next(start, half));
  EXPECT_DOUBLE_EQ(budget.available(start), 2.0);
}

TEST(is_retryable, only_what_may_pass_and_was_not_applied) {
  EXPECT_TRUE(is_retryable(errc::connection_failed));
  EXPECT_TRUE(is_retryable(errc::deadlock));
  EXPECT_FALSE(is_retryable(errc::unique_violation));
  EXPECT_FALSE(is_retryable(errc::commit_unknown));
  EXPECT_FALSE(is_retryable(errc::overloaded));
  EXPECT_FALSE(is_retryable(errc::circuit_open));
  EXPECT_FALSE(is_retryable(errc::deadline_exceeded));
  EXPECT_FALSE(is_retryable(error(errc::connection_failed).with_applied(applied::unknown)));
}

class retry_call : public testing::Test {
 protected:
  result<int> succeeding_at(unsigned attempt, errc until_then = errc::connection_failed) {
    return retry(options, budget, context, is_retryable, [&](const call_context& c) -> result<int> {
      ++calls;
      EXPECT_EQ(c.attempt, calls);
      if (c.attempt < attempt) return until_then;
      return 42;
    });
  }

  fake_timing clock;
  call_context context{.clock = &clock};
  retry_options options;
  retry_budget* budget = nullptr;
  unsigned calls = 0;
};

TEST_F(retry_call, succeeds_on_the_third_try_after_two_pauses) {
  EXPECT_EQ(succeeding_at(3).value(), 42);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(clock.waited(), 15ms);
}

TEST_F(retry_call, gives_up_with_the_last_error_and_its_attempts) {
  const auto outcome = succeeding_at(4);
  EXPECT_EQ(outcome.error().code(), errc::connection_failed);
  EXPECT_EQ(outcome.error().attempts(), 3);
  EXPECT_EQ(calls, 3);
}

TEST_F(retry_call, does_not_repeat_what_is_not_retryable) {
  EXPECT_EQ(succeeding_at(2, errc::unique_violation).error().code(), errc::unique_violation);
  EXPECT_EQ(calls, 1);
}

TEST_F(retry_call, stops_when_the_budget_is_empty_and_says_so) {
  retry_budget empty(none_at_all);
  budget = &empty;
  const auto outcome = succeeding_at(2);
  EXPECT_EQ(outcome.error().code(), errc::connection_failed);
  EXPECT_THAT(outcome.error().text(), HasSubstr("retry budget"));
  EXPECT_EQ(calls, 1);
}

TEST_F(retry_call, a_stop_token_ends_the_pause) {
  std::stop_source stop;
  const auto token = stop.get_token();
  context.cancel = &token;
  stop.request_stop();
  const auto outcome = succeeding_at(2);
  EXPECT_EQ(outcome.error().code(), errc::cancelled);
  EXPECT_EQ(outcome.error().attempts(), 1);
  EXPECT_EQ(calls, 1);
}

TEST_F(retry_call, an_exception_of_the_call_passes_through) {
  EXPECT_THROW(static_cast<void>(retry(options, budget, context, is_retryable,
                                       [](const call_context&) -> result<int> { throw std::runtime_error("mine"); })),
               std::runtime_error);
}

TEST(system_timing, a_wait_ends_when_it_is_cancelled) {
  std::stop_source stop;
  const auto token = stop.get_token();
  stop.request_stop();
  const auto& real = breakwater::resilience::system_timing();
  EXPECT_FALSE(real.wait_until(real.now() + 1h, &token));
  EXPECT_TRUE(real.wait_until(real.now(), nullptr));
}

}  // namespace
