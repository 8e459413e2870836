#include "postgres/connection.hpp"

#include "core/task_runner.hpp"
#include "postgres/exchange.hpp"
#include "postgres/verdict.hpp"

#include <libpq-fe.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

namespace breakwater::postgres {
namespace {

/// How long past its deadline the answer to a write is awaited. The server ends the statement itself at the
/// deadline (statement_timeout), and knowing that it did is worth these milliseconds: the alternative is
/// `commit_unknown`. Half of what callers are promised at most (deadline + 10 ms).
constexpr std::chrono::milliseconds verdict_grace{5};

/// How long after cancelling a running write its answer is awaited, within the deadline.
constexpr std::chrono::milliseconds cancel_verdict_wait{250};

constexpr statement plain(std::string_view sql, std::string_view name,
                          statement_class kind) noexcept {
  return {.sql = sql,
          .name = name,
          .operation = "SQL",
          .print = fingerprint(sql),
          .kind = kind,
          .prepare = false};
}

constexpr statement rollback_statement = plain("rollback", "rollback", statement_class::read);
constexpr statement ping_statement = plain("select 1", "ping", statement_class::read);

}  // namespace

connection::connection(std::shared_ptr<const connection_settings> settings) noexcept
    : settings_(std::move(settings)), cache_(settings_->statement_cache_size) {}

connection::~connection() {
  if (handle_ == nullptr) return;
  if (unanswered_ || PQtransactionStatus(handle_) == PQTRANS_ACTIVE) {
    // What lies in the socket's buffer must not reach the server later, when another has written since.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (PQsocket(handle_) >= 0)
      ::setsockopt(PQsocket(handle_), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  PQsetNoticeReceiver(
      handle_, [](void*, const pg_result*) {}, nullptr);
  if (native_) {
    native_.reset();  // owns the handle
  } else {
    PQfinish(handle_);
  }
}

result<rows> connection::run(const batch& wanted) {
  const auto started = clock::now();
  if (wanted.until.expired(started)) {
    return error(errc::deadline_exceeded, "the deadline had passed before the statement was sent")
        .with_statement(wanted.subject().name)
        .with_node(node());
  }
  if (auto ready = enter_pipeline_mode(); !ready) {
    return ready.error().with_statement(wanted.subject().name).with_node(node());
  }
  const bool permanent = wanted.may_apply();
  const deadline until = permanent && !wanted.until.is_never()
                             ? deadline(wanted.until.at() + verdict_grace)
                             : wanted.until;
  const bool may_cancel = wanted.kind != batch_kind::commit;
  const stop_signal stop(may_cancel ? wanted.cancel : nullptr);
  const stop_signal no_stop(nullptr);

  exchange_outcome outcome;
  for (bool first_time = true;; first_time = false) {
    unreplicated_commit_ = false;
    exchange wire(handle_, cache_, stop);
    unanswered_ = true;
    must_not_cancel_ = permanent;
    outcome = wire.run(wanted, until);
    if (outcome.ended == wait_result::cancelled && permanent) {
      cancel_running();
      wire.read_on(outcome, until.earlier_of(deadline::after(cancel_verdict_wait)), no_stop);
      if (outcome.ended == wait_result::timed_out) outcome.ended = wait_result::cancelled;
    }
    unanswered_ = outcome.reached != phase::complete;
    if (unanswered_ || !outcome.failure || !outcome.failure->stale_plan) break;

    forget_stale_plans(outcome.failure->cause, wanted);
    if (wanted.kind != batch_kind::autocommit) {
      outcome.failure->cause.with_code(errc::serialization_failure)
          .with_text("a prepared statement no longer fits the schema; run the transaction again");
      break;
    }
    // The ERROR rolled the whole batch back, so it may run again, now prepared anew.
    if (!first_time) break;
  }

  auto verdict = judge(std::move(outcome), wanted, unreplicated_commit_, clock::now());
  if (!verdict) verdict.error().with_node(node());
  return verdict;
}

void connection::forget_stale_plans(const error& cause, const batch& wanted) {
  // 26000 means that the server session is not the one we prepared on: nothing of ours is left there.
  if (cause.sqlstate() == "26000") {
    cache_.clear();
  } else {
    for (const command& sent : wanted.commands) cache_.forget(sent.what->print);
  }
}

void connection::cancel_running() {
  std::shared_ptr<PGcancel> cancel(PQgetCancel(handle_), PQfreeCancel);
  if (!cancel || settings_->background == nullptr) return;
  // PQcancel connects with blocking calls, which may take longer than this caller has.
  settings_->background->post([cancel] {
    std::array<char, 256> message{};
    PQcancel(cancel.get(), message.data(), static_cast<int>(message.size()));
  });
}

bool connection::recover(deadline until) {
  if (is_broken() || must_not_cancel_) return is_clean();
  if (unanswered_) {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(handle_),
                                                                    PQfreeCancel);
    std::array<char, 256> message{};
    if (!cancel || PQcancel(cancel.get(), message.data(), static_cast<int>(message.size())) == 0)
      return false;
    if (!drain(until)) return false;
  }
  if (in_transaction()) {
    const parameters none;
    const std::array commands{command{&rollback_statement, &none}};
    if (!run({.commands = commands, .kind = batch_kind::in_transaction, .until = until}))
      return false;
  }
  return is_clean();
}

bool connection::drain(deadline until) {
  const stop_signal no_stop(nullptr);
  for (;;) {
    while (PQisBusy(handle_) == 1) {
      if (wait_for_socket(PQsocket(handle_), readiness::readable, until, no_stop) !=
          wait_result::ready)
        return false;
      if (PQconsumeInput(handle_) == 0) return false;
    }
    const rows answer(PQgetResult(handle_));
    if (PQstatus(handle_) == CONNECTION_BAD) return false;
    if (answer.native() != nullptr && PQresultStatus(answer.native()) == PGRES_PIPELINE_SYNC) {
      unanswered_ = false;
      PQgetResult(handle_);  // as in exchange: lets libpq see that it is idle
      return true;
    }
  }
}

bool connection::ping(deadline until) {
  const parameters none;
  const std::array commands{command{&ping_statement, &none}};
  return run({.commands = commands, .until = until}).has_value();
}

bool connection::consume_pending() {
  if (is_broken()) return false;
  if (!is_readable_now(PQsocket(handle_))) return true;
  if (PQconsumeInput(handle_) == 0) return false;
  // Nothing was asked, so the only thing that can be said is a notice, a setting, or goodbye. libpq parses it when
  // asked whether it is busy, and learns of an end of file with the next read.
  if (PQisBusy(handle_) == 1) return false;
  if (is_readable_now(PQsocket(handle_)) && PQconsumeInput(handle_) == 0) return false;
  return PQstatus(handle_) == CONNECTION_OK;
}

void connection::abort() noexcept {
  if (const int socket = PQsocket(handle_); socket >= 0) ::shutdown(socket, SHUT_RDWR);
}

bool connection::is_clean() const noexcept {
  return !is_broken() && !unanswered_ && PQtransactionStatus(handle_) == PQTRANS_IDLE;
}

bool connection::is_broken() const noexcept {
  return handle_ == nullptr || PQstatus(handle_) != CONNECTION_OK;
}

bool connection::in_transaction() const noexcept {
  const auto status = PQtransactionStatus(handle_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool connection::is_replica() const noexcept {
  const char* value =
      PQparameterStatus(handle_, "in_hot_standby");  // reported by servers from version 14 on
  return value == nullptr ? was_replica_ : std::strcmp(value, "on") == 0;
}

result<void> connection::enter_pipeline_mode() {
  if (is_broken() || unanswered_) {
    return error(errc::connection_failed, "the connection was lost earlier")
        .with_poisoned_connection();
  }
  if (PQpipelineStatus(handle_) == PQ_PIPELINE_ON) return success();
  if (PQenterPipelineMode(handle_) == 0 || PQsetnonblocking(handle_, 1) != 0) {
    return error(
        errc::unsafe_operation,
        "the connection is still in use through libpqxx; finish its streams and pipelines first");
  }
  return success();
}

}  // namespace breakwater::postgres
