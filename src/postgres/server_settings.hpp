#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace breakwater::postgres {

/// By how much the server's own statement_timeout is shorter than the default deadline of an operation: time for
/// queueing and for the answer to come back before the client gives up.
[[nodiscard]] constexpr std::chrono::milliseconds timeout_slack(std::chrono::milliseconds timeout) noexcept {
  return std::clamp(timeout / 50, std::chrono::milliseconds(1), std::chrono::milliseconds(20));
}

/// The statement_timeout that a statement needs set for itself, or nothing when the connection's own is right.
///
/// A write needs the server to end it at its deadline, because only the server's answer tells that nothing was
/// applied; a read is simply abandoned and cancelled. Both need a longer one where the caller allows more than the
/// connection does.
[[nodiscard]] inline std::optional<std::chrono::milliseconds> own_statement_timeout(
    bool is_write, deadline until, deadline::clock::time_point now, std::chrono::milliseconds of_connection) noexcept {
  if (until.is_never()) return std::chrono::milliseconds(0);  // 0 is "none" to the server
  const auto left = until.remaining(now);
  const bool too_short = left > of_connection + 2 * timeout_slack(of_connection);
  const bool too_long = is_write && left < of_connection;
  if (!too_short && !too_long) return std::nullopt;
  return std::max(std::chrono::floor<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
}

/// Binds a timeout in the form that set_config reads: milliseconds.
inline void bind_timeout(parameters& values, std::chrono::milliseconds timeout) {
  constexpr std::size_t longest = 20;
  char* at = values.reserve(longest);
  values.commit(static_cast<std::size_t>(std::to_chars(at, at + longest, timeout.count()).ptr - at));
}

/// Sets one setting to $1 until the end of the transaction, which for a batch is its Sync. Prepared: cheaper than
/// SET LOCAL, which also warns in the server's log when it stands outside an explicit transaction.
inline constexpr std::string_view set_timeout_sql = "select pg_catalog.set_config('statement_timeout', $1, true)";
inline constexpr std::string_view set_read_only_sql =
    "select pg_catalog.set_config('transaction_read_only', 'on', true)";

inline constexpr statement set_timeout_statement{.sql = set_timeout_sql,
                                                 .name = "set statement_timeout",
                                                 .operation = "SELECT",
                                                 .print = fingerprint(set_timeout_sql),
                                                 .kind = statement_class::read};
inline constexpr statement set_read_only_statement{.sql = set_read_only_sql,
                                                   .name = "set transaction_read_only",
                                                   .operation = "SELECT",
                                                   .print = fingerprint(set_read_only_sql),
                                                   .kind = statement_class::read};

}  // namespace breakwater::postgres
