#include "postgres/transaction_channel.hpp"

#include "postgres/server_settings.hpp"
#include "postgres/statement_effects.hpp"

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace breakwater::postgres {
namespace {

/// A rollback that takes longer is not worth waiting for: closing the connection does the same.
constexpr std::chrono::milliseconds rollback_patience{1000};

statement plain(std::string_view sql, std::string_view name) noexcept {
  return {.sql = sql, .name = name, .operation = "SQL", .kind = statement_class::write, .prepare = false};
}

std::string savepoint_name(unsigned depth) { return "bw_savepoint_" + std::to_string(depth); }

}  // namespace

transaction_channel::transaction_channel(lease held, const transaction_options& options, deadline until)
    : held_(std::move(held)), options_(options), until_(until) {}

std::string transaction_channel::begin_sql() const {
  std::string sql = "begin isolation level ";
  switch (options_.isolation) {
    case isolation::read_committed: sql.append("read committed"); break;
    case isolation::repeatable_read: sql.append("repeatable read"); break;
    case isolation::serializable: sql.append("serializable"); break;
  }
  sql.append(options_.read_only ? ", read only" : ", read write");
  if (options_.deferrable) sql.append(", deferrable");
  return sql;
}

result<rows> transaction_channel::run(const request& wanted) { return run_batch(wanted.what, wanted.values, &wanted); }

result<rows> transaction_channel::run_batch(const statement& what, const parameters& values, const request* wanted) {
  if (ended_) {
    return error(errc::unsafe_operation, "the transaction has ended; its repositories can not be used any more")
        .with_statement(what.name);
  }
  if (native_) held_->finish_native_answers();
  if (begun_ && held_->is_clean()) return ended_behind_our_back(what);
  const deadline until = wanted == nullptr ? until_ : until_.earlier_of(wanted->until);
  std::array<command, 3> commands{};
  std::size_t count = 0;
  const parameters none;
  parameters timeout_value;
  const std::string begin = begun_ ? std::string{} : begin_sql();
  const statement begin_statement = plain(begin, "begin");
  if (!begun_) {
    commands[count++] = {&begin_statement, &none};
    if (const auto timeout = own_statement_timeout(true, until, deadline::clock::now(), held_->statement_timeout())) {
      bind_timeout(timeout_value, *timeout);
      commands[count++] = {&set_timeout_statement, &timeout_value};
    }
  }
  commands[count++] = {&what, &values};

  auto answer = held_->run({.commands = std::span(commands).first(count),
                            .kind = batch_kind::in_transaction,
                            .until = until,
                            // BEGIN and savepoints are the library's own: what they undo must not depend on the
                            // caller's patience.
                            .cancel = wanted == nullptr ? nullptr : wanted->cancel});
  begun_ = begun_ || held_->in_transaction();
  if (!answer) return explain(std::move(answer).error());
  const std::string_view tag = answer.assume_value().command_tag();
  if (!held_->in_transaction() || chained_transaction(what.sql, tag)) return ended_behind_our_back(what);
  session_changed_ = session_changed_ || changed_session(what.sql, tag);
  // Who kept the libpqxx transaction may go on using it.
  if (native_) (void)held_->take_native();
  return answer;
}

error transaction_channel::ended_behind_our_back(const statement& what) {
  ended_ = true;
  root_cause_ = error(errc::unsafe_operation,
                      "the transaction was ended behind the library's back, by a statement of its own or through "
                      "libpqxx; what it had done may be committed. Return success or an error from the closure instead")
                    .with_applied(applied::unknown)
                    .with_statement(what.name)
                    .with_node(node());
  return *root_cause_;
}

error transaction_channel::explain(error failure) {
  if (failure.poisons_connection() || held_->is_broken()) ended_ = true;
  if (failure.sqlstate() == "25P02" && root_cause_) {
    // "current transaction is aborted" says nothing; what aborted it does.
    error cause = *root_cause_;
    return cause.with_statement(failure.statement());
  }
  // A raw COMMIT that failed: an ERROR answer, so all of it is rolled back, and there is no transaction any more.
  if (begun_ && !ended_ && held_->is_clean()) ended_ = true;
  // What was refused before it reached the server aborted nothing.
  if (!root_cause_ && (ended_ || !begun_ || held_->in_failed_transaction())) root_cause_ = failure;
  if (native_ && !ended_) (void)held_->take_native();
  return failure;
}

result<void> transaction_channel::commit() {
  native_.reset();
  held_->finish_native_answers();
  if (ended_) {
    return root_cause_ ? *root_cause_
                       : error(errc::unsafe_operation, "the transaction was ended by a statement of its own")
                             .with_applied(applied::unknown);
  }
  if (!begun_) {
    ended_ = true;
    if (!root_cause_) return success();
    return error(errc::rolled_back,
                 "nothing was done, and the closure returned success although a statement had "
                 "failed: " +
                     root_cause_->message())
        .with_node(node());
  }
  const statement commit_statement = plain("commit", "commit");
  if (held_->is_clean()) return ended_behind_our_back(commit_statement);
  // A goodbye that came before COMMIT is sent tells that nothing was applied; after it, nothing would.
  if (!held_->consume_pending()) {
    ended_ = true;
    return error(errc::connection_failed, "the connection was lost before COMMIT was sent")
        .with_statement("commit")
        .with_node(node())
        .with_poisoned_connection();
  }
  const parameters none;
  const std::array commands{command{&commit_statement, &none}};
  auto answer = held_->run({.commands = commands, .kind = batch_kind::commit, .until = until_});
  if (!answer && answer.error().code() == errc::deadline_exceeded && held_->in_transaction()) {
    rollback();  // the deadline had passed before COMMIT was sent
  }
  ended_ = true;
  if (answer) {
    if (session_changed_) held_->retire();  // a SET without LOCAL outlives its transaction
    return success();
  }
  error failure = std::move(answer).error();
  if (failure.code() == errc::rolled_back && root_cause_) {
    failure.with_text(
        "COMMIT was answered with ROLLBACK: the closure returned success although a statement had "
        "failed: " +
        root_cause_->message());
  }
  return failure;
}

void transaction_channel::rollback() noexcept {
  native_.reset();
  held_->finish_native_answers();
  if (!begun_ || held_->is_broken() || !held_->in_transaction()) {
    ended_ = true;
    return;
  }
  const statement rollback_statement = plain("rollback", "rollback");
  const parameters none;
  const std::array commands{command{&rollback_statement, &none}};
  // Past the deadline too: it is the pool's connection that is being put in order. If it fails, giving the
  // connection back finds it dirty.
  (void)held_->run(
      {.commands = commands, .kind = batch_kind::in_transaction, .until = deadline::after(rollback_patience)});
  ended_ = true;
}

result<void> transaction_channel::run_plain(const std::string& sql, const char* name) {
  const parameters none;
  BOOST_OUTCOME_TRY(run_batch(plain(sql, name), none, nullptr));
  return success();
}

result<void> transaction_channel::set_savepoint(unsigned depth) {
  return run_plain("savepoint " + savepoint_name(depth), "savepoint");
}

result<void> transaction_channel::release_savepoint(unsigned depth) {
  return run_plain("release savepoint " + savepoint_name(depth), "release savepoint");
}

result<void> transaction_channel::rollback_to_savepoint(unsigned depth) {
  auto undone = run_plain("rollback to savepoint " + savepoint_name(depth), "rollback to savepoint");
  if (!undone) {
    // What was to be undone is still there: the transaction must not be committed.
    ended_ = true;
    root_cause_ = undone.error();
    return undone;
  }
  root_cause_.reset();  // the transaction is usable again
  return success();
}

pqxx::dbtransaction& transaction_channel::native() {
  if (native_) {
    (void)held_->take_native();
    return native_->get();
  }
  const bool open = begun_ ? !ended_ : run_plain("select 1", "begin").has_value();
  if (!open) held_->abort();
  native_ = std::make_unique<native_transaction>(held_->take_native());
  return native_->get();
}

}  // namespace breakwater::postgres
