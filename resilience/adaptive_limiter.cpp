#include <breakwater/resilience/adaptive_limiter.hpp>

#include <algorithm>
#include <limits>

namespace breakwater::resilience {

adaptive_limiter::adaptive_limiter(const limiter_options& options, const limiter_tuning& tuning)
    : adapts_(options.algorithm != limit_algorithm::none),
      limit_(adapts_ ? options.min : std::numeric_limits<std::size_t>::max()),
      window_size_(0),
      estimator_(options, tuning) {
  window_size_ = estimator_.window_size();
}

adaptive_limiter::permit adaptive_limiter::try_acquire() noexcept {
  std::size_t before = in_flight_.load(std::memory_order_relaxed);
  do {
    if (before >= limit()) return {};
  } while (!in_flight_.compare_exchange_weak(before, before + 1, std::memory_order_acquire, std::memory_order_relaxed));
  if (adapts_) {
    std::size_t most = most_in_flight_.load(std::memory_order_relaxed);
    while (most <= before && !most_in_flight_.compare_exchange_weak(most, before + 1, std::memory_order_relaxed)) {
    }
  }
  return permit(this);
}

void adaptive_limiter::release(std::chrono::nanoseconds latency, call_outcome outcome) noexcept {
  in_flight_.fetch_sub(1, std::memory_order_release);
  if (!adapts_ || outcome == call_outcome::ignored) return;
  if (outcome == call_outcome::dropped) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
  } else {
    latencies_.fetch_add(latency.count(), std::memory_order_relaxed);
  }
  if (samples_.fetch_add(1, std::memory_order_relaxed) + 1 >= window_size_.load(std::memory_order_relaxed))
    end_window();
}

void adaptive_limiter::end_window() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // somebody else is at it
  if (samples_.load(std::memory_order_relaxed) < window_size_.load(std::memory_order_relaxed))
    return;  // and was faster
  limit_window seen;
  const std::size_t samples = samples_.exchange(0, std::memory_order_relaxed);
  seen.dropped = dropped_.exchange(0, std::memory_order_relaxed);
  seen.succeeded = samples - std::min(samples, seen.dropped);
  const auto sum = latencies_.exchange(0, std::memory_order_relaxed);
  if (seen.succeeded > 0)
    seen.latency = std::chrono::nanoseconds(sum / static_cast<std::chrono::nanoseconds::rep>(seen.succeeded));
  seen.most_in_flight = most_in_flight_.exchange(in_flight(), std::memory_order_relaxed);
  estimator_.update(seen);
  limit_.store(estimator_.limit(), std::memory_order_relaxed);
  window_size_.store(estimator_.window_size(), std::memory_order_relaxed);
}

}  // namespace breakwater::resilience
