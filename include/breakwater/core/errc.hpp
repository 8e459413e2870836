#pragma once

#include <cstdint>
#include <string_view>
#include <system_error>

namespace breakwater {

/// What went wrong, in one word. Every operation's error carries exactly one of these.
///
/// The codes say what happened, not whether a write took place: for that ask `error::applied()`.
/// They form a `std::error_code` category named "breakwater".
enum class errc : std::uint8_t {
  not_found = 1,           ///< no row has this key (or it is trashed)
  stale_version,           ///< another writer changed the row since it was read
  unique_violation,        ///< a unique or primary key constraint refused the row
  foreign_key_violation,   ///< a referenced row is missing, or this row is still referenced
  check_violation,         ///< a CHECK constraint refused the row
  not_null_violation,      ///< NULL for a column that must have a value
  exclusion_violation,     ///< an exclusion constraint refused the row
  serialization_failure,   ///< a concurrent transaction won; run the whole transaction again
  deadlock,                ///< the server chose this transaction as a deadlock's victim
  lock_not_available,      ///< NOWAIT or lock_timeout: somebody else holds the lock
  deadline_exceeded,       ///< the operation's deadline came first
  cancelled,               ///< the caller's stop token, or an operator, cancelled it
  overloaded,              ///< refused at once: it could not be served in time
  circuit_open,            ///< refused at once: the node's circuit breaker is open
  no_primary,              ///< no node is known to accept writes
  connection_failed,       ///< no connection, or it was lost
  authentication_failed,   ///< the server refused user, password or database access
  commit_unknown,          ///< a write was sent and its fate is not known
  unsafe_operation,        ///< refused: it would do more, or elsewhere, than its author meant
  invalid_argument,        ///< a setting or argument is not allowed; nothing was sent
  invalid_statement,       ///< the server does not understand the SQL or a name in it
  insufficient_privilege,  ///< the role may not do that
  read_only,               ///< a write reached a read-only transaction or node
  resource_exhausted,      ///< the server is out of connections, memory, disk or another resource
  data_error,              ///< a value does not fit its type
  mapping_mismatch,        ///< the mapping does not fit the live schema
  protocol_error,          ///< the peer does not speak the protocol as it should
  internal,                ///< a defect in the server or in this library
  too_many_rows,           ///< more rows than the call allows
  validation_failed,       ///< the entity's own validation refused it
  rolled_back,             ///< COMMIT was answered with ROLLBACK
};

/// The code's name as written in the source, e.g. "not_found"; used as metric label and log field.
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// The category of `errc` values in `std::error_code`. Thread-safe, lives for the whole program.
[[nodiscard]] const std::error_category& error_category() noexcept;

/// For `std::error_code` interoperability; found by ADL.
[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace breakwater

template <>
struct std::is_error_code_enum<breakwater::errc> : std::true_type {};
