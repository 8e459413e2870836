#include "postgres/lease_channel.hpp"

#include "postgres/server_settings.hpp"
#include "postgres/statement_effects.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace breakwater::postgres {
namespace {

constexpr statement plain(std::string_view sql, std::string_view name) noexcept {
  return {.sql = sql, .name = name, .operation = "SQL", .print = fingerprint(sql), .prepare = false};
}

constexpr statement begin_batch = plain("begin", "begin");
constexpr statement begin_read_only_batch = plain("begin read only", "begin");
constexpr statement commit_batch = plain("commit", "commit");

/// There was a connection to send it on: an error counts as an attempt.
template <class T>
result<T> sent(result<T> answer) {
  if (!answer) answer.assume_error().with_attempts(1);
  return answer;
}

}  // namespace

result<lease> borrow_live(pool& connections, const request& wanted) {
  for (;;) {
    auto borrowed = connections.acquire(wanted.until, wanted.cancel, wanted.where, wanted.priority);
    if (!borrowed) return borrowed;
    // A server that ended the session has said so by now. Better noticed before a write is sent than after.
    if (borrowed.assume_value()->consume_pending()) {
      const bool is_replica = borrowed.assume_value()->is_replica();
      // Made while the server was one, its session is read-only: the pool closes it, and lends another.
      if (wanted.on_primary && !is_replica && borrowed.assume_value()->was_replica()) continue;
      if (!wanted.on_primary || !is_replica) return borrowed;
      // It came back as one. A read would be answered as of some time ago, and a BEGIN READ WRITE refused as nonsense.
      return error(errc::no_primary, "the server that was the primary is a replica now")
          .with_node(borrowed.assume_value()->node());
    }
    borrowed.assume_value()->abort();  // given back broken it is replaced, so the next round finds one less
  }
}

result<std::size_t> copy_in(pool& connections, const request& wanted, copy_source& from) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections, wanted));
  return sent(borrowed->copy_in({.what = wanted.what, .until = wanted.until, .cancel = wanted.cancel}, from));
}

result<std::size_t> copy_out(pool& connections, const request& wanted, std::string_view shape, copy_sink& to) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections, wanted));
  // One that its sink had enough of goes back as it is: the pool's background ends it.
  return sent(borrowed->copy_out({.what = wanted.what, .until = wanted.until, .cancel = wanted.cancel}, shape, to));
}

result<rows> lease_channel::run(const request& wanted) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections_, wanted));
  connection& link = *borrowed;
  statement what = wanted.what;
  if (!what.mapped && may_commit_by_itself(what.sql)) {
    if (what.enforce_read_only) {
      return error(errc::invalid_argument,
                   "CALL and DO can not be held to read-only: a COMMIT inside ends that. Run it without read_only()")
          .with_statement(what.name)
          .with_node(link.node());
    }
    what.may_commit_by_itself = true;
  }

  std::array<command, 3> commands{};
  std::size_t count = 0;
  parameters none;
  parameters timeout_value;
  if (const auto timeout = own_statement_timeout(what.kind == statement_class::write, wanted.until,
                                                 deadline::clock::now(), link.statement_timeout())) {
    bind_timeout(timeout_value, *timeout);
    commands[count++] = {&set_timeout_statement, &timeout_value};
  }
  // On a replica the session is read-only already.
  if (what.enforce_read_only && !link.was_replica()) commands[count++] = {&set_read_only_statement, &none};
  commands[count++] = {&what, &wanted.values};

  auto answer = sent(link.run({.commands = std::span(commands).first(count),
                               .kind = batch_kind::autocommit,
                               .until = wanted.until,
                               .cancel = wanted.cancel}));
  if (answer && link.in_transaction()) {
    // Given back like this it is rolled back.
    return error(errc::unsafe_operation,
                 "the statement opened a transaction on a pooled connection; it was rolled back. Use "
                 "session.transact(...)")
        .with_statement(what.name)
        .with_node(link.node());
  }
  // What a SET leaves behind must not meet the connection's next borrower.
  if (answer && !what.mapped && changed_session(what.sql, answer.assume_value().command_tag())) link.retire();
  return answer;
}

result<std::vector<rows>> lease_channel::run_batch(const request& wanted,
                                                   std::span<const batched_statement> statements) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections_, wanted));
  connection& link = *borrowed;
  const bool writes = !wanted.what.is_read();

  // BEGIN rather than the implicit transaction that a Sync ends: in that one a procedure may commit, and some
  // statements commit by themselves, so that an error behind them would not tell that nothing was applied.
  const parameters none;
  parameters timeout_value;
  std::vector<command> commands;
  commands.reserve(statements.size() + 3);
  commands.push_back({writes ? &begin_batch : &begin_read_only_batch, &none});
  if (const auto timeout =
          own_statement_timeout(writes, wanted.until, deadline::clock::now(), link.statement_timeout())) {
    bind_timeout(timeout_value, *timeout);
    commands.push_back({&set_timeout_statement, &timeout_value});
  }
  commands.insert(commands.end(), statements.begin(), statements.end());
  commands.push_back({&commit_batch, &none});

  auto answers = sent(link.run_all({.commands = commands,
                                    .kind = batch_kind::whole,
                                    .until = wanted.until,
                                    .cancel = wanted.cancel,
                                    .callers = statements.size(),
                                    .behind = 1}));
  if (answers && leaves_session_changed(statements, answers.assume_value())) link.retire();
  const auto outlives = [](const batched_statement& each) {
    return !each.what->mapped && outlives_rollback(each.what->sql);
  };
  if (!answers && std::ranges::any_of(statements, outlives)) link.retire();
  return answers;
}

bool leaves_session_changed(std::span<const batched_statement> statements, const std::vector<rows>& answers) noexcept {
  for (std::size_t i = 0; i < statements.size() && i < answers.size(); ++i) {
    const statement& what = *statements[i].what;
    if (!what.mapped && changed_session(what.sql, answers[i].command_tag())) return true;
  }
  return false;
}

}  // namespace breakwater::postgres
