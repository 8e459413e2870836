#pragma once

#include <cstdint>
#include <optional>

namespace breakwater {

/// What a transaction sees of others that run beside it; see the PostgreSQL manual, "Transaction Isolation".
enum class isolation : std::uint8_t {
  read_committed,   ///< each statement sees what was committed before it began
  repeatable_read,  ///< the whole transaction sees what was committed before its first statement
  serializable      ///< as if transactions ran one after the other; conflicts end one of them, which is run again
};

/// How `session.transact` runs its closure.
struct transaction_options {
  breakwater::isolation isolation = breakwater::isolation::read_committed;
  /// The server refuses writes in it.
  bool read_only = false;
  /// With `serializable` and `read_only`: waits for a snapshot that can not conflict.
  bool deferrable = false;
  /// How often the closure is run at most, when a conflict with another transaction (SQLSTATE 40001, 40P01) or a
  /// schema change ended it before anything was applied. 1: never again. At least 1.
  unsigned max_attempts = 3;  // a third conflict in a row is a hot spot, not bad luck
  /// Running the closure twice is as good as running it once, also when others wrote in between. Where the answer to its
  /// COMMIT is lost it is run again, instead of being `errc::commit_unknown`.
  bool idempotent = false;
  /// Whether what became of it is found out when the answer to its COMMIT is lost; the session's where it is not given.
  /// See docs/outcome_guard.md. One that is `read_only` needs no guard and has none.
  std::optional<bool> outcome_guard = std::nullopt;
};

}  // namespace breakwater
