#pragma once

#include <breakwater/core/resilience_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace breakwater::resilience {

/// The constants of the limit's algorithms.
struct limiter_tuning {
  /// Gradient2: how much longer calls may take than unhurried ones before the limit shrinks. It decides where the limit
  /// settles, see `limit_estimator`. 1..10.
  double tolerance = 1.05;
  /// Gradient2: the queue that is always allowed, and the step of growth (a fifth of it). 0..1000.
  double queue = 4;
  /// Gradient2: the part of a new estimate in the limit. Above 0, up to 1.
  double smoothing = 0.2;
  /// AIMD: the same. More than Gradient2's, because one noisy window is enough to shrink the limit. 1..10.
  double threshold = 1.15;
  /// AIMD: what a window without a queue adds. Above 0.
  double increase = 1;
  /// AIMD: what a window with a queue or many dropped calls leaves. Above 0, below 1.
  double decrease = 0.9;
  /// Windows in the average of unhurried latencies.
  double long_window = 600;
};

/// What was seen of some finished calls.
struct limit_window {
  std::chrono::nanoseconds latency{};  ///< the mean of those that succeeded
  std::size_t succeeded = 0;
  std::size_t dropped = 0;
  std::size_t most_in_flight = 0;
};

/// From latencies to a bound on the calls in flight: Gradient2 and AIMD (Netflix, "concurrency-limits",
/// github.com/Netflix/concurrency-limits: Gradient2Limit and AIMDLimit).
///
/// With every window of samples, where `short` is the window's mean latency and `long` that of unhurried calls:
///
///     algorithm | what becomes of the limit L
///     gradient2 | L = 0.8 L + 0.2 (g L + 4), with g = clamp(tolerance * long / short, 0.5, 1); 0.5 if many were dropped
///     aimd      | L = L + 1; when short > threshold * long, or many were dropped: L = 0.9 L
///     both      | min..max; unchanged while less than L / 2 were in flight: such a window says nothing about it
///
/// Many are a twentieth of the window, and two at least: a few calls end at their deadline for reasons that are not the
/// server's.
///
/// `long` is the average of 600 windows, eased by 5 % when it exceeds twice `short`. Windows under load that show a queue
/// are left out of it.
///
/// **Where it settles.** On a server that bears C calls at once and lets others wait (so that latency grows as L / C),
/// Gradient2 rests where g L + 4 = L, which is at L = tolerance * C + 4; AIMD swings between C and 1.15 C. With the
/// published tolerance of 1.5 Gradient2 would rest at 1.5 C + 4: always half as many again as the server bears would
/// wait. With 1.05 it is within 20 % of C from C = 27 on. The price is that latencies must be known to within a few
/// percent: hence windows of hundreds of samples. Where latencies are spread more widely than waiting times are, both
/// err towards less.
///
/// **Why it probes.** Under lasting load `long` would take in the queue's latencies, the limit would follow them, and
/// both would climb to the maximum. So after every hundred windows of load the limit is lowered to half for two
/// windows: first what is queued drains, then `long` is measured afresh. It costs about 2 % of the throughput, and
/// it is also how a server that has become slower for good is told from one with a queue.
///
/// Not thread-safe; pure.
class limit_estimator {
 public:
  explicit limit_estimator(const limiter_options& options, const limiter_tuning& tuning = {}) noexcept;

  void update(const limit_window& seen) noexcept;

  /// How many calls may be in flight now; during a probe less than `estimate()`.
  [[nodiscard]] std::size_t limit() const noexcept;
  /// What the server is thought to bear.
  [[nodiscard]] double estimate() const noexcept { return limit_; }
  /// How many samples make the next window.
  [[nodiscard]] std::size_t window_size() const noexcept;
  /// The mean latency of unhurried calls; zero before the first window.
  [[nodiscard]] std::chrono::nanoseconds unhurried_latency() const noexcept;

 private:
  enum class phase : std::uint8_t {
    following,  // the limit follows the latencies
    draining,   // lowered; what comes back now was queued before
    probing     // lowered; what comes back now is unhurried
  };

  void follow(const limit_window& seen, double latency) noexcept;
  [[nodiscard]] bool is_queued(double latency) const noexcept;
  void average(double latency) noexcept;
  void end_probe(double latency) noexcept;

  const limiter_options options_;
  const limiter_tuning tuning_;
  phase phase_ = phase::following;
  double limit_;
  double long_ = 0;  // ns
  std::size_t averaged_ = 0;
  std::size_t windows_of_load_ = 0;
};

}  // namespace breakwater::resilience
