#pragma once

#include <algorithm>
#include <chrono>
#include <compare>

namespace breakwater {

/// The point in time at which an operation ends, whatever the network does.
///
///     auto until = deadline::after(200ms);
///     while (!until.expired(deadline::clock::now())) ...
///
/// On the monotonic clock: setting the wall clock moves nothing. A value; threads may copy it freely.
class deadline {
 public:
  using clock = std::chrono::steady_clock;

  /// No limit.
  constexpr deadline() noexcept = default;
  constexpr explicit deadline(clock::time_point at) noexcept : at_(at) {}

  [[nodiscard]] static constexpr deadline never() noexcept { return {}; }
  /// `duration` from `now`; a duration too long for the clock is no limit, a negative one is in the past.
  [[nodiscard]] static constexpr deadline after(clock::duration duration, clock::time_point now) noexcept {
    return duration >= clock::time_point::max() - now ? never() : deadline(now + duration);
  }
  [[nodiscard]] static deadline after(clock::duration duration) noexcept { return after(duration, clock::now()); }

  [[nodiscard]] constexpr bool is_never() const noexcept { return at_ == clock::time_point::max(); }
  [[nodiscard]] constexpr clock::time_point at() const noexcept { return at_; }
  [[nodiscard]] constexpr bool expired(clock::time_point now) const noexcept { return now >= at_; }
  /// Time left, never negative; `duration::max()` where there is no limit.
  [[nodiscard]] constexpr clock::duration remaining(clock::time_point now) const noexcept {
    if (is_never()) return clock::duration::max();
    return std::max(at_ - now, clock::duration::zero());
  }
  /// The earlier of the two.
  [[nodiscard]] constexpr deadline earlier_of(deadline other) const noexcept {
    return deadline(std::min(at_, other.at_));
  }
  friend constexpr auto operator<=>(const deadline&, const deadline&) noexcept = default;

 private:
  clock::time_point at_ = clock::time_point::max();
};

}  // namespace breakwater
