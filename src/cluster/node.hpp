#pragma once

#include "cluster/counted_call.hpp"
#include "cluster/seqlock.hpp"
#include "cluster/topology.hpp"
#include "postgres/lease_channel.hpp"
#include "postgres/pool.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/adaptive_limiter.hpp>
#include <breakwater/resilience/circuit_breaker.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace breakwater::routing {

class node;

/// One call's way through its node's limiter and breaker: says exactly once what came of it. Destroyed without, nothing
/// was learnt.
///
/// For one thread at a time. Must not outlive its node.
class node_call {
 public:
  using time_point = deadline::clock::time_point;

  node_call() noexcept = default;
  node_call(node& through, resilience::adaptive_limiter::permit place, resilience::circuit_permit permit,
            time_point started) noexcept
      : through_(&through), place_(std::move(place)), permit_(std::move(permit)), started_(started) {}
  node_call(node_call&& other) noexcept
      : through_(std::exchange(other.through_, nullptr)),
        place_(std::move(other.place_)),
        permit_(std::move(other.permit_)),
        counted_(std::move(other.counted_)),
        started_(other.started_) {}
  node_call& operator=(node_call&& other) noexcept {
    through_ = std::exchange(other.through_, nullptr);
    place_ = std::move(other.place_);
    permit_ = std::move(other.permit_);
    counted_ = std::move(other.counted_);
    started_ = other.started_;
    return *this;
  }
  ~node_call() = default;

  /// It weighs on the choice among these replicas until it is settled.
  void count(replica_set& among, std::size_t replica) noexcept { counted_ = counted_call(among, replica); }

  /// The call ended, with this error or (null) well.
  void settle(const error* failure, time_point now) noexcept;
  /// The same for one that took as long as its caller wanted: a transaction. Its duration says nothing of the node.
  void settle_untimed(const error* failure, time_point now) noexcept;

 private:
  void settle(const error* failure, time_point now, bool timed) noexcept;

  node* through_ = nullptr;
  resilience::adaptive_limiter::permit place_;
  resilience::circuit_permit permit_;
  counted_call counted_;
  time_point started_{};
};

/// Who is told of what calls learn about a node: see `monitor`. Called by many threads, without a lock.
class node_listener {
 public:
  node_listener() = default;
  node_listener(const node_listener&) = delete;
  node_listener& operator=(const node_listener&) = delete;
  virtual ~node_listener() = default;
  /// A connection said that the node's role is another one than was known; unknown: it can not be reached.
  virtual void role_learnt(const node& of, node_role now) = 0;
  /// A call failed as it would if the node were lost.
  virtual void call_failed(const node& of) = 0;
};

/// One server of a database: its pool, the channels that run on it, and what keeps calls from it while it is ill.
/// Thread-safe.
class node {
 public:
  /// `background` and `listener` outlive it.
  node(const config& settings, std::shared_ptr<const postgres::connection_settings> address, task_runner& background,
       node_listener& listener);

  [[nodiscard]] const std::string& name() const noexcept { return connections_.node(); }
  /// Unknown where it can not be reached, or is set apart.
  [[nodiscard]] node_role role() const noexcept { return is_set_apart() ? node_role::unknown : connections_.role(); }
  /// As a connection or the monitor said last, also while it is set apart.
  [[nodiscard]] node_role learnt_role() const noexcept { return connections_.role(); }
  [[nodiscard]] postgres::pool& connections() noexcept { return connections_; }
  /// Where single statements run.
  [[nodiscard]] channel& statements() noexcept { return leases_; }

  /// \name What the monitor saw last. No lock: a few nanoseconds.
  /// @{
  [[nodiscard]] node_observation observed() const noexcept { return observed_.load(); }
  /// How far this replica had come; none where it is not known for certain.
  [[nodiscard]] replay_mark mark() const noexcept { return mark_.load(); }
  /// How far it had come when a read last asked; see `replica_knowledge`. 0: none did.
  [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_.load(std::memory_order_relaxed); }
  void note_replayed(std::uint64_t position) noexcept { replayed_.store(position, std::memory_order_relaxed); }
  /// When a read last waited for it to replay something, and it did not.
  [[nodiscard]] deadline::clock::time_point waited_in_vain() const noexcept {
    return waited_in_vain_.load(std::memory_order_relaxed);
  }
  void note_wait_in_vain(deadline::clock::time_point now) noexcept {
    waited_in_vain_.store(now, std::memory_order_relaxed);
  }
  /// By the monitor alone, one thread at a time.
  void note(const node_observation& seen, const replay_mark& mark) noexcept {
    observed_.store(seen);
    mark_.store(mark);
  }
  /// @}

  /// \name What the monitor makes of it.
  /// @{
  /// It does not answer, or belongs to another database system: it gets no reads that others can answer.
  [[nodiscard]] bool is_set_apart() const noexcept { return set_apart_.load(std::memory_order_relaxed); }
  void set_apart(bool value) noexcept { set_apart_.store(value, std::memory_order_relaxed); }
  /// As if a connection had said so: those that were made to the other role are closed.
  void learn_role(node_role now) { connections_.learn_role(now); }
  /// It was away and answers again: what its breakers and its pool know of it is over.
  void found_alive(deadline::clock::time_point now);
  /// It is another server now, or was started anew: what was connected before is of no use.
  void renew() { connections_.renew(); }
  /// It is not the primary any more: who waits for a connection shall look elsewhere.
  void turn_away();
  /// @}
  void report_failed_call() { listener_.call_failed(*this); }

  /// What has to be done from time to time; once a second is enough.
  void maintain(deadline::clock::time_point now);

  /// Leave for a call. Errors: `circuit_open`; `overloaded` where as many are in flight as the node bears.
  [[nodiscard]] result<node_call> admit(circuit_class of, priority importance, deadline::clock::time_point now);
  [[nodiscard]] const resilience::adaptive_limiter& limiter() const noexcept { return limiter_; }
  /// Would a call pass its breaker, or be the one that finds out?
  [[nodiscard]] bool is_open_for(circuit_class of, deadline::clock::time_point now) const noexcept {
    const auto seen = breakers_[static_cast<std::size_t>(of)]->snapshot(now);
    return seen.state != circuit_state::open || (!seen.forced && seen.next_probe <= now);
  }
  [[nodiscard]] resilience::circuit_breaker& breaker(circuit_class of) noexcept {
    return *breakers_[static_cast<std::size_t>(of)];
  }
  /// How long a call must have waited without any answer to count against the node.
  [[nodiscard]] std::chrono::nanoseconds silence() const noexcept { return silence_; }

 private:
  [[nodiscard]] std::unique_ptr<resilience::circuit_breaker> make_breaker(const circuit_breaker_options& options,
                                                                          circuit_class of);
  [[nodiscard]] error refusal(circuit_class of, deadline::clock::time_point now);
  [[nodiscard]] bool has_room_for(priority importance) const noexcept;
  [[nodiscard]] error overload(priority importance);

  observer* const watcher_;
  node_listener& listener_;
  std::atomic<bool> set_apart_{false};
  const std::chrono::nanoseconds silence_;
  const bool limits_;
  postgres::pool connections_;
  postgres::lease_channel leases_;
  resilience::adaptive_limiter limiter_;
  std::array<std::unique_ptr<resilience::circuit_breaker>, 2> breakers_;
  seqlock<node_observation> observed_;
  seqlock<replay_mark> mark_;
  std::atomic<std::uint64_t> replayed_{0};
  std::atomic<deadline::clock::time_point> waited_in_vain_{deadline::clock::time_point{}};
};

}  // namespace breakwater::routing
