#include "cluster/seqlock.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace breakwater::routing {
namespace {

struct large {
  std::array<std::uint64_t, 9> parts{};
  std::uint32_t tail = 0;
};

TEST(seqlock, holds_an_empty_value_at_first) {
  const seqlock<large> held;
  EXPECT_EQ(held.load().parts[8], 0U);
  EXPECT_EQ(held.load().tail, 0U);
}

TEST(seqlock, hands_out_all_of_one_value_and_never_parts_of_two) {
  constexpr std::uint32_t last = 20000;
  seqlock<large> held;
  const auto look = [&held] {
    std::uint32_t seen = 0;
    while (seen < last) {
      const large now = held.load();
      for (const std::uint64_t part : now.parts) ASSERT_EQ(part, now.tail);
      ASSERT_GE(now.tail, seen) << "it went back";
      seen = now.tail;
    }
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(look);
  for (std::uint32_t i = 1; i <= last; ++i) {
    large next;
    next.parts.fill(i);
    next.tail = i;
    held.store(next);
  }
}

}  // namespace
}  // namespace breakwater::routing
