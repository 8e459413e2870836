#include "postgres/connection.hpp"

#include "postgres/copy_wire.hpp"
#include "postgres/exchange.hpp"
#include "postgres/patience.hpp"
#include "postgres/server_settings.hpp"
#include "postgres/statement_effects.hpp"
#include "postgres/transaction_prologue.hpp"
#include "postgres/verdict.hpp"
#include <breakwater/postgres/sqlstate.hpp>
#include <breakwater/postgres/unsendable.hpp>

#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace breakwater::postgres {
namespace {

/// The protocol counts a statement's values with sixteen bits.
constexpr std::size_t most_values = 65535;

constexpr statement plain(std::string_view sql, std::string_view name, statement_class kind) noexcept {
  return {.sql = sql, .name = name, .operation = "SQL", .print = fingerprint(sql), .kind = kind, .prepare = false};
}

constexpr statement rollback_statement = plain("rollback", "rollback", statement_class::read);
constexpr statement ping_statement = plain("select 1", "ping", statement_class::read);
constexpr statement role_statement = plain("select pg_catalog.pg_is_in_recovery()", "ping", statement_class::read);

/// Bind says only which parameter it could not read; whose value that was, the parameters know.
void name_refused_value(exchange_outcome& outcome, const batch& wanted) {
  server_error& failure = *outcome.failure;
  const auto subjects = wanted.subjects();
  const command& refused = subjects[outcome.failed.value_or(subjects.size() - 1)];
  const parameters& values = *refused.values;
  if (failure.parameter == 0 || failure.parameter > values.size()) return;
  const std::string_view column = values.column(failure.parameter - 1);
  const std::string which =
      column.empty() ? "bound to $" + std::to_string(failure.parameter) : "for column \"" + std::string(column) + '"';
  failure.cause
      .with_text("the server refused the value " + which + ": " +
                 std::string(sqlstate(failure.cause.sqlstate()).condition))
      .with_column(column);
  if (!column.empty()) failure.cause.with_table(refused.what->table);
}

/// When the server is asked to end what is late, so that its answer can be here in time.
deadline a_little_before(deadline until, deadline::clock::time_point now) noexcept {
  if (until.is_never()) return until;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until.remaining(now));
  return deadline(until.at() - timeout_slack(left));
}

/// Not in the middle of a COPY.
bool is_finished(ExecStatusType status) noexcept {
  return status != PGRES_COPY_IN && status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH;
}

}  // namespace

connection::connection(std::shared_ptr<const connection_settings> settings) noexcept
    : settings_(std::move(settings)), cache_(settings_->statement_cache_size) {}

connection::~connection() {
  if (handle_ == nullptr) return;
  if (!process_.is_direct) await_answer(unanswered_cancel_);  // on a thread of the background
  if (unanswered_ || spoiled_ || PQtransactionStatus(handle_) == PQTRANS_ACTIVE) {
    // What lies in the socket's buffer must not reach the server later, when another has written since.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    // Of the duplicate: libpq may have closed its own descriptor already.
    if (abort_socket_ >= 0) ::setsockopt(abort_socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  PQsetNoticeReceiver(
      handle_, [](void*, const pg_result*) {}, nullptr);
  if (native_) {
    native_.reset();  // owns the handle
  } else {
    PQfinish(handle_);
  }
  // Last: as long as it is open the socket is, and its end is what the linger option above is about.
  if (abort_socket_ >= 0) ::close(abort_socket_);
}

result<rows> connection::run(const batch& wanted) {
  std::vector<rows> earlier;
  return converse(wanted, earlier);
}

result<std::vector<rows>> connection::run_all(const batch& wanted) {
  std::vector<rows> answers;
  auto last = converse(wanted, answers);
  if (!last) {
    if (wanted.reports != nullptr) *wanted.reports = std::move(answers);
    return std::move(last).error();
  }
  answers.push_back(std::move(last).assume_value());
  return answers;
}

result<void> connection::check(const batch& wanted, clock::time_point now) const {
  if (wanted.until.expired(now)) {
    return error(errc::deadline_exceeded, "the deadline had passed before the statement was sent");
  }
  if (wanted.cancel != nullptr && wanted.cancel->stop_requested() && wanted.kind != batch_kind::commit) {
    return error(errc::cancelled, "cancelled before the statement was sent");
  }
  if (prologue_) {
    BOOST_OUTCOME_TRY(check_session_stays(wanted));
  }
  return check_values(wanted);
}

result<void> connection::check_session_stays(const batch& wanted) const {
  const auto leaves_something = [](const command& each) {
    return !each.what->mapped && may_change_session(each.what->sql);
  };
  if (std::ranges::none_of(wanted.subjects(), leaves_something)) return success();
  return error(
      errc::unsafe_operation,
      "behind a pooler that lends connections out by transaction, what SET, RESET, LISTEN, PREPARE, DISCARD and "
      "LOAD leave in the session would meet another client. Use SET LOCAL in a transaction, a setting of the "
      "role or the database, or the pooler's session mode (config.pooler = session)");
}

batch connection::behind_prologue(const batch& wanted, std::vector<command>& commands) const {
  const bool alone = wanted.kind == batch_kind::autocommit;
  const bool begins =
      alone || wanted.kind == batch_kind::whole || (wanted.kind == batch_kind::in_transaction && !in_transaction());
  if (!begins || (alone && !wanted.subject().mapped && may_need_to_run_alone(wanted.subject().sql))) return wanted;
  commands.reserve(wanted.commands.size() + 1);
  commands.assign(wanted.commands.begin(), wanted.commands.end());
  // Ahead of all, or behind BEGIN.
  const auto at = commands.insert(commands.begin() + (alone ? 0 : 1), prologue_->command(alone && was_replica_));
  batch longer = wanted;
  longer.commands = commands;
  longer.told = &*at;
  return longer;
}

result<rows> connection::converse(const batch& given, std::vector<rows>& earlier) {
  std::vector<command> commands;
  if (prologue_) return converse_with(behind_prologue(given, commands), earlier);
  return converse_with(given, earlier);
}

result<rows> connection::converse_with(const batch& wanted, std::vector<rows>& earlier) {
  const auto refused = [&](error why) {
    if (wanted.callers - wanted.own == 1) why.with_statement(wanted.subject().name);
    return std::move(why.with_node(node()));
  };
  if (auto sendable = check(wanted, clock::now()); !sendable) return refused(std::move(sendable).error());
  if (auto ready = enter_pipeline_mode(); !ready) return refused(std::move(ready).error());

  const stop_signal stop(wanted.kind == batch_kind::commit ? nullptr : wanted.cancel);
  exchange_outcome outcome;
  for (bool first_time = true;; first_time = false) {
    exchange wire(handle_, cache_, stop);
    outcome = send_and_read(wire, wanted);
    if (outcome.told) told_replica_ = transaction_prologue::read_role(*outcome.told).value_or(told_replica_);
    if (unanswered_) {
      wire.outlive_batch();
      overdue_ = std::make_unique<exchange>(std::move(wire));
      break;
    }
    if (outcome.failure && is_suspect(outcome.failure->cause)) {
      outcome.failure->cause.with_poisoned_connection();
      spoiled_ = true;
    }
    // Its COMMIT was not reached.
    if (wanted.kind == batch_kind::whole && outcome.failure && in_transaction()) {
      // Within the caller's time: what is not in order by then, the pool puts in order in the background.
      deadline patience = deadline::after(rollback_patience);
      if (!wanted.until.is_never()) patience = patience.earlier_of(deadline(wanted.until.at() + verdict_grace));
      if (!recover(patience)) break;
    }
    if (!outcome.failure || !outcome.failure->stale_plan) break;

    forget_stale_plans(outcome.failure->cause, wanted);
    // It met what stands behind the COMMIT: nothing of it may run again.
    if (outcome.committed) break;
    if (wanted.kind == batch_kind::in_transaction || wanted.kind == batch_kind::commit) {
      outcome.failure->cause.with_code(errc::serialization_failure)
          .with_text("a prepared statement no longer fits the schema; run the transaction again");
      break;
    }
    // The ERROR rolled the whole batch back, so it may run again, now prepared anew.
    if (!first_time || is_broken() || in_transaction() || unanswered_) break;
    // What commits by itself may have run in part before it met the statement that was outdated.
    if (wanted.subject().may_commit_by_itself) break;
    if (!check(wanted, clock::now())) break;
  }

  earlier = std::move(outcome.earlier);
  auto verdict = judge(std::move(outcome), wanted, unreplicated_commit_, clock::now());
  if (!verdict) verdict.error().with_node(node());
  return verdict;
}

exchange_outcome connection::send_and_read(exchange& wire, const batch& wanted) {
  const bool permanent = wanted.may_apply();
  const deadline at_last =
      permanent && !wanted.until.is_never() ? deadline(wanted.until.at() + verdict_grace) : wanted.until;
  // The server's time limit is for each statement; that all of them together take too long only we can tell it.
  const bool several = permanent && wanted.callers - wanted.own > 1;
  const deadline until = several ? a_little_before(wanted.until, clock::now()) : at_last;
  unreplicated_commit_ = false;
  unanswered_ = true;
  role_known_ = false;
  permanent_ = permanent;
  exchange_outcome outcome = wire.run(wanted, until);
  const bool stopped = outcome.ended == wait_result::cancelled;
  if (permanent && (stopped || (several && outcome.ended == wait_result::timed_out))) {
    const stop_signal no_stop(nullptr);
    const deadline patience = stopped ? at_last.earlier_of(deadline::after(cancel_verdict_wait)) : at_last;
    if (!cancel_running(patience)) spoiled_ = true;
    wire.read_on(outcome, patience, no_stop);
    if (stopped && outcome.ended == wait_result::timed_out) outcome.ended = wait_result::cancelled;
  }
  if (outcome.failure) name_refused_value(outcome, wanted);
  if (outcome.failure) {
    for (const command& sent : wanted.commands) withhold_values(outcome.failure->cause, *sent.values);
  }
  unanswered_ = outcome.reached != phase::complete;
  // Half a batch without its Sync: there is no answer to wait for.
  if (outcome.reached == phase::not_sent) spoiled_ = true;
  return outcome;
}

void connection::forget_stale_plans(const error& cause, const batch& wanted) {
  // 26000 means that the server session is not the one we prepared on: nothing of ours is left there.
  if (cause.sqlstate() == "26000") {
    cache_.clear();
  } else if (cause.sqlstate() != "42P05") {  // of which the name, now closed, is used again
    for (const command& sent : wanted.commands) cache_.forget(sent.what->print);
  }
}

result<void> connection::check_values(const batch& wanted) const {
  for (const command& each : wanted.commands) {
    if (each.values->first_invalid()) return unsendable(*each.values);
    if (each.values->size() > most_values) {
      return error(errc::invalid_argument, "a statement takes at most " + std::to_string(most_values) +
                                               " values, not " + std::to_string(each.values->size()) +
                                               "; pass an array, or several batches");
    }
  }
  return success();
}

bool connection::cancel_running(deadline until) {
  return cancel_key_ && request_cancel(PQsocket(handle_), *cancel_key_, until, unanswered_cancel_);
}

bool connection::recover(deadline until) {
  if (is_broken() || must_not_cancel()) return is_clean();
  if (unanswered_ && (!cancel_running(until) || !drain(until))) return false;
  if (in_transaction()) {
    const parameters none;
    const std::array commands{command{&rollback_statement, &none}};
    if (!run({.commands = commands, .kind = batch_kind::in_transaction, .until = until})) return false;
  }
  return is_clean();
}

bool connection::drain(deadline until) {
  if (copying_) {
    if (!copying_->abandon(until)) return false;
    copying_.reset();
    unanswered_ = false;
    return true;
  }
  if (!overdue_) return false;
  // Read by who sent it, so that the cache learns what was prepared on the way.
  const stop_signal no_stop(nullptr);
  exchange_outcome outcome;
  overdue_->read_on(outcome, until, no_stop);
  if (outcome.reached != phase::complete) return false;
  overdue_.reset();
  unanswered_ = false;
  return true;
}

bool connection::ping(deadline until) {
  const parameters none;
  // Of a role that is not reported nobody else would see the change. (Behind a prologue it is asked for anyway.)
  const bool asks_role = !prologue_ && reported_role() == nullptr;
  const std::array commands{command{asks_role ? &role_statement : &ping_statement, &none}};
  const auto answer = run({.commands = commands, .until = until});
  if (answer && asks_role) {
    told_replica_ = transaction_prologue::read_role(answer.assume_value()).value_or(told_replica_);
    role_known_ = false;
  }
  return answer.has_value();
}

bool connection::consume_pending() {
  if (is_broken()) return false;
  if (!is_readable_now(PQsocket(handle_))) return true;
  role_known_ = false;
  if (PQconsumeInput(handle_) == 0) return false;
  // Nothing was asked, so the only thing that can be said is a notice, a setting, or goodbye. libpq parses it when
  // asked whether it is busy, and learns of an end of file with the next read.
  if (PQisBusy(handle_) == 1) return false;
  if (is_readable_now(PQsocket(handle_)) && PQconsumeInput(handle_) == 0) return false;
  return !is_broken();
}

error connection::goodbye(std::string text) const {
  if (dismissal_.empty()) return error(errc::connection_failed, std::move(text)).with_poisoned_connection();
  const sqlstate_row& said = sqlstate(dismissal_);
  text.append(": ").append(said.condition);
  const errc meaning = is_poolers_farewell(dismissal_) ? errc::connection_failed : said.meaning;
  return error(meaning, std::move(text)).with_sqlstate(dismissal_).with_poisoned_connection();
}

void connection::abort() noexcept {
  if (abort_socket_ >= 0) ::shutdown(abort_socket_, SHUT_RDWR);
}

bool connection::is_clean() const noexcept {
  // A lost connection, or none, is not idle for libpq either.
  return !dismissed_ && !spoiled_ && !unanswered_ && PQtransactionStatus(handle_) == PQTRANS_IDLE;
}

bool connection::is_broken() const noexcept {
  return handle_ == nullptr || dismissed_ || spoiled_ || PQstatus(handle_) != CONNECTION_OK;
}

bool connection::in_transaction() const noexcept {
  const auto status = PQtransactionStatus(handle_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

int connection::backend() const noexcept { return PQbackendPID(handle_); }

bool connection::in_failed_transaction() const noexcept { return PQtransactionStatus(handle_) == PQTRANS_INERROR; }

const char* connection::reported_role() const noexcept {
  // Servers report it from version 14 on. A pooler says what it was told when it connected, some time ago.
  const bool pooled = prologue_ != nullptr || settings_->pooler == pooler::session;
  return pooled ? nullptr : PQparameterStatus(handle_, "in_hot_standby");
}

bool connection::look_up_role() noexcept {
  const char* const value = reported_role();
  replica_ = value == nullptr ? told_replica_ : std::strcmp(value, "on") == 0;
  // Outside pipeline mode a COPY or libpqxx may read on, out of our sight.
  role_known_ = !unanswered_ && PQpipelineStatus(handle_) == PQ_PIPELINE_ON;
  return replica_;
}

void connection::finish_native_answers() {
  if (is_broken() || PQpipelineStatus(handle_) != PQ_PIPELINE_OFF) return;
  // libpqxx leaves the end of a COPY's answer unread, and libpq then counts as busy. Only what is there already is
  // read: a COPY that still runs is its owner's to finish.
  while (PQisBusy(handle_) == 0) {
    const rows rest(PQgetResult(handle_));
    if (rest.native() == nullptr || !is_finished(PQresultStatus(rest.native()))) break;
  }
}

result<void> connection::enter_pipeline_mode() {
  if (is_broken() || unanswered_) {
    return goodbye("the connection was lost earlier");
  }
  if (PQpipelineStatus(handle_) == PQ_PIPELINE_ON) return success();
  finish_native_answers();
  if (PQenterPipelineMode(handle_) == 0 || PQsetnonblocking(handle_, 1) != 0) {
    return error(errc::unsafe_operation,
                 "the connection is still in use through libpqxx; finish its streams and pipelines first");
  }
  return success();
}

}  // namespace breakwater::postgres
