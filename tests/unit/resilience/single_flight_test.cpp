#include <breakwater/resilience/single_flight.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::result;
using breakwater::resilience::single_flight;

/// Longer than any test takes on a busy machine.
constexpr auto patience = 30s;

using flights = single_flight<std::string, int>;

/// Has the leader's call done once it has begun and the others have had every chance to follow.
class scene {
 public:
  explicit scene(int followers) : arrived_(followers) {}

  /// As a follower, just before the call.
  void arrive() { arrived_.count_down(); }
  /// In the leader's call. Followers that have arrived are as good as waiting: those that were not are leaders
  /// themselves, which no test depends on.
  void wait_for_followers() {
    arrived_.wait();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
  }

 private:
  std::latch arrived_;
};

TEST(single_flight, calls_in_turn_are_each_made) {
  flights all;
  int made = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(all.run("a", [&]() -> result<int> { return ++made; }).value(), i + 1);
  EXPECT_EQ(all.size(), 0U);
}

TEST(single_flight, identical_calls_at_the_same_time_share_one_answer) {
  flights all;
  std::atomic<int> made{0};
  std::atomic<bool> under_way{false};
  std::atomic<bool> go_on{false};
  const auto call = [&]() -> result<int> {
    ++made;
    under_way = true;
    while (!go_on) std::this_thread::yield();
    return 7;
  };
  std::jthread leader([&] { EXPECT_EQ(all.run("a", call).value(), 7); });
  while (!under_way) std::this_thread::yield();
  // It can not lead while the leader is under way, and its deadline comes before that ends.
  EXPECT_EQ(all.run("a", call, {.until = deadline::after(1ms)}).error().code(), errc::deadline_exceeded);
  EXPECT_EQ(made, 1);
  std::vector<std::jthread> followers;
  std::latch arrived(4);
  for (int i = 0; i < 4; ++i) {
    followers.emplace_back([&] {
      arrived.count_down();
      EXPECT_EQ(all.run("a", call).value(), 7);
    });
  }
  arrived.wait();
  EXPECT_EQ(all.run("b", []() -> result<int> { return 8; }).value(), 8);
  go_on = true;
  followers.clear();
  leader.join();
  EXPECT_LE(made, 5);
  EXPECT_EQ(all.size(), 0U);
}

TEST(single_flight, follower_can_be_cancelled) {
  flights all;
  std::stop_source stop;
  (void)all.run("a", [&]() -> result<int> {
    stop.request_stop();
    std::jthread follower([&] {
      const auto never_made = []() -> result<int> { return 0; };
      EXPECT_EQ(all.run("a", never_made, {.cancel = stop.get_token()}).error().code(), errc::cancelled);
    });
    follower.join();
    return 1;
  });
}

TEST(single_flight, error_of_the_call_is_everybodys) {
  flights all;
  scene first(1);
  std::jthread follower;
  const auto answer = all.run("a", [&]() -> result<int> {
    follower = std::jthread([&] {
      first.arrive();
      EXPECT_EQ(all.run("a", []() -> result<int> { return error(errc::not_found); }).error().code(), errc::not_found);
    });
    first.wait_for_followers();
    return error(errc::not_found);
  });
  EXPECT_EQ(answer.error().code(), errc::not_found);
  follower.join();
}

class leaders_own_error : public testing::TestWithParam<errc> {};

TEST_P(leaders_own_error, is_not_inherited) {
  flights all;
  scene first(3);
  std::atomic<int> made_again{0};
  std::vector<std::jthread> followers;
  const auto answer = all.run("a", [&]() -> result<int> {
    for (int i = 0; i < 3; ++i) {
      followers.emplace_back([&] {
        first.arrive();
        const auto again = [&]() -> result<int> {
          ++made_again;
          return 7;
        };
        EXPECT_EQ(all.run("a", again, {.until = deadline::after(patience)}).value(), 7);
      });
    }
    first.wait_for_followers();
    return error(GetParam());
  });
  EXPECT_EQ(answer.error().code(), GetParam());
  followers.clear();
  EXPECT_GE(made_again, 1);
  EXPECT_EQ(all.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(codes, leaders_own_error,
                         testing::Values(errc::cancelled, errc::deadline_exceeded, errc::overloaded));

TEST(single_flight, exception_passes_to_the_leader_and_followers_call_again) {
  flights all;
  scene first(2);
  std::vector<std::jthread> followers;
  const auto fails = [&]() -> result<int> {
    for (int i = 0; i < 2; ++i) {
      followers.emplace_back([&] {
        first.arrive();
        EXPECT_EQ(all.run("a", []() -> result<int> { return 7; }).value(), 7);
      });
    }
    first.wait_for_followers();
    throw std::runtime_error("the caller's own");
  };
  EXPECT_THROW((void)all.run("a", fails), std::runtime_error);
  followers.clear();
  EXPECT_EQ(all.size(), 0U);
}

TEST(single_flight, a_crowd_gets_right_answers_and_leaves_nothing_behind) {
  single_flight<int, int> all;
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> crowd;
    for (unsigned t = 0; t < 8; ++t) {
      crowd.emplace_back([&, t] {
        std::mt19937 random(t);
        for (int i = 0; i < 3000; ++i) {
          const int key = static_cast<int>(random() % 5);
          const auto answer = all.run(key,
                                      [&]() -> result<int> {
                                        ++made;
                                        if (random() % 16 == 0) std::this_thread::yield();
                                        if (random() % 8 == 0) return error(errc::cancelled);
                                        return key * 2;
                                      },
                                      {.until = deadline::after(std::chrono::microseconds(random() % 500))});
          if (answer) {
            EXPECT_EQ(answer.value(), key * 2);
          } else {
            EXPECT_NE(answer.error().code(), errc::internal);
          }
        }
      });
    }
  }
  EXPECT_GT(made, 0);
  EXPECT_EQ(all.size(), 0U);
}

}  // namespace
