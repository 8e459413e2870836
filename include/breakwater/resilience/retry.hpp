#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/error.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/resilience/call_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace breakwater::resilience {

class retry_budget;

/// Why an operation is not tried again.
enum class retry_stop : std::uint8_t {
  none,      ///< it may be
  attempts,  ///< tried often enough
  deadline,  ///< the pause would outlast its deadline
  budget     ///< too many retries are being made by all together
};

/// The value's name as written in the source.
[[nodiscard]] constexpr std::string_view to_string(retry_stop value) noexcept {
  switch (value) {
    case retry_stop::none: return "none";
    case retry_stop::attempts: return "attempts";
    case retry_stop::deadline: return "deadline";
    case retry_stop::budget: return "budget";
  }
  return "unknown";
}

/// What one kind of failure allows, within what the options allow at all.
struct retry_terms {
  /// Tries in all, this one included, e.g. 2 for what is worth trying once more.
  std::size_t max_attempts = std::numeric_limits<std::size_t>::max();
  /// Without a pause: the next attempt goes to another node, which has nothing to recover from.
  bool at_once = false;
  /// Without drawing on the budget: the server is well, and it was it that asked for another attempt.
  bool free = false;
};

/// Decides after each failed attempt of one operation if and when the next is made.
///
///     retry_sequence tries(options, &budget, until, now);     // the first attempt: deposits
///     while (attempt() == failed_in_a_way_that_may_pass) {
///       const auto pause = tries.next(now, random_unit());    // each further one: withdraws
///       if (!pause) break;                                    // tries.stopped_by() says why
///       wait(*pause);
///     }
///
/// It does not judge what may be tried again: that is the caller's. Pure but for the budget; one thread at a time.
class retry_sequence {
 public:
  using time_point = deadline::clock::time_point;

  /// `budget` may be null: then nothing but attempts and deadline limits it. It outlives this.
  retry_sequence(const retry_options& options, retry_budget* budget, deadline until, time_point now) noexcept;

  /// The pause before the next attempt, or nothing when none must be made. `unit` is a random number in [0, 1). Looks at
  /// the attempts first, then at the deadline, and asks the budget last, so that nothing is withdrawn in vain.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next(time_point now, double unit,
                                                             const retry_terms& terms = {}) noexcept;

  /// Attempts begun or granted so far, from 1.
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }
  /// Why the last `next` refused.
  [[nodiscard]] retry_stop stopped_by() const noexcept { return stopped_by_; }

 private:
  retry_options options_;
  retry_budget* budget_;
  deadline until_;
  std::chrono::nanoseconds previous_{0};
  unsigned attempts_ = 1;
  retry_stop stopped_by_ = retry_stop::none;
};

/// Completes the error of an operation that is given up: with its attempts, and where it was the budget that refused
/// another one, with that in the text.
[[nodiscard]] error given_up(error cause, const retry_sequence& tries);

/// The error of an operation whose stop token ended a pause; `cause` is the last attempt's failure.
[[nodiscard]] error stopped_waiting(const error& cause, const retry_sequence& tries);

/// Whether an error may pass within a moment and nothing was applied: what is safe to try again for every call. Not what
/// was refused to save a server (`overloaded`, `circuit_open`): to insist would undo that.
[[nodiscard]] bool is_retryable(const error& cause) noexcept;

/// Makes `call(context)` until it succeeds, fails with what `may_retry(error)` refuses, or must not be tried again.
/// Returns what the last attempt returned; when a stop token ended a pause, `errc::cancelled`.
///
///     auto row = retry(options, &budget, {.until = deadline::after(1s)}, is_retryable,
///                      [&](const call_context& c) { return fetch(c.until); });
///
/// `call` returns a `bw::result` or alike (`has_value()`, `error()`, made from a `bw::error`). Its exceptions pass.
template <class MayRetry, class Call>
auto retry(const retry_options& options, retry_budget* budget, call_context context, MayRetry&& may_retry, Call&& call)
    -> decltype(call(std::as_const(context))) {
  const timing& clock = *context.clock;
  retry_sequence tries(options, budget, context.until, clock.now());
  for (;;) {
    context.attempt = tries.attempts();
    auto outcome = call(std::as_const(context));
    if (outcome.has_value() || !may_retry(outcome.error())) return outcome;
    const auto now = clock.now();
    const auto pause = tries.next(now, clock.unit());
    if (!pause) return given_up(outcome.error(), tries);
    if (!clock.wait_until(now + *pause, context.cancel)) return stopped_waiting(outcome.error(), tries);
  }
}

}  // namespace breakwater::resilience
