#pragma once

#include <breakwater/core/deadline.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
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
  std::uint32_t who = 0;
  std::uint32_t serial = 0;  ///< stale when it is not its owner's any more
  std::uint32_t detail = 0;
  event_kind kind{};
};

/// What is to happen, the earliest first. Time stands still but for `pop`.
class event_queue {
 public:
  event_queue() {
    heap_.reserve(4096);
    events_.reserve(4096);
  }

  [[nodiscard]] instant now() const noexcept { return now_; }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::uint64_t popped() const noexcept { return popped_; }
  /// Of all that happened, in its order: two runs with the same hash did the same.
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

  void at(instant when, event_kind kind, std::uint32_t who, std::uint32_t serial = 0, std::uint32_t detail = 0) {
    const std::uint32_t slot = free_slot();
    events_[slot] = {.at = std::max(when, now_), .who = who, .serial = serial, .detail = detail, .kind = kind};
    // By time, then by the order of scheduling, so that what happens at the same time has an order.
    insert({.key = (static_cast<std::uint64_t>(events_[slot].at) << order_bits) | (next_order_++ & order_mask),
            .slot = slot});
  }
  void after(instant delay, event_kind kind, std::uint32_t who, std::uint32_t serial = 0, std::uint32_t detail = 0) {
    at(now_ + delay, kind, who, serial, detail);
  }

  /// REQUIRES that it is not empty.
  event pop() {
    const std::uint32_t slot = take_first();
    const event first = events_[slot];
    free_.push_back(slot);
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
  /// Of an event in the heap: times of up to 18 minutes, and 16 million events, in one number to compare.
  struct place {
    std::uint64_t key;
    std::uint32_t slot;
  };
  static constexpr unsigned order_bits = 24;
  static constexpr std::uint64_t order_mask = (std::uint64_t{1} << order_bits) - 1;
  /// Four children share a cache line, and the heap is half as high as with two.
  static constexpr std::size_t children = 4;

  std::uint32_t free_slot() {
    if (free_.empty()) {
      events_.emplace_back();
      return static_cast<std::uint32_t>(events_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void insert(place added) {
    std::size_t at = heap_.size();
    heap_.push_back(added);
    while (at > 0) {
      const std::size_t parent = (at - 1) / children;
      if (heap_[parent].key < added.key) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = added;
  }

  std::uint32_t take_first() {
    const std::uint32_t first = heap_.front().slot;
    const place last = heap_.back();
    heap_.pop_back();
    if (heap_.empty()) return first;
    std::size_t at = 0;
    for (;;) {
      const std::size_t from = at * children + 1;
      if (from >= heap_.size()) break;
      const std::size_t end = std::min(from + children, heap_.size());
      std::size_t least = from;
      for (std::size_t each = from + 1; each < end; ++each) {
        if (heap_[each].key < heap_[least].key) least = each;
      }
      if (last.key < heap_[least].key) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = last;
    return first;
  }

  std::vector<place> heap_;
  std::vector<event> events_;  // by slot
  std::vector<std::uint32_t> free_;
  instant now_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t popped_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325U;
};

}  // namespace breakwater::sim
