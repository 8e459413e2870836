#include "sim/simulation.hpp"

#include "sim/events.hpp"
#include "sim/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace {

using breakwater::sim::defect;
using breakwater::sim::describe;
using breakwater::sim::event_kind;
using breakwater::sim::event_queue;
using breakwater::sim::fault_kind;
using breakwater::sim::generator;
using breakwater::sim::invariant;
using breakwater::sim::report;
using breakwater::sim::simulate;

/// Whether the checker finds in one of the first seeds that `rule` is broken.
bool is_found(defect planted, invariant rule) {
  constexpr std::uint64_t most_seeds = 300;
  for (std::uint64_t seed = 1; seed <= most_seeds; ++seed) {
    const report run = simulate(seed, planted);
    if (std::ranges::any_of(run.violations, [&](const auto& each) { return each.what == rule; })) return true;
  }
  return false;
}

TEST(simulation, every_invariant_holds_in_hundreds_of_seeds) {
  std::set<fault_kind> met;
  std::uint64_t unknown = 0;
  std::uint64_t resolved = 0;
  std::uint64_t opened = 0;
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    const report run = simulate(seed);
    EXPECT_TRUE(run.holds()) << describe(run) << "  reproduce: make sim SEED=" << seed;
    for (const auto& each : run.faults) met.insert(each.kind);
    unknown += run.told_unknown;
    resolved += run.resolved;
    opened += run.breakers_opened;
  }
  // It would hold too if nothing ever happened.
  EXPECT_EQ(met.size(), breakwater::sim::fault_kind_count);
  EXPECT_GT(unknown, 100);
  EXPECT_GT(resolved, 100);
  EXPECT_GT(opened, 100);
}

TEST(simulation, the_same_seed_is_the_same_run) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const report first = simulate(seed);
    const report again = simulate(seed);
    EXPECT_EQ(first.trace, again.trace);
    EXPECT_EQ(describe(first), describe(again));
  }
  EXPECT_NE(simulate(1).trace, simulate(2).trace);
}

TEST(simulation, a_write_of_unknown_fate_that_is_run_again_is_found_doubled) {
  EXPECT_TRUE(is_found(defect::blind_rerun, invariant::no_doubled_write));
}

TEST(simulation, a_success_told_before_the_commit_is_answered_is_found_lost) {
  EXPECT_TRUE(is_found(defect::early_success, invariant::no_lost_write));
}

TEST(simulation, a_write_of_unknown_fate_that_is_denied_is_found_in_place) {
  EXPECT_TRUE(is_found(defect::blind_denial, invariant::no_false_denial));
}

TEST(simulation, a_guard_that_does_not_wait_for_the_twin_is_found_wrong) {
  EXPECT_TRUE(is_found(defect::twin_overtaken, invariant::no_doubled_write));
  EXPECT_TRUE(is_found(defect::twin_ignored, invariant::no_false_denial));
}

TEST(simulation, a_guard_that_gives_up_at_once_is_found) {
  EXPECT_TRUE(is_found(defect::guard_gives_up, invariant::guard_resolves));
}

TEST(simulation, connects_without_pacing_are_found) {
  EXPECT_TRUE(is_found(defect::no_pacing, invariant::connects_paced));
}

TEST(simulation, retries_without_a_budget_are_found) {
  EXPECT_TRUE(is_found(defect::no_budget, invariant::retries_within_budget));
}

TEST(simulation, clients_that_wait_past_their_deadline_are_found) {
  EXPECT_TRUE(is_found(defect::no_deadline, invariant::ends_at_deadline));
}

TEST(simulation, a_breaker_that_sticks_is_found_twice) {
  EXPECT_TRUE(is_found(defect::stuck_breaker, invariant::breaker_closes));
  EXPECT_TRUE(is_found(defect::stuck_breaker, invariant::throughput_returns));
}

TEST(event_queue, the_earliest_comes_first_and_of_the_same_time_the_one_scheduled_first) {
  event_queue events;
  events.at(20, event_kind::think_over, 1);
  events.at(10, event_kind::think_over, 2);
  events.at(20, event_kind::think_over, 3);
  events.at(10, event_kind::think_over, 4);
  EXPECT_EQ(events.pop().who, 2);
  EXPECT_EQ(events.pop().who, 4);
  events.at(5, event_kind::think_over, 5);  // in the past: now
  EXPECT_EQ(events.pop().who, 5);
  EXPECT_EQ(events.now(), 10);
  EXPECT_EQ(events.pop().who, 1);
  EXPECT_EQ(events.pop().who, 3);
  EXPECT_TRUE(events.empty());
}

TEST(generator, gives_the_same_numbers_everywhere) {
  generator chance(42);
  EXPECT_EQ(chance.next(), 13679457532755275413U);
  for (int i = 0; i < 1000; ++i) {
    const double unit = chance.unit();
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
    const auto between = chance.between(-3, 3);
    EXPECT_GE(between, -3);
    EXPECT_LE(between, 3);
  }
}

}  // namespace
