#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstddef>
#include <string_view>

extern "C" {
struct pg_conn;
struct pg_result;
}

namespace breakwater::postgres {

/// What the server said of a failed statement, with everything in it that may be shown.
struct server_error {
  error cause;
  bool fatal = false;         ///< FATAL or PANIC: the session is over, whatever the code
  std::size_t parameter = 0;  ///< n, where the server refused the value of $n before it ran anything; else 0
  bool stale_plan = false;    ///< the prepared statement is gone or no longer fits: prepare it again and rerun
};

/// Reads an error result. The server's text is used only where its SQLSTATE's row says that it holds no values;
/// DETAIL, HINT and CONTEXT, which may, are never shown; of CONTEXT the number of a refused parameter is used.
[[nodiscard]] server_error read_server_error(const pg_result* result, const statement* what);

/// FATAL or PANIC: whoever says it, the session is over.
[[nodiscard]] bool ends_session(const pg_result* message) noexcept;

/// Of what ends a session. No server says this for what we send; a pooler does, when it has lost the server behind it, or
/// has none to lend.
[[nodiscard]] inline bool is_poolers_farewell(std::string_view sqlstate) noexcept { return sqlstate == "08P01"; }

/// Some texts of the server quote what they were given, and code of the database's own may quote anything: a text that
/// holds a bound value, or a part of one, is not shown.
void withhold_values(error& cause, const parameters& values);

/// The server, its session, or the conversation with it is not in order: what is prepared or cached there may be what is
/// wrong ("cache lookup failed for type ...", "out of memory"), so the connection is not used again.
[[nodiscard]] bool is_suspect(const error& cause) noexcept;

/// Why a connection could not be made; REQUIRES that it was polled with PQERRORS_SQLSTATE.
[[nodiscard]] error read_connect_error(const pg_conn* failed);

}  // namespace breakwater::postgres
