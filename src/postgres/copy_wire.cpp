#include "postgres/copy_wire.hpp"

#include "postgres/copy_context.hpp"
#include <breakwater/postgres/copy.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

namespace breakwater::postgres {
namespace {

/// How long what came in while rows go out may turn out to be a warning. libpq hands warnings on at once and keeps an
/// error to itself, so what is neither within this time is an error.
constexpr std::chrono::milliseconds settling_time{50};

/// What the server is told, and puts into its log.
constexpr const char* refusal_text = "given up by the client";

server_error lost(const char* how) { return {.cause = error(errc::connection_failed, how), .fatal = true}; }

/// What came into the way before any wait.
wait_result interruption(const wait_limits& within) noexcept {
  if (within.cancel != nullptr && within.cancel->stop_requested()) return wait_result::cancelled;
  return within.until.expired(deadline::clock::now()) ? wait_result::timed_out : wait_result::ready;
}

}  // namespace

void copy_wire::free_line::operator()(char* line) const noexcept { PQfreemem(line); }

bool copy_wire::wait(readiness wanted, exchange_outcome& outcome, const wait_limits& within) {
  // A socket that is always ready must not outrun the deadline.
  outcome.ended = interruption(within);
  if (outcome.ended == wait_result::ready) {
    outcome.ended = wait_for_socket(PQsocket(handle_), wanted, within.until, *within.stop);
  }
  return outcome.ended == wait_result::ready;
}

bool copy_wire::start(const std::string& sql, exchange_outcome& outcome, const wait_limits& within) {
  if (PQsendQuery(handle_, sql.c_str()) == 0) {
    outcome.failure = lost("the connection could not take the statement");
    return false;
  }
  if (!flush(outcome, within)) return false;
  read_answers(outcome, within);
  return is_inwards() || is_outwards();
}

bool copy_wire::put(std::string_view text, exchange_outcome& outcome, const wait_limits& within) {
  while (!text.empty()) {
    // In pieces, so that libpq's own buffer does not grow with a long row.
    const std::string_view piece = text.substr(0, copy_buffer_bytes);
    const int queued = PQputCopyData(handle_, piece.data(), static_cast<int>(piece.size()));
    if (queued == 1) text.remove_prefix(piece.size());
    if (!flush(outcome, within)) return false;
    if (queued < 0) break;
  }
  if (text.empty() && !was_refused(within.until)) return true;
  // Giving up makes libpq say what the server has said.
  if (!end_rows(refusal_text)) {
    outcome.failure = lost("the connection was lost while rows were sent");
    return false;
  }
  if (flush(outcome, within)) read_answers(outcome, within);
  return false;
}

void copy_wire::finish(exchange_outcome& outcome, const wait_limits& within) {
  outcome.reached = phase::sent;
  if (!end_rows(nullptr)) {
    outcome.failure = lost("the connection was lost while the end of the rows was sent");
    return;
  }
  read_on(outcome, within);
}

void copy_wire::read_on(exchange_outcome& outcome, const wait_limits& within) {
  if (flush(outcome, within)) read_answers(outcome, within);
}

bool copy_wire::next_line(std::string_view& line, exchange_outcome& outcome, const wait_limits& within) {
  for (bool lost_it = false;;) {
    char* text = nullptr;
    const int length = PQgetCopyData(handle_, &text, 1);
    line_.reset(text);
    if (length > 0) {
      line = {text, static_cast<std::size_t>(length)};
      return true;
    }
    if (length < 0) {
      state_ = state::over;
      read_answers(outcome, within);
      return false;
    }
    if (lost_it) {
      outcome.failure = lost("the connection was lost while rows were read");
      return false;
    }
    if (!wait(readiness::readable, outcome, within)) return false;
    // What came before the end may still be read.
    lost_it = PQconsumeInput(handle_) == 0;
  }
}

bool copy_wire::abandon(deadline until) {
  const stop_signal never(nullptr);
  const wait_limits within{.until = until, .stop = &never};
  exchange_outcome ignored;
  for (;;) {
    switch (state_) {
      case state::inwards:
        if (!end_rows(refusal_text)) return false;
        break;
      case state::outwards:
        for (std::string_view line; next_line(line, ignored, within);) {
        }
        if (state_ == state::outwards) return false;
        if (ignored.reached == phase::complete) return true;
        break;
      case state::asking:
      case state::over: break;
    }
    ignored.reached = phase::not_sent;
    const bool ended_rows = state_ == state::over;
    if (!flush(ignored, within)) return false;
    read_answers(ignored, within);
    if (ignored.reached == phase::complete) return true;
    // Only now it may have become ready for rows.
    if (ended_rows || state_ == state::asking) return false;
  }
}

bool copy_wire::flush(exchange_outcome& outcome, const wait_limits& within) {
  for (;;) {
    if (PQflush(handle_) <= 0) return true;  // on failure the reader finds out why, and what the server said before
    if (!wait(readiness::readable_or_writable, outcome, within)) return false;
    heard_ = heard_ || is_readable_now(PQsocket(handle_));
    if (PQconsumeInput(handle_) == 0) return true;
  }
}

bool copy_wire::was_refused(deadline until) {
  if (PQstatus(handle_) == CONNECTION_BAD) return true;
  if (!heard_ && !is_readable_now(PQsocket(handle_))) return false;
  const stop_signal never(nullptr);
  const deadline settled = until.earlier_of(deadline::after(settling_time));
  do {
    if (PQconsumeInput(handle_) == 0) return true;
    (void)PQisBusy(handle_);  // parses, and hands on warnings
    if (notices_ != notices_seen_) {
      notices_seen_ = notices_;
      heard_ = false;
      return false;
    }
  } while (wait_for_socket(PQsocket(handle_), readiness::readable, settled, never) == wait_result::ready);
  return true;
}

bool copy_wire::end_rows(const char* refusal) noexcept {
  state_ = state::over;
  return PQputCopyEnd(handle_, refusal) == 1;
}

void copy_wire::read_answers(exchange_outcome& outcome, const wait_limits& within) {
  for (;;) {
    while (PQisBusy(handle_) == 1 && PQsocket(handle_) >= 0) {
      if (!wait(readiness::readable, outcome, within)) return;
      // On failure libpq has closed the socket and holds the reason as a result.
      if (PQconsumeInput(handle_) == 0) break;
    }
    rows answer(PQgetResult(handle_));
    if (answer.native() == nullptr) {
      state_ = state::over;
      if (PQstatus(handle_) != CONNECTION_BAD) {
        outcome.reached = phase::complete;
      } else if (!outcome.failure) {
        outcome.failure = lost("the connection was lost");
      }
      return;
    }
    switch (PQresultStatus(answer.native())) {
      case PGRES_COPY_IN: state_ = state::inwards; return;
      case PGRES_COPY_OUT: state_ = state::outwards; return;
      case PGRES_TUPLES_OK: preface_ = std::move(answer); break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        if (answer.command_tag().starts_with("COPY")) outcome.answer = std::move(answer);
        break;
      default: fail(outcome, answer.native()); break;
    }
  }
}

void copy_wire::fail(exchange_outcome& outcome, const pg_result* result) const {
  if (outcome.failure) return;  // the first error is the cause
  server_error failure = read_server_error(result, what_);
  failure.stale_plan = false;  // nothing was prepared
  // There are no bound values to compare with: where the rows may have been made names of (by a trigger, by a column of
  // names), the text is not shown.
  const bool took_rows = state_ == state::inwards || state_ == state::over;
  if (took_rows && failure.cause.sqlstate().starts_with("42")) {
    failure.cause.with_text("the server refused a row (its text is withheld, it may quote values)");
  }
  const char* const context = PQresultErrorField(result, PG_DIAG_CONTEXT);
  if (context != nullptr && what_ != nullptr) {
    const copy_place place = read_copy_context(context, what_->table, columns_);
    if (place.row) failure.cause.with_row(*place.row);
    if (!place.column.empty()) failure.cause.with_column(place.column);
  }
  outcome.failure = std::move(failure);
}

}  // namespace breakwater::postgres
