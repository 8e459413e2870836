#include <breakwater/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

namespace {

using breakwater::random_unit;

TEST(random_unit, stays_below_one_and_is_never_negative) {
  for (int i = 0; i < 100'000; ++i) {
    const double drawn = random_unit();
    ASSERT_GE(drawn, 0.0);
    ASSERT_LT(drawn, 1.0);
  }
}

TEST(random_unit, reaches_every_tenth_of_its_range) {
  std::array<int, 10> hits{};
  for (int i = 0; i < 10'000; ++i) ++hits[static_cast<std::size_t>(random_unit() * 10)];
  // A tenth gets 1000 +- 30; 700 is ten standard deviations away.
  EXPECT_GT(*std::ranges::min_element(hits), 700);
}

TEST(random_unit, threads_do_not_repeat_each_others_numbers) {
  std::array<double, 8> here{};
  std::array<double, 8> there{};
  std::ranges::generate(here, random_unit);
  std::thread([&there] { std::ranges::generate(there, random_unit); }).join();
  EXPECT_NE(here, there);
}

}  // namespace
