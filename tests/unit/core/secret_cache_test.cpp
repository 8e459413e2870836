#include "core/secret_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace bw = breakwater;
using bw::errc;

bw::deadline patience() { return bw::deadline::after(20s); }

/// A provider whose answers the test sets, and whose questions it counts.
struct vault {
  std::mutex mutex;
  bw::result<bw::credentials> answer = bw::credentials{.password = "one"};
  std::atomic<int> asked{0};
  std::function<void()> meanwhile = [] {};

  void set(bw::result<bw::credentials> next) {
    const std::lock_guard lock(mutex);
    answer = std::move(next);
  }
  std::shared_ptr<bw::secret_provider> provider() {
    return bw::secrets::from_function(
        [this](bw::deadline) {
          ++asked;
          meanwhile();
          const std::lock_guard lock(mutex);
          return answer;
        },
        "vault");
  }
};

struct witness final : bw::observer {
  std::vector<std::string> seen;
  void on_secret(const bw::secret_event& event) noexcept override {
    seen.emplace_back(event.failure != nullptr ? "failed" : event.changed ? "changed" : "same");
  }
};

TEST(secret_cache, fetches_once_for_all_who_come_first) {
  vault from;
  std::atomic<int> arrived{0};
  from.meanwhile = [&] {
    while (arrived < 4) std::this_thread::yield();
  };
  bw::secret_cache cache(from.provider(), {}, nullptr);
  EXPECT_EQ(cache.version(), 0U);
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      ++arrived;
      const auto held = cache.current(patience());
      ASSERT_TRUE(held);
      EXPECT_EQ(held.value()->what.password, "one");
      EXPECT_EQ(held.value()->version, 1U);
    });
  }
  callers.clear();
  EXPECT_EQ(from.asked, 1);
}

TEST(secret_cache, fetches_anew_once_when_the_server_refuses) {
  vault from;
  witness told;
  bw::secret_cache cache(from.provider(), {}, &told);
  ASSERT_TRUE(cache.current(patience()));
  from.set(bw::credentials{.password = "two"});
  const auto other = cache.renew_refused(1, patience());
  ASSERT_TRUE(other);
  ASSERT_NE(other.value(), nullptr);
  EXPECT_EQ(other.value()->what.password, "two");
  EXPECT_EQ(cache.version(), 2U);
  EXPECT_EQ(from.asked, 2);
  // One that was refused the old one as well: there is a newer one, and nobody is asked.
  EXPECT_EQ(cache.renew_refused(1, patience()).value()->version, 2U);
  EXPECT_EQ(from.asked, 2);
  EXPECT_EQ(told.seen, (std::vector<std::string>{"changed", "changed"}));
}

TEST(secret_cache, does_not_ask_again_and_again_for_a_secret_that_is_the_only_one_and_wrong) {
  vault from;
  bw::secret_cache cache(from.provider(), {}, nullptr);
  ASSERT_TRUE(cache.current(patience()));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(cache.renew_refused(1, patience()).value(), nullptr);
  EXPECT_EQ(from.asked, 2);
  EXPECT_EQ(cache.version(), 1U);
}

TEST(secret_cache, goes_on_with_what_it_has_when_the_provider_fails) {
  vault from;
  witness told;
  bw::secret_cache cache(from.provider(), {.refresh_interval = 1ms}, &told);
  ASSERT_TRUE(cache.current(patience()));
  from.set(bw::error(errc::internal, "sealed"));
  const auto until = patience();
  while (!cache.is_due(bw::deadline::clock::now()) && !until.expired(bw::deadline::clock::now())) {
    std::this_thread::yield();
  }
  cache.refresh_if_due(patience());
  EXPECT_EQ(from.asked, 2);
  EXPECT_EQ(cache.current(patience()).value()->what.password, "one");
  EXPECT_EQ(told.seen, (std::vector<std::string>{"changed", "failed"}));
  EXPECT_FALSE(cache.is_due(bw::deadline::clock::now()));  // not again at once
}

TEST(secret_cache, says_why_there_are_none) {
  vault from;
  from.set(bw::error(errc::internal, "sealed"));
  bw::secret_cache cache(from.provider(), {}, nullptr);
  const auto held = cache.current(patience());
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code(), errc::authentication_failed);
  EXPECT_NE(std::string(held.error().message()).find("vault: sealed"), std::string::npos) << held.error().message();
  EXPECT_FALSE(cache.current(patience()));
  EXPECT_EQ(from.asked, 1) << "who waited for what failed does not ask as well";
  from.set(bw::credentials{.password = "one"});
  const auto until = patience();
  while (!cache.current(patience()) && !until.expired(bw::deadline::clock::now())) std::this_thread::yield();
  EXPECT_TRUE(cache.current(patience()));
}

TEST(secret_cache, knows_the_same_secret_again_whatever_is_left_of_its_life) {
  vault from;
  witness told;
  from.set(bw::credentials{.password = "one", .valid_for = 100s});
  bw::secret_cache cache(from.provider(), {.refresh_interval = 0ms}, &told);
  ASSERT_TRUE(cache.current(patience()));
  from.set(bw::credentials{.password = "one", .valid_for = 50s});
  EXPECT_EQ(cache.renew_refused(1, patience()).value(), nullptr) << "there is no other one to try";
  EXPECT_EQ(cache.version(), 1U);
  EXPECT_EQ(told.seen, (std::vector<std::string>{"changed"}));
  const auto now = bw::deadline::clock::now();
  EXPECT_TRUE(cache.is_due(now + 45s));
  EXPECT_FALSE(cache.is_due(now + 30s));
}

TEST(secret_cache, is_due_when_most_of_a_secrets_life_is_over) {
  vault from;
  from.set(bw::credentials{.password = "one", .valid_for = 100s});
  bw::secret_cache cache(from.provider(), {.refresh_interval = 0ms}, nullptr);
  ASSERT_TRUE(cache.current(patience()));
  const auto now = bw::deadline::clock::now();
  EXPECT_FALSE(cache.is_due(now + 70s));
  EXPECT_TRUE(cache.is_due(now + 90s));
}

TEST(secret_cache, of_a_secret_without_an_end_is_never_due_where_no_interval_is_set) {
  vault from;
  bw::secret_cache cache(from.provider(), {.refresh_interval = 0ms}, nullptr);
  ASSERT_TRUE(cache.current(patience()));
  EXPECT_FALSE(cache.is_due(bw::deadline::clock::now() + 24h * 365));
}

}  // namespace
