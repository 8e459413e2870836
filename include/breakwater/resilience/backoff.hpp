#pragma once

#include <chrono>

namespace breakwater::resilience {

/// How long to wait between attempts.
struct backoff_options {
  /// The longest first wait: a conflict between two transactions is over within it. Above 0.
  std::chrono::milliseconds base{10};
  /// The longest wait of all: more would outlast the deadlines of the callers. At least `base`.
  std::chrono::milliseconds cap{1000};
};

/// The upper bound of the wait before attempt `retry` + 1, counted from 0: min(cap, base * 2^retry).
[[nodiscard]] std::chrono::nanoseconds backoff_ceiling(const backoff_options& options, unsigned retry) noexcept;

/// The wait before attempt `retry` + 1: U(0, min(cap, base * 2^retry)), "full jitter", which spreads competing
/// callers furthest (M. Brooker, "Exponential Backoff and Jitter", 2015). `unit` is a random number in [0, 1),
/// so that tests choose it. Pure.
[[nodiscard]] std::chrono::nanoseconds full_jitter(const backoff_options& options, unsigned retry,
                                                   double unit) noexcept;

/// The wait after one of `previous` (zero before the first): min(cap, U(base, 3 * previous)), "decorrelated jitter",
/// which grows with what was drawn instead of with the count (the same article). Never shorter than min(base, cap),
/// never longer than `cap`. `unit` is a random number in [0, 1). Pure.
[[nodiscard]] std::chrono::nanoseconds decorrelated_jitter(const backoff_options& options,
                                                           std::chrono::nanoseconds previous, double unit) noexcept;

}  // namespace breakwater::resilience
