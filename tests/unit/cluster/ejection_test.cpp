#include "cluster/ejection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::ejection_reason;
using breakwater::routing::ejected_replica;
using breakwater::routing::ejection;

using time_point = ejection::time_point;

/// A set of replicas that are all usable until one says otherwise, and a clock.
struct replicas {
  explicit replicas(std::size_t number, const breakwater::ejection_options& options = {})
      : usable(number, true), of(options, number, [this](std::size_t i, time_point) { return usable[i]; }) {}

  std::optional<ejected_replica> fail(std::size_t i) { return of.failed(i, now, now); }
  std::optional<ejected_replica> fail_in_a_row(std::size_t i, int times = 5) {
    std::optional<ejected_replica> out;
    for (int n = 0; n < times && !out; ++n) out = fail(i);
    return out;
  }
  void succeed(std::size_t i) { of.succeeded(i, now); }
  [[nodiscard]] bool is_out(std::size_t i) const { return of.is_out(i, now); }
  [[nodiscard]] std::size_t number_in() const {
    std::size_t in = 0;
    for (std::size_t i = 0; i < usable.size(); ++i) in += usable[i] && !is_out(i) ? 1 : 0;
    return in;
  }

  std::vector<bool> usable;
  ejection of;
  time_point now{1000h};
};

TEST(ejection, fifth_failure_in_a_row_leaves_a_replica_out) {
  replicas set(2);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(set.fail(0)) << i;
  EXPECT_FALSE(set.is_out(0));
  const auto out = set.fail(0);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->replica, 0U);
  EXPECT_EQ(out->duration, 30s);
  EXPECT_EQ(out->why, ejection_reason::consecutive_failures);
  EXPECT_TRUE(set.is_out(0));
  EXPECT_FALSE(set.is_out(1));
  EXPECT_EQ(set.of.remaining(0, set.now + 10s), 20s);
  EXPECT_EQ(set.of.remaining(1, set.now), std::nullopt);
}

TEST(ejection, success_in_between_begins_the_count_anew) {
  replicas set(2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(set.fail_in_a_row(0, 4));
    set.succeed(0);
  }
  EXPECT_FALSE(set.is_out(0));
}

TEST(ejection, replica_comes_back_when_its_time_is_over_with_a_clean_slate) {
  replicas set(2);
  ASSERT_TRUE(set.fail_in_a_row(0));
  set.now += 30s - 1ns;
  EXPECT_TRUE(set.is_out(0));
  set.now += 1ns;
  EXPECT_FALSE(set.is_out(0));
  EXPECT_EQ(set.of.remaining(0, set.now), std::nullopt);
  EXPECT_FALSE(set.fail_in_a_row(0, 4)) << "failures from before do not count";
}

TEST(ejection, failing_again_at_once_is_out_longer_each_time_up_to_the_cap) {
  replicas set(2);
  for (const auto expected : {30s, 60s, 90s, 120s, 150s, 180s, 210s, 240s, 270s, 300s, 300s, 300s}) {
    const auto out = set.fail_in_a_row(0);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->duration, expected);
    set.now += out->duration;
  }
}

TEST(ejection, cap_that_is_no_multiple_of_the_base_is_kept) {
  replicas set(2, {.base = 2s, .cap = 5s});
  for (const auto expected : {2s, 4s, 5s, 5s}) {
    const auto out = set.fail_in_a_row(0);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->duration, expected);
    set.now += out->duration;
  }
}

TEST(ejection, count_falls_by_one_for_every_time_it_was_well_as_long_as_it_was_out) {
  // Three times out: 30, 60 and 90 s. Then well for so long, and out for:
  const std::vector<std::pair<std::chrono::seconds, std::chrono::seconds>> cases{
      {89s, 120s}, {90s, 90s}, {149s, 90s}, {150s, 60s}, {179s, 60s}, {180s, 30s}, {24h, 30s}};
  for (const auto& [well, expected] : cases) {
    replicas set(2);
    for (int i = 0; i < 3; ++i) set.now += set.fail_in_a_row(0)->duration;
    set.now += well;
    EXPECT_EQ(set.fail_in_a_row(0)->duration, expected) << well.count();
  }
}

TEST(ejection, count_does_not_grow_beyond_what_the_cap_stands_for) {
  replicas set(2);
  for (int i = 0; i < 20; ++i) set.now += set.fail_in_a_row(0)->duration;
  set.now += 300s + 270s;  // ten steps less two
  EXPECT_EQ(set.fail_in_a_row(0)->duration, 270s);
}

TEST(ejection, what_comes_of_a_replica_that_is_out_says_nothing) {
  replicas set(2);
  ASSERT_TRUE(set.fail_in_a_row(0));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(set.fail(0));
  EXPECT_EQ(set.of.remaining(0, set.now), 30s);
  const time_point during = set.now + 1s;
  set.now += 31s;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(set.of.failed(0, during, set.now)) << "it began before it came back";
  EXPECT_FALSE(set.fail_in_a_row(0, 4));
  set.of.succeeded(0, during);
  EXPECT_TRUE(set.fail(0)) << "a success from before does not count either";
}

TEST(ejection, last_usable_replica_is_never_left_out) {
  replicas set(3);
  ASSERT_TRUE(set.fail_in_a_row(0));
  set.usable[1] = false;
  EXPECT_FALSE(set.fail_in_a_row(2));
  EXPECT_FALSE(set.is_out(2));

  replicas alone(1);
  EXPECT_FALSE(alone.fail_in_a_row(0, 100));
}

TEST(ejection, where_the_last_one_fails_too_all_come_back_and_the_next_time_is_no_longer_for_it) {
  replicas set(3);
  ASSERT_TRUE(set.fail_in_a_row(0));
  ASSERT_TRUE(set.fail_in_a_row(1));
  EXPECT_FALSE(set.fail_in_a_row(2));
  EXPECT_EQ(set.number_in(), 3U) << "none is better than another";
  EXPECT_FALSE(set.fail(2)) << "and none is worse";
  set.now += 1s;
  EXPECT_EQ(set.fail_in_a_row(0)->duration, 30s);
}

TEST(ejection, replica_that_failed_as_the_last_one_goes_when_another_is_usable_again) {
  replicas set(2);
  set.usable[1] = false;
  EXPECT_FALSE(set.fail_in_a_row(0, 20));
  set.usable[1] = true;
  EXPECT_TRUE(set.fail_in_a_row(0));
}

TEST(ejection, never_leaves_none_whatever_happens) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same in every run
  for (const std::size_t number : {1U, 2U, 3U, 6U}) {
    replicas set(number, {.consecutive_failures = 2});
    std::size_t ejections = 0;
    for (int i = 0; i < 100'000; ++i) {
      const std::size_t which = random() % number;
      switch (random() % 8) {
        case 0: set.succeed(which); break;
        case 1: set.now += std::chrono::milliseconds(random() % 10'000); break;
        case 2: ejections += set.of.look_for_outliers(set.now).size(); break;
        default: ejections += set.fail(which) ? 1 : 0;
      }
      ASSERT_GT(set.number_in(), 0U) << "of " << number << " at " << i;
    }
    EXPECT_EQ(ejections > 100, number > 1);
  }
}

TEST(ejection, never_leaves_none_though_threads_fail_all_at_once) {
  for (int round = 0; round < 200; ++round) {
    replicas set(4, {.consecutive_failures = 1});
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&set, i] {
        (void)set.fail(i);
        set.succeed(i);
      });
    }
    threads.clear();
    ASSERT_GT(set.number_in(), 0U);
  }
}

TEST(ejection, does_nothing_where_it_is_off) {
  replicas set(5, {.enabled = false});
  EXPECT_FALSE(set.fail_in_a_row(0, 100));
  set.now += 1h;
  EXPECT_TRUE(set.of.look_for_outliers(set.now).empty());
  EXPECT_EQ(set.number_in(), 5U);
}

// Outliers

/// So many calls of which so many fail, spread evenly: never as many in a row as would eject.
void call(replicas& set, std::size_t i, int calls, int failures) {
  for (int n = 0; n < calls; ++n) {
    if (n * failures / calls != (n + 1) * failures / calls) {
      EXPECT_FALSE(set.fail(i));
    } else {
      set.succeed(i);
    }
  }
}

/// What is found at the end of a window in which the replicas had so many calls and failures.
std::vector<ejected_replica> after_window(replicas& set, const std::vector<std::pair<int, int>>& calls) {
  (void)set.of.look_for_outliers(set.now);
  for (std::size_t i = 0; i < calls.size(); ++i) call(set, i, calls[i].first, calls[i].second);
  set.now += ejection::window;
  return set.of.look_for_outliers(set.now);
}

TEST(ejection, replica_that_fails_far_more_often_than_the_others_is_left_out) {
  replicas set(5);
  const auto out = after_window(set, {{1000, 2}, {1000, 0}, {1000, 300}, {1000, 5}, {1000, 1}});
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].replica, 2U);
  EXPECT_EQ(out[0].why, ejection_reason::success_rate);
  EXPECT_EQ(out[0].duration, 30s);
  EXPECT_TRUE(set.is_out(2));
}

TEST(ejection, little_difference_is_no_outlier_though_deviations_are_small) {
  replicas set(5);
  EXPECT_TRUE(after_window(set, {{1000, 0}, {1000, 0}, {1000, 30}, {1000, 0}, {1000, 0}}).empty());
}

TEST(ejection, replicas_that_differ_widely_have_no_outlier_among_them) {
  replicas set(5);
  EXPECT_TRUE(after_window(set, {{1000, 0}, {1000, 50}, {1000, 100}, {1000, 150}, {1000, 200}}).empty());
}

TEST(ejection, replicas_that_all_fail_are_no_outliers) {
  replicas set(5);
  EXPECT_TRUE(after_window(set, {{1000, 300}, {1000, 310}, {1000, 320}, {1000, 290}, {1000, 280}}).empty());
}

TEST(ejection, outliers_need_five_replicas_with_enough_calls) {
  replicas four(4, {.deviations = 0.5});
  EXPECT_TRUE(after_window(four, {{1000, 0}, {1000, 0}, {1000, 400}, {1000, 0}}).empty());
  replicas few_calls(5, {.deviations = 0.5});
  EXPECT_TRUE(after_window(few_calls, {{1000, 0}, {1000, 0}, {1000, 400}, {1000, 0}, {99, 0}}).empty());
  EXPECT_FALSE(after_window(few_calls, {{1000, 0}, {1000, 0}, {1000, 400}, {1000, 0}, {100, 0}}).empty());
}

TEST(ejection, calls_count_in_their_own_window_only) {
  replicas set(5);
  EXPECT_TRUE(after_window(set, {{60, 0}, {60, 0}, {60, 20}, {60, 0}, {60, 0}}).empty());
  EXPECT_TRUE(after_window(set, {{60, 0}, {60, 0}, {60, 20}, {60, 0}, {60, 0}}).empty());
}

TEST(ejection, nothing_is_looked_for_within_a_window) {
  replicas set(5);
  (void)set.of.look_for_outliers(set.now);
  for (std::size_t i = 0; i < 5; ++i) call(set, i, 1000, i == 2 ? 300 : 0);
  set.now += ejection::window - 1ns;
  EXPECT_TRUE(set.of.look_for_outliers(set.now).empty());
  set.now += 1ns;
  EXPECT_EQ(set.of.look_for_outliers(set.now).size(), 1U);
}

TEST(ejection, last_usable_replica_stays_though_it_is_an_outlier) {
  replicas set(5);
  for (const std::size_t i : {0U, 1U, 3U, 4U}) set.usable[i] = false;
  EXPECT_TRUE(after_window(set, {{1000, 0}, {1000, 0}, {1000, 300}, {1000, 0}, {1000, 0}}).empty());
}

}  // namespace
