#include "session_state.hpp"
#include <breakwater/core/random.hpp>
#include <breakwater/repository/session.hpp>
#include <breakwater/resilience/backoff.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace breakwater::detail {
namespace {

constexpr resilience::backoff_options conflict_backoff{};

/// Waits, unless the caller is asked to stop meanwhile.
bool wait_or_stop(std::chrono::nanoseconds duration, const std::stop_token& cancel) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, cancel, duration, [] { return false; });
  return !cancel.stop_requested();
}

}  // namespace

transaction_run::transaction_run(std::shared_ptr<session_state> on, const transaction_options& options,
                                 source_location where)
    : session_(std::move(on)), options_(options), where_(where) {}

transaction_run::~transaction_run() {
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
  if (options_.max_attempts == 0) {
    return error(errc::invalid_argument, "transaction_options.max_attempts is 0; it must be at least 1");
  }
  ++attempt_;
  const statement begin_statement{.sql = {}, .name = "begin", .operation = "BEGIN"};
  const parameters none;
  const std::stop_token& cancel = session_->options().cancel;
  if (attempt_ == 1) until_ = session_->operation_deadline(deadline::clock::now());
  if (until_.expired(deadline::clock::now())) {
    return error(errc::deadline_exceeded, "the deadline had passed before the transaction began")
        .with_statement(begin_statement.name);
  }
  auto tries = session_->nodes().begin_attempts(options_.max_attempts, until_);
  auto held = session_->nodes().borrow_primary({.what = begin_statement,
                                                .values = none,
                                                .until = until_,
                                                .cancel = cancel.stop_possible() ? &cancel : nullptr,
                                                .where = where_,
                                                .priority = session_->options().priority},
                                               tries);
  if (!held) return std::move(held).error().with_statement(begin_statement.name).with_attempts(attempt_ - 1);
  state_ = std::make_shared<transaction_state>(session_, std::move(held).assume_value().held, options_, until_, where_,
                                               attempt_);
  handle_ = std::make_unique<transaction>(state_);
  session_->in_transaction = true;
  return success();
}

std::shared_ptr<executor> transaction_run::executor() const noexcept { return state_; }

result<void> transaction_run::commit() {
  auto committed = state_->commit();
  conflict_ = !committed && state_->met_conflict();
  const transaction_fate fate = committed                                    ? transaction_fate::committed
                                : committed.error().applied() == applied::no ? transaction_fate::undone
                                                                             : transaction_fate::unknown;
  end_callbacks wanted = state_->take_callbacks(fate);
  finish();
  call_all(std::move(wanted));
  return committed;
}

void transaction_run::rollback() {
  if (!state_) return;
  undo();
  end_callbacks wanted =
      state_->take_callbacks(state_->may_be_applied() ? transaction_fate::unknown : transaction_fate::undone);
  finish();
  call_all(std::move(wanted));
}

void transaction_run::undo() noexcept {
  conflict_ = state_->met_conflict();
  state_->rollback();
}

void transaction_run::finish() noexcept {
  session_->in_transaction = false;
  handle_.reset();
  state_.reset();
}

bool transaction_run::shall_run_again() {
  if (!conflict_ || attempt_ >= options_.max_attempts) return false;
  const auto pause = resilience::full_jitter(conflict_backoff, attempt_ - 1, random_unit());
  if (until_.remaining(deadline::clock::now()) <= pause) return false;
  return wait_or_stop(pause, session_->options().cancel);
}

}  // namespace breakwater::detail
