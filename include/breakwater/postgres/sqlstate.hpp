#pragma once

#include <breakwater/core/errc.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace breakwater::postgres {

/// What the library may do about an error of the server, where it is certain that nothing was applied. Where that is not
/// certain, only what its caller declared idempotent is run again, and what the outcome guard watches over is resolved.
///
/// "Again" is always within the attempts, the deadline and the retry budget, after a jittered pause; inside a
/// transaction it is the whole transaction that runs again.
enum class remedy : std::uint8_t {
  none,             ///< its caller, or a human, has to mend it
  close,            ///< the same, and the connection is not used any more
  rerun,            ///< a conflict: again on the same connection; of a replica on another one, then on the primary
  rerun_once,       ///< again once on the same connection; a 57014 only where our own time limit sent it
  root_cause,       ///< an echo: the error that failed the transaction decides
  prepare_again,    ///< a prepared statement is gone or outdated: prepared anew
  reconnect,        ///< nothing ran: at once on another connection
  give_up,          ///< the transaction's own time limit: never again, `deadline_exceeded`
  connection_lost,  ///< again on another connection, if nothing of it was applied
  reconnect_paced,  ///< nothing ran: again on another connection, which the pool paces; the second time the primary is
                    ///< looked for anew
  find_primary,  ///< of a server that is a replica now: its pool is emptied, the primary looked for, and again there;
                 ///< else the caller's mistake
  find_primary_if_ours,  ///< the same, for statements made from a mapping only
  resolve,               ///< the server itself does not know whether it was applied
  reconnect_once,        ///< the server is short of something: once, on another connection
  primary_once           ///< of a replica: once on the primary, whose schema may be newer
};

/// The remedy's name as written in the source.
[[nodiscard]] std::string_view to_string(remedy value) noexcept;

/// One SQLSTATE of the server and what the library makes of it.
struct sqlstate_row {
  std::string_view code;       ///< five characters, e.g. "23505"
  std::string_view condition;  ///< the manual's condition name, e.g. "unique_violation"
  errc meaning;
  bool text_is_public;  ///< the server's primary message holds names only, never values
  postgres::remedy remedy;
};

/// Every SQLSTATE the library knows, sorted by code. Lives for the whole program.
[[nodiscard]] std::span<const sqlstate_row> sqlstates() noexcept;

/// The row of `code`; where the code itself is unknown its class's general row ("..000"), else the row of
/// XX000, internal_error. Never fails.
[[nodiscard]] const sqlstate_row& sqlstate(std::string_view code) noexcept;

/// The remedy of `code`. Of a code that is not in the table nothing is known: `none`, and in class XX `close`.
[[nodiscard]] remedy remedy_of(std::string_view code) noexcept;

}  // namespace breakwater::postgres
