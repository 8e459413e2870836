#include <breakwater/resilience/backoff.hpp>
#include <breakwater/resilience/retry.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <algorithm>
#include <string>

namespace breakwater::resilience {

retry_sequence::retry_sequence(const retry_options& options, retry_budget* budget, deadline until,
                               time_point now) noexcept
    : options_(options), budget_(budget), until_(until) {
  if (budget_ != nullptr) budget_->deposit(now);
}

std::optional<std::chrono::nanoseconds> retry_sequence::next(time_point now, double unit,
                                                             const retry_terms& terms) noexcept {
  const auto refuse = [this](retry_stop why) {
    stopped_by_ = why;
    return std::nullopt;
  };
  if (attempts_ >= std::min(options_.max_attempts, terms.max_attempts)) return refuse(retry_stop::attempts);

  const backoff_options bounds{.base = options_.base, .cap = options_.cap};
  std::chrono::nanoseconds pause{0};
  if (!terms.at_once) {
    pause = options_.jitter == jitter::decorrelated ? decorrelated_jitter(bounds, previous_, unit)
                                                    : full_jitter(bounds, attempts_ - 1, unit);
  }
  if (until_.remaining(now) <= pause) return refuse(retry_stop::deadline);
  if (budget_ != nullptr && !terms.free && !budget_->try_withdraw(now)) return refuse(retry_stop::budget);
  if (!terms.at_once) previous_ = pause;
  ++attempts_;
  stopped_by_ = retry_stop::none;
  return pause;
}

error given_up(error cause, const retry_sequence& tries) {
  cause.with_attempts(tries.attempts());
  if (tries.stopped_by() == retry_stop::budget) {
    cause.with_text(cause.text() +
                    "; not tried again, because too many retries are being made (retry budget): ease "
                    "the load, or raise retry_budget.ratio if the server can bear more");
  }
  return cause;
}

error stopped_waiting(const error& cause, const retry_sequence& tries) {
  // What was granted last was never begun.
  return error(errc::cancelled, "cancelled while waiting to try again after: " + cause.text())
      .with_applied(cause.applied())
      .with_attempts(tries.attempts() - 1);
}

bool is_retryable(const error& cause) noexcept {
  if (cause.applied() != applied::no) return false;
  switch (cause.code()) {
    case errc::serialization_failure:
    case errc::deadlock:
    case errc::lock_not_available:
    case errc::no_primary:
    case errc::connection_failed:
    case errc::resource_exhausted: return true;
    default: return false;
  }
}

}  // namespace breakwater::resilience
