#pragma once

#include <breakwater/core/deadline.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace breakwater::sim {

/// Nanoseconds of virtual time since the run began.
using instant = std::int64_t;

constexpr instant us = 1'000;
constexpr instant ms = 1'000 * us;
constexpr instant second = 1'000 * ms;

/// The run begins somewhere in the life of a monotonic clock, not at its zero.
constexpr deadline::clock::time_point run_start{std::chrono::hours(1000)};

constexpr deadline::clock::time_point clock_at(instant at) noexcept { return run_start + std::chrono::nanoseconds(at); }
constexpr instant instant_of(deadline::clock::time_point at) noexcept { return (at - run_start).count(); }

enum class event_kind : std::uint8_t {
  request_arrives,   ///< at the server; who: link
  request_done,      ///< the server has carried it out
  lock_timeout,      ///< of a request that waits for a token
  hangup_arrives,    ///< the client closed the link
  answer_arrives,    ///< at the client; detail: an encoded answer
  connect_answered,  ///< who: link; detail: an encoded answer
  repair_due,        ///< a link whose answer was given up is put in order
  think_over,        ///< who: client
  attempt_due,       ///< its pause is over
  deadline_due,      ///< of its operation
  roles_known,       ///< it asked the nodes who is the primary
  guard_due,         ///< the pause before the next step of the guard is over
  ping_due,          ///< a rested link did not answer in time
  pool_due,          ///< the next paced connect may begin; who: process * node_count + node
  maintenance,       ///< who: process
  fault_step,        ///< who: fault; detail: 0 begins, 1 goes on, 2 ends
  sample             ///< who: what is measured now
};

struct event {
  instant at = 0;
  std::uint32_t order = 0;  ///< of scheduling, so that what happens at the same time has an order
  std::uint32_t who = 0;
  std::uint32_t serial = 0;  ///< stale when it is not its owner's any more
  std::uint32_t detail = 0;
  event_kind kind{};
};

/// What is to happen, the earliest first. Time stands still but for `pop`.
class event_queue {
 public:
  event_queue() { heap_.reserve(8192); }

  [[nodiscard]] instant now() const noexcept { return now_; }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::uint64_t popped() const noexcept { return popped_; }
  /// Of all that happened, in its order: two runs with the same hash did the same.
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

  void at(instant when, event_kind kind, std::uint32_t who, std::uint32_t serial = 0, std::uint32_t detail = 0) {
    heap_.push_back({.at = std::max(when, now_),
                     .order = next_order_++,
                     .who = who,
                     .serial = serial,
                     .detail = detail,
                     .kind = kind});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(instant delay, event_kind kind, std::uint32_t who, std::uint32_t serial = 0, std::uint32_t detail = 0) {
    at(now_ + delay, kind, who, serial, detail);
  }

  /// REQUIRES that it is not empty.
  event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const event first = heap_.back();
    heap_.pop_back();
    now_ = first.at;
    ++popped_;
    note(static_cast<std::uint64_t>(first.at));
    note((std::uint64_t{first.who} << 32U) | (std::uint64_t{static_cast<std::uint8_t>(first.kind)} << 24U) |
         (first.detail & 0xffffffU));
    return first;
  }

  /// Adds something to the trace.
  void note(std::uint64_t what) noexcept {
    trace_ = (trace_ ^ what) * 0x9e3779b97f4a7c15U;
    trace_ ^= trace_ >> 29U;
  }

 private:
  static bool later(const event& a, const event& b) noexcept {
    return a.at != b.at ? a.at > b.at : static_cast<std::int32_t>(a.order - b.order) > 0;
  }

  std::vector<event> heap_;
  instant now_ = 0;
  std::uint32_t next_order_ = 0;
  std::uint64_t popped_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325U;
};

}  // namespace breakwater::sim
