#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/resilience_options.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace breakwater::resilience {

class circuit_breaker;

/// A call's leave to go ahead, and the duty to say what came of it. False when the breaker refused.
///
/// Settle it once, with the call that fits; destroyed unsettled it is `abandoned`. Move-only; one thread at a time.
/// Must not outlive its breaker.
class [[nodiscard]] circuit_permit {
 public:
  using time_point = deadline::clock::time_point;

  circuit_permit() noexcept = default;
  circuit_permit(circuit_permit&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        started_(other.started_),
        control_(other.control_),
        probe_(other.probe_),
        granted_(std::exchange(other.granted_, false)) {}
  circuit_permit& operator=(circuit_permit&& other) noexcept {
    if (this == &other) return *this;
    abandoned();
    owner_ = std::exchange(other.owner_, nullptr);
    started_ = other.started_;
    control_ = other.control_;
    probe_ = other.probe_;
    granted_ = std::exchange(other.granted_, false);
    return *this;
  }
  ~circuit_permit() { abandoned(); }

  /// Whether the call may be made.
  [[nodiscard]] explicit operator bool() const noexcept { return granted_; }
  /// Whether this call finds out for all others if the node is back.
  [[nodiscard]] bool is_probe() const noexcept { return probe_ != 0; }

  /// The node did its work; took it longer than `slow_threshold`, it counts as slow.
  void succeeded(time_point now) noexcept;
  /// The node's infrastructure failed: the connection, the server, a silence.
  void failed(time_point now) noexcept;
  /// The node answered that the call itself is wrong (an undefined table, a duplicate key). Counts neither way; of a
  /// probe it is as good as success, because a node that answers is alive.
  void ignored(time_point now) noexcept;
  /// Nothing was learnt of the node: the call was cancelled, or never sent. A probe is given to the next caller.
  void abandoned() noexcept;

 private:
  friend class circuit_breaker;
  circuit_permit(circuit_breaker* owner, time_point started, std::uint64_t control, std::uint32_t probe) noexcept
      : owner_(owner), started_(started), control_(control), probe_(probe), granted_(true) {}

  circuit_breaker* owner_ = nullptr;  // null: refused, settled, or of a breaker that does not count
  time_point started_{};
  std::uint64_t control_ = 0;  // the breaker's when this was granted
  std::uint32_t probe_ = 0;    // 0: not a probe
  bool granted_ = false;
};

/// What a breaker has seen and what it will do.
struct circuit_snapshot {
  circuit_state state = circuit_state::closed;
  bool forced = false;
  std::uint64_t calls = 0;  ///< within the window, failures and slow ones included
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  deadline::clock::time_point next_probe{};  ///< of an open one that is not forced
  std::uint64_t times_opened = 0;            ///< since it was made, by force or not
};

/// Keeps calls from a node that fails them, so that it can recover and they fail at once instead of late.
///
///     auto permit = breaker.try_acquire(now);
///     if (!permit) return error(errc::circuit_open);
///     permit.succeeded(deadline::clock::now());   // or failed, ignored, abandoned
///
///     state     | event                                                      | then
///     closed    | a call failed or was slow, `min_calls` were counted within | open, for `open_for` +- `open_jitter`
///               | `window`, and the part of failed or slow ones is reached   |
///     open      | a call, too early                                          | refused
///     open      | a sign of recovery (`hint_recovered`)                      | open, until now, but at least a fifth
///     open      | a call, after that time                                    | half_open; this call is the probe
///     half_open | a call while a probe is out                                | refused
///     half_open | a call, no probe is out or it is so for `open_for`         | this call is the probe
///     half_open | any probe succeeded, or was answered (`ignored`)           | closed, with an empty window
///     half_open | the latest probe failed or was slow                        | open, with a new time
///     half_open | the latest probe was abandoned                             | half_open without a probe
///     open, half_open | it was found well (`found_well`)                     | closed, with an empty window
///     any       | force_open, force_closed                                   | open, closed, until `reset`
///     any       | reset                                                      | closed, with an empty window
///
/// A success is counted without looking at the ratios: the next failure does. Results of calls that began before the
/// breaker last opened or closed are ignored. A probe that is overtaken by the
/// next one may still close it, so that a node whose every answer takes longer than `open_for` is found alive; its
/// failure says nothing. A clock that goes back shortens the wait, never lengthens it.
///
/// Thread-safe. A call through a closed breaker takes no lock and allocates nothing: two loads and an addition to a
/// counter that few threads share. Failures, slow calls and all that happens while it is not closed take a mutex.
class circuit_breaker {
 public:
  using time_point = deadline::clock::time_point;
  /// Random numbers in [0, 1).
  using unit_source = std::function<double()>;
  /// Told of every change, outside the lock, one at a time, in their order; by whichever thread caused one of them. May
  /// call the breaker. Must not throw. If it is slower than the changes, those that pile up are told as one.
  using change_callback = std::function<void(circuit_state before, circuit_state now, bool forced)>;

  explicit circuit_breaker(const circuit_breaker_options& options, unit_source unit = {},
                           change_callback on_change = {});
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;
  /// REQUIRES that no permit is out.
  ~circuit_breaker() = default;

  /// Leave for one call that begins now; false when it must not be made.
  [[nodiscard]] circuit_permit try_acquire(time_point now) noexcept;

  /// Somebody else saw a sign that the node is back (a connection was opened): the next call may probe, at the earliest a
  /// fifth of `open_for` after it opened. Of a breaker that is not open, or forced, nothing changes.
  void hint_recovered(time_point now) noexcept;

  /// The node was away, and somebody who looks after it has found it in order: what was counted is over. Of a breaker
  /// that is closed, or forced, nothing changes.
  void found_well() noexcept;

  /// Refuses all calls until `reset`.
  void force_open() noexcept;
  /// Lets all calls pass and counts none until `reset`.
  void force_closed() noexcept;
  /// Closed, unforced, and nothing remembered.
  void reset() noexcept;

  [[nodiscard]] circuit_state state() const noexcept;
  [[nodiscard]] bool is_forced() const noexcept;
  [[nodiscard]] const circuit_breaker_options& options() const noexcept { return options_; }
  [[nodiscard]] circuit_snapshot snapshot(time_point now) noexcept;

 private:
  friend class circuit_permit;

  static constexpr std::size_t bucket_count = 10;
  static constexpr std::size_t shard_count = 8;
  static constexpr std::size_t most_pending = 8;

  /// Calls that succeeded, of a few threads: on a cache line of their own.
  struct alignas(64) shard {
    std::array<std::atomic<std::uint32_t>, bucket_count> succeeded{};
  };
  struct bad_calls {
    std::uint32_t failures = 0;
    std::uint32_t slow = 0;
  };
  struct change {
    circuit_state before;
    circuit_state now;
    bool forced;
  };
  using lock_type = std::unique_lock<std::mutex>;

  void count_success(time_point now) noexcept;
  void settle_success(const circuit_permit& settled, time_point now) noexcept;
  void settle_failure(const circuit_permit& settled, time_point now) noexcept;
  void settle_answered(const circuit_permit& settled) noexcept;
  void settle_abandoned(const circuit_permit& settled) noexcept;
  [[nodiscard]] circuit_permit acquire_slowly(time_point now) noexcept;

  [[nodiscard]] bool is_current(const circuit_permit& settled) const noexcept;
  [[nodiscard]] bool is_within(time_point now, std::int64_t epoch) const noexcept;
  [[nodiscard]] std::size_t bucket_for(time_point now) noexcept;
  void count_bad(bool failure, time_point now) noexcept;
  [[nodiscard]] circuit_snapshot counted() const noexcept;
  void open(time_point now) noexcept;
  void become(circuit_state next, bool forced = false) noexcept;
  void forget_calls() noexcept;
  void announce(lock_type& lock) noexcept;

  const circuit_breaker_options options_;
  const std::chrono::nanoseconds width_;  // of a bucket
  const unit_source unit_;
  const change_callback on_change_;

  /// state:2 forced:1 generation:61; a generation ends with every change of state.
  std::atomic<std::uint64_t> control_{0};
  std::atomic<std::int64_t> epoch_;  // number of the bucket in use
  std::array<shard, shard_count> shards_{};

  std::mutex mutex_;  // all below, and every write of the two above
  std::array<bad_calls, bucket_count> bad_{};
  time_point opened_at_{};
  time_point next_probe_{};
  time_point probe_started_{};
  std::uint32_t probe_ = 0;  // the latest one's number
  bool probe_out_ = false;
  std::uint64_t times_opened_ = 0;
  std::array<change, most_pending> pending_{};
  std::size_t pending_count_ = 0;
  bool announcing_ = false;
};

inline void circuit_permit::abandoned() noexcept {
  if (owner_ == nullptr) return;
  circuit_breaker* owner = std::exchange(owner_, nullptr);
  if (probe_ != 0) owner->settle_abandoned(*this);
}

}  // namespace breakwater::resilience
