#include "session_state.hpp"

#include "operation_report.hpp"
#include "postgres/statement_effects.hpp"
#include <breakwater/postgres/unsendable.hpp>
#include <breakwater/repository/session.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

/// The transaction may be run again from its start: a concurrent one won, or a prepared statement was outdated.
bool is_conflict(const error& failure) noexcept {
  return failure.applied() == applied::no &&
         (failure.code() == errc::serialization_failure || failure.code() == errc::deadlock);
}

/// Why the batch can not be sent: a value that can not travel, or a statement that would end the transaction which the
/// batch is, so that an error behind it would not tell that nothing was applied.
std::optional<error> refuse_batch(std::span<const batched_statement> statements) {
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const statement& what = *statements[i].what;
    const parameters& values = *statements[i].values;
    if (values.first_invalid()) return unsendable(values).with_statement(what.name).with_table(what.table);
    if (!what.mapped && postgres::controls_transaction(what.sql)) {
      return error(errc::invalid_argument, "statement number " + std::to_string(i + 1) +
                                               " of the batch begins, divides or ends a transaction; a batch is one by "
                                               "itself, and inside a transaction use tx.transact(...)")
          .with_statement(what.name);
    }
  }
  return std::nullopt;
}

/// A batch as a whole.
statement description_of(std::span<const batched_statement> statements, std::string_view name) noexcept {
  const bool reads = std::ranges::all_of(statements, [](const auto& each) { return each.what->is_read(); });
  const bool writes =
      std::ranges::any_of(statements, [](const auto& each) { return each.what->kind == statement_class::write; });
  return {.sql = {},
          .name = name,
          .operation = "BATCH",
          .kind = reads    ? statement_class::read
                  : writes ? statement_class::write
                           : statement_class::locking_read};
}

/// Of an error that no statement in particular caused.
void name_batch(error& failure, std::string_view name) {
  if (failure.statement().empty()) failure.with_statement(name);
}

std::size_t row_count(const result<std::vector<rows>>& answers) noexcept {
  std::size_t sum = 0;
  if (answers) {
    for (const rows& each : answers.assume_value()) sum += each.columns() > 0 ? each.size() : each.affected();
  }
  return sum;
}

constexpr statement commit_statement{.sql = "commit", .name = "commit", .operation = "COMMIT"};

}  // namespace

session_state::session_state(std::shared_ptr<database_state> database, session_options options, source_location where)
    : database_(std::move(database)),
      options_(std::move(options)),
      where_(where),
      consistency_(options_.consistency.value_or(database_->settings().consistency)),
      token_(options_.after),
      until_(options_.deadline),
      operation_timeout_(options_.operation_timeout.value_or(database_->settings().operation_timeout)) {
  if (options_.timeout) until_ = until_.earlier_of(deadline::after(*options_.timeout));
  act_for(options_.actor, options_.correlation_id);
  tell(database_->settings().auditor.get());
}

deadline session_state::operation_deadline(deadline::clock::time_point now) const noexcept {
  return until_.earlier_of(deadline::after(operation_timeout_, now));
}

error refused_beside_transaction(std::string_view statement_name) {
  return error(errc::unsafe_operation,
               "a transaction of this session is running, and this would run outside it; use the transaction handed to "
               "the closure")
      .with_statement(statement_name);
}

error refused_after_transaction(std::string_view statement_name) {
  return error(errc::unsafe_operation, "the transaction has ended; what was made from it can not be used any more")
      .with_statement(statement_name);
}

std::optional<error> session_state::refusal(std::string_view statement_name) const {
  if (in_transaction) return refused_beside_transaction(statement_name);
  if (!refusal_) return std::nullopt;
  return error(*refusal_).with_statement(statement_name);
}

/// What was written, and what was read of what had to be seen. `written`: null of what writes nothing.
template <class Answer>
void session_state::note_causality(const causality_token* written, const std::optional<postgres::causal_read>& read,
                                   result<Answer>& answer) {
  if (written != nullptr) note_write(answer ? nullptr : &answer.assume_error(), *written);
  if (!read || !answer) return;
  if (auto seen = note_read(*read); !seen) answer = std::move(seen).error();
}

result<rows> session_state::execute(const statement& what, const parameters& values) {
  if (refuses()) return *refusal(what.name);
  if (values.first_invalid()) return unsendable(values).with_statement(what.name).with_table(what.table);
  if (what.kind == statement_class::write && is_guarded()) return execute_guarded(what, values);

  const auto began = deadline::clock::now();
  const operation_report report(watcher(), what, options_.correlation_id, began);
  const bool writes = what.kind == statement_class::write;
  causality_token written;
  auto fresh = what.is_read() ? freshness_wanted() : std::nullopt;
  routing::routed outcome = nodes().run({.what = what,
                                         .values = values,
                                         .until = operation_deadline(began),
                                         .cancel = options_.cancel.stop_possible() ? &options_.cancel : nullptr,
                                         .where = where_,
                                         .priority = options_.priority,
                                         .began = began,
                                         .before = before(),
                                         .written = writes && places_writes() ? &written : nullptr,
                                         .causal = fresh ? &*fresh : nullptr},
                                        may_read_replicas());
  note_causality(writes ? &written : nullptr, fresh, outcome.answer);
  if (!outcome.answer) outcome.answer.error().with_statement(what.name).with_attempts(outcome.attempts);
  report.finish(outcome.answer, outcome.from == nullptr ? std::string_view{} : outcome.from->name(),
                outcome.from == nullptr ? node_role::unknown : outcome.from->role(), outcome.attempts, outcome.ended);
  return std::move(outcome.answer);
}

result<std::vector<rows>> session_state::execute_batch(std::span<const batched_statement> statements,
                                                       std::string_view name) {
  if (refuses()) return *refusal(name);
  if (auto bad = refuse_batch(statements)) return std::move(*bad);

  const statement whole = description_of(statements, name);
  if (whole.kind == statement_class::write && is_guarded()) return execute_batch_guarded(statements, name);
  const parameters none;
  const auto began = deadline::clock::now();
  const operation_report report(watcher(), whole, options_.correlation_id, began);
  const bool writes = whole.kind == statement_class::write;
  causality_token written;
  auto fresh = whole.is_read() ? freshness_wanted() : std::nullopt;
  auto outcome = nodes().run_batch({.what = whole,
                                    .values = none,
                                    .until = operation_deadline(began),
                                    .cancel = options_.cancel.stop_possible() ? &options_.cancel : nullptr,
                                    .where = where_,
                                    .priority = options_.priority,
                                    .began = began,
                                    .before = before(),
                                    .written = writes && places_writes() ? &written : nullptr,
                                    .causal = fresh ? &*fresh : nullptr},
                                   statements, may_read_replicas());
  note_causality(writes ? &written : nullptr, fresh, outcome.answer);
  if (!outcome.answer) {
    name_batch(outcome.answer.error(), name);
    outcome.answer.error().with_attempts(outcome.attempts);
  }
  report.finish(outcome.answer, row_count(outcome.answer),
                outcome.from == nullptr ? std::string_view{} : outcome.from->name(),
                outcome.from == nullptr ? node_role::unknown : outcome.from->role(), outcome.attempts, outcome.ended);
  return std::move(outcome.answer);
}

result<void> session_state::run_in_transaction(transaction_body body) {
  transaction_run run(shared_from_this(), {}, where_);
  BOOST_OUTCOME_TRY(run.begin());
  if (auto done = body(run.executor()); !done) {
    run.rollback();
    return done;
  }
  return run.commit(false);
}

transaction_state::transaction_state(std::shared_ptr<session_state> session,
                                     std::unique_ptr<postgres::transaction_channel> channel,
                                     const transaction_options& options, deadline until, source_location where,
                                     unsigned attempt)
    : session_(std::move(session)),
      channel_(std::move(channel)),
      options_(options),
      until_(until),
      where_(where),
      attempt_(attempt) {
  act_for(session_->actor(), session_->correlation_id());
  tell(session_->auditor());
}

result<rows> transaction_state::execute(const statement& what, const parameters& values) {
  if (!channel_) return refused_after_transaction(what.name);
  if (values.first_invalid()) return unsendable(values).with_statement(what.name).with_table(what.table);

  const operation_report report(session_->watcher(), what, session_->options().correlation_id);
  auto answer = channel_->run(with_limits(what, values));
  if (!answer) {
    note(answer.error(), what.mapped);
    answer.error().with_statement(what.name).with_attempts(attempt_);
  }
  report.finish(answer, channel_->node(), channel_->role(), 1);
  return answer;
}

result<std::vector<rows>> transaction_state::execute_batch(std::span<const batched_statement> statements,
                                                           std::string_view name) {
  if (auto bad = refuse_batch(statements)) return std::move(*bad);
  return run_batch(statements, name);
}

result<std::vector<rows>> transaction_state::run_batch(std::span<const batched_statement> statements,
                                                       std::string_view name) {
  if (!channel_) return refused_after_transaction(name);
  const statement whole = description_of(statements, name);
  const parameters none;
  const operation_report report(session_->watcher(), whole, session_->options().correlation_id);
  auto answers = channel_->run_batch(with_limits(whole, none), statements);
  if (!answers) {
    note(answers.error());
    name_batch(answers.error(), name);
    answers.error().with_attempts(attempt_);
  }
  report.finish(answers, row_count(answers), channel_->node(), channel_->role(), 1);
  return answers;
}

result<void> transaction_state::run_in_transaction(transaction_body body) {
  // A savepoint, so that what fails as a whole is undone as a whole, also where the closure goes on after it.
  BOOST_OUTCOME_TRY(const unsigned depth, begin_savepoint());
  struct undo_guard {
    transaction_state& state;
    unsigned depth = 0;
    bool armed = true;
    ~undo_guard() {
      if (armed) (void)state.end_savepoint(depth, false);
    }
  } guard{*this, depth};
  auto done = body(shared_from_this());
  guard.armed = false;
  if (done) return end_savepoint(depth, true);
  // After a conflict all of the transaction is run again: it stays failed, and is not made usable.
  if (is_conflict(done.error())) {
    savepoints_ = depth - 1;
    return done;
  }
  (void)end_savepoint(depth, false);
  return done;
}

request transaction_state::with_limits(const statement& what, const parameters& values) const noexcept {
  const std::stop_token& cancel = session_->options().cancel;
  return {.what = what,
          .values = values,
          .until = until_.earlier_of(session_->operation_deadline(deadline::clock::now())),
          .cancel = cancel.stop_possible() ? &cancel : nullptr,
          .where = where_};
}

void transaction_state::note(const error& failure, bool mapped) noexcept {
  may_be_applied_ = may_be_applied_ || failure.applied() != applied::no;
  if (!failure_ || (failure.poisons_connection() && !failure_->poisons_connection())) failure_ = failure;
  const postgres::decision what = postgres::decide({.cause = failure,
                                                    .in_transaction = true,
                                                    .idempotent = options_.idempotent,
                                                    .mapped = mapped,
                                                    .demoted = channel_ && channel_->is_demoted(),
                                                    .attempt = attempt_});
  if (what.next == postgres::next_attempt::none) return;
  rerun_ = what;
  rerun_cause_ = failure;
}

result<void> transaction_state::commit(bool may_run_again) {
  if (!channel_) return error(errc::unsafe_operation, "the transaction has ended already");
  operation_report report(session_->watcher(), commit_statement, session_->options().correlation_id);
  const bool sends_commit = channel_->has_begun();
  const std::string node = channel_->node();
  const node_role role = channel_->role();
  const std::optional<postgres::outcome_mark> mark = channel_->mark();
  causality_token written;
  auto committed = channel_->commit(!options_.read_only && session_->places_writes() ? &written : nullptr);
  channel_.reset();  // finding out what became of it may need the connection's place in the pool
  if (!committed) {
    committed.error().with_attempts(attempt_).with_node(node);
    const bool unknown = committed.error().code() == errc::commit_unknown;
    if (unknown && mark) report.leave_unknown_to_guard();
    if (unknown && mark) committed = find_outcome(std::move(committed).error(), *mark, may_run_again);
  }
  if (!committed) note(committed.error());
  if (sends_commit && !options_.read_only) {
    session_->note_write(committed ? nullptr : &committed.assume_error(), written);
  }
  if (may_be_applied_) session_->note_written({});
  if (sends_commit) report.finish(committed, 0, node, role, 1);
  return committed;
}

void transaction_state::rollback() noexcept {
  if (channel_) channel_->rollback();
  channel_.reset();
  if (may_be_applied_) session_->note_written({});
}

result<unsigned> transaction_state::begin_savepoint() {
  if (!channel_) return error(errc::unsafe_operation, "the transaction has ended");
  if (auto set = channel_->set_savepoint(savepoints_ + 1); !set) {
    note(set.error());
    return std::move(set).error().with_attempts(attempt_);
  }
  return ++savepoints_;
}

result<void> transaction_state::end_savepoint(unsigned depth, bool keep) {
  if (!channel_) return error(errc::unsafe_operation, "the transaction has ended");
  savepoints_ = depth - 1;
  if (keep) {
    auto released = channel_->release_savepoint(depth);
    note_savepoint_end(depth, released.has_value());
    // A statement inside had failed and was passed over: then nothing of the inside stays.
    if (!released) {
      if (auto undone = channel_->rollback_to_savepoint(depth); !undone)
        return lost_savepoint(std::move(undone).error());
      callbacks_.undo(depth);
      rerun_cause_.reset();
      return released;
    }
    callbacks_.release(depth);
    return released;
  }
  note_savepoint_end(depth, false);
  if (auto undone = channel_->rollback_to_savepoint(depth); !undone) return lost_savepoint(std::move(undone).error());
  callbacks_.undo(depth);
  rerun_cause_.reset();  // it was inside, and is undone: a transaction that had met one before had failed by then
  return success();
}

/// What was to be undone is still there, so the transaction is at its end.
error transaction_state::lost_savepoint(error failure) {
  note(failure);
  return failure.with_attempts(attempt_);
}

pqxx::dbtransaction& transaction_state::native() { return channel_->native(); }

void transaction_state::remember(std::unique_ptr<end_callback> call, transaction_end when) {
  callbacks_.add(std::move(call), when, savepoints_);
}

// ---- the narrow functions that the handles' templates use -----------------------------------------------------------

std::shared_ptr<executor> executor_of(const std::shared_ptr<transaction_state>& state) { return state; }
std::shared_ptr<executor> executor_of(const std::shared_ptr<session_state>& state) { return state; }
causality_token token_of(const session_state& state) noexcept { return state.token(); }
causality causality_of(const session_state& state) noexcept { return state.causality(); }
void remember(transaction_state& state, std::unique_ptr<end_callback> call, transaction_end when) {
  state.remember(std::move(call), when);
}
unsigned attempt_of(const transaction_state& state) noexcept { return state.attempt(); }
pqxx::dbtransaction& native_of(transaction_state& state) { return state.native(); }
result<unsigned> begin_savepoint(transaction_state& state) { return state.begin_savepoint(); }
result<void> end_savepoint(transaction_state& state, unsigned depth, bool keep) {
  return state.end_savepoint(depth, keep);
}

}  // namespace breakwater::detail
