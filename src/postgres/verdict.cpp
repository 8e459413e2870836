#include "postgres/verdict.hpp"

#include <string>
#include <utility>

namespace breakwater::postgres {
namespace {

/// statement_timeout is set to the time left in whole milliseconds, so the server's 57014 may come this much
/// before the deadline and still be ours.
constexpr std::chrono::milliseconds own_timeout_tolerance{25};

/// The server says with these that it took no statement.
bool ran_nothing(const error& fatal) noexcept { return fatal.sqlstate() == "57P03" || fatal.sqlstate() == "57P05"; }

error interrupted(wait_result how) {
  if (how == wait_result::cancelled) return error(errc::cancelled, "cancelled by its caller");
  return error(errc::deadline_exceeded, "no answer before the deadline");
}

error unknown_fate(const exchange_outcome& outcome) {
  std::string why = outcome.ended == wait_result::timed_out   ? "no answer came before the deadline"
                    : outcome.ended == wait_result::cancelled ? "it was cancelled while its answer was awaited"
                                                              : "the connection was lost before the answer came";
  error unknown(errc::commit_unknown,
                "the write was sent and " + why + ": it may or may not have been applied; read before writing again");
  if (outcome.failure) unknown.with_sqlstate(outcome.failure->cause.sqlstate());
  // The server had no time for a word: SQL's own code for that tells it from a server that is only silent.
  constexpr std::string_view connection_failure = "08006";
  const bool lost = outcome.reached != phase::complete && outcome.ended == wait_result::ready;
  if (lost && unknown.sqlstate().empty()) unknown.with_sqlstate(connection_failure);
  return unknown.with_applied(applied::unknown);
}

/// An ERROR answer: the statement, and what it belongs to, was rolled back; unless it commits by itself on its way.
error refusal(error cause, const batch& wanted, deadline::clock::time_point now) {
  const bool in_parts = wanted.kind == batch_kind::autocommit && wanted.subject().may_commit_by_itself;
  if (in_parts || cause.code() == errc::commit_unknown) cause.with_applied(applied::unknown);
  if (cause.sqlstate() == "57014" && wanted.until.remaining(now) <= own_timeout_tolerance) {
    cause.with_code(errc::deadline_exceeded).with_text("ended by the server at the deadline");
  }
  return cause;
}

error incomplete(const exchange_outcome& outcome, const batch& wanted, deadline::clock::time_point now) {
  // Some poolers say as an ERROR that they have lost the server: that is no answer to what was sent. (A server's own
  // protocol violation is followed by ReadyForQuery.)
  const bool refused =
      outcome.failure && !outcome.failure->fatal && !is_poolers_farewell(outcome.failure->cause.sqlstate());
  if (refused) return refusal(outcome.failure->cause, wanted, now);
  const bool fate_known = outcome.reached == phase::not_sent || !wanted.may_apply() ||
                          (wanted.kind != batch_kind::commit && outcome.failure && ran_nothing(outcome.failure->cause));
  if (!fate_known) return unknown_fate(outcome);
  if (outcome.failure) return outcome.failure->cause;
  return interrupted(outcome.ended);
}

/// Says which statement it was. Of several, the one that the server refused; what else may happen happens to all.
error& place(error& cause, const exchange_outcome& outcome, const batch& wanted) {
  // One of the library's own, which travels ahead of the caller's.
  if (outcome.failed && *outcome.failed < wanted.own) {
    return cause.with_statement(wanted.subjects()[*outcome.failed].what->name);
  }
  const auto subjects = wanted.subjects().subspan(wanted.own);
  if (subjects.size() == 1) return cause.with_statement(subjects.front().what->name);
  if (!outcome.failed || !outcome.failure || outcome.failure->fatal) return cause.with_statement({});
  std::string text = cause.text() + "; it is number " + std::to_string(*outcome.failed - wanted.own + 1) +
                     " of a batch of " + std::to_string(subjects.size());
  if (cause.applied() == applied::no) text += ", of which nothing was applied";
  cause.with_text(std::move(text));
  return cause.with_statement(subjects[*outcome.failed - wanted.own].what->name);
}

error incomplete_answer(const exchange_outcome& outcome, const batch& wanted, deadline::clock::time_point now) {
  error cause = incomplete(outcome, wanted, now);
  return place(cause, outcome, wanted).with_poisoned_connection();
}

}  // namespace

result<rows> judge(exchange_outcome outcome, const batch& wanted, bool unreplicated, deadline::clock::time_point now) {
  const statement& subject = wanted.subject();
  if (outcome.committed) {
    // What failed since stood behind it.
    outcome.failure.reset();
    outcome.reached = phase::complete;
  }
  if (outcome.reached != phase::complete) return incomplete_answer(outcome, wanted, now);
  // An error that only libpq knows of, such as too little memory for the answer: the server has done its part.
  const bool by_client = outcome.failure && outcome.failure->cause.sqlstate().empty();
  if (by_client && wanted.may_apply()) {
    error unknown = unknown_fate(outcome);
    return place(unknown, outcome, wanted);
  }
  if (outcome.failure) {
    error cause = refusal(outcome.failure->cause, wanted, now);
    if (outcome.failure->fatal) cause.with_poisoned_connection();
    return place(cause, outcome, wanted);
  }
  if (unreplicated && wanted.may_apply()) {
    error unknown(errc::commit_unknown,
                  "committed on the primary, but the wait for its synchronous standbys was ended: a failover may lose "
                  "it");
    unknown.with_applied(applied::unknown);
    return place(unknown, outcome, wanted);
  }
  const bool undone = outcome.undone && wanted.may_apply();
  if (undone || (wanted.kind == batch_kind::commit && outcome.answer.command_tag() == "ROLLBACK")) {
    return error(errc::rolled_back,
                 "COMMIT was answered with ROLLBACK: an earlier statement of the transaction had "
                 "failed")
        .with_statement(subject.name);
  }
  return std::move(outcome.answer);
}

}  // namespace breakwater::postgres
