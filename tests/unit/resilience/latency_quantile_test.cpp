#include <breakwater/resilience/latency_quantile.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::resilience::latency_quantile;

TEST(latency_quantile, is_not_known_of_few_samples) {
  latency_quantile p95(0.95);
  for (unsigned i = 0; i + 1 < latency_quantile::samples_to_know; ++i) p95.record(1ms);
  EXPECT_EQ(p95.value(), 0ns);
  p95.record(1ms);
  EXPECT_GT(p95.value(), 1ms);
}

TEST(latency_quantile, comes_out_at_most_an_eighth_too_high) {
  std::mt19937_64 random(7);
  for (const double quantile : {0.5, 0.9, 0.95, 0.99}) {
    for (const std::int64_t scale : {20'000LL, 1'000'000LL, 50'000'000LL, 30'000'000'000LL}) {
      latency_quantile estimated(quantile);
      std::vector<std::int64_t> samples;
      for (int i = 0; i < 960; ++i) {
        samples.push_back(scale + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(scale * 4)));
        estimated.record(std::chrono::nanoseconds(samples.back()));
      }
      std::ranges::sort(samples);
      const auto place = static_cast<std::size_t>(quantile * static_cast<double>(samples.size())) - 1;
      EXPECT_GE(estimated.value().count(), samples[place]);
      EXPECT_LE(static_cast<double>(estimated.value().count()), static_cast<double>(samples[place + 2]) * 1.126);
    }
  }
}

TEST(latency_quantile, forgets_what_was) {
  latency_quantile p95(0.95);
  for (int i = 0; i < 10'000; ++i) p95.record(100ms);
  EXPECT_GT(p95.value(), 100ms);
  for (int i = 0; i < 5'120; ++i) p95.record(1ms);
  EXPECT_LT(p95.value(), 1200us);
}

TEST(latency_quantile, bears_any_duration) {
  latency_quantile p95(0.95);
  for (int i = 0; i < 200; ++i) p95.record(std::chrono::nanoseconds::max());
  EXPECT_GT(p95.value(), 1h);
  latency_quantile other(0.95);
  for (int i = 0; i < 200; ++i) other.record(std::chrono::nanoseconds::min());
  EXPECT_EQ(other.value(), 4096ns);
}

TEST(latency_quantile, may_be_shared_by_threads) {
  latency_quantile p95(0.95);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) p95.record(1ms);
      });
    }
  }
  EXPECT_GT(p95.value(), 1ms);
  EXPECT_LT(p95.value(), 1130us);
}

}  // namespace
