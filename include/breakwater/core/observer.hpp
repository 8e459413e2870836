#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/core/source_location.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater {

/// What part a node plays: a primary takes writes, a replica follows it.
enum class node_role : std::uint8_t { unknown, primary, replica };

/// The role's name: "unknown", "primary" or "replica".
[[nodiscard]] constexpr std::string_view to_string(node_role role) noexcept {
  return role == node_role::primary ? "primary" : role == node_role::replica ? "replica" : "unknown";
}

/// One finished statement: the whole call, with its waiting.
struct operation_event {
  std::string_view statement;  ///< its name, e.g. "accounts.get"
  std::string_view operation;  ///< "SELECT", "INSERT", ...
  std::string_view table;      ///< may be empty for raw SQL
  std::string_view node;       ///< "host:port", empty when none was reached
  node_role role = node_role::unknown;
  std::chrono::nanoseconds duration{};
  std::size_t rows = 0;               ///< returned or affected
  unsigned attempts = 1;              ///< 0: refused before the first
  const error* failure = nullptr;     ///< null on success; valid during the call only
  std::string_view correlation_id{};  ///< the session's
};

/// Why a connection was closed.
enum class close_reason : std::uint8_t { expired, idle, broken, role_changed, shutdown };

/// A connection opened, failed to open, or closed.
struct connection_event {
  std::string_view node;
  std::chrono::nanoseconds duration{};          ///< time it took to open, or its age when closed
  const error* failure = nullptr;               ///< why it could not be opened; null otherwise
  close_reason reason = close_reason::expired;  ///< of a closed one
};

/// A caller that waited for a pooled connection.
struct lease_wait_event {
  std::string_view node;
  std::chrono::nanoseconds duration{};
  bool timed_out = false;
};

/// A connection held longer than `pool_options::leak_warning_after`.
struct lease_leak_event {
  std::string_view node;
  std::chrono::nanoseconds held{};
  source_location borrower;  ///< where the session or transaction that holds it was made
};

/// A node changed its role.
struct node_event {
  std::string_view node;
  node_role before = node_role::unknown;
  node_role now = node_role::unknown;
};

/// Another node is the confirmed primary now, or none is, or for another reason.
struct topology_event {
  std::string_view before;     ///< "host:port"; empty: there was none
  std::string_view now;        ///< empty: there is none, and writes wait
  std::string_view reason;     ///< "confirmed", "none_answers", "only_replicas", "outdated", "split_brain" or "foreign"
  std::uint32_t timeline = 0;  ///< of the one that is confirmed now
};

/// An attempt is about to be made again, or is not because the budget is spent.
struct retry_event {
  std::string_view statement;
  std::string_view node;         ///< of the failed attempt; empty when none was reached
  unsigned attempt = 1;          ///< the number of the one that failed
  const error* cause = nullptr;  ///< why; valid during the call only
  std::chrono::nanoseconds pause{};
  bool refused_by_budget = false;  ///< the retry budget is spent: it is not made
};

/// What a circuit breaker does with calls.
enum class circuit_state : std::uint8_t {
  closed,     ///< lets all pass
  half_open,  ///< lets one pass, to see
  open        ///< refuses all
};

/// The state's name: "closed", "half_open" or "open".
[[nodiscard]] constexpr std::string_view to_string(circuit_state state) noexcept {
  return state == circuit_state::closed ? "closed" : state == circuit_state::open ? "open" : "half_open";
}

/// Which of a node's two breakers.
enum class circuit_class : std::uint8_t { read, write };

/// The class's name: "read" or "write".
[[nodiscard]] constexpr std::string_view to_string(circuit_class value) noexcept {
  return value == circuit_class::read ? "read" : "write";
}

/// A breaker changed its state.
struct circuit_event {
  std::string_view node;
  circuit_class of = circuit_class::read;
  circuit_state before = circuit_state::closed;
  circuit_state now = circuit_state::closed;
  bool forced = false;  ///< by an operator
};

/// A call was refused by an open breaker.
struct circuit_rejected_event {
  std::string_view node;
  circuit_class of = circuit_class::read;
};

/// Who refused a call because not all can be served.
enum class shed_reason : std::uint8_t {
  queue_full,  ///< too many wait already, none of them less important
  too_late,    ///< it could not have been served before its deadline
  displaced,   ///< it waited, and gave way to a more important one
  limiter      ///< the adaptive limit of its node is reached
};

/// The reason's name as written in the source.
[[nodiscard]] constexpr std::string_view to_string(shed_reason value) noexcept {
  switch (value) {
    case shed_reason::queue_full: return "queue_full";
    case shed_reason::too_late: return "too_late";
    case shed_reason::displaced: return "displaced";
    case shed_reason::limiter: return "limiter";
  }
  return "unknown";
}

/// A call was refused with `errc::overloaded`.
struct shed_event {
  std::string_view node;
  breakwater::priority priority = breakwater::priority::normal;
  shed_reason reason = shed_reason::queue_full;
};

/// What became of a write whose answer was lost.
enum class commit_resolution : std::uint8_t {
  applied,      ///< the outcome guard found that it was committed
  not_applied,  ///< the outcome guard found that it was not, and never will be
  unresolved    ///< reported as `errc::commit_unknown`
};

/// The resolution's name as written in the source.
[[nodiscard]] constexpr std::string_view to_string(commit_resolution value) noexcept {
  switch (value) {
    case commit_resolution::applied: return "applied";
    case commit_resolution::not_applied: return "not_applied";
    case commit_resolution::unresolved: return "unresolved";
  }
  return "unknown";
}

/// The answer to a write or a COMMIT was lost.
struct commit_unknown_event {
  std::string_view statement;
  std::string_view node;
  commit_resolution resolution = commit_resolution::unresolved;
  std::chrono::nanoseconds duration{};  ///< of finding out; zero where there is no guard
};

/// What came of a second copy of a slow read.
enum class hedge_result : std::uint8_t {
  won,     ///< its answer came first
  lost,    ///< the first copy's came first
  refused  ///< it was not sent: the budget for copies is spent
};

/// The result's name as written in the source.
[[nodiscard]] constexpr std::string_view to_string(hedge_result value) noexcept {
  return value == hedge_result::won ? "won" : value == hedge_result::lost ? "lost" : "refused";
}

/// A read was slow enough for a second copy.
struct hedge_event {
  std::string_view statement;
  hedge_result result = hedge_result::lost;
};

/// Why a replica was left out.
enum class ejection_reason : std::uint8_t {
  consecutive_failures,  ///< so many failures of its infrastructure in a row
  success_rate           ///< its part of successful calls is far below that of the others
};

/// The reason's name as written in the source.
[[nodiscard]] constexpr std::string_view to_string(ejection_reason value) noexcept {
  return value == ejection_reason::consecutive_failures ? "consecutive_failures" : "success_rate";
}

/// A replica gets no reads for a while, because it failed where others did not. It comes back by itself.
struct ejection_event {
  std::string_view node;
  std::chrono::nanoseconds duration{};  ///< from now, at most: where no other is better it comes back earlier
  ejection_reason reason = ejection_reason::consecutive_failures;
};

/// Credentials were fetched and are others than before, or could not be fetched.
struct secret_event {
  std::string_view source;         ///< as `secret_provider::describe` says
  bool changed = false;            ///< from now on connections are opened with new ones
  const error* failure = nullptr;  ///< why there are none; valid during the call only
};

struct config_decision;

/// Where the library reports what it does; every floor reports here and nowhere else.
///
///     struct printer : bw::observer {
///       void on_lease_leak(const bw::lease_leak_event& e) noexcept override { ... }
///     };
///     config.observer = std::make_shared<printer>();
///
/// Override what is of interest; the rest does nothing. Without an observer no event is even put together.
/// Called on the callers' own threads, by many at once, sometimes under a lock: an implementation must be
/// thread-safe, must not throw, must not block and must not call back into the library. String views in
/// events are valid during the call only.
class observer {
 public:
  observer() = default;
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;
  virtual ~observer() = default;

  virtual void on_operation(const operation_event& /*event*/) noexcept {}
  virtual void on_connection_opened(const connection_event& /*event*/) noexcept {}
  virtual void on_connection_closed(const connection_event& /*event*/) noexcept {}
  virtual void on_lease_wait(const lease_wait_event& /*event*/) noexcept {}
  virtual void on_lease_leak(const lease_leak_event& /*event*/) noexcept {}
  virtual void on_node_change(const node_event& /*event*/) noexcept {}
  virtual void on_topology_change(const topology_event& /*event*/) noexcept {}
  virtual void on_retry(const retry_event& /*event*/) noexcept {}
  virtual void on_circuit_change(const circuit_event& /*event*/) noexcept {}
  virtual void on_circuit_rejected(const circuit_rejected_event& /*event*/) noexcept {}
  virtual void on_shed(const shed_event& /*event*/) noexcept {}
  virtual void on_commit_unknown(const commit_unknown_event& /*event*/) noexcept {}
  virtual void on_hedge(const hedge_event& /*event*/) noexcept {}
  virtual void on_ejection(const ejection_event& /*event*/) noexcept {}
  virtual void on_secret(const secret_event& /*event*/) noexcept {}
  /// A setting that was left to the library was decided on.
  virtual void on_config_decision(const config_decision& /*made*/) noexcept {}
};

}  // namespace breakwater
