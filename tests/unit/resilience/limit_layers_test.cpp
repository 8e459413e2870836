#include "unit/resilience/fake_timing.hpp"
#include <breakwater/resilience/limit_layers.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using breakwater::errc;
using breakwater::error;
using breakwater::limit_algorithm;
using breakwater::result;
using breakwater::resilience::adaptive_limiter;
using breakwater::resilience::bulkhead;
using breakwater::resilience::policy;
using breakwater::resilience::single_flight;
using breakwater::resilience::with_bulkhead;
using breakwater::resilience::with_limiter;
using breakwater::resilience::with_single_flight;

TEST(with_bulkhead, makes_the_call_inside) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 0});
  const auto guarded = policy(with_bulkhead(one));
  const auto outcome = guarded([&]() -> result<std::size_t> {
    EXPECT_EQ(guarded([]() -> result<int> { return 0; }).error().code(), errc::overloaded);
    return one.in_flight();
  });
  EXPECT_EQ(outcome.value(), 1U);
  EXPECT_EQ(one.in_flight(), 0U);
}

TEST(with_bulkhead, waits_until_the_contexts_deadline_and_stop_token) {
  bulkhead one({.max_concurrent = 1, .max_waiters = 1});
  const auto held = one.acquire();
  const auto guarded = policy(with_bulkhead(one));
  const auto call = []() -> result<int> { return 0; };
  EXPECT_EQ(guarded({.until = breakwater::deadline::after(1ms)}, call).error().code(), errc::deadline_exceeded);
  std::stop_source stop;
  stop.request_stop();
  const auto token = stop.get_token();
  EXPECT_EQ(guarded({.cancel = &token}, call).error().code(), errc::cancelled);
}

TEST(with_limiter, refuses_above_the_limit_and_says_what_is_limited) {
  adaptive_limiter limiter({.algorithm = limit_algorithm::aimd, .min = 1, .max = 1});
  const auto guarded = policy(with_limiter(limiter, "billing"));
  const auto outcome = guarded([&]() -> result<int> {
    const auto inner = guarded([]() -> result<int> { return 0; });
    EXPECT_EQ(inner.error().code(), errc::overloaded);
    EXPECT_NE(inner.error().message().find("billing"), std::string::npos);
    return 7;
  });
  EXPECT_EQ(outcome.value(), 7);
  EXPECT_EQ(limiter.in_flight(), 0U);
}

TEST(with_limiter, failures_of_the_server_lower_the_limit_and_the_callers_own_do_not) {
  breakwater::resilience::fake_timing clock;
  adaptive_limiter limiter({.algorithm = limit_algorithm::aimd, .min = 1, .max = 2});
  const auto guarded = policy(with_limiter(limiter, "billing"));
  const auto window = [&](errc code) {
    for (int i = 0; i < 400; ++i) {
      (void)guarded({.clock = &clock}, [&]() -> result<int> {
        clock.pass(1ms);
        return error(code);
      });
    }
  };
  window(errc::unique_violation);  // an answer like others
  EXPECT_EQ(limiter.limit(), 2U);
  for (const errc not_the_servers : {errc::cancelled, errc::circuit_open, errc::no_primary}) {
    window(not_the_servers);
    EXPECT_EQ(limiter.limit(), 2U) << error(not_the_servers).message();
  }
  // The deadline too: the calls that took a millisecond had no more.
  for (const errc too_much :
       {errc::resource_exhausted, errc::connection_failed, errc::deadline_exceeded, errc::overloaded}) {
    window(too_much);
    EXPECT_EQ(limiter.limit(), 1U) << error(too_much).message();
    window(errc::unique_violation);
    EXPECT_EQ(limiter.limit(), 2U);
  }
}

TEST(with_single_flight, makes_the_call_and_composes) {
  single_flight<int, std::string> flights;
  bulkhead one({.max_concurrent = 1, .max_waiters = 0});
  const auto guarded = policy(with_single_flight(flights, 7), with_bulkhead(one));
  EXPECT_EQ(guarded([]() -> result<std::string> { return std::string("seven"); }).value(), "seven");
  EXPECT_EQ(guarded([]() -> result<std::string> { return error(errc::not_found); }).error().code(), errc::not_found);
  EXPECT_EQ(flights.size(), 0U);
}

}  // namespace
