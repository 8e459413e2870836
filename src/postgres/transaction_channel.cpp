#include "postgres/transaction_channel.hpp"

#include "postgres/patience.hpp"
#include "postgres/server_settings.hpp"
#include "postgres/statement_effects.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace breakwater::postgres {
namespace {

statement plain(std::string_view sql, std::string_view name) noexcept {
  return {.sql = sql, .name = name, .operation = "SQL", .kind = statement_class::write, .prepare = false};
}

/// A guarded COMMIT is given up after this part of the time left, so that there is time to find out what became of it.
constexpr int share_for_guarded_commit = 2;

constexpr std::string_view set_lock_timeout_sql = "select pg_catalog.set_config('lock_timeout', $1, true)";
constexpr statement set_lock_timeout_statement{.sql = set_lock_timeout_sql,
                                               .name = "set lock_timeout",
                                               .operation = "SELECT",
                                               .print = fingerprint(set_lock_timeout_sql),
                                               .kind = statement_class::read};

/// Around a COPY whose rows may not all be wanted.
constexpr const char* copy_savepoint = "bw_copy";

std::string savepoint_name(unsigned depth) { return "bw_savepoint_" + std::to_string(depth); }

}  // namespace

std::string savepoint_sql(unsigned depth) { return "savepoint " + savepoint_name(depth); }
std::string release_sql(unsigned depth) { return "release savepoint " + savepoint_name(depth); }

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

result<rows> transaction_channel::run(const request& wanted) {
  return run_one(wanted.what, wanted.values, {until_.earlier_of(wanted.until), wanted.cancel});
}

result<std::vector<rows>> transaction_channel::run_batch(const request& wanted,
                                                         std::span<const batched_statement> statements) {
  return run_behind_begin(statements, wanted.what.name, {until_.earlier_of(wanted.until), wanted.cancel});
}

result<rows> transaction_channel::run_one(const statement& what, const parameters& values, const own_limits& limits) {
  const command only{&what, &values};
  BOOST_OUTCOME_TRY(auto answers, run_behind_begin({&only, 1}, what.name, limits));
  rows answer = std::move(answers.front());
  return answer;
}

std::optional<error> transaction_channel::refusal(std::string_view name) {
  if (ended_) {
    if (root_cause_) {
      error why = *root_cause_;  // says more
      return why.with_statement(name);
    }
    return error(errc::unsafe_operation, "the transaction has ended; its repositories can not be used any more")
        .with_statement(name);
  }
  if (held_->is_copying()) {
    return error(errc::unsafe_operation,
                 "a COPY is under way on the transaction's only connection: what feeds or takes its rows can not run "
                 "statements there; collect the rows first, or read with stream()")
        .with_statement(name);
  }
  if (native_) held_->finish_native_answers();
  if (begun_ && held_->is_clean()) return ended_behind_our_back(name);
  return std::nullopt;
}

result<std::vector<rows>> transaction_channel::run_behind_begin(std::span<const command> statements,
                                                                std::string_view name, const own_limits& limits) {
  if (auto refused = refusal(name)) return std::move(*refused);
  auto answers = token_ && !begun_ ? run_guarded(statements, limits) : send(statements, limits);
  if (!answers) return explain(std::move(answers).error());
  if (!held_->in_transaction()) return ended_behind_our_back(name);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const std::string_view sql = statements[i].what->sql;
    const std::string_view tag = answers.assume_value()[i].command_tag();
    if (chained_transaction(sql, tag)) return ended_behind_our_back(statements[i].what->name);
    session_changed_ = session_changed_ || changed_session(sql, tag);
  }
  // Who kept the libpqxx transaction may go on using it.
  if (native_) (void)held_->take_native();
  return answers;
}

result<std::vector<rows>> transaction_channel::send(std::span<const command> statements, const own_limits& limits) {
  std::vector<command> commands;
  const parameters none;
  parameters timeout_value;
  parameters token_value;
  const std::string begin = begun_ ? std::string{} : begin_sql();
  const statement begin_statement = plain(begin, "begin");
  const bool with_token = !begun_ && token_;
  const std::size_t own = before_.size() + (with_token ? 1 : 0);
  if (!begun_ || own > 0) {
    constexpr std::size_t ahead = 3;
    commands.reserve(statements.size() + before_.size() + ahead);
    if (!begun_) commands.push_back({&begin_statement, &none});
    const auto timeout =
        begun_ ? std::nullopt
               : own_statement_timeout(true, limits.until, deadline::clock::now(), held_->statement_timeout());
    if (timeout) {
      bind_timeout(timeout_value, *timeout);
      commands.push_back({&set_timeout_statement, &timeout_value});
    }
    // The token first: it is nobody's but the library's.
    if (with_token) {
      bind_token(token_value, *token_);
      commands.push_back({&token_statement_for(held_->process()), &token_value});
    }
    commands.insert(commands.end(), before_.begin(), before_.end());
    commands.insert(commands.end(), statements.begin(), statements.end());
  }

  // What its caller has no business to do, and can not be kept from knowing the fate of.
  const bool holds_commit = std::ranges::any_of(
      statements, [](const command& each) { return !each.what->mapped && may_commit_transaction(each.what->sql); });
  if (with_token) mark_ = outcome_mark{.token = *token_};
  auto answers = held_->run_all({.commands = commands.empty() ? statements : std::span<const command>(commands),
                                 .kind = batch_kind::in_transaction,
                                 .until = limits.until,
                                 .cancel = holds_commit ? nullptr : limits.cancel,
                                 .holds_commit = holds_commit,
                                 .callers = statements.size() + own,
                                 .own = own,
                                 .cacheable = cacheable_});
  begun_ = begun_ || held_->in_transaction();
  if (answers && with_token) {
    auto& all = answers.assume_value();
    if (all.front().empty()) return token_not_taken();
    mark_ = read_mark(*token_, all.front(), held_->process());
  }
  if (answers) {
    auto& all = answers.assume_value();
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own));
    before_ = {};
  }
  if (mark_) {
    for (const command& each : statements) note_effects(*each.what, *each.values);
  }
  return answers;
}

result<std::vector<rows>> transaction_channel::run_guarded(std::span<const command> statements,
                                                           const own_limits& limits) {
  auto answers = send(statements, limits);
  if (!answers && make_table_ && is_missing_outcome_table(answers.error()) && held_->in_failed_transaction()) {
    // Nothing has run: the token's INSERT stands before all else.
    rollback();
    if (!held_->is_clean()) return answers;
    begun_ = ended_ = false;
    mark_.reset();
    BOOST_OUTCOME_TRY(make_outcome_table(*held_, limits.until, limits.cancel));
    answers = send(statements, limits);
  }
  if (!answers) {
    explain_outcome_table(answers.error());
    if (is_known_token(answers.error())) {
      // Found not applied before, and yet here: by a server that was the primary no longer.
      answers.error()
          .with_code(errc::commit_unknown)
          .with_applied(applied::unknown)
          .with_text("an earlier run of this transaction, thought lost, is committed");
    }
  }
  return answers;
}

void transaction_channel::guard(const outcome_token& token, bool make_table) noexcept {
  token_ = token;
  make_table_ = make_table;
}

result<void> transaction_channel::claim(const outcome_token& token, std::chrono::milliseconds lock_timeout,
                                        deadline until, const std::stop_token* cancel) {
  const std::string begin = begin_sql();
  const statement begin_statement = plain(begin, "begin");
  const statement reset_statement = plain("set local lock_timeout to default", "reset lock_timeout");
  const parameters none;
  parameters timeout_value;
  parameters lock_timeout_value;
  parameters token_value;
  bind_timeout(lock_timeout_value, lock_timeout);
  bind_token(token_value, token);
  std::vector<command> commands{{&begin_statement, &none}};
  if (const auto timeout = own_statement_timeout(true, until_, deadline::clock::now(), held_->statement_timeout())) {
    bind_timeout(timeout_value, *timeout);
    commands.push_back({&set_timeout_statement, &timeout_value});
  }
  commands.insert(commands.end(), {{&set_lock_timeout_statement, &lock_timeout_value},
                                   {&token_statement_for(held_->process()), &token_value},
                                   {&reset_statement, &none}});
  auto inserted = held_->run(
      {.commands = commands, .kind = batch_kind::in_transaction, .until = until, .cancel = cancel, .behind = 1});
  begun_ = held_->in_transaction();
  if (!inserted) return explain(std::move(inserted).error());
  if (inserted.assume_value().empty()) return token_not_taken();
  token_ = token;
  mark_ = read_mark(token, inserted.assume_value(), held_->process());
  return success();
}

std::optional<server_process> transaction_channel::abandon() {
  ended_ = true;
  held_->retire();
  const server_process& known = held_->process();
  if (!known.is_direct || !known.is_settled()) return std::nullopt;
  return known;
}

error transaction_channel::token_not_taken() {
  rollback();
  root_cause_ = error(errc::mapping_mismatch,
                      "the outcome guard's table breakwater.outcomes did not take a token: it must be a plain table "
                      "without rules and without triggers that suppress rows")
                    .with_statement(outcome_token_statement.name)
                    .with_node(node());
  return *root_cause_;
}

void transaction_channel::note_effects(const statement& what, const parameters& values) {
  if (may_set_synchronous_commit(what, values)) mark_->synchronous_commit.clear();
}

deadline transaction_channel::commit_deadline() const noexcept {
  if (!mark_ || until_.is_never()) return until_;
  const auto now = deadline::clock::now();
  return deadline::after(until_.remaining(now) / share_for_guarded_commit, now);
}

copy_order transaction_channel::order_for(const request& wanted) const {
  return {.what = wanted.what,
          .before = begun_ ? std::string{} : begin_sql() + ";",
          .kind = batch_kind::in_transaction,
          .sets_timeout = !begun_,
          .until = until_.earlier_of(wanted.until),
          .cancel = wanted.cancel};
}

result<std::size_t> transaction_channel::copy_in(const request& wanted, copy_source& from) {
  if (auto refused = refusal(wanted.what.name)) return std::move(*refused);
  // COPY leaves pipeline mode, in which the token's row is written.
  if ((token_ && !begun_) || !before_.empty()) {
    BOOST_OUTCOME_TRY(run_plain("select 1", "begin"));
  }
  result<std::size_t> copied = errc::internal;
  try {
    copied = held_->copy_in(order_for(wanted), from);
  } catch (...) {
    note_copy_was_left();
    throw;
  }
  begun_ = begun_ || held_->in_transaction();
  if (!copied) return explain(std::move(copied).error());
  if (!held_->in_transaction()) return ended_behind_our_back(wanted.what.name);
  if (native_) (void)held_->take_native();
  return copied;
}

result<std::size_t> transaction_channel::copy_out(const request& wanted, std::string_view shape, copy_sink& to) {
  if (auto refused = refusal(wanted.what.name)) return std::move(*refused);
  // The transaction's own time limit is set with its BEGIN: inside the savepoint it would be undone with it.
  if (!begun_ || !before_.empty()) {
    BOOST_OUTCOME_TRY(run_plain("select 1", "begin"));
  }
  // Rows that nobody wants are cancelled, which fails what they are a part of.
  copy_order order = order_for(wanted);
  order.before.append("savepoint ").append(copy_savepoint).append(";");
  const std::string release = std::string("; release savepoint ") + copy_savepoint;
  order.after = release;
  result<std::size_t> copied = errc::internal;
  try {
    copied = held_->copy_out(order, shape, to);
  } catch (...) {
    end_copy_out();
    throw;
  }
  if (held_->was_copy_left()) {
    end_copy_out();
    if (ended_) return copied ? result<std::size_t>(*root_cause_) : copied;
    return copied;
  }
  begun_ = begun_ || held_->in_transaction();
  if (!copied) return explain(std::move(copied).error());
  if (!held_->in_transaction()) return ended_behind_our_back(wanted.what.name);
  if (native_) (void)held_->take_native();
  return copied;
}

void transaction_channel::note_copy_was_left() {
  begun_ = begun_ || held_->in_transaction();
  if (held_->is_copying() || held_->is_broken()) ended_ = true;
  if (!root_cause_ && (ended_ || held_->in_failed_transaction())) {
    root_cause_ = error(errc::cancelled, "what was to give the rows of a COPY threw an exception").with_node(node());
  }
}

void transaction_channel::end_copy_out() {
  bool usable = held_->end_copy(deadline::after(rollback_patience));
  begun_ = begun_ || held_->in_transaction();
  if (usable && held_->in_failed_transaction()) {
    usable = run_plain(std::string("rollback to savepoint ") + copy_savepoint, "rollback to savepoint").has_value() &&
             run_plain(std::string("release savepoint ") + copy_savepoint, "release savepoint").has_value();
  }
  if (usable) {
    if (native_) (void)held_->take_native();
    return;
  }
  ended_ = true;
  root_cause_ = error(errc::connection_failed, "a COPY that was not read to its end could not be ended in time")
                    .with_node(node())
                    .with_poisoned_connection();
}

error transaction_channel::ended_behind_our_back(std::string_view statement_name) {
  ended_ = true;
  root_cause_ = error(errc::unsafe_operation,
                      "the transaction was ended behind the library's back, by a statement of its own or through "
                      "libpqxx; what it had done may be committed. Return success or an error from the closure instead")
                    .with_applied(applied::unknown)
                    .with_statement(statement_name)
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

result<void> transaction_channel::commit(causality_token* written) {
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
  if (held_->is_clean()) return ended_behind_our_back("commit");
  // A goodbye that came before COMMIT is sent tells that nothing was applied; after it, nothing would.
  if (!held_->consume_pending()) {
    ended_ = true;
    return held_->goodbye("the connection was lost before COMMIT was sent").with_statement("commit").with_node(node());
  }
  auto answer = send_commit(written);
  if (!answer && answer.error().code() == errc::deadline_exceeded && held_->in_transaction()) {
    rollback();  // the deadline had passed before COMMIT was sent
  }
  ended_ = true;
  if (answer) {
    if (session_changed_) held_->retire();  // a SET without LOCAL outlives its transaction
    return success();
  }
  error failure = std::move(answer).error();
  // Who finds out what became of it may end its process, which must be nobody else's by then.
  if (mark_ && failure.code() == errc::commit_unknown) held_->retire();
  if (failure.code() == errc::rolled_back && root_cause_) {
    failure.with_text(
        "COMMIT was answered with ROLLBACK: the closure returned success although a statement had "
        "failed: " +
        root_cause_->message());
  }
  return failure;
}

result<void> transaction_channel::send_commit(causality_token* written) {
  const statement commit_statement = plain("commit", "commit");
  const parameters none;
  const command commit{&commit_statement, &none};
  // In a failed one the question would fail in the COMMIT's place.
  if (written == nullptr || held_->in_failed_transaction()) {
    BOOST_OUTCOME_TRY(held_->run({.commands = {&commit, 1}, .kind = batch_kind::commit, .until = commit_deadline()}));
    return success();
  }
  const statement& question = held_->server().is_known() ? position_statement : position_and_server_statement;
  const std::array commands{command{&commit_mode_statement, &none}, commit, command{&question, &none}};
  std::vector<rows> position;
  BOOST_OUTCOME_TRY(const auto answers, held_->run_all({.commands = commands,
                                                        .kind = batch_kind::commit,
                                                        .until = commit_deadline(),
                                                        .callers = 2,
                                                        .behind = 1,
                                                        .own = 1,
                                                        .commit = &commit_statement,
                                                        .reports = &position}));
  *written = position.empty() ? unplaced_token(held_->server())
                              : read_token(answers.front(), position.front(), held_->backend(), held_->server());
  return success();
}

void transaction_channel::rollback() noexcept {
  native_.reset();
  held_->finish_native_answers();
  if (session_changed_) held_->retire();  // a PREPARE outlives the rollback
  if (!begun_ || held_->is_broken() || !held_->in_transaction()) {
    ended_ = true;
    return;
  }
  const statement rollback_statement = plain("rollback", "rollback");
  const parameters none;
  const std::array commands{command{&rollback_statement, &none}};
  // Within the caller's time: what is not in order by then the pool puts in order in the background, or closes.
  deadline patience = deadline::after(rollback_patience);
  if (!until_.is_never()) patience = patience.earlier_of(deadline(until_.at() + verdict_grace));
  (void)held_->run({.commands = commands, .kind = batch_kind::in_transaction, .until = patience});
  ended_ = true;
}

result<void> transaction_channel::run_plain(const std::string& sql, const char* name) {
  const parameters none;
  // BEGIN and savepoints are the library's own: what they undo must not depend on the caller's patience.
  BOOST_OUTCOME_TRY(run_one(plain(sql, name), none, {until_, nullptr}));
  return success();
}

result<void> transaction_channel::set_savepoint(unsigned depth) { return run_plain(savepoint_sql(depth), "savepoint"); }

result<void> transaction_channel::release_savepoint(unsigned depth) {
  return run_plain(release_sql(depth), "release savepoint");
}

result<void> transaction_channel::rollback_to_savepoint(unsigned depth) {
  auto undone = run_plain("rollback to savepoint " + savepoint_name(depth), "rollback to savepoint");
  if (!undone) {
    // What was to be undone is still there: the transaction must not be committed.
    ended_ = true;
    if (!root_cause_) root_cause_ = undone.error();
    return undone;
  }
  root_cause_.reset();  // the transaction is usable again
  // Left standing, each would make the next one a level deeper, and each level takes a transaction number.
  return release_savepoint(depth);
}

pqxx::dbtransaction& transaction_channel::native() {
  if (native_) {
    (void)held_->take_native();
    return native_->get();
  }
  const bool open = begun_ && before_.empty() ? !ended_ : run_plain("select 1", "begin").has_value();
  if (!open) held_->abort();
  if (mark_) mark_->synchronous_commit.clear();  // what is done through libpqxx is not seen
  native_ = std::make_unique<native_transaction>(held_->take_native());
  return native_->get();
}

}  // namespace breakwater::postgres
