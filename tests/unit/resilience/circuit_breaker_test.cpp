#include <breakwater/resilience/circuit_breaker.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::circuit_breaker_options;
using breakwater::circuit_state;
using breakwater::resilience::circuit_breaker;
using breakwater::resilience::circuit_permit;
using testing::ElementsAre;
using time_point = circuit_breaker::time_point;

constexpr double middle = 0.5;  // no jitter

class breaker_fixture : public testing::Test {
 protected:
  void succeed(int calls = 1) {
    for (int i = 0; i < calls; ++i) {
      if (auto permit = breaker.try_acquire(now)) permit.succeeded(now);
    }
  }
  void fail(int calls = 1) {
    for (int i = 0; i < calls; ++i) {
      if (auto permit = breaker.try_acquire(now)) permit.failed(now);
    }
  }
  void open_it() {
    fail(20);
    ASSERT_EQ(breaker.state(), circuit_state::open);
  }
  /// Open, and its time over: the next call probes.
  void let_its_time_pass() {
    open_it();
    now += 5s;
  }

  time_point now{100h};
  std::vector<std::string> changes;
  circuit_breaker_options options{};
  circuit_breaker breaker{options, [] { return middle; },
                          [this](circuit_state before, circuit_state after, bool forced) {
                            changes.push_back(std::string(to_string(before)) + ">" + std::string(to_string(after)) +
                                              (forced ? " forced" : ""));
                          }};
};

TEST_F(breaker_fixture, closed_lets_all_pass) {
  succeed(100);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).calls, 100);
  EXPECT_THAT(changes, ElementsAre());
}

TEST_F(breaker_fixture, opens_when_half_of_at_least_twenty_calls_failed) {
  succeed(10);
  fail(9);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  fail();
  EXPECT_EQ(breaker.state(), circuit_state::open);
  EXPECT_FALSE(breaker.try_acquire(now));
  EXPECT_THAT(changes, ElementsAre("closed>open"));
  EXPECT_EQ(breaker.snapshot(now).times_opened, 1);
  EXPECT_EQ(breaker.snapshot(now).next_probe, now + 5s);
}

TEST_F(breaker_fixture, fewer_calls_than_the_minimum_never_open_it) {
  fail(19);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, fewer_failures_than_the_ratio_never_open_it) {
  for (int i = 0; i < 1000; ++i) {
    succeed(2);
    fail(1);
  }
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, failures_older_than_the_window_are_forgotten) {
  fail(19);
  now += 31s;
  fail(10);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).failures, 10);
}

TEST_F(breaker_fixture, the_window_slides_bucket_by_bucket) {
  for (int second = 0; second < 300; ++second) {
    now += 1s;
    succeed();
    if (second >= 30) {
      EXPECT_GE(breaker.snapshot(now).calls, 27);
      EXPECT_LE(breaker.snapshot(now).calls, 30);
    }
  }
}

TEST_F(breaker_fixture, the_callers_mistakes_count_neither_way) {
  for (int i = 0; i < 100; ++i) breaker.try_acquire(now).ignored(now);
  EXPECT_EQ(breaker.snapshot(now).calls, 0);
}

TEST_F(breaker_fixture, one_call_at_a_time_probes_after_the_pause) {
  open_it();
  now += 5s - 1ns;
  EXPECT_FALSE(breaker.try_acquire(now));
  now += 1ns;
  auto probe = breaker.try_acquire(now);
  EXPECT_TRUE(probe);
  EXPECT_TRUE(probe.is_probe());
  EXPECT_EQ(breaker.state(), circuit_state::half_open);
  EXPECT_FALSE(breaker.try_acquire(now));
  probe.succeeded(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).calls, 0);
  EXPECT_THAT(changes, ElementsAre("closed>open", "open>half_open", "half_open>closed"));
}

TEST_F(breaker_fixture, a_failed_probe_opens_it_for_another_pause) {
  let_its_time_pass();
  fail();
  EXPECT_EQ(breaker.state(), circuit_state::open);
  now += 5s - 1ns;
  EXPECT_FALSE(breaker.try_acquire(now));
  now += 1ns;
  succeed();
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, a_probe_that_was_the_callers_mistake_proves_the_node_alive) {
  let_its_time_pass();
  breaker.try_acquire(now).ignored(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, probe_whose_caller_vanished_is_armed_again) {
  let_its_time_pass();
  { const auto vanished = breaker.try_acquire(now); }
  EXPECT_EQ(breaker.state(), circuit_state::half_open);
  EXPECT_TRUE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, probe_that_stays_out_is_overtaken) {
  let_its_time_pass();
  auto lost = breaker.try_acquire(now);
  now += 5s - 1ns;
  EXPECT_FALSE(breaker.try_acquire(now));
  now += 1ns;
  auto next = breaker.try_acquire(now);
  EXPECT_TRUE(next);
  lost.failed(now);
  EXPECT_EQ(breaker.state(), circuit_state::half_open) << "the overtaken one's failure says nothing";
  EXPECT_FALSE(breaker.try_acquire(now));
  next.succeeded(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, an_overtaken_probe_that_succeeds_late_closes_it) {
  let_its_time_pass();
  auto slow = breaker.try_acquire(now);
  now += 6s;
  const auto next = breaker.try_acquire(now);
  slow.succeeded(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, an_overtaken_probe_whose_caller_vanishes_does_not_arm_a_third) {
  let_its_time_pass();
  {
    auto lost = breaker.try_acquire(now);
    now += 6s;
    auto next = breaker.try_acquire(now);
    lost.abandoned();
    EXPECT_FALSE(breaker.try_acquire(now));
    next.succeeded(now);
  }
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, results_of_calls_from_before_it_opened_are_ignored) {
  std::vector<circuit_permit> early;
  for (int i = 0; i < 60; ++i) early.push_back(breaker.try_acquire(now));
  let_its_time_pass();
  for (int i = 0; i < 20; ++i) early[static_cast<std::size_t>(i)].succeeded(now);
  EXPECT_EQ(breaker.state(), circuit_state::open);
  auto probe = breaker.try_acquire(now);
  for (int i = 20; i < 30; ++i) early[static_cast<std::size_t>(i)].failed(now);
  EXPECT_EQ(breaker.state(), circuit_state::half_open);
  probe.succeeded(now);
  for (int i = 30; i < 60; ++i) early[static_cast<std::size_t>(i)].failed(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).failures, 0);
}

TEST_F(breaker_fixture, a_clock_that_goes_back_does_not_lengthen_the_pause) {
  open_it();
  now -= 10h;
  EXPECT_FALSE(breaker.try_acquire(now));
  now += 5s;
  EXPECT_TRUE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, a_clock_that_goes_back_does_not_keep_a_vanished_probe) {
  let_its_time_pass();
  const auto lost = breaker.try_acquire(now);
  now -= 10h;
  EXPECT_FALSE(breaker.try_acquire(now));
  now += 5s;
  EXPECT_TRUE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, a_clock_that_goes_back_does_not_keep_old_failures) {
  fail(19);
  now -= 10h;
  fail(10);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).failures, 10);
}

TEST_F(breaker_fixture, a_sign_of_recovery_lets_a_call_probe_early) {
  open_it();
  now += 2s;
  EXPECT_FALSE(breaker.try_acquire(now));
  breaker.hint_recovered(now);
  EXPECT_EQ(breaker.state(), circuit_state::open) << "a sign is no proof";
  succeed();
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(breaker_fixture, signs_of_recovery_never_make_it_probe_more_often_than_every_fifth_of_the_pause) {
  open_it();
  int probes = 0;
  for (int i = 0; i < 1000; ++i) {
    now += 10ms;
    breaker.hint_recovered(now);
    if (auto permit = breaker.try_acquire(now)) {
      permit.failed(now);
      ++probes;
    }
  }
  EXPECT_EQ(probes, 10);
}

TEST_F(breaker_fixture, a_sign_of_recovery_changes_nothing_of_a_forced_or_closed_one) {
  breaker.hint_recovered(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  breaker.force_open();
  now += 1h;
  breaker.hint_recovered(now);
  EXPECT_FALSE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, a_sign_of_recovery_does_not_lengthen_the_pause) {
  open_it();
  breaker.hint_recovered(now + 1h);
  now += 5s;
  EXPECT_TRUE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, one_whose_node_was_found_well_is_closed_and_counts_anew) {
  open_it();
  breaker.found_well();
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).failures, 0U);
  EXPECT_TRUE(breaker.try_acquire(now));
}

TEST_F(breaker_fixture, a_node_found_well_changes_nothing_of_a_forced_or_closed_one) {
  breaker.try_acquire(now).failed(now);
  breaker.found_well();
  EXPECT_EQ(breaker.snapshot(now).failures, 1U);
  breaker.force_open();
  breaker.found_well();
  EXPECT_EQ(breaker.state(), circuit_state::open);
  EXPECT_TRUE(breaker.is_forced());
}

TEST_F(breaker_fixture, forced_open_refuses_until_reset) {
  breaker.force_open();
  EXPECT_TRUE(breaker.is_forced());
  now += 1h;
  EXPECT_FALSE(breaker.try_acquire(now));
  EXPECT_TRUE(breaker.snapshot(now).forced);
  breaker.reset();
  EXPECT_FALSE(breaker.is_forced());
  EXPECT_TRUE(breaker.try_acquire(now));
  EXPECT_THAT(changes, ElementsAre("closed>open forced", "open>closed"));
}

TEST_F(breaker_fixture, forced_closed_lets_all_pass_until_reset) {
  open_it();
  breaker.force_closed();
  fail(100);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).calls, 0);
  breaker.reset();
  fail(20);
  EXPECT_EQ(breaker.state(), circuit_state::open);
}

TEST_F(breaker_fixture, probe_from_before_it_was_forced_does_not_unforce_it) {
  let_its_time_pass();
  auto probe = breaker.try_acquire(now);
  breaker.force_open();
  probe.succeeded(now);
  EXPECT_EQ(breaker.state(), circuit_state::open);
  EXPECT_TRUE(breaker.is_forced());
}

TEST(circuit_breaker, disabled_counts_nothing_and_can_still_be_forced) {
  circuit_breaker breaker({.enabled = false});
  const time_point now{1h};
  for (int i = 0; i < 100; ++i) breaker.try_acquire(now).failed(now);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  EXPECT_EQ(breaker.snapshot(now).calls, 0);
  breaker.force_open();
  EXPECT_FALSE(breaker.try_acquire(now));
}

TEST(circuit_breaker, slow_calls_open_it_and_a_slow_probe_keeps_it_open) {
  circuit_breaker breaker({.slow_threshold = 100ms}, [] { return middle; });
  time_point now{1h};
  const auto call = [&](std::chrono::milliseconds takes) {
    if (auto permit = breaker.try_acquire(now)) permit.succeeded(now + takes);
  };
  for (int i = 0; i < 100; ++i) call(100ms);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
  for (int i = 0; i < 100; ++i) call(101ms);
  EXPECT_EQ(breaker.state(), circuit_state::open);
  EXPECT_EQ(breaker.snapshot(now).slow, 100);
  now += 6s;
  call(101ms);
  EXPECT_EQ(breaker.state(), circuit_state::open);
  now += 6s;
  call(1ms);
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST(circuit_breaker, the_pause_is_jittered_both_ways) {
  for (const auto& [unit, pause] : {std::pair{0.0, 3750ms}, std::pair{0.5, 5000ms}, std::pair{1.0, 6250ms}}) {
    circuit_breaker breaker({}, [unit = unit] { return unit; });
    const time_point now{1h};
    for (int i = 0; i < 20; ++i) breaker.try_acquire(now).failed(now);
    EXPECT_EQ(breaker.snapshot(now).next_probe, now + pause);
  }
}

TEST(circuit_breaker, its_callback_may_call_it_and_changes_stay_in_order) {
  std::vector<circuit_state> told;
  std::optional<circuit_breaker> breaker;
  breaker.emplace(
      circuit_breaker_options{}, [] { return middle; },
      [&](circuit_state, circuit_state now, bool forced) {
        told.push_back(now);
        if (now == circuit_state::open && !forced) breaker->force_closed();
      });
  const time_point now{1h};
  for (int i = 0; i < 20; ++i) breaker->try_acquire(now).failed(now);
  EXPECT_EQ(breaker->state(), circuit_state::closed);
  EXPECT_THAT(told, ElementsAre(circuit_state::open, circuit_state::closed));
}

TEST(circuit_breaker, a_permit_moved_away_settles_once) {
  circuit_breaker breaker({});
  const time_point now{1h};
  auto first = breaker.try_acquire(now);
  circuit_permit second = std::move(first);
  first.failed(now);  // NOLINT(bugprone-use-after-move): it must be harmless
  second.failed(now);
  second.failed(now);
  EXPECT_EQ(breaker.snapshot(now).failures, 1);
}

/// A random history of calls, vanished callers, late results and a clock that jumps; then all goes well. The time until
/// it is closed again, if that is within the bound.
bool recovers_after(std::uint32_t seed) {
  std::minstd_rand random(seed);
  const auto up_to = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % (most + 1); };
  circuit_breaker breaker(
      {.min_calls = 1 + up_to(5), .slow_threshold = up_to(1) * 50ms, .open_for = 1s + up_to(5) * 1s},
      [&] { return static_cast<double>(up_to(999)) / 1000.0; });
  time_point now{1000h};
  std::vector<circuit_permit> out;
  for (int step = 0; step < 60; ++step) {
    now += up_to(3) == 0 ? 1ms * up_to(8000) : 1ms * up_to(100);
    if (up_to(20) == 0) now -= 1ms * up_to(100'000);
    if (auto permit = breaker.try_acquire(now); permit && up_to(2) == 0) {
      out.push_back(std::move(permit));  // its result comes late, or never
    } else if (permit) {
      up_to(3) == 0 ? permit.succeeded(now) : permit.failed(now);
    }
    if (!out.empty() && up_to(2) == 0) {
      auto late = std::move(out[up_to(static_cast<std::uint32_t>(out.size() - 1))]);
      switch (up_to(3)) {
        case 0: late.succeeded(now); break;
        case 1: late.failed(now); break;
        case 2: late.ignored(now); break;
        default: break;
      }
    }
  }
  // From here on every call that is let through succeeds at once; the callers of those still out never come back.
  const auto healthy_from = now;
  while (breaker.state() != circuit_state::closed) {
    if (auto permit = breaker.try_acquire(now)) permit.succeeded(now);
    now += 50ms;
    if (now - healthy_from > 8s) return false;  // the longest pause is 6 s and a quarter
  }
  for (circuit_permit& each : out) each.abandoned();
  return true;
}

TEST(circuit_breaker, never_sticks_whatever_happened_before) {
  for (std::uint32_t seed = 1; seed <= 50'000; ++seed) ASSERT_TRUE(recovers_after(seed)) << "seed " << seed;
}

TEST(circuit_breaker, threads_count_every_call_of_theirs) {
  constexpr int threads = 4;
  constexpr int calls = 20'000;
  circuit_breaker breaker({});
  const time_point now{1h};
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&] {
        for (int i = 0; i < calls; ++i) {
          auto permit = breaker.try_acquire(now);
          i % 4 == 3 ? permit.failed(now) : permit.succeeded(now);
        }
      });
    }
  }
  EXPECT_EQ(breaker.snapshot(now).calls, threads * calls);
  EXPECT_EQ(breaker.snapshot(now).failures, threads * calls / 4);
}

TEST(circuit_breaker, threads_see_one_probe_at_a_time_and_changes_in_order) {
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  circuit_state last = circuit_state::closed;
  bool in_order = true;
  circuit_breaker breaker(
      {.min_calls = 1, .failure_ratio = 0.2, .open_for = 10ms}, [] { return middle; },
      [&](circuit_state before, circuit_state after, bool) {
        if (++inside > 1) overlapped = true;
        in_order = in_order && before == last;
        last = after;
        --inside;
      });
  std::atomic<std::int64_t> clock{0};
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < 4; ++t) {
      all.emplace_back([&, t] {
        std::minstd_rand random(static_cast<std::uint32_t>(t) + 1);
        for (int i = 0; i < 20'000; ++i) {
          const time_point now = time_point{1h} + 1ms * clock.fetch_add(1);
          auto permit = breaker.try_acquire(now);
          if (!permit) continue;
          switch (random() % 4) {
            case 0: permit.failed(now); break;
            case 1: permit.abandoned(); break;
            default: permit.succeeded(now); break;
          }
        }
      });
    }
  }
  EXPECT_FALSE(overlapped);
  EXPECT_TRUE(in_order);
  EXPECT_GT(breaker.snapshot(time_point{1h}).times_opened, 1);
}

}  // namespace
