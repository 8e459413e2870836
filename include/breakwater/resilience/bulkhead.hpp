#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/admission_queue.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace breakwater::resilience {

struct bulkhead_options {
  /// Calls at once. 0 is taken for 1.
  std::size_t max_concurrent = 16;
  /// Calls that may wait for a place. 0: none waits.
  std::size_t max_waiters = 64;
  /// Stands in errors.
  std::string name = "bulkhead";
};

/// How a call waits for its place.
struct bulkhead_call {
  deadline until{};
  std::stop_token cancel{};
  breakwater::priority priority = breakwater::priority::normal;
};

/// Bounds how many calls are inside something at once, so that one slow part can not take all threads with it.
///
///     bulkhead reports({.max_concurrent = 4, .name = "reports"});
///     auto made = reports.run([&] { return make_report(); }, {.until = deadline::after(200ms)});
///
/// Who finds no place waits as `admission_queue` says, in the order of priority, or is refused.
///
/// Thread-safe; outlives its permits. A call that finds a place meets one short lock on the way in and one on the way
/// out, and reads no clock.
class bulkhead {
 public:
  /// A place inside; goes back by itself. For one thread at a time.
  class permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)), since_(other.since_) {}
    permit& operator=(permit&& other) noexcept {
      give_back();
      of_ = std::exchange(other.of_, nullptr);
      since_ = other.since_;
      return *this;
    }
    ~permit() { give_back(); }

    [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }
    void give_back() noexcept {
      if (of_ != nullptr) std::exchange(of_, nullptr)->release(since_);
    }

   private:
    friend class bulkhead;
    permit(bulkhead& of, deadline::clock::time_point since) noexcept : of_(&of), since_(since) {}

    bulkhead* of_ = nullptr;
    deadline::clock::time_point since_{};  // of those that were waited for
  };

  /// `on_shed` is told of every call refused, outside the lock, on its own thread; must not throw.
  explicit bulkhead(bulkhead_options options, std::function<void(priority, shed_reason)> on_shed = {});
  bulkhead(const bulkhead&) = delete;
  bulkhead& operator=(const bulkhead&) = delete;
  /// REQUIRES that no permit is out and nobody waits.
  ~bulkhead() = default;

  /// A place, within `how.until`. Errors: `overloaded` (too many wait, or it would come too late; also a waiter that
  /// gave way to a more important one), `deadline_exceeded` after a wait, `cancelled`.
  [[nodiscard]] result<permit> acquire(const bulkhead_call& how = {});

  /// Runs `call` inside. Its errors, and exceptions, pass through; otherwise as `acquire`. REQUIRES that it returns a
  /// `result`.
  template <class Call>
  [[nodiscard]] std::invoke_result_t<Call&> run(Call&& call, const bulkhead_call& how = {}) {
    auto place = acquire(how);
    if (!place) return std::move(place).error();
    return std::invoke(call);
  }

  /// Calls inside, and calls that wait.
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct waiter;
  using clock = deadline::clock;

  [[nodiscard]] result<permit> wait_for_place(std::unique_lock<std::mutex>& lock, const bulkhead_call& how);
  [[nodiscard]] error refusal(const bulkhead_call& how, shed_reason why, clock::duration estimated_wait) const;
  void release(clock::time_point since) noexcept;

  const bulkhead_options options_;
  const std::function<void(priority, shed_reason)> on_shed_;
  mutable std::mutex mutex_;
  std::size_t in_flight_ = 0;
  admission_queue queue_;
};

}  // namespace breakwater::resilience
