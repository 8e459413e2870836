#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/postgres/sqlstate.hpp>
#include <breakwater/postgres/statement.hpp>

#include <chrono>
#include <cstdint>

namespace breakwater::postgres {

/// An attempt that failed, and what is known of it.
struct failed_attempt {
  const error& cause;
  /// What ran: a single statement, or (as `statement_class::write`) a whole transaction.
  statement_class kind = statement_class::write;
  bool in_transaction = false;  ///< a transaction: what is run again is all of it
  bool idempotent = false;      ///< its caller declared that running it twice is as good as once
  bool mapped = false;          ///< the statement is the library's own, made from a mapping
  bool on_replica = false;      ///< the connection was made to a replica
  bool demoted = false;         ///< the server was the primary and now says that it follows another one
  unsigned attempt = 1;         ///< the number of the one that failed
};

/// Where to go from a failed attempt.
enum class next_attempt : std::uint8_t {
  none,          ///< the error is the answer
  same,          ///< again, on any connection to the node
  elsewhere,     ///< again: another replica where there is one, else the primary
  primary,       ///< again, on the primary
  other_primary  ///< again, after the primary was looked for anew
};

struct decision {
  next_attempt next = next_attempt::none;
  bool paused = true;  ///< after a jittered pause
  /// Without drawing on the retry budget. That is there to spare a server that is ill; a conflict is the answer of one that
  /// is well, and asks for the same transaction again. The attempts bound it.
  bool free = false;
};

/// What to do about a failed attempt: the one place where it is decided whether something is run again. Attempts,
/// deadline, budget and breaker are the caller's to observe. Pure.
///
/// What may have been applied is run again only where its caller declared it idempotent. Otherwise it is up to the
/// remedy of its SQLSTATE (see `remedy` and docs/sqlstates.md), or of the library's own error code where the server
/// said none.
[[nodiscard]] decision decide(const failed_attempt& failed) noexcept;

/// Does it say that the server, or the way to it, is not in order, so that it counts against a circuit breaker? What the
/// server answered with a mistake of the caller's, a conflict, or its own time limit does not. `waited`: how long the
/// attempt took; `silence`: from when on a wait without any answer counts.
[[nodiscard]] bool is_infrastructure_failure(const error& cause, std::chrono::nanoseconds waited,
                                             std::chrono::nanoseconds silence) noexcept;

}  // namespace breakwater::postgres
