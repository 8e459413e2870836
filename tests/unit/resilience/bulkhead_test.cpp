#include <breakwater/resilience/bulkhead.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::priority;
using breakwater::result;
using breakwater::shed_reason;
using breakwater::resilience::bulkhead;

/// Longer than any test takes on a busy machine.
constexpr auto patience = 30s;

template <class Condition>
void wait_until(const Condition& holds) {
  const auto until = deadline::after(patience);
  while (!holds() && !until.expired(deadline::clock::now())) std::this_thread::yield();
  ASSERT_TRUE(holds());
}

TEST(bulkhead, without_a_place_has_one) {
  bulkhead none({.max_concurrent = 0, .max_waiters = 1});
  const auto place = none.acquire({.until = deadline::after(1ms)});
  EXPECT_TRUE(place.has_value());
}

TEST(bulkhead, lets_so_many_in_and_no_more) {
  bulkhead one({.max_concurrent = 2, .max_waiters = 0});
  auto first = one.acquire();
  auto second = one.acquire();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(one.in_flight(), 2U);
  const auto third = one.acquire();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), errc::overloaded);
  first.value().give_back();
  EXPECT_EQ(one.in_flight(), 1U);
  EXPECT_TRUE(one.acquire());
}

TEST(bulkhead, runs_a_call_and_passes_its_answer_on) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 0});
  EXPECT_EQ(one.run([&]() -> result<std::size_t> { return one.in_flight(); }).value(), 1U);
  EXPECT_EQ(one.in_flight(), 0U);
  EXPECT_EQ(one.run([]() -> result<int> { return error(errc::not_found); }).error().code(), errc::not_found);
  EXPECT_EQ(one.in_flight(), 0U);
  EXPECT_THROW((void)one.run([]() -> result<int> { throw std::runtime_error("the caller's own"); }),
               std::runtime_error);
  EXPECT_EQ(one.in_flight(), 0U);
}

TEST(bulkhead, waiter_gets_the_place_that_is_given_back) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 1});
  auto held = one.acquire();
  std::jthread waiter([&] { EXPECT_TRUE(one.acquire({.until = deadline::after(patience)})); });
  wait_until([&] { return one.waiting() == 1; });
  held.value().give_back();
  waiter.join();
  EXPECT_EQ(one.in_flight(), 0U);
  EXPECT_EQ(one.waiting(), 0U);
}

TEST(bulkhead, waiting_ends_at_the_deadline) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 1, .name = "reports"});
  auto held = one.acquire();
  const auto late = one.acquire({.until = deadline::after(5ms)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), errc::deadline_exceeded);
  EXPECT_NE(late.error().message().find("\"reports\""), std::string::npos);
  EXPECT_EQ(one.waiting(), 0U);
}

TEST(bulkhead, waiting_ends_when_it_is_cancelled) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 1});
  auto held = one.acquire();
  std::stop_source stop;
  std::jthread waiter([&] { EXPECT_EQ(one.acquire({.cancel = stop.get_token()}).error().code(), errc::cancelled); });
  wait_until([&] { return one.waiting() == 1; });
  stop.request_stop();
  waiter.join();
  EXPECT_EQ(one.waiting(), 0U);
}

TEST(bulkhead, displaced_waiter_is_told_and_counted) {
  std::atomic<int> displaced{0};
  bulkhead one({.max_concurrent = 1, .max_waiters = 1}, [&](priority of, shed_reason why) {
    if (of == priority::sheddable && why == shed_reason::displaced) ++displaced;
  });
  auto held = one.acquire();
  std::jthread report([&] {
    const auto refused = one.acquire({.until = deadline::after(patience), .priority = priority::sheddable});
    EXPECT_EQ(refused.error().code(), errc::overloaded);
  });
  wait_until([&] { return one.waiting() == 1; });
  std::jthread payment(
      [&] { EXPECT_TRUE(one.acquire({.until = deadline::after(patience), .priority = priority::critical})); });
  report.join();
  EXPECT_EQ(displaced, 1);
  wait_until([&] { return one.waiting() == 1; });
  held.value().give_back();
}

TEST(bulkhead, many_threads_never_exceed_the_bound_and_leave_nothing_behind) {
  constexpr std::size_t places = 3;
  bulkhead shared({.max_concurrent = places, .max_waiters = 4});
  std::atomic<std::size_t> inside{0};
  std::atomic<std::size_t> most{0};
  std::atomic<std::size_t> served{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int call = 0; call < 2000; ++call) {
          const auto answer = shared.run(
              [&]() -> result<void> {
                const auto now = ++inside;
                auto before = most.load();
                while (before < now && !most.compare_exchange_weak(before, now)) {
                }
                if (call % 7 == 0) std::this_thread::yield();
                --inside;
                ++served;
                return breakwater::success();
              },
              {.until = deadline::after(std::chrono::microseconds(100 * (call % 5))),
               .priority = static_cast<priority>(i % 3)});
          (void)answer;
        }
      });
    }
  }
  EXPECT_LE(most, places);
  EXPECT_GT(served, 0U);
  EXPECT_EQ(shared.in_flight(), 0U);
  EXPECT_EQ(shared.waiting(), 0U);
}

}  // namespace
