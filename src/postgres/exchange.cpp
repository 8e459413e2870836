#include "postgres/exchange.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace breakwater::postgres {
namespace {

/// The arrays libpq wants for a statement's values, on the stack for all but the widest statements.
class libpq_values {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the arrays hold no more than the statement has values
  explicit libpq_values(const parameters& values) {
    const std::size_t n = values.size();
    if (n > inline_size) {
      more_texts_.resize(n);
      more_types_.resize(n);
      texts_ = more_texts_.data();
      types_ = more_types_.data();
    }
    for (std::size_t i = 0; i < n; ++i) {
      texts_[i] = values.is_null(i) ? nullptr : values.text(i).data();
      types_[i] = values.type(i);
    }
  }
  libpq_values(const libpq_values&) = delete;
  libpq_values& operator=(const libpq_values&) = delete;

  [[nodiscard]] const char* const* texts() const noexcept { return texts_; }
  [[nodiscard]] const Oid* types() const noexcept { return types_; }

 private:
  static constexpr std::size_t inline_size = 32;
  std::array<const char*, inline_size> inline_texts_;
  std::array<Oid, inline_size> inline_types_;
  std::vector<const char*> more_texts_;
  std::vector<Oid> more_types_;
  const char** texts_ = inline_texts_.data();
  Oid* types_ = inline_types_.data();
};

server_error lost(const char* how) { return {.cause = error(errc::connection_failed, how), .fatal = true}; }

}  // namespace

exchange_outcome exchange::run(const batch& wanted, deadline until) {
  exchange_outcome outcome;
  may_apply_ = wanted.may_apply();
  commit_ = wanted.commit;
  reports_ = wanted.reports;
  if (reports_ != nullptr) reports_->clear();
  if (!queue(wanted)) {
    // Without its Sync the server may run a part of it, but commits nothing.
    outcome.failure = lost("the connection could not take the statement");
    return outcome;
  }
  // From here on it counts as sent: PQpipelineSync also flushes.
  outcome.reached = phase::sent;
  if (PQpipelineSync(handle_) == 0) {
    outcome.failure = lost("the connection was lost while the statement was sent");
    return outcome;
  }
  if (flush(outcome, until)) read_answers(outcome, until);
  return outcome;
}

void exchange::read_on(exchange_outcome& outcome, deadline until, const stop_signal& stop) {
  if (abandoned_) return;
  stop_ = &stop;
  outcome.ended = wait_result::ready;
  if (flush(outcome, until)) read_answers(outcome, until);
}

void exchange::outlive_batch() noexcept {
  for (step& queued : steps_) queued.what = nullptr;
  commit_ = nullptr;
  reports_ = nullptr;
}

bool exchange::queue(const batch& wanted) {
  // In a failed transaction the server refuses everything, so nothing is worth preparing.
  const bool cacheable = wanted.cacheable && PQtransactionStatus(handle_) != PQTRANS_INERROR;
  const std::span<const command> subjects = wanted.subjects();
  subjects_ = subjects.size();
  for (const command& sent : wanted.commands) {
    const bool is_subject = &sent >= subjects.data() && &sent < subjects.data() + subjects.size();
    const auto subject = is_subject ? std::optional(static_cast<std::size_t>(&sent - subjects.data())) : std::nullopt;
    const bool behind = &sent >= subjects.data() + subjects.size();
    if (!queue_command(sent, subject, behind, cacheable)) return false;
    if (&sent == wanted.told) steps_.back().told = true;
  }
  return true;
}

bool exchange::queue_command(const command& sent, std::optional<std::size_t> subject, bool behind, bool cacheable) {
  const statement& what = *sent.what;
  const libpq_values values(*sent.values);
  const int count = static_cast<int>(sent.values->size());

  statement_cache::entry* entry = what.prepare && cacheable ? cache_.find_or_add(what.print, what.sql) : nullptr;
  if (entry != nullptr && !entry->prepared && !is_queued_to_prepare(entry->name) &&
      !queue_prepare(sent, subject, *entry, values.types()))
    return false;

  int sent_ok = 0;
  if (entry != nullptr) {
    sent_ok = PQsendQueryPrepared(handle_, entry->name.c_str(), count, values.texts(), nullptr, nullptr, 0);
  } else {
    const std::string sql(what.sql);  // libpq wants a NUL at the end, which a view may not have
    sent_ok = PQsendQueryParams(handle_, sql.c_str(), count, values.types(), values.texts(), nullptr, nullptr, 0);
  }
  steps_.push_back(
      {step_kind::execute, what.print, subject, &what, entry == nullptr ? std::string{} : entry->name, behind});
  return sent_ok != 0;
}

bool exchange::queue_prepare(const command& sent, std::optional<std::size_t> subject, statement_cache::entry& entry,
                             const std::uint32_t* types) {
  while (auto unwanted = cache_.evict(&entry)) {
    const std::string deallocate = "deallocate " + *unwanted;
    if (PQsendQueryParams(handle_, deallocate.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) return false;
    steps_.push_back({step_kind::deallocate, 0, std::nullopt, nullptr, *std::move(unwanted)});
  }
  steps_.push_back({step_kind::prepare, sent.what->print, subject, sent.what, entry.name});
  return PQsendPrepare(handle_, entry.name.c_str(), entry.sql.c_str(), static_cast<int>(sent.values->size()), types) !=
         0;
}

bool exchange::is_queued_to_prepare(const std::string& name) const noexcept {
  return std::ranges::any_of(
      steps_, [&name](const step& queued) { return queued.kind == step_kind::prepare && queued.name == name; });
}

bool exchange::ran_out(exchange_outcome& outcome, deadline until) noexcept {
  // A socket that is always ready never times out by itself: a large answer that keeps coming.
  if (!until.expired(deadline::clock::now())) return false;
  outcome.ended = wait_result::timed_out;
  return true;
}

bool exchange::flush(exchange_outcome& outcome, deadline until) {
  for (;;) {
    const int unsent = PQflush(handle_);
    if (unsent <= 0) return true;  // on failure the reader finds out why, and what the server said before
    // The server may itself wait for us to read before it reads on.
    outcome.ended = wait_for_socket(PQsocket(handle_), readiness::readable_or_writable, until, *stop_);
    if (outcome.ended != wait_result::ready) return false;
    if (PQconsumeInput(handle_) == 0) return true;
    if (ran_out(outcome, until)) return false;
  }
}

void exchange::read_answers(exchange_outcome& outcome, deadline until) {
  for (int nulls = 0;;) {
    pg_result* result = nullptr;
    if (!next_result(outcome, until, result)) return;
    if (result == nullptr) {
      // One null ends a statement's answer; a second one means that libpq awaits nothing more.
      if (PQstatus(handle_) == CONNECTION_BAD || ++nulls > 1) {
        if (!outcome.failure) outcome.failure = lost("the connection was lost");
        return;
      }
      if (at_ < steps_.size()) ++at_;
      continue;
    }
    nulls = 0;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      outcome.reached = phase::complete;
      PQgetResult(handle_);  // null; lets libpq see that it is idle, so that it knows the transaction's state
      return;
    }
    take(outcome, result);
    if (abandoned_) return;
  }
}

bool exchange::next_result(exchange_outcome& outcome, deadline until, pg_result*& result) {
  while (PQisBusy(handle_) == 1 && PQsocket(handle_) >= 0) {
    outcome.ended = wait_for_socket(PQsocket(handle_), readiness::readable, until, *stop_);
    if (outcome.ended != wait_result::ready) return false;
    // On failure libpq has closed the socket and holds the reason as a result.
    if (PQconsumeInput(handle_) == 0) break;
    if (PQisBusy(handle_) == 1 && ran_out(outcome, until)) return false;
  }
  result = PQgetResult(handle_);
  return true;
}

void exchange::take(exchange_outcome& outcome, pg_result* result) {
  rows owned(result);
  const step* current = at_ < steps_.size() ? &steps_[at_] : nullptr;
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (current == nullptr) return;
      if (current->kind == step_kind::prepare) cache_.mark_prepared(current->print, current->name);
      if (current->told) {
        outcome.told = std::move(owned);
      } else if (current->kind == step_kind::execute) {
        note_answer(outcome, *current, std::move(owned));
      }
      return;
    case PGRES_PIPELINE_ABORTED:
      if (current != nullptr && current->kind == step_kind::prepare) cache_.forget(current->print);
      if (current != nullptr && current->kind == step_kind::deallocate) cache_.keep_for_eviction(current->name);
      return;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: refuse_copy(outcome, PQresultStatus(result) == PGRES_COPY_OUT); return;
    default: fail(outcome, result); return;
  }
}

void exchange::note_answer(exchange_outcome& outcome, const step& of, rows answer) {
  if (commit_ != nullptr && of.what == commit_) {
    const std::string_view tag = answer.command_tag();
    outcome.committed = tag == "COMMIT";
    outcome.undone = tag == "ROLLBACK";
  }
  if (of.subject) {
    keep(outcome, *of.subject, std::move(answer));
  } else if (of.behind && reports_ != nullptr) {
    reports_->push_back(std::move(answer));
  }
}

void exchange::keep(exchange_outcome& outcome, std::size_t subject, rows answer) {
  if (subject + 1 == subjects_) {
    outcome.answer = std::move(answer);
  } else {
    outcome.earlier.push_back(std::move(answer));
  }
}

void exchange::refuse_copy(exchange_outcome& outcome, bool outwards) {
  // COPY does not mix with a pipeline: the connection has to be given up.
  abandoned_ = true;
  if (outcome.failure) return;
  error refused(errc::invalid_statement, "COPY can not be run as a plain statement");
  // Inwards nothing was copied. Outwards the rows may be those of an INSERT ... RETURNING, which runs to its end.
  if (outwards && may_apply_) refused.with_applied(applied::unknown);
  if (at_ < steps_.size()) outcome.failed = steps_[at_].subject;
  outcome.failure = server_error{.cause = std::move(refused)};
}

const statement* exchange::last_subject() const noexcept {
  const auto last = std::find_if(steps_.rbegin(), steps_.rend(), [](const step& queued) { return queued.subject; });
  return last == steps_.rend() ? nullptr : last->what;
}

void exchange::fail(exchange_outcome& outcome, const pg_result* result) {
  const step* current = at_ < steps_.size() ? &steps_[at_] : nullptr;
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool name_taken = state != nullptr && std::string_view(state) == "42P05";
  if (current != nullptr && current->kind == step_kind::prepare && !name_taken) cache_.forget(current->print);
  // The first error is the cause; later ones, such as libpq's "connection lost" behind a FATAL, are its echo.
  if (outcome.failure) return;
  const statement* blamed = current != nullptr && current->subject ? current->what : last_subject();
  if (current != nullptr) outcome.failed = current->subject;
  server_error failure = read_server_error(result, blamed);
  if (current == nullptr || !current->subject) failure.parameter = 0;  // of another statement than the caller's
  // A statement may itself speak of a prepared statement (EXECUTE): only our own names are ours to prepare anew.
  const std::string_view code = failure.cause.sqlstate();
  if (failure.stale_plan && (code == "26000" || code == "42P05")) {
    failure.stale_plan = current != nullptr && !current->name.empty() &&
                         failure.cause.message().find(current->name) != std::string::npos;
  }
  // Somebody else has prepared under this name on the session that a proxy gave us: it is closed before it is used anew.
  if (failure.stale_plan && code == "42P05") cache_.keep_for_eviction(current->name);
  outcome.failure = std::move(failure);
}

}  // namespace breakwater::postgres
