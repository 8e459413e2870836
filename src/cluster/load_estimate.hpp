#pragma once

#include <breakwater/core/deadline.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace breakwater::routing {

/// What is known of a node's load at one moment.
struct load_reading {
  double latency = 0;           ///< nanoseconds; 0: nothing is known
  bool recent = false;          ///< a call was answered within the last `decay`
  std::uint32_t in_flight = 0;  ///< calls begun and not ended
};

/// How long a node's answers take, and how many calls it has in flight.
///
///     estimate.begin();
///     ... the call ...
///     estimate.end_answered(took, now);    // or end_failed, or end_unmeasured
///     const load_reading seen = estimate.read(now);
///
/// The latency is a peak-sensitive moving average as in Finagle's load balancer (PeakEwma.scala): an answer slower than
/// the estimate becomes the estimate at once, a faster one moves it by 1 - e^(-t/decay), where t is the time since it was
/// last moved (A. Eckner, "Algorithms for Unevenly Spaced Time Series", 2012). So a node that begins to be slow is
/// avoided with its first slow answer, and is trusted again only slowly. While nothing is answered the estimate eases
/// as well, so that a node that was slow once is tried again; `recent` tells such a guess from what was seen.
///
/// Time has a resolution of a millisecond: of the answers within one, only the first and slower ones move the estimate.
///
/// Thread-safe, without locks: one addition to begin, one subtraction to end, at most about one further write in a
/// millisecond, all of them on a cache line of its own.
class alignas(64) load_estimate {
 public:
  using time_point = deadline::clock::time_point;

  /// `decay`: 1 ms or more. `origin`: a time before all others that it will be given.
  load_estimate(std::chrono::nanoseconds decay, time_point origin) noexcept;
  load_estimate(const load_estimate&) = delete;
  load_estimate& operator=(const load_estimate&) = delete;
  ~load_estimate() = default;

  void begin() noexcept { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  /// The node answered a call after `took`.
  void end_answered(std::chrono::nanoseconds took, time_point now) noexcept;
  /// The call ended after `waited` without having done its work: that takes at least so long. A failure is never a fast
  /// answer, so this never lowers the estimate.
  void end_failed(std::chrono::nanoseconds waited, time_point now) noexcept;
  /// The call ended, and its duration says nothing.
  void end_unmeasured() noexcept { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  /// Forgets the latency: what is known is that of a node that is gone. Calls in flight stay counted.
  void forget() noexcept { latency_.store(0, std::memory_order_relaxed); }

  [[nodiscard]] load_reading read(time_point now) const noexcept;

 private:
  /// In one word, so that no lock is needed to change both.
  struct moment {
    float latency = 0;           // nanoseconds
    std::uint32_t moved_at = 0;  // milliseconds since the origin; begins anew after 49 days
  };
  [[nodiscard]] static std::uint64_t pack(moment value) noexcept;
  [[nodiscard]] static moment unpack(std::uint64_t word) noexcept;
  [[nodiscard]] std::uint32_t tick_of(time_point now) const noexcept;
  [[nodiscard]] double weight_after(std::uint32_t ticks) const noexcept;
  void observe(std::chrono::nanoseconds latency, time_point now, bool may_lower) noexcept;

  const std::int64_t origin_;  // nanoseconds of the clock
  const std::uint32_t decay_;  // ticks
  std::atomic<std::uint64_t> latency_{0};
  std::atomic<std::uint32_t> in_flight_{0};
};

/// The part of its share that a node gets which is new or has come back: its caches are cold, and whether it bears the
/// load again is not certain. Begins with a tenth, grows evenly, and is whole after `duration`.
///
/// Thread-safe, without locks.
class slow_start {
 public:
  using time_point = deadline::clock::time_point;

  /// 0: there is none.
  explicit slow_start(std::chrono::nanoseconds duration) noexcept : duration_(duration) {}

  /// The node counts as new from `at` on.
  void begin(time_point at) noexcept { began_.store(at.time_since_epoch().count(), std::memory_order_relaxed); }
  /// Above 0, at most 1; of a node that came back at `back_at`, which may lie ahead, as well.
  [[nodiscard]] double share(time_point now, time_point back_at = time_point::min()) const noexcept;

 private:
  static constexpr time_point::rep long_ago = time_point::min().time_since_epoch().count();
  const std::chrono::nanoseconds duration_;
  std::atomic<time_point::rep> began_{long_ago};
};

}  // namespace breakwater::routing
