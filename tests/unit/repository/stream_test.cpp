#include <breakwater/repository/stream.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace tests {
namespace {

using bw::detail::fetch_size;

TEST(fetch_size, begins_small_and_grows_to_a_quarter_of_a_mebibyte) {
  fetch_size size(0);
  EXPECT_EQ(size.next(), 64U);
  std::size_t fetches = 0;
  while (size.next() * 100 < 200'000) {
    const std::size_t before = size.next();
    size.learn(before, before * 100);
    EXPECT_LE(size.next(), 2 * before) << "at most doubled: the next rows may be larger";
    ASSERT_LT(++fetches, 10U);
  }
  size.learn(size.next(), size.next() * 100);
  EXPECT_EQ(size.next(), 262144U / 100);
}

TEST(fetch_size, shrinks_at_once_when_rows_are_large) {
  fetch_size size(0);
  size.learn(64, 64 * std::size_t{10'000'000});
  EXPECT_EQ(size.next(), 1U);
  size.learn(1, 100'000);
  EXPECT_EQ(size.next(), 2U);
}

TEST(fetch_size, has_bounds_where_rows_weigh_nothing) {
  fetch_size size(0);
  for (int i = 0; i < 100; ++i) size.learn(size.next(), 0);
  EXPECT_LE(size.next(), 16384U);
  size.learn(0, 1000);
  EXPECT_LE(size.next(), 16384U) << "an empty fetch teaches nothing";
}

TEST(fetch_size, stays_as_it_was_set) {
  fetch_size size(7);
  size.learn(7, 1);
  EXPECT_EQ(size.next(), 7U);
  size.learn(7, std::size_t{1} << 40);
  EXPECT_EQ(size.next(), 7U);
}

}  // namespace
}  // namespace tests
