#include "cluster/freshness.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace std::chrono_literals;
using breakwater::causality_token;
using namespace breakwater::routing;

constexpr std::uint64_t ours = 77;
const freshness_demand write_at_500{.after = causality_token::at(ours, 2, 500)};

replica_knowledge at(std::uint64_t position, std::uint32_t timeline = 2, std::uint64_t system = ours) {
  return {.usable = true, .mark = {.of = {.system = system, .timeline = timeline}, .position = position}};
}

TEST(promise, of_a_replica_that_is_known_to_have_the_write_is_kept) {
  EXPECT_EQ(promise_of(at(500), write_at_500), promise::kept);
  EXPECT_EQ(promise_of(at(499), write_at_500), promise::maybe) << "what is known is older than the question";
  auto told = at(100);
  told.replayed = 600;
  EXPECT_EQ(promise_of(told, write_at_500), promise::kept);
  EXPECT_EQ(promise_of({.usable = true}, write_at_500), promise::maybe) << "nothing is known of it yet";
}

TEST(promise, of_a_replica_of_another_history_is_none) {
  EXPECT_EQ(promise_of(at(900, 3), write_at_500), promise::none);
  EXPECT_EQ(promise_of(at(900, 2, ours + 1), write_at_500), promise::none);
  EXPECT_EQ(promise_of(at(400, 1), write_at_500), promise::maybe) << "it may follow the new primary in a moment";
}

TEST(promise, of_a_replica_that_can_not_be_used_is_none) {
  auto away = at(900);
  away.usable = false;
  EXPECT_EQ(promise_of(away, write_at_500), promise::none);
  EXPECT_EQ(promise_of(away, {}), promise::none);
}

TEST(promise, for_a_write_of_unknown_position_is_none) {
  EXPECT_EQ(promise_of(at(900), {.after = causality_token::position_unknown(ours, 2)}), promise::none);
}

TEST(promise, for_a_lag_is_kept_where_it_is_known_to_be_no_longer) {
  auto replica = at(900);
  EXPECT_EQ(promise_of(replica, {.lag = 1s}), promise::none) << "not known";
  replica.lag = 1s;
  EXPECT_EQ(promise_of(replica, {.lag = 1s}), promise::kept);
  EXPECT_EQ(promise_of(replica, {.lag = 999ms}), promise::none);
  replica.lag = 0s;
  EXPECT_EQ(promise_of(replica, {.lag = 0s}), promise::none);
  EXPECT_EQ(promise_of(replica, {.lag = -1s}), promise::none);
}

TEST(promise, both_demands_have_to_be_met) {
  auto replica = at(499);
  replica.lag = 1ms;
  const freshness_demand both{.after = write_at_500.after, .lag = 1s};
  EXPECT_EQ(promise_of(replica, both), promise::maybe);
  replica.mark.position = 500;
  EXPECT_EQ(promise_of(replica, both), promise::kept);
  replica.lag = 2s;
  EXPECT_EQ(promise_of(replica, both), promise::none);
}

TEST(most_promising, is_one_that_has_the_write_each_time_another) {
  const std::array all{at(600), at(100), at(500)};
  EXPECT_EQ(most_promising(all, write_at_500, 0), 0U);
  EXPECT_EQ(most_promising(all, write_at_500, 1), 2U);
  EXPECT_EQ(most_promising(all, write_at_500, 2), 2U);
  EXPECT_EQ(most_promising(all, write_at_500, 3), 0U);
}

TEST(most_promising, is_else_the_one_that_came_farthest) {
  const std::array all{at(100), at(400), at(300), at(900, 3)};
  EXPECT_EQ(most_promising(all, write_at_500, 2), 1U);
}

TEST(most_promising, is_none_where_none_can_have_it) {
  EXPECT_FALSE(most_promising({}, write_at_500, 0));
  const std::array all{at(900, 3), replica_knowledge{}};
  EXPECT_FALSE(most_promising(all, write_at_500, 5));
}

TEST(seen_replay, is_there_where_a_mark_is) {
  EXPECT_FALSE(seen_of({}));
  const auto seen = seen_of(at(500).mark);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->position, 500U);
}

}  // namespace
