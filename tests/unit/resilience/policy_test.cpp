#include "unit/resilience/fake_timing.hpp"
#include <breakwater/resilience/policy.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::circuit_state;
using breakwater::deadline;
using breakwater::errc;
using breakwater::result;
using breakwater::retry_options;
using breakwater::resilience::call_context;
using breakwater::resilience::circuit_breaker;
using breakwater::resilience::fake_timing;
using breakwater::resilience::judge_node;
using breakwater::resilience::node_verdict;
using breakwater::resilience::policy;
using breakwater::resilience::with_breaker;
using breakwater::resilience::with_permit;
using breakwater::resilience::with_retry;
using breakwater::resilience::with_timeout;
using testing::ElementsAre;
using testing::HasSubstr;

/// Writes down when it is entered and left.
struct noting {
  std::vector<std::string>* notes;
  std::string name;

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const {
    notes->push_back("into " + name);
    auto outcome = next(context);
    notes->push_back("out of " + name);
    return outcome;
  }
};

class policy_fixture : public testing::Test {
 protected:
  fake_timing clock;
  call_context context{.clock = &clock};
  circuit_breaker breaker{{}};
};

TEST_F(policy_fixture, layers_act_in_the_order_in_which_they_are_named) {
  std::vector<std::string> notes;
  const auto guarded = policy(noting{&notes, "outer"}, noting{&notes, "inner"});
  const auto outcome = guarded([&]() -> result<int> {
    notes.emplace_back("call");
    return 7;
  });
  EXPECT_EQ(outcome.value(), 7);
  EXPECT_THAT(notes, ElementsAre("into outer", "into inner", "call", "out of inner", "out of outer"));
}

TEST_F(policy_fixture, without_layers_it_is_the_call) {
  EXPECT_EQ(policy<>()([]() -> result<int> { return 1; }).value(), 1);
}

TEST_F(policy_fixture, retries_count_as_calls_of_the_breaker_within) {
  const auto guarded = policy(with_retry(retry_options{.max_attempts = 100}, nullptr), with_breaker(breaker, "db1"));
  int calls = 0;
  const auto outcome = guarded(context, [&]() -> result<void> {
    ++calls;
    return errc::connection_failed;
  });
  EXPECT_EQ(calls, 20) << "then it is open, and what it refuses is not tried again";
  EXPECT_EQ(breaker.state(), circuit_state::open);
  EXPECT_EQ(outcome.error().code(), errc::circuit_open);
  EXPECT_THAT(outcome.error().text(), HasSubstr("db1"));
}

TEST_F(policy_fixture, an_answered_mistake_does_not_open_the_breaker) {
  const auto guarded = policy(with_breaker(breaker, "db1"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(guarded(context, []() -> result<void> { return errc::invalid_statement; }));
  }
  EXPECT_EQ(breaker.state(), circuit_state::closed);
}

TEST_F(policy_fixture, silence_counts_against_the_node_and_impatience_does_not) {
  const auto guarded = policy(with_breaker(breaker, "db1"));
  const auto give_up_after = [&](std::chrono::milliseconds patience) {
    return guarded(context, [&]() -> result<void> {
      clock.pass(patience);
      return errc::deadline_exceeded;
    });
  };
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(give_up_after(10ms));
  EXPECT_EQ(breaker.snapshot(clock.now()).failures, 0);
  EXPECT_FALSE(give_up_after(1000ms));
  EXPECT_EQ(breaker.snapshot(clock.now()).failures, 1);
}

TEST_F(policy_fixture, a_timeout_covers_all_within_it_and_only_shortens) {
  const auto guarded = policy(with_timeout(1s));
  deadline seen;
  const auto look = [&](const call_context& c) -> result<void> {
    seen = c.until;
    return breakwater::success();
  };
  EXPECT_TRUE(guarded(context, look));
  EXPECT_EQ(seen.at(), clock.now() + 1s);
  context.until = deadline(clock.now() + 10ms);
  EXPECT_TRUE(guarded(context, look));
  EXPECT_EQ(seen, context.until);
}

TEST_F(policy_fixture, a_permit_is_held_for_the_length_of_the_call) {
  const auto token = std::make_shared<int>(0);
  const auto guarded = policy(with_permit([&](const call_context&) -> result<std::shared_ptr<int>> { return token; }));
  EXPECT_EQ(guarded([&]() -> result<long> { return token.use_count(); }).value(), 2);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(policy_fixture, a_permit_that_is_refused_ends_the_call_before_it_begins) {
  const auto guarded =
      policy(with_permit([](const call_context&) -> result<std::shared_ptr<int>> { return errc::overloaded; }));
  bool called = false;
  const auto outcome = guarded([&]() -> result<int> {
    called = true;
    return 1;
  });
  EXPECT_EQ(outcome.error().code(), errc::overloaded);
  EXPECT_FALSE(called);
}

struct place {
  static constexpr bool holds_capacity = true;
};

TEST(policy_order, a_retry_within_a_held_place_is_found) {
  using breakwater::resilience::detail::holds_while_pausing;
  static_assert(holds_while_pausing<place, with_breaker, with_retry<>>());
  static_assert(!holds_while_pausing<with_retry<>, with_breaker, place>());
}

TEST(judge_node, tells_the_nodes_failure_from_the_callers) {
  const auto judged = [](errc code) { return judge_node(code, 2s, 1s); };
  EXPECT_EQ(judged(errc::connection_failed), node_verdict::failed);
  EXPECT_EQ(judged(errc::commit_unknown), node_verdict::failed);
  EXPECT_EQ(judged(errc::unique_violation), node_verdict::answered);
  EXPECT_EQ(judged(errc::not_found), node_verdict::answered);
  EXPECT_EQ(judged(errc::overloaded), node_verdict::unknown);
  EXPECT_EQ(judged(errc::cancelled), node_verdict::unknown);
}

}  // namespace
