#include "core/pool_sizing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

namespace bw = breakwater;
using bw::size_pool;

bw::processor_share processors(double count) { return {.count = count, .said_by = "cgroup quota"}; }

TEST(pool_sizing, takes_a_configured_size_as_it_is) {
  const auto decided = size_pool({.configured = 7, .processors = processors(64), .serverless = "AWS Lambda"});
  EXPECT_EQ(decided.size, 7U);
  EXPECT_EQ(decided.reason, "as configured");
}

TEST(pool_sizing, grows_with_the_processors_within_bounds) {
  EXPECT_EQ(size_pool({.processors = processors(0.25)}).size, 4U);
  EXPECT_EQ(size_pool({.processors = processors(1)}).size, 5U);
  EXPECT_EQ(size_pool({.processors = processors(1.5)}).size, 8U);
  EXPECT_EQ(size_pool({.processors = processors(2)}).size, 10U);
  EXPECT_EQ(size_pool({.processors = processors(128)}).size, 50U);
  EXPECT_EQ(size_pool({.processors = processors(1.5)}).reason,
            "1.5 CPUs (cgroup quota), 5 connections each, within 4..50");
}

TEST(pool_sizing, is_small_where_an_instance_serves_one_request) {
  const auto decided = size_pool({.processors = processors(8), .serverless = "AWS Lambda"});
  EXPECT_EQ(decided.size, 2U);
  EXPECT_EQ(decided.reason, "an instance on AWS Lambda");
}

TEST(pool_sizing, shares_what_is_free_among_the_instances) {
  const auto decided =
      size_pool({.instances = 12, .processors = processors(8), .slots = bw::server_slots{.most = 100, .free = 97}});
  EXPECT_EQ(decided.size, 7U);  // 97 * 0.9 / 12
  EXPECT_NE(decided.reason.find("the server has 97 of 100 connections free, shared by 12 instances: at most 7 each"),
            std::string::npos)
      << decided.reason;
}

TEST(pool_sizing, takes_no_more_than_half_of_what_is_free_where_the_instances_are_not_known) {
  EXPECT_EQ(size_pool({.processors = processors(8), .slots = bw::server_slots{.most = 100, .free = 20}}).size, 10U);
  EXPECT_EQ(size_pool({.processors = processors(2), .slots = bw::server_slots{.most = 100, .free = 97}}).size, 10U);
}

TEST(pool_sizing, leaves_at_least_one) {
  EXPECT_EQ(size_pool({.processors = processors(8), .slots = bw::server_slots{.most = 100, .free = 0}}).size, 1U);
  EXPECT_EQ(
      size_pool({.instances = 1000, .processors = processors(8), .slots = bw::server_slots{.most = 100, .free = 97}})
          .size,
      1U);
}

TEST(pool_sizing, warns_of_a_configured_size_that_the_server_does_not_bear) {
  const auto decided =
      size_pool({.configured = 20, .instances = 10, .slots = bw::server_slots{.most = 100, .free = 97}});
  EXPECT_EQ(decided.size, 20U);
  EXPECT_NE(decided.reason.find("exceeds"), std::string::npos) << decided.reason;
  EXPECT_EQ(size_pool({.configured = 8, .instances = 10, .slots = bw::server_slots{.most = 100, .free = 97}})
                .reason.find("exceeds"),
            std::string::npos);
}

}  // namespace
