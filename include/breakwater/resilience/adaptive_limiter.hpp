#pragma once

#include <breakwater/core/resilience_options.hpp>
#include <breakwater/resilience/limit_estimator.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace breakwater::resilience {

/// What a finished call says about the server it was made to.
enum class call_outcome : std::uint8_t {
  success,  ///< answered: its latency counts
  dropped,  ///< refused for want of capacity, or not answered in time: the limit is too high
  ignored   ///< says nothing: it failed before it got there, was cancelled, or was unlike the others
};

/// Bounds the calls in flight to a server by what it turns out to bear; see `limit_estimator` for how that is found.
///
///     adaptive_limiter limiter({.algorithm = limit_algorithm::gradient2});
///     auto place = limiter.try_acquire();
///     if (!place) return errc::overloaded;             // at once: nobody waits here
///     ...; place.release(took, call_outcome::success);
///
/// With `limit_algorithm::none` it lets all pass and counts them.
///
/// Thread-safe; outlives its permits. `try_acquire` and `release` are lock-free, a few atomic operations each, apart
/// from the one `release` in a hundred or more that ends a window of samples. Reads no clock.
class adaptive_limiter {
 public:
  /// A call's place; given back unmeasured (`ignored`) when it goes. For one thread at a time.
  class permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
      release({}, call_outcome::ignored);
      of_ = std::exchange(other.of_, nullptr);
      return *this;
    }
    ~permit() { release({}, call_outcome::ignored); }

    /// False: refused, or given back.
    [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }
    /// Gives the place back; a second time does nothing.
    void release(std::chrono::nanoseconds latency, call_outcome outcome) noexcept {
      if (of_ != nullptr) std::exchange(of_, nullptr)->release(latency, outcome);
    }

   private:
    friend class adaptive_limiter;
    explicit permit(adaptive_limiter* of) noexcept : of_(of) {}
    adaptive_limiter* of_ = nullptr;
  };

  explicit adaptive_limiter(const limiter_options& options, const limiter_tuning& tuning = {});
  adaptive_limiter(const adaptive_limiter&) = delete;
  adaptive_limiter& operator=(const adaptive_limiter&) = delete;
  /// REQUIRES that no permit is out.
  ~adaptive_limiter() = default;

  /// A place, or a permit that is false.
  [[nodiscard]] permit try_acquire() noexcept;

  /// How many calls may be in flight now.
  [[nodiscard]] std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

 private:
  void release(std::chrono::nanoseconds latency, call_outcome outcome) noexcept;
  void end_window() noexcept;

  const bool adapts_;
  std::atomic<std::size_t> limit_;
  // On a cache line apart from what is only read: every call writes to it.
  alignas(64) std::atomic<std::size_t> in_flight_{0};
  // Of the current window. Not read at one instant: a sample on the border may be counted in one window and summed up in
  // the next, which is lost in the noise.
  std::atomic<std::size_t> most_in_flight_{0};
  std::atomic<std::size_t> samples_{0};
  std::atomic<std::size_t> dropped_{0};
  std::atomic<std::chrono::nanoseconds::rep> latencies_{0};
  std::atomic<std::size_t> window_size_;
  std::mutex mutex_;  // of the estimator
  limit_estimator estimator_;
};

}  // namespace breakwater::resilience
