#include <breakwater/resilience/single_flight.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <random>
#include <stdexcept>
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

/// Keys that tell when a call has found an identical one under way. The map compares them under its lock, so whoever was
/// counted while the leader was still in its call follows it: the leader needs that lock to end its flight.
class arrivals {
 public:
  class key {
   public:
    key(arrivals& to, int number) noexcept : to_(&to), number_(number) {}
    bool operator==(const key& other) const noexcept {
      if (number_ != other.number_) return false;
      if (this != &other) ++to_->count_;  // itself: the leader on its way out
      return true;
    }

   private:
    arrivals* to_;
    int number_;
  };
  struct hash {
    std::size_t operator()(const key& /*all alike*/) const noexcept { return 0; }
  };

  [[nodiscard]] key at(int number) noexcept { return {*this, number}; }
  /// Until so many calls in all have found an identical one.
  void await(int count) const {
    const auto until = deadline::after(patience);
    while (count_ < count && !until.expired(deadline::clock::now())) std::this_thread::yield();
    ASSERT_EQ(count_, count);
  }

 private:
  std::atomic<int> count_{0};
};

using flights = single_flight<arrivals::key, int, arrivals::hash>;

struct shared_flights : testing::Test {
  arrivals followers;
  flights all;
  const arrivals::key a = followers.at(1);
  const arrivals::key b = followers.at(2);
};

TEST_F(shared_flights, calls_in_turn_are_each_made) {
  int made = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(all.run(a, [&]() -> result<int> { return ++made; }).value(), i + 1);
  EXPECT_EQ(all.size(), 0U);
}

TEST_F(shared_flights, followers_get_the_leaders_value_and_their_own_calls_are_not_made) {
  std::atomic<int> made_by_followers{0};
  std::vector<std::jthread> threads;
  const auto answer = all.run(a, [&]() -> result<int> {
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto own = [&, i]() -> result<int> {
          ++made_by_followers;
          return 100 + i;
        };
        EXPECT_EQ(all.run(a, own, {.until = deadline::after(patience)}).value(), 7);
      });
    }
    followers.await(4);
    return 7;
  });
  threads.clear();
  EXPECT_EQ(answer.value(), 7);
  EXPECT_EQ(made_by_followers, 0);
  EXPECT_EQ(all.size(), 0U);
}

TEST_F(shared_flights, calls_of_other_keys_do_not_wait) {
  const auto answer = all.run(a, [&]() -> result<int> {
    EXPECT_EQ(all.run(b, []() -> result<int> { return 8; }).value(), 8);
    EXPECT_EQ(all.size(), 1U);
    return 7;
  });
  EXPECT_EQ(answer.value(), 7);
}

TEST_F(shared_flights, followers_wait_ends_at_its_own_deadline) {
  const auto answer = all.run(a, [&]() -> result<int> {
    bool made = false;
    const auto late = all.run(a,
                              [&]() -> result<int> {
                                made = true;
                                return 0;
                              },
                              {.until = deadline::after(1ms)});
    EXPECT_EQ(late.has_error() ? late.error().code() : errc::internal, errc::deadline_exceeded);
    EXPECT_FALSE(made);
    return 7;
  });
  EXPECT_EQ(answer.value(), 7);
}

TEST_F(shared_flights, follower_can_be_cancelled) {
  const auto answer = all.run(a, [&]() -> result<int> {
    std::stop_source stop;
    bool made = false;
    std::jthread follower([&] {
      const auto own = [&]() -> result<int> {
        made = true;
        return 0;
      };
      const auto cancelled = all.run(a, own, {.cancel = stop.get_token()});
      EXPECT_EQ(cancelled.has_error() ? cancelled.error().code() : errc::internal, errc::cancelled);
    });
    followers.await(1);
    stop.request_stop();
    follower.join();
    EXPECT_FALSE(made);
    return 7;
  });
  EXPECT_EQ(answer.value(), 7);
}

TEST_F(shared_flights, error_of_the_call_is_everybodys) {
  std::jthread follower;
  bool made = false;
  const auto answer = all.run(a, [&]() -> result<int> {
    follower = std::jthread([&] {
      const auto own = [&]() -> result<int> {
        made = true;
        return 8;
      };
      const auto same = all.run(a, own);
      EXPECT_EQ(same.has_error() ? same.error().code() : errc::internal, errc::not_found);
    });
    followers.await(1);
    return error(errc::not_found);
  });
  EXPECT_EQ(answer.error().code(), errc::not_found);
  follower.join();
  EXPECT_FALSE(made);
}

/// Three followers whose leader came to nothing: one of them leads, and the others follow it.
struct left_behind : shared_flights {
  static constexpr int count = 3;
  std::atomic<int> made_again{0};
  std::vector<std::jthread> threads;

  /// In the leader's call.
  void follow() {
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([this] {
        const auto again = [this]() -> result<int> {
          followers.await(count + count - 1);
          return 7 + made_again++;
        };
        EXPECT_EQ(all.run(a, again, {.until = deadline::after(patience)}).value(), 7);
      });
    }
    followers.await(count);
  }
  /// Once the leader has ended.
  void expect_one_more() {
    threads.clear();
    EXPECT_EQ(made_again, 1);
    EXPECT_EQ(all.size(), 0U);
  }
};

class leaders_own_error : public left_behind, public testing::WithParamInterface<errc> {};

TEST_P(leaders_own_error, is_not_inherited) {
  const auto answer = all.run(a, [this]() -> result<int> {
    follow();
    return error(GetParam());
  });
  EXPECT_EQ(answer.error().code(), GetParam());
  expect_one_more();
}

INSTANTIATE_TEST_SUITE_P(codes, leaders_own_error,
                         testing::Values(errc::cancelled, errc::deadline_exceeded, errc::overloaded));

TEST_F(left_behind, exception_passes_to_the_leader_and_one_follower_calls_again) {
  const auto fails = [this]() -> result<int> {
    follow();
    throw std::runtime_error("the caller's own");
  };
  EXPECT_THROW((void)all.run(a, fails), std::runtime_error);
  expect_one_more();
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
