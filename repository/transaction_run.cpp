// How the closure of a transaction is run, ended, and run again.

#include "session_state.hpp"
#include <breakwater/core/random.hpp>
#include <breakwater/repository/session.hpp>
#include <breakwater/resilience/retry.hpp>
#include <breakwater/resilience/timing.hpp>

#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

constexpr statement begin_statement{.sql = {}, .name = "begin", .operation = "BEGIN"};
constexpr statement transaction_statement{.sql = {}, .name = "transaction", .operation = "COMMIT"};

}  // namespace

struct transaction_run::progress {
  explicit progress(deadline ends_at, resilience::retry_sequence counted) : until(ends_at), tries(counted) {}

  const deadline until;  // of all attempts together
  resilience::retry_sequence tries;
  unsigned runs = 0;
  routing::node_call call{};                                     // of the run under way
  std::unique_ptr<postgres::transaction_channel> carrying_on{};  // of a lost COMMIT that was not applied
  std::optional<postgres::outcome_token> same_token{};           // of such a one whose callbacks were called since
  std::optional<error> cause{};                                  // why the last run may be made again
  postgres::decision rerun{};
  std::string node{};
  bool in_doubt = false;
};

transaction_run::transaction_run(std::shared_ptr<session_state> on, const transaction_options& options,
                                 source_location where)
    : session_(std::move(on)), options_(options), where_(where) {}

transaction_run::~transaction_run() {
  if (progress_ && progress_->carrying_on) progress_->carrying_on->rollback();
  if (!state_) return;
  // The closure's exception is on its way to the caller, and there is room for one.
  try {
    rollback();
  } catch (...) {
    if (state_) finish();
  }
}

result<void> transaction_run::begin() {
  if (session_->in_transaction) {
    return error(errc::unsafe_operation,
                 "a transaction of this session is running already; for one inside it use tx.transact(...)");
  }
  if (auto refused = session_->refusal(begin_statement.name)) return std::move(*refused);
  if (options_.max_attempts == 0) {
    return error(errc::invalid_argument, "transaction_options.max_attempts is 0; it must be at least 1");
  }
  if (!progress_) {
    const deadline until = session_->operation_deadline(deadline::clock::now());
    progress_ = std::make_unique<progress>(
        until, session_->nodes().begin_attempts(options_.max_attempts, until, deadline::clock::now()));
  }
  ++progress_->runs;
  if (!progress_->carrying_on) {
    BOOST_OUTCOME_TRY(open_channel());
  }
  progress_->carrying_on->set_up(session_->before());
  progress_->node = progress_->carrying_on->node();
  state_ = std::make_shared<transaction_state>(session_, std::move(progress_->carrying_on), options_, progress_->until,
                                               where_, progress_->runs);
  handle_ = std::make_unique<transaction>(state_);
  session_->in_transaction = true;
  return success();
}

bool transaction_run::is_guarded() const noexcept {
  return !options_.read_only && options_.outcome_guard.value_or(session_->is_guarded());
}

/// Into `carrying_on`, as a claim is.
result<void> transaction_run::open_channel() {
  progress& now = *progress_;
  if (now.until.expired(deadline::clock::now())) {
    return error(errc::deadline_exceeded, "the deadline had passed before the transaction began")
        .with_statement(begin_statement.name);
  }
  const std::stop_token& cancel = session_->options().cancel;
  const parameters none;
  auto held = session_->nodes().borrow_primary({.what = begin_statement,
                                                .values = none,
                                                .until = now.until,
                                                .cancel = cancel.stop_possible() ? &cancel : nullptr,
                                                .where = where_,
                                                .priority = session_->options().priority},
                                               now.tries);
  if (!held) return std::move(held).error().with_statement(begin_statement.name).with_attempts(now.runs - 1);
  now.call = std::move(held.assume_value().call);
  now.carrying_on =
      std::make_unique<postgres::transaction_channel>(std::move(held.assume_value().held), options_, now.until);
  if (!is_guarded()) return success();
  database_state& database = session_->database();
  database.sweeper().start();
  if (!now.same_token) now.same_token = {.id = uuid::time_ordered(), .made_at = deadline::clock::now()};
  now.carrying_on->guard(*now.same_token, database.settings().outcome_guard.create_table);
  now.same_token.reset();
  return success();
}

/// Callbacks may use the session, so no connection is kept from them. The claim has done its work: what it waited for is
/// over. The next run writes the same token all the same, in case the one that was asked was the primary no longer.
void transaction_run::let_go_of_claim() {
  progress_->same_token = progress_->carrying_on->mark()->token;
  progress_->carrying_on->rollback();
  progress_->carrying_on.reset();
}

std::shared_ptr<executor> transaction_run::executor() const noexcept { return state_; }

result<void> transaction_run::commit(bool repeatable) {
  auto committed = state_->commit(repeatable && progress_->runs < options_.max_attempts);
  // A statement's fate was not known, and its closure let that pass.
  if (!committed && state_->may_be_applied() && committed.error().applied() == applied::no) {
    committed.error().with_code(errc::commit_unknown).with_applied(applied::unknown);
  }
  progress_->carrying_on = state_->carrying_on();
  note_end(committed ? nullptr : &committed.assume_error());
  const transaction_fate fate = committed                                    ? transaction_fate::committed
                                : committed.error().applied() == applied::no ? transaction_fate::undone
                                                                             : transaction_fate::unknown;
  end_callbacks wanted = state_->take_callbacks(fate);
  finish();
  if (progress_->carrying_on && !wanted.empty()) let_go_of_claim();
  call_all(std::move(wanted));
  return committed;
}

void transaction_run::rollback() {
  if (!state_) return;
  // A closure that sent nothing has learnt nothing of the node.
  if (state_->has_begun() || state_->failure() != nullptr) {
    note_end(state_->failure());
  } else {
    progress_->call = {};
    progress_->cause.reset();
  }
  state_->rollback();
  end_callbacks wanted =
      state_->take_callbacks(state_->may_be_applied() ? transaction_fate::unknown : transaction_fate::undone);
  finish();
  call_all(std::move(wanted));
}

/// A closure that took long says nothing of its node, only a failure does.
void transaction_run::note_end(const error* failure) {
  progress_->call.settle_untimed(failure, deadline::clock::now());
  progress_->cause.reset();
  // What some statement left unknown ends it, unless that was the COMMIT of one that its caller declared idempotent.
  const auto& cause = state_->rerun_cause();
  if (!cause || (state_->may_be_applied() && cause->applied() == applied::no)) return;
  progress_->cause = cause;
  progress_->rerun = state_->rerun();
}

void transaction_run::finish() noexcept {
  session_->in_transaction = false;
  handle_.reset();
  state_.reset();
}

bool transaction_run::shall_run_again() {
  progress& now = *progress_;
  const std::stop_token& cancel = session_->options().cancel;
  const bool not_applied = now.carrying_on || now.same_token;
  if (!not_applied && !now.cause) return false;
  const auto refuse = [&now] {
    if (now.carrying_on) now.carrying_on->rollback();
    now.carrying_on.reset();
    now.same_token.reset();
    return false;
  };
  const auto at = deadline::clock::now();
  const auto pause = now.tries.next(
      at, random_unit(), {.at_once = not_applied || !now.rerun.paused, .free = !not_applied && now.rerun.free});
  const parameters none;
  const request wanted{.what = transaction_statement, .values = none, .until = now.until, .where = where_};
  if (now.cause && (pause || now.tries.stopped_by() == resilience::retry_stop::budget)) {
    session_->nodes().report_retry(wanted, now.node, *now.cause, now.tries, pause ? &*pause : nullptr);
  }
  if (!pause) return refuse();
  if (!resilience::system_timing().wait_until(at + *pause, cancel.stop_possible() ? &cancel : nullptr)) return refuse();
  now.in_doubt = now.in_doubt || (now.cause && now.cause->applied() != applied::no);
  return true;
}

std::string_view transaction_run::node() const noexcept { return progress_ ? std::string_view(progress_->node) : ""; }
unsigned transaction_run::runs() const noexcept { return progress_ ? progress_->runs : 0; }

bool transaction_run::is_in_doubt() const noexcept { return progress_ && progress_->in_doubt; }

error transaction_run::doubt(const error& last) const {
  if (!is_in_doubt() || last.code() == errc::commit_unknown) return last;
  return error(doubt().with_text(doubt().text() + ": " + last.text()))
      .with_sqlstate(last.sqlstate())
      .with_statement(last.statement())
      .with_node(last.node())
      .with_attempts(last.attempts());
}

error transaction_run::doubt() const {
  return error(errc::commit_unknown,
               "the answer to the COMMIT of an earlier run was lost, so that it may have been applied, and running the "
               "transaction again failed")
      .with_applied(applied::unknown)
      .with_statement("commit")
      .with_node(progress_->node)
      .with_attempts(progress_->runs);
}

}  // namespace breakwater::detail
