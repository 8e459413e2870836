#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/routing_options.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace breakwater::routing {

/// A replica was left out.
struct ejected_replica {
  std::size_t replica = 0;
  std::chrono::nanoseconds duration{};
  ejection_reason why = ejection_reason::consecutive_failures;
};

/// Leaves replicas out for a while that fail where others do not, and never the last one that can be used.
///
///     if (!failed) replicas.succeeded(i, started);
///     else if (const auto out = replicas.failed(i, started, now)) tell of it
///     once a second: for (const auto& out : replicas.look_for_outliers(now)) tell of it
///     choosing: replicas.is_out(i, now)
///
///     state | event                                                        | then
///     in    | a success                                                    | in, no failures in a row
///     in    | a failure, fewer than `consecutive_failures` in a row        | in
///     in    | that many, another replica is in and usable                  | out, for base * ++count, at most `cap`
///     in    | that many, no other replica is in and usable                 | in; all that are out come back, count - 1:
///           |                                                              | none is better than another
///     in    | its part of successes is that of an outlier (below), another | out, for base * ++count, at most `cap`
///           | replica is in and usable                                     |
///     in    | since it came back it is in for as long as it was out        | in, count - 1; the next time, for as long as
///           |                                                              | that count stands for
///     out   | the result of a call                                         | out: nothing is learnt of it
///     out   | the time is over                                             | in, no failures in a row
///
/// Results of calls that began before a replica came back are ignored: they say how it was.
///
/// Outliers are looked for where `least_replicas` or more had `least_calls` within a window: those whose part of
/// successful calls is below the mean of all by more than `deviations` standard deviations, as in Envoy's outlier
/// detection, and by `least_distance`. The latter because of five of which one differs at all, that one is always two
/// deviations away.
///
/// That the last usable one stays is decided over all of them, by one thread at a time. Others may disappear later, for
/// other reasons: then none is in and usable, and who chooses takes those that are out (`replica_choice`).
///
/// Thread-safe. A success is a load, or two; it is counted, too, where there are enough replicas for outliers. A failure
/// is an addition; the ones that may eject take a mutex.
class ejection {
 public:
  using time_point = deadline::clock::time_point;
  /// Whether a replica that is in could serve a call: its role, its breaker. Called under a lock: must not block, nor
  /// call back.
  using usable_check = std::function<bool(std::size_t replica, time_point now)>;

  /// Often enough to see a replica that fails partly before it did much harm.
  static constexpr std::chrono::seconds window{10};
  /// Of fewer no part stands out (Envoy: success_rate_minimum_hosts).
  static constexpr std::size_t least_replicas = 5;
  /// One failure more or less must not matter (Envoy: success_rate_request_volume).
  static constexpr std::uint64_t least_calls = 100;
  /// Retries make up for fewer failures than this.
  static constexpr double least_distance = 0.05;

  ejection(const ejection_options& options, std::size_t replicas, usable_check is_usable);
  ejection(const ejection&) = delete;
  ejection& operator=(const ejection&) = delete;
  ~ejection() = default;

  /// A call that began at `started` was answered.
  void succeeded(std::size_t replica, time_point started) noexcept;
  /// A call that began at `started` failed for the replica's infrastructure. An answer: it is out from now on.
  [[nodiscard]] std::optional<ejected_replica> failed(std::size_t replica, time_point started, time_point now);
  /// Does something once in a window, and may be called as often as one likes.
  [[nodiscard]] std::vector<ejected_replica> look_for_outliers(time_point now);

  [[nodiscard]] bool is_out(std::size_t replica, time_point now) const noexcept {
    return now.time_since_epoch().count() < replicas_[replica].back_at.load(std::memory_order_relaxed);
  }
  /// When it is or was back the last time; `time_point::min()` of one that was never out.
  [[nodiscard]] time_point back_at(std::size_t replica) const noexcept {
    return time_point(time_point::duration(replicas_[replica].back_at.load(std::memory_order_relaxed)));
  }
  /// Until it is back; none of one that is in.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> remaining(std::size_t replica, time_point now) const noexcept;

 private:
  using clock_count = time_point::rep;
  static constexpr clock_count long_ago = time_point::min().time_since_epoch().count();

  struct alignas(64) record {
    std::atomic<clock_count> back_at{long_ago};  // later than now: it is out
    std::atomic<std::uint32_t> failures_in_a_row{0};
    std::atomic<std::uint32_t> successes{0};  // within the window
    std::atomic<std::uint32_t> failures{0};
    std::uint64_t count = 0;  // guarded by mutex_
  };

  [[nodiscard]] bool says_nothing(const record& of, time_point started) const noexcept {
    return started.time_since_epoch().count() < of.back_at.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_another_usable(std::size_t than, time_point now) const;
  void let_all_in(time_point now) noexcept;
  [[nodiscard]] std::chrono::nanoseconds duration_of(std::uint64_t count) const noexcept;
  void forgive(record& of, time_point now) const noexcept;
  ejected_replica put_out(std::size_t replica, time_point now, ejection_reason why) noexcept;

  const ejection_options options_;
  const usable_check is_usable_;
  const bool counts_calls_;
  std::vector<record> replicas_;
  std::mutex mutex_;  // all changes of `back_at` and `count`, and what follows
  time_point window_ends_ = time_point::min();
};

}  // namespace breakwater::routing
