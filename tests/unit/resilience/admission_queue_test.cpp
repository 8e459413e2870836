#include <breakwater/resilience/admission_queue.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::priority;
using breakwater::shed_reason;
using breakwater::resilience::admission_queue;

struct waiter : admission_queue::entry {
  waiter(std::string with_name, priority importance, deadline until)
      : entry(importance, until), name(std::move(with_name)) {}
  std::string name;
};

constexpr deadline::clock::time_point start{1h};

std::string name_of(const admission_queue::entry* of) {
  return of == nullptr ? "nobody" : static_cast<const waiter*>(of)->name;
}

struct admission : testing::Test {
  admission_queue queue{{.servers = 2, .max_waiters = 4}};
  std::deque<waiter> callers;  // does not move them

  auto join(const std::string& name, priority importance = priority::normal, deadline until = deadline::never(),
            deadline::clock::time_point now = start) {
    callers.emplace_back(name, importance, until);
    return queue.join(callers.back(), now);
  }
  std::string next(deadline::clock::time_point now = start) { return name_of(queue.next(now).next); }
  /// What all say was held for so long.
  void learn(deadline::clock::duration held, int samples = 32, deadline::clock::time_point now = start) {
    for (int i = 0; i < samples; ++i) queue.note_held(held, now);
  }
};

TEST_F(admission, oldest_is_served_first) {
  for (const auto* name : {"a", "b", "c"}) EXPECT_FALSE(join(name).refused);
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(next(), "a");
  EXPECT_EQ(next(), "b");
  EXPECT_EQ(next(), "c");
  EXPECT_EQ(next(), "nobody");
  EXPECT_TRUE(queue.empty());
}

TEST_F(admission, higher_priority_is_served_first) {
  (void)join("report", priority::sheddable);
  (void)join("page", priority::normal);
  (void)join("payment", priority::critical);
  (void)join("other page", priority::normal);
  EXPECT_EQ(next(), "payment");
  EXPECT_EQ(next(), "page");
  EXPECT_EQ(next(), "other page");
  EXPECT_EQ(next(), "report");
}

TEST_F(admission, full_queue_refuses_an_equal) {
  for (const auto* name : {"a", "b", "c", "d"}) EXPECT_FALSE(join(name).refused);
  const auto refused = join("e");
  EXPECT_EQ(refused.refused, shed_reason::queue_full);
  EXPECT_EQ(refused.displaced, nullptr);
  EXPECT_EQ(queue.size(), 4U);
}

TEST_F(admission, full_queue_displaces_the_newest_of_the_lowest_priority) {
  (void)join("old report", priority::sheddable);
  (void)join("new report", priority::sheddable);
  (void)join("page", priority::normal);
  (void)join("new page", priority::normal);
  EXPECT_EQ(name_of(join("payment", priority::critical).displaced), "new report");
  EXPECT_EQ(name_of(join("third page", priority::normal).displaced), "old report");
  EXPECT_EQ(join("fourth page", priority::normal).refused, shed_reason::queue_full);
  EXPECT_EQ(name_of(join("second payment", priority::critical).displaced), "third page");
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(next(), "payment");
}

TEST_F(admission, nobody_waits_where_nobody_may) {
  admission_queue none({.servers = 1, .max_waiters = 0});
  waiter caller("a", priority::critical, deadline::never());
  EXPECT_EQ(none.join(caller, start).refused, shed_reason::queue_full);
}

TEST_F(admission, who_left_is_not_served) {
  (void)join("a");
  (void)join("b");
  (void)join("c");
  queue.leave(callers[1]);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(next(), "a");
  EXPECT_EQ(next(), "c");
  EXPECT_EQ(next(), "nobody");
}

TEST_F(admission, clear_returns_all_the_most_important_first) {
  (void)join("page", priority::normal);
  (void)join("report", priority::sheddable);
  (void)join("payment", priority::critical);
  auto all = queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(name_of(all.pop_oldest()), "payment");
  EXPECT_EQ(name_of(all.pop_oldest()), "page");
  EXPECT_EQ(name_of(all.pop_oldest()), "report");
  EXPECT_EQ(all.pop_oldest(), nullptr);
}

TEST_F(admission, who_would_be_served_too_late_is_refused_at_once) {
  learn(100ms);
  EXPECT_FALSE(join("first", priority::normal, deadline(start + 1s)).refused);
  // Two servers, one ahead: two turns of 100 ms, halved.
  EXPECT_EQ(queue.estimated_wait(priority::normal, start), 100ms);
  const auto late = join("late", priority::normal, deadline(start + 99ms));
  EXPECT_EQ(late.refused, shed_reason::too_late);
  EXPECT_EQ(late.estimated_wait, 100ms);
  EXPECT_FALSE(join("in time", priority::normal, deadline(start + 100ms)).refused);
}

TEST_F(admission, only_those_ahead_count_for_the_estimate) {
  learn(100ms);
  (void)join("report", priority::sheddable);
  (void)join("page", priority::normal);
  EXPECT_EQ(queue.estimated_wait(priority::critical, start), 50ms);
  EXPECT_EQ(queue.estimated_wait(priority::normal, start), 100ms);
  EXPECT_EQ(queue.estimated_wait(priority::sheddable, start), 150ms);
}

TEST_F(admission, who_is_doomed_displaces_nobody) {
  learn(100ms);
  (void)join("payment", priority::critical);
  for (const auto* name : {"r1", "r2", "r3"}) (void)join(name, priority::sheddable);
  const auto refused = join("page", priority::normal, deadline(start + 20ms));
  EXPECT_EQ(refused.refused, shed_reason::too_late);
  EXPECT_EQ(refused.displaced, nullptr);
  EXPECT_EQ(queue.size(), 4U);
}

TEST_F(admission, the_first_to_wait_is_never_refused) {
  learn(10s);
  EXPECT_FALSE(join("first", priority::normal, deadline(start + 1ms)).refused);
}

TEST_F(admission, nobody_is_refused_by_an_unknown_estimate) {
  learn(10s, 7);
  EXPECT_EQ(queue.holding_time(start), 0s);
  (void)join("first");
  EXPECT_FALSE(join("second", priority::normal, deadline(start + 1ms)).refused);
}

TEST_F(admission, average_begins_with_the_shortest_sample) {
  queue.note_held(1h, start);
  queue.note_held(10ms, start);
  learn(20ms, 6);
  EXPECT_EQ(queue.holding_time(start), 10ms);
}

TEST_F(admission, average_follows_the_samples) {
  learn(10ms);
  learn(200ms, 100);
  EXPECT_GT(queue.holding_time(start), 190ms);
  EXPECT_LE(queue.holding_time(start), 200ms);
  learn(10ms, 100);
  EXPECT_LT(queue.holding_time(start), 11ms);
}

TEST_F(admission, one_outlier_does_not_turn_everybody_away) {
  learn(10ms);
  learn(10min, 1);
  EXPECT_LT(queue.holding_time(start), 20ms);
}

TEST_F(admission, negative_and_huge_samples_do_no_harm) {
  learn(-1s);
  EXPECT_EQ(queue.holding_time(start), 0s);
  learn(std::chrono::hours(24 * 365), 1000);
  EXPECT_GT(queue.holding_time(start), 10min);
  EXPECT_LE(queue.holding_time(start), 1h);
}

TEST_F(admission, estimate_decays_when_no_samples_arrive) {
  learn(100ms);
  EXPECT_EQ(queue.holding_time(start + 999ms), 100ms);
  EXPECT_EQ(queue.holding_time(start + 1s), 50ms);
  EXPECT_EQ(queue.holding_time(start + 3s), 12500us);
  EXPECT_EQ(queue.holding_time(start + 1h), 0s);
  (void)join("first", priority::normal, deadline::never(), start + 1h);
  EXPECT_FALSE(join("second", priority::normal, deadline(start + 1h + 1us), start + 1h).refused);
}

TEST_F(admission, estimate_of_long_holdings_decays_as_slowly_as_samples_can_come) {
  learn(10s);
  EXPECT_EQ(queue.holding_time(start + 19s), 10s);
  EXPECT_EQ(queue.holding_time(start + 20s), 5s);
}

TEST_F(admission, expired_are_returned_and_not_served) {
  (void)join("gone", priority::normal, deadline(start + 10ms));
  (void)join("also gone", priority::normal, deadline(start + 20ms));
  (void)join("there", priority::normal, deadline(start + 1s));
  auto turn = queue.next(start + 30ms);
  EXPECT_EQ(name_of(turn.next), "there");
  EXPECT_EQ(turn.expired.size(), 2U);
  EXPECT_EQ(name_of(turn.expired.pop_oldest()), "gone");
  EXPECT_EQ(name_of(turn.expired.pop_oldest()), "also gone");
  EXPECT_TRUE(queue.empty());
}

TEST_F(admission, deadline_itself_is_too_late) {
  (void)join("a", priority::normal, deadline(start + 10ms));
  EXPECT_EQ(queue.next(start + 10ms).next, nullptr);
}

TEST_F(admission, who_can_not_finish_any_more_is_not_served_while_others_wait) {
  learn(100ms);
  (void)join("nearly gone", priority::normal, deadline(start + 1s));
  (void)join("there", priority::normal, deadline(start + 10s));
  auto turn = queue.next(start + 951ms);
  EXPECT_EQ(name_of(turn.next), "there");
  EXPECT_EQ(name_of(turn.expired.pop_oldest()), "nearly gone");
}

TEST_F(admission, callers_in_a_hurry_are_not_given_up_because_others_hold_long) {
  learn(10s);
  (void)join("hasty", priority::normal, deadline(start + 800ms));
  (void)join("patient", priority::sheddable);
  EXPECT_EQ(next(start + 700ms), "hasty");
  (void)join("too late", priority::critical, deadline(start + 800ms));
  EXPECT_EQ(next(start + 701ms), "patient");
}

TEST_F(admission, who_waits_alone_is_served_up_to_its_deadline) {
  learn(100ms);
  (void)join("alone", priority::normal, deadline(start + 1s));
  EXPECT_EQ(next(start + 999ms), "alone");
}

TEST_F(admission, newest_is_served_first_once_the_oldest_has_waited_for_half_of_its_time) {
  (void)join("old", priority::normal, deadline(start + 100ms));
  (void)join("middle", priority::normal, deadline(start + 140ms), start + 40ms);
  (void)join("new", priority::normal, deadline(start + 145ms), start + 45ms);
  EXPECT_EQ(next(start + 50ms), "old");
  (void)join("newest", priority::normal, deadline(start + 190ms), start + 90ms);
  EXPECT_EQ(next(start + 91ms), "newest");
  EXPECT_EQ(next(start + 91ms), "new");
  EXPECT_EQ(next(start + 91ms), "middle");
}

TEST_F(admission, without_deadlines_it_is_always_the_oldest) {
  (void)join("old");
  (void)join("new", priority::normal, deadline::never(), start + 1h);
  EXPECT_EQ(next(start + 2h), "old");
}

TEST_F(admission, newest_that_is_lost_is_not_served_either) {
  learn(100ms);
  (void)join("old", priority::normal, deadline(start + 1s));
  (void)join("hasty", priority::normal, deadline(start + 640ms), start + 240ms);
  auto turn = queue.next(start + 600ms);
  EXPECT_EQ(name_of(turn.next), "old");
  EXPECT_EQ(name_of(turn.expired.pop_oldest()), "hasty");
}

}  // namespace
