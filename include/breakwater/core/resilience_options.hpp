#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater {

/// How the waits between attempts are drawn; see `resilience::full_jitter` and `resilience::decorrelated_jitter`.
enum class jitter : std::uint8_t { full, decorrelated };

/// How a limit follows what a server can bear; see `resilience::adaptive_limiter`.
enum class limit_algorithm : std::uint8_t { none, gradient2, aimd };

[[nodiscard]] constexpr std::string_view to_string(jitter value) noexcept {
  return value == jitter::full ? "full" : value == jitter::decorrelated ? "decorrelated" : "unknown";
}
[[nodiscard]] constexpr std::string_view to_string(limit_algorithm value) noexcept {
  switch (value) {
    case limit_algorithm::none: return "none";
    case limit_algorithm::gradient2: return "gradient2";
    case limit_algorithm::aimd: return "aimd";
  }
  return "unknown";
}

/// The defaults of what follows, each with the reason for its value.
namespace defaults {

using namespace std::chrono_literals;

/// A third failure in a row is an outage or a hot spot, not bad luck.
inline constexpr std::size_t retry_max_attempts = 3;
/// The longest first wait: a conflict between two transactions is over within it.
inline constexpr std::chrono::milliseconds retry_base = 10ms;
/// More would outlast the deadlines of the callers.
inline constexpr std::chrono::milliseconds retry_cap = 1s;
/// Spreads competing callers furthest.
inline constexpr breakwater::jitter retry_jitter = breakwater::jitter::full;

/// One retry for five first attempts: a sick server gets at most a fifth more load, not three times as much.
inline constexpr double retry_budget_ratio = 0.2;
/// So that a service with little traffic can retry at all.
inline constexpr std::size_t retry_budget_per_second = 10;
/// Long enough that a failover's burst of retries is paid by the calm before it, short enough to forget.
inline constexpr std::chrono::milliseconds retry_budget_window = 10s;

inline constexpr bool breaker_enabled = true;
/// Remembers a bad minute's half, and forgets it within the next.
inline constexpr std::chrono::milliseconds breaker_window = 30s;
/// Of fewer calls a ratio says nothing.
inline constexpr std::size_t breaker_min_calls = 20;
/// A node that fails every second call is worth less than the retries it costs.
inline constexpr double breaker_failure_ratio = 0.5;
inline constexpr double breaker_slow_ratio = 0.5;
/// Off: what is slow is for each service to say.
inline constexpr std::chrono::milliseconds breaker_slow_threshold = 0ms;
/// A restart takes seconds; asking more often would not end it sooner.
inline constexpr std::chrono::milliseconds breaker_open_for = 5s;
/// Processes whose breakers opened together must not probe together.
inline constexpr double breaker_open_jitter = 0.25;
/// A call that waited so long without any answer says something about its node; a shorter one about its caller's
/// patience.
inline constexpr std::chrono::milliseconds breaker_silence = 1s;

/// Off: the pool bounds what reaches a server already; a limiter is for servers shared with others.
inline constexpr limit_algorithm limiter_algorithm = limit_algorithm::none;
inline constexpr std::size_t limiter_min = 20;
inline constexpr std::size_t limiter_max = 200;

/// Off: hedged reads cost the replicas extra work.
inline constexpr bool hedge_enabled = false;
/// One read in twenty is slower than this, and worth a second copy.
inline constexpr double hedge_quantile = 0.95;
/// The extra load on the replicas, as a part of all reads.
inline constexpr double hedge_max_extra = 0.02;

/// Off: it costs each guarded transaction a row; whose writes must not be doubled or lost turns it on.
inline constexpr bool outcome_guard_enabled = false;
/// The first guarded transaction makes the table where it is not there yet.
inline constexpr bool outcome_guard_create_table = true;
/// Longer than any attempt to resolve an unknown commit can last.
inline constexpr std::chrono::milliseconds outcome_guard_retention = 24h;
/// A sweep is one indexed delete of a few rows; more often would find nothing.
inline constexpr std::chrono::milliseconds outcome_guard_sweep_interval = 10min;

}  // namespace defaults

/// When and how often something that failed is tried again. Only what is known not to have been applied is, and what
/// its caller declared idempotent.
struct retry_options {
  /// Tries of one operation in all, the first included. 1 (no retries)..100.
  std::size_t max_attempts = defaults::retry_max_attempts;
  /// The longest wait before the second attempt. 1 ms..1 min.
  std::chrono::milliseconds base = defaults::retry_base;
  /// The longest wait of all; at least `base`. 1 ms..10 min.
  std::chrono::milliseconds cap = defaults::retry_cap;
  breakwater::jitter jitter = defaults::retry_jitter;
};

/// How many retries a database bears: over `window` at most `ratio` of the first attempts and `per_second` besides.
struct retry_budget_options {
  /// 0..10.
  double ratio = defaults::retry_budget_ratio;
  /// 0..100000.
  std::size_t per_second = defaults::retry_budget_per_second;
  /// 1 s..10 min.
  std::chrono::milliseconds window = defaults::retry_budget_window;
};

/// When a node is given room to recover. There is one breaker for each node and class of statement (read, write).
struct circuit_breaker_options {
  /// Off: nothing is counted and nothing refused, but an operator can still force it open.
  bool enabled = defaults::breaker_enabled;
  /// How far back it looks. 1 s..1 h.
  std::chrono::milliseconds window = defaults::breaker_window;
  /// Fewer calls than this within `window` never open it. 1..1000000.
  std::size_t min_calls = defaults::breaker_min_calls;
  /// Part of the calls that failed at which it opens. 0.01..1.
  double failure_ratio = defaults::breaker_failure_ratio;
  /// Part of the calls that were slow at which it opens. 0.01..1.
  double slow_ratio = defaults::breaker_slow_ratio;
  /// What is slow. 0 (nothing is)..1 h.
  std::chrono::milliseconds slow_threshold = defaults::breaker_slow_threshold;
  /// How long it stays open before one call probes. 10 ms..1 h.
  std::chrono::milliseconds open_for = defaults::breaker_open_for;
  /// Part of `open_for` by which it may be shorter or longer, at random. 0..0.9.
  double open_jitter = defaults::breaker_open_jitter;
  /// A call that ends at its deadline without any answer counts as a failure if it had waited at least so long.
  /// 0 (always)..1 h.
  std::chrono::milliseconds silence = defaults::breaker_silence;
};

/// A bound on the calls in flight to one node that follows what the node can bear.
struct limiter_options {
  limit_algorithm algorithm = defaults::limiter_algorithm;
  /// The limit never falls below this. 1..100000.
  std::size_t min = defaults::limiter_min;
  /// Nor rises above this; at least `min`. 1..100000.
  std::size_t max = defaults::limiter_max;
};

/// Whether a read that takes long is sent to a second replica as well.
struct hedge_options {
  bool enabled = defaults::hedge_enabled;
  /// The quantile of recent latencies after which the copy is sent. 0.5..0.999.
  double quantile = defaults::hedge_quantile;
  /// Copies as a part of all reads, at most. 0..1.
  double max_extra = defaults::hedge_max_extra;
};

/// How the fate of commits whose answer was lost is found out; see docs/resilience.md.
struct outcome_guard_options {
  /// Whether sessions are guarded that do not say.
  bool enabled = defaults::outcome_guard_enabled;
  /// Whether a missing table `breakwater.outcomes` is made. Otherwise a migration does it.
  bool create_table = defaults::outcome_guard_create_table;
  /// Rows of this age are swept. 2 h..365 d.
  std::chrono::milliseconds retention = defaults::outcome_guard_retention;
  /// Between two sweeps. 0 (never by this process)..1 d.
  std::chrono::milliseconds sweep_interval = defaults::outcome_guard_sweep_interval;
};

}  // namespace breakwater
