#include "postgres/server_settings.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::parameters;
using breakwater::postgres::bind_timeout;
using breakwater::postgres::own_statement_timeout;
using breakwater::postgres::timeout_slack;

constexpr deadline::clock::time_point now{1000s};
constexpr auto of_connection = 4980ms;

TEST(own_statement_timeout, a_read_within_the_connections_own_needs_none) {
  EXPECT_EQ(own_statement_timeout(false, deadline(now + 50ms), now, of_connection), std::nullopt);
  EXPECT_EQ(own_statement_timeout(false, deadline(now + 5s), now, of_connection), std::nullopt);
}

TEST(own_statement_timeout, a_write_is_ended_by_the_server_at_its_deadline) {
  EXPECT_EQ(own_statement_timeout(true, deadline(now + 50ms), now, of_connection), 50ms);
  EXPECT_EQ(own_statement_timeout(true, deadline(now + of_connection), now, of_connection), std::nullopt)
      << "the connection's own is right";
}

TEST(own_statement_timeout, a_caller_who_allows_more_than_the_connection_gets_more) {
  EXPECT_EQ(own_statement_timeout(false, deadline(now + 60s), now, of_connection), 60s);
  EXPECT_EQ(own_statement_timeout(true, deadline(now + 60s), now, of_connection), 60s);
}

TEST(own_statement_timeout, no_deadline_is_no_timeout) {
  EXPECT_EQ(own_statement_timeout(true, deadline::never(), now, of_connection), 0ms);
  EXPECT_EQ(own_statement_timeout(false, deadline::never(), now, of_connection), 0ms);
}

TEST(own_statement_timeout, is_never_zero_by_rounding_because_zero_is_no_limit) {
  EXPECT_EQ(own_statement_timeout(true, deadline(now + 300us), now, of_connection), 1ms);
  EXPECT_EQ(own_statement_timeout(true, deadline(now - 1s), now, of_connection), 1ms);
}

TEST(own_statement_timeout, rounds_down_so_that_the_server_is_not_later_than_the_deadline) {
  EXPECT_EQ(own_statement_timeout(true, deadline(now + 50ms + 999us), now, of_connection), 50ms);
}

TEST(timeout_slack, is_a_fiftieth_within_its_bounds) {
  EXPECT_EQ(timeout_slack(10ms), 1ms);
  EXPECT_EQ(timeout_slack(500ms), 10ms);
  EXPECT_EQ(timeout_slack(1min), 20ms);
}

TEST(bind_timeout, writes_milliseconds) {
  parameters values;
  bind_timeout(values, 1500ms);
  EXPECT_EQ(values.text(0), "1500");
}

}  // namespace
