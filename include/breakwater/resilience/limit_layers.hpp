#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/adaptive_limiter.hpp>
#include <breakwater/resilience/bulkhead.hpp>
#include <breakwater/resilience/call_context.hpp>
#include <breakwater/resilience/policy.hpp>
#include <breakwater/resilience/single_flight.hpp>

#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>

/// Layers of a `policy` that bound how many calls there are:
///
///     auto guarded = policy(with_retry(options, &budget), with_bulkhead(reports), with_limiter(limiter, "billing"));
///
/// What they are made with outlives them. There is none for hedged calls: their copies outlive the call, and what is
/// within a layer does not.

namespace breakwater::resilience {

/// Makes the call inside a bulkhead, waiting for a place within the context's deadline, in its priority.
class with_bulkhead {
 public:
  static constexpr bool holds_capacity = true;

  explicit constexpr with_bulkhead(bulkhead& through) noexcept : through_(&through) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const -> std::decay_t<decltype(next(context))> {
    const auto place = enter(context);
    if (!place) return place.error();
    return next(context);
  }

 private:
  [[nodiscard]] result<bulkhead::permit> enter(const call_context& context) const;

  bulkhead* through_;
};

/// Makes the call if the adaptive limit allows one more, and tells the limiter what came of it. Else `overloaded`.
///
///     the call ended with                                             | to the limiter
///     a value, or an answer such as a duplicate key                   | success, with its latency
///     deadline_exceeded, overloaded, a failure of the infrastructure  | dropped
///     cancelled, or it never got there (circuit_open, no_primary)     | ignored
class with_limiter {
 public:
  static constexpr bool holds_capacity = true;

  /// `name` is what the limiter protects, for the error's text; it outlives this.
  explicit constexpr with_limiter(adaptive_limiter& limiter, std::string_view name) noexcept
      : limiter_(&limiter), name_(name) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const -> std::decay_t<decltype(next(context))> {
    auto place = limiter_->try_acquire();
    if (!place) return refusal();
    const auto started = context.clock->now();
    auto outcome = next(context);
    const std::chrono::nanoseconds took = context.clock->now() - started;
    place.release(took, outcome.has_value() ? call_outcome::success : outcome_of(outcome.error()));
    return outcome;
  }

 private:
  [[nodiscard]] error refusal() const;
  [[nodiscard]] static call_outcome outcome_of(const error& cause) noexcept;

  adaptive_limiter* limiter_;
  std::string_view name_;
};

/// Lets identical calls share one execution of what is within; see `single_flight`.
template <class Flights, class Key>
class with_single_flight {
 public:
  explicit with_single_flight(Flights& flights, Key key) : flights_(&flights), key_(std::move(key)) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const -> std::decay_t<decltype(next(context))> {
    if constexpr (std::is_same_v<std::remove_cvref_t<Next>, detail::any_call>) {
      return next(context);  // only asked for its form
    } else {
      return flights_->run(
          key_, [&] { return next(context); },
          {.until = context.until, .cancel = context.cancel == nullptr ? std::stop_token{} : *context.cancel});
    }
  }

 private:
  Flights* flights_;
  Key key_;
};

}  // namespace breakwater::resilience
