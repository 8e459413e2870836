// How a connection runs a COPY.
//
// All of it travels as one string of the simple query protocol: [begin;] the settings; the COPY. Outside a transaction
// the string is one implicit transaction, which commits after the end of the rows was handed over; so what is known of
// a loss before that is applied::no, and after it applied::unknown until ReadyForQuery. No round trip is spent on
// anything but the rows.

#include "postgres/connection.hpp"
#include "postgres/copy_wire.hpp"
#include "postgres/patience.hpp"
#include "postgres/server_settings.hpp"
#include "postgres/transaction_prologue.hpp"
#include "postgres/verdict.hpp"
#include <breakwater/postgres/copy.hpp>

#include <libpq-fe.h>

#include <array>
#include <utility>

namespace breakwater::postgres {
namespace {

/// A server that waits for rows answers at once when there are to be no more. One that does not is busy, and is left
/// to the background.
constexpr std::chrono::milliseconds give_up_patience{250};

deadline with_grace(deadline until) noexcept { return until.is_never() ? until : deadline(until.at() + verdict_grace); }

/// The COPY's statement_timeout, where it needs one of its own, and the clock that its rows are stamped with. `prologue`:
/// what a transaction begins with, else empty.
std::string with_settings(const copy_order& wanted, bool is_write, std::chrono::milliseconds of_connection,
                          std::string_view prologue) {
  std::string sql = wanted.before;
  sql.append("select ").append(prologue).append(prologue.empty() ? "" : ", ");
  const auto timeout = wanted.sets_timeout
                           ? own_statement_timeout(is_write, wanted.until, deadline::clock::now(), of_connection)
                           : std::nullopt;
  if (timeout) {
    sql.append("pg_catalog.set_config('statement_timeout', '")
        .append(std::to_string(timeout->count()))
        .append("', true), ");
  }
  sql.append("pg_catalog.statement_timestamp();");
  return sql;
}

/// For the ways out of a COPY that its source or sink chooses, exceptions among them.
template <class Leave>
class on_leaving {
 public:
  explicit on_leaving(Leave leave) : leave_(std::move(leave)) {}
  on_leaving(const on_leaving&) = delete;
  on_leaving& operator=(const on_leaving&) = delete;
  ~on_leaving() {
    if (armed_) leave_();
  }
  void disarm() noexcept { armed_ = false; }

 private:
  Leave leave_;
  bool armed_ = true;
};

}  // namespace

result<void> connection::begin_copy(const copy_order& wanted) {
  const auto refuse = [&](error cause) { return cause.with_statement(wanted.what.name).with_node(node()); };
  if (wanted.until.expired(clock::now())) {
    return refuse(error(errc::deadline_exceeded, "the deadline had passed before the statement was sent"));
  }
  if (wanted.cancel != nullptr && wanted.cancel->stop_requested()) {
    return refuse(error(errc::cancelled, "cancelled before the statement was sent"));
  }
  if (is_broken() || unanswered_) {
    return refuse(error(errc::connection_failed, "the connection was lost earlier").with_poisoned_connection());
  }
  finish_native_answers();
  if ((PQpipelineStatus(handle_) != PQ_PIPELINE_OFF && PQexitPipelineMode(handle_) == 0) ||
      PQsetnonblocking(handle_, 1) != 0) {
    return refuse(error(errc::unsafe_operation,
                        "the connection is still in use through libpqxx; finish its streams and pipelines first"));
  }
  unreplicated_commit_ = false;
  unanswered_ = true;
  role_known_ = false;
  permanent_ = false;
  copy_left_ = false;
  copying_ = std::make_unique<copy_wire>(handle_, notices_);
  return success();
}

std::string_view connection::copy_prologue(const copy_order& wanted) const noexcept {
  if (!prologue_ || !wanted.sets_timeout) return {};  // who has set the timeout has begun the transaction
  return prologue_->select_list(was_replica_ && wanted.kind == batch_kind::autocommit);
}

result<std::size_t> connection::copy_in(const copy_order& wanted, copy_source& from) {
  BOOST_OUTCOME_TRY(begin_copy(wanted));
  on_leaving guard([this] { (void)end_copy(deadline::after(give_up_patience)); });
  copying_->name(wanted.what, from.columns());
  const stop_signal stop(wanted.cancel);
  const wait_limits within{.until = with_grace(wanted.until), .cancel = wanted.cancel, .stop = &stop};

  std::string sql = with_settings(wanted, true, statement_timeout(), copy_prologue(wanted));
  sql.append(wanted.what.sql).append(wanted.after);
  exchange_outcome outcome;
  if (copying_->start(sql, outcome, within)) {
    auto all_sent = send_rows(from, outcome, within);
    if (!all_sent) {
      guard.disarm();
      return give_copy_up(wanted, std::move(all_sent).error());
    }
    if (all_sent.assume_value()) finish_copy_in(wanted, outcome, within);
  }
  guard.disarm();
  BOOST_OUTCOME_TRY(const auto answer, conclude_copy(wanted, std::move(outcome)));
  return answer.affected();
}

result<bool> connection::send_rows(copy_source& from, exchange_outcome& outcome, const wait_limits& within) {
  if (!copying_->is_inwards()) return error(errc::internal, "the statement does not take rows");
  const rows& preface = copying_->preface();
  const std::string now(preface.empty() ? std::string_view{} : preface.at(0, preface.columns() - 1).text);
  std::string buffer;
  for (bool more = true; more;) {
    buffer.clear();
    BOOST_OUTCOME_TRY(more, from.fill(buffer, now));
    if (!copying_->put(buffer, outcome, within)) return false;
    if (!from.sent()) return error(errc::cancelled, "given up by its progress callback");
    // The socket may have taken all at once, and the rows may come slowly.
    if (within.cancel != nullptr && within.cancel->stop_requested()) outcome.ended = wait_result::cancelled;
    if (within.until.expired(clock::now())) outcome.ended = wait_result::timed_out;
    if (outcome.ended != wait_result::ready) return false;
  }
  return true;
}

void connection::finish_copy_in(const copy_order& wanted, exchange_outcome& outcome, const wait_limits& within) {
  permanent_ = wanted.kind == batch_kind::autocommit;
  copying_->finish(outcome, within);
  if (outcome.ended != wait_result::cancelled || !permanent_ || outcome.reached == phase::complete) return;
  // As `run` does with a write: the server's word on what became of it is worth a moment.
  const stop_signal never(nullptr);
  const deadline patience = within.until.earlier_of(deadline::after(cancel_verdict_wait));
  if (!cancel_running(patience)) spoiled_ = true;
  outcome.ended = wait_result::ready;
  copying_->read_on(outcome, {.until = patience, .stop = &never});
  if (outcome.ended == wait_result::timed_out) outcome.ended = wait_result::cancelled;
}

result<std::size_t> connection::copy_out(const copy_order& wanted, std::string_view shape, copy_sink& to) {
  BOOST_OUTCOME_TRY(begin_copy(wanted));
  copying_->name(wanted.what, {});
  on_leaving guard([this] {
    copying_->outlive_request();
    copy_left_ = true;
  });
  const stop_signal stop(wanted.cancel);
  const wait_limits within{.until = wanted.until, .cancel = wanted.cancel, .stop = &stop};
  const auto leave = [&](error cause) {
    if (cause.statement().empty()) cause.with_statement(wanted.what.name);
    return cause.with_node(node());
  };

  std::string sql = with_settings(wanted, false, statement_timeout(), copy_prologue(wanted));
  sql.append(shape).append(";").append(wanted.what.sql).append(wanted.after);
  exchange_outcome outcome;
  std::size_t taken = 0;
  if (copying_->start(sql, outcome, within)) {
    if (!copying_->is_outwards()) return leave(error(errc::internal, "the statement does not answer with rows"));
    if (auto ready = to.begin(copying_->preface()); !ready) return leave(std::move(ready).error());
    for (std::string_view line; copying_->next_line(line, outcome, within); ++taken) {
      auto more = to.take(line);
      if (!more) return leave(std::move(more).error());
      if (!more.assume_value()) return taken + 1;
    }
  }
  guard.disarm();
  BOOST_OUTCOME_TRY(conclude_copy(wanted, std::move(outcome)));
  return taken;
}

result<rows> connection::conclude_copy(const copy_order& wanted, exchange_outcome outcome) {
  unanswered_ = outcome.reached != phase::complete;
  const bool never_sent = copying_->is_asking() && outcome.failure.has_value();
  if (unanswered_) {
    copying_->outlive_request();
  } else {
    copying_.reset();
  }
  if (outcome.failure && (never_sent || is_suspect(outcome.failure->cause))) {
    outcome.failure->cause.with_poisoned_connection();
    spoiled_ = true;
  }
  const bool answered = outcome.reached != phase::complete || outcome.failure || outcome.answer.native() != nullptr;
  const parameters none;
  const std::array commands{command{&wanted.what, &none}};
  auto verdict = judge(std::move(outcome),
                       {.commands = commands, .kind = wanted.kind, .until = wanted.until, .cancel = wanted.cancel},
                       unreplicated_commit_, clock::now());
  if (verdict && !answered) verdict = error(errc::protocol_error, "the server answered COPY without a COPY");
  if (!verdict) verdict.error().with_statement(wanted.what.name).with_node(node());
  return verdict;
}

error connection::give_copy_up(const copy_order& wanted, error cause) {
  if (!end_copy(deadline::after(give_up_patience))) cause.with_poisoned_connection();
  if (cause.statement().empty()) cause.with_statement(wanted.what.name);
  return cause.with_node(node());
}

bool connection::end_copy(deadline until) {
  if (!copying_) return !is_broken();
  copying_->outlive_request();
  // Rows that come out would come to the end of the table.
  if (copying_->is_outwards() && !cancel_running(until)) {
    spoiled_ = true;
    return false;
  }
  return drain(until);
}

}  // namespace breakwater::postgres
