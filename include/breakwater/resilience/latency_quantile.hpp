#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace breakwater::resilience {

/// A quantile of recent latencies, such as the p95.
///
///     latency_quantile p95(0.95);
///     p95.record(took);
///     if (waited > p95.value()) ...              // zero: too little is known yet
///
/// A histogram of logarithmic buckets, each split into eight linear ones (as HdrHistogram's by G. Tene, with less
/// precision): a value comes out at most an eighth too high. What is old fades: after every 1024 samples all counts
/// are halved. The quantile is worked out anew after every 64.
///
/// Thread-safe. `record` is two atomic increments, 64 times in a row; `value` is one read. 1 KiB.
class latency_quantile {
 public:
  /// Of fewer samples a p95 is what the slowest few happened to be.
  static constexpr std::uint32_t samples_to_know = 128;

  /// `quantile` is above 0 and below 1.
  explicit latency_quantile(double quantile) noexcept : quantile_(quantile) {}

  void record(std::chrono::nanoseconds latency) noexcept;
  /// The quantile, rounded up to its bucket; zero before `samples_to_know` samples.
  [[nodiscard]] std::chrono::nanoseconds value() const noexcept {
    return std::chrono::nanoseconds(value_.load(std::memory_order_relaxed));
  }

 private:
  /// Up to 2^43 ns: more than two hours.
  static constexpr std::size_t buckets = 256;

  void update(std::uint32_t recorded) noexcept;

  const double quantile_;
  std::array<std::atomic<std::uint32_t>, buckets> counts_{};
  std::atomic<std::uint32_t> recorded_{0};
  std::atomic<std::chrono::nanoseconds::rep> value_{0};
  std::mutex updating_;
};

}  // namespace breakwater::resilience
