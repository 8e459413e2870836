#pragma once

#include "postgres/batch.hpp"
#include "postgres/exchange.hpp"
#include <breakwater/core/result.hpp>

namespace breakwater::postgres {

/// What the library says of a batch: the one place where `applied` and `commit_unknown` are decided.
///
/// With "permanent" for a batch whose Sync makes changes permanent (an autocommit write, a batch with its own COMMIT
/// that holds a write, a COMMIT):
///
///     reached   | answer                        | permanent                  | any other
///     not_sent  | -                             | its code, applied::no      | its code, applied::no
///     sent      | ERROR                         | its code, applied::no      | its code, applied::no
///     sent      | FATAL 57P03, 57P05; no COMMIT | its code, applied::no      | its code, applied::no
///     sent      | FATAL, lost, deadline, cancel | commit_unknown, unknown    | its code, applied::no
///     complete  | ERROR                         | its code, applied::no      | its code, applied::no
///     complete  | ERROR of a CALL or DO         | its code, applied::unknown | its code, applied::no
///     complete  | an error of libpq's own       | commit_unknown, unknown    | its code, applied::no
///     complete  | warning: not replicated       | commit_unknown, unknown    | rows
///     complete  | COMMIT answered with ROLLBACK | rolled_back, applied::no   | -
///     complete  | otherwise                     | rows                       | rows
///
/// Where statements stand behind a COMMIT, its own answer comes before the batch's end, and decides: with COMMIT the
/// answer is that of `complete`, whatever became of those (no ERROR, no loss and no deadline undoes it).
///
/// The rows are the caller's last statement's. Of several statements the error names the one that failed, and its place.
/// `unreplicated`: the server warned that it stopped waiting for a synchronous standby. REQUIRES `now` taken after
/// the exchange.
[[nodiscard]] result<rows> judge(exchange_outcome outcome, const batch& wanted, bool unreplicated,
                                 deadline::clock::time_point now);

}  // namespace breakwater::postgres
