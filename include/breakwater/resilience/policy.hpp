#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/call_context.hpp>
#include <breakwater/resilience/circuit_breaker.hpp>
#include <breakwater/resilience/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// Layers of protection around any call that returns a result, in the order in which they act, outermost first:
///
///     auto guarded = policy(with_timeout(1s), with_retry(options, &budget), with_breaker(breaker, "billing"));
///     auto invoice = guarded([&](const call_context& attempt) { return billing.fetch(id, attempt.until); });
///
/// A policy holds no state but pointers to what its layers were made with, which outlive it: copy it, share it between
/// threads, make it anew for each call.

namespace breakwater::resilience {

namespace detail {

/// Stands for what is within a layer, to check the layer's form.
struct any_call {
  result<void> operator()(const call_context& context) const;
};

template <class Layer>
constexpr bool pauses = requires {
  requires Layer::pauses;
};
template <class Layer>
constexpr bool holds_capacity = requires {
  requires Layer::holds_capacity;
};

/// Whether a layer that pauses stands within one that holds what others wait for.
template <class... Layers>
constexpr bool holds_while_pausing() noexcept {
  [[maybe_unused]] bool holds = false;
  bool found = false;
  ((found = found || (holds && pauses<Layers>), holds = holds || holds_capacity<Layers>), ...);
  return found;
}

template <class Call>
decltype(auto) call_with(const call_context& context, Call& call) {
  if constexpr (std::invocable<Call&, const call_context&>) {
    return call(context);
  } else {
    return call();
  }
}

}  // namespace detail

/// What can stand in a `policy`: called with the context and with what is within it, `next(context)`, which it may call
/// once, several times or not at all, and returns what that returns or an `error`. It may pass a changed context on.
///
/// A layer that occupies something scarce for the length of the call has `static constexpr bool holds_capacity = true`;
/// one that waits between calls of `next` has `pauses = true`; the latter is refused within the former.
template <class T>
concept layer = requires(const T& it, const call_context& context, const detail::any_call& next) {
  { it(context, next) } -> std::same_as<result<void>>;
};

/// See the top of this file.
template <layer... Layers>
class policy {
 public:
  explicit constexpr policy(Layers... layers) : layers_(std::move(layers)...) {}

  /// `call` takes a `const call_context&` or nothing.
  template <class Call>
  auto operator()(Call&& call) const {
    return (*this)(call_context{}, call);
  }
  template <class Call>
  auto operator()(const call_context& context, Call&& call) const {
    return run<0>(context, call);
  }

 private:
  static_assert(!detail::holds_while_pausing<Layers...>(),
                "a layer that pauses (retry) stands within one that holds capacity (bulkhead, limiter): it would keep "
                "others out while it does nothing; name the retry first");

  template <std::size_t At, class Call>
  auto run(const call_context& context, Call& call) const {
    if constexpr (At == sizeof...(Layers)) {
      return detail::call_with(context, call);
    } else {
      return std::get<At>(layers_)(context,
                                   [this, &call](const call_context& inner) { return run<At + 1>(inner, call); });
    }
  }

  std::tuple<Layers...> layers_;
};

/// Ends all within it after `length`, unless the deadline comes earlier.
class with_timeout {
 public:
  explicit constexpr with_timeout(std::chrono::nanoseconds length) noexcept : length_(length) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const {
    call_context inner = context;
    inner.until = context.until.earlier_of(deadline::after(length_, context.clock->now()));
    return next(inner);
  }

 private:
  std::chrono::nanoseconds length_;
};

/// Calls again what failed in a way that may pass: see `retry`.
template <class MayRetry = bool (*)(const error&) noexcept>
class with_retry {
 public:
  static constexpr bool pauses = true;

  /// `budget` may be null.
  explicit with_retry(const retry_options& options, retry_budget* budget, MayRetry may_retry = &is_retryable)
      : options_(options), budget_(budget), may_retry_(std::move(may_retry)) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const {
    return retry(options_, budget_, context, may_retry_, next);
  }

 private:
  retry_options options_;
  retry_budget* budget_;
  MayRetry may_retry_;
};

/// What a call's error says about the node.
enum class node_verdict : std::uint8_t {
  failed,    ///< its infrastructure did
  answered,  ///< it works, and found the call wrong
  unknown    ///< nothing: the call did not reach it, or was given up too early
};

/// The verdict on an error after a call that took `waited`. A deadline is the node's failure if the caller was patient
/// enough (`circuit_breaker_options::silence`), else its own.
[[nodiscard]] node_verdict judge_node(const error& cause, std::chrono::nanoseconds waited,
                                      std::chrono::nanoseconds silence) noexcept;

/// `errc::circuit_open`, for the breaker of `name`.
[[nodiscard]] error circuit_refusal(std::string_view name);

/// Refuses the call while `breaker` is open, and tells it how the call went.
class with_breaker {
 public:
  /// `name` is what the breaker protects, for the error's text; it outlives this.
  explicit constexpr with_breaker(circuit_breaker& breaker, std::string_view name) noexcept
      : breaker_(&breaker), name_(name) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const -> std::decay_t<decltype(next(context))> {
    const auto started = context.clock->now();
    circuit_permit permit = breaker_->try_acquire(started);
    if (!permit) return circuit_refusal(name_);
    auto outcome = next(context);
    const auto now = context.clock->now();
    if (outcome.has_value()) {
      permit.succeeded(now);
    } else {
      settle(permit, outcome.error(), now, now - started);
    }
    return outcome;
  }

 private:
  void settle(circuit_permit& permit, const error& cause, circuit_permit::time_point now,
              std::chrono::nanoseconds waited) const noexcept;

  circuit_breaker* breaker_;
  std::string_view name_;
};

/// Makes the call with a permit in hand that `acquire(context)` gives: a bulkhead's place, a lock, a token.
///
///     with_permit([&](const call_context& c) { return bulkhead.acquire(c.until, c.priority); })
///
/// `acquire` returns a `result` of something that gives itself back when it is destroyed, after the call.
template <class Acquire>
class with_permit {
 public:
  static constexpr bool holds_capacity = true;

  explicit constexpr with_permit(Acquire acquire) : acquire_(std::move(acquire)) {}

  template <class Next>
  auto operator()(const call_context& context, Next&& next) const -> std::decay_t<decltype(next(context))> {
    auto permit = acquire_(context);
    if (!permit.has_value()) return std::move(permit).error();
    return next(context);
  }

 private:
  Acquire acquire_;
};

}  // namespace breakwater::resilience
