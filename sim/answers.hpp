#pragma once

#include "sim/wire.hpp"
#include <breakwater/core/error.hpp>
#include <breakwater/postgres/sqlstate.hpp>

namespace breakwater::sim {

/// What the library says of a connect that failed, by the real table of SQLSTATEs.
[[nodiscard]] inline error connect_error(const answer& outcome) {
  if (outcome.state == 0) return errc::connection_failed;
  error said = postgres::sqlstate(states[outcome.state]).meaning;
  said.with_sqlstate(states[outcome.state]);
  return said;
}

/// What the library says of a request that failed: the rows of `postgres::judge` that matter here. `permanent`: its effect
/// may stay although its answer is lost.
[[nodiscard]] inline error request_error(const answer& outcome, bool permanent) {
  const bool answered = outcome.kind == answer_kind::error;
  const bool never_ran = outcome.kind == answer_kind::fatal && states[outcome.state] == "57P03";
  error said = errc::connection_failed;
  if (outcome.state != 0) {
    said = postgres::sqlstate(states[outcome.state]).meaning;
    said.with_sqlstate(states[outcome.state]);
    // Nobody but the server's own time limit cancels here.
    if (states[outcome.state] == "57014") said.with_code(errc::deadline_exceeded);
  }
  if (permanent && !answered && !never_ran) said.with_code(errc::commit_unknown).with_applied(applied::unknown);
  said.with_poisoned_connection(!answered);
  return said.with_attempts(1);
}

}  // namespace breakwater::sim
