#include <breakwater/core/consistency.hpp>

#include <gtest/gtest.h>

namespace bw = breakwater;
using namespace std::chrono_literals;

namespace {

constexpr bw::consistency chosen = bw::consistency::bounded(5s);
static_assert(chosen.lag() == 5s && chosen.kind() == bw::consistency_kind::bounded);
static_assert(bw::consistency::primary != bw::consistency::eventual);
static_assert(bw::consistency::bounded(5s) != bw::consistency::bounded(6s));
static_assert(bw::consistency::bounded(5s) == chosen);

int number_of(bw::consistency of) {
  switch (of) {
    case bw::consistency::primary: return 1;
    case bw::consistency::read_your_writes: return 2;
    case bw::consistency::eventual: return 3;
    case bw::consistency_kind::bounded: return 4;
  }
  return 0;
}

TEST(consistency, constants_are_cases_of_a_switch) {
  EXPECT_EQ(number_of(bw::consistency::primary), 1);
  EXPECT_EQ(number_of(bw::consistency::read_your_writes), 2);
  EXPECT_EQ(number_of(bw::consistency::eventual), 3);
  EXPECT_EQ(number_of(bw::consistency::bounded(1h)), 4);
}

TEST(consistency, only_a_bounded_one_has_a_lag) {
  EXPECT_EQ(bw::consistency::eventual.lag(), 0ms);
  EXPECT_EQ(bw::consistency::bounded(250ms).lag(), 250ms);
}

TEST(consistency, has_the_names_of_configuration) {
  EXPECT_EQ(to_string(bw::consistency::primary), "primary");
  EXPECT_EQ(to_string(bw::consistency::read_your_writes), "read_your_writes");
  EXPECT_EQ(to_string(bw::consistency::eventual), "eventual");
  EXPECT_EQ(to_string(bw::consistency::bounded(5s)), "bounded");
  EXPECT_EQ(to_string(static_cast<bw::consistency_kind>(9)), "unknown");
}

}  // namespace
