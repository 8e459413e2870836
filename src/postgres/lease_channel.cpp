#include "postgres/lease_channel.hpp"

#include "postgres/causal_read.hpp"
#include "postgres/log_position.hpp"
#include "postgres/server_settings.hpp"
#include "postgres/statement_effects.hpp"
#include "postgres/transaction_channel.hpp"

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

/// A statement that has to run in a transaction of its own, or may, where that tells what it is asked for.
bool is_wrapped(const request& wanted) noexcept {
  if (!wanted.before.empty()) return true;
  return wanted.written != nullptr && wanted.what.kind == statement_class::write &&
         (wanted.what.mapped || may_be_wrapped(wanted.what.sql));
}

/// The server is asked in the same message, ahead of the read.
bool is_asked(const request& wanted) noexcept {
  return wanted.causal != nullptr && !wanted.causal->after.empty() && wanted.causal->found == read_finding::unknown;
}

/// The answers of the caller's statements, between a BEGIN and a COMMIT of their own, all under one Sync.
///
/// BEGIN rather than the implicit transaction that a Sync ends: in that one a procedure may commit, and some statements
/// commit by themselves, so that an error behind them would not tell that nothing was applied.
result<std::vector<rows>> run_whole(connection& link, const request& wanted, std::span<const command> statements) {
  const bool writes = !wanted.what.is_read();
  const bool placed = wanted.written != nullptr && wanted.what.kind == statement_class::write;
  const bool asked = is_asked(wanted);
  const parameters none;
  parameters timeout_value;
  std::vector<command> commands;
  constexpr std::size_t most_of_ours = 6;
  commands.reserve(statements.size() + wanted.before.size() + most_of_ours);
  commands.push_back({writes ? &begin_batch : &begin_read_only_batch, &none});
  if (const auto timeout =
          own_statement_timeout(writes, wanted.until, deadline::clock::now(), link.statement_timeout())) {
    bind_timeout(timeout_value, *timeout);
    commands.push_back({&set_timeout_statement, &timeout_value});
  }
  commands.insert(commands.end(), wanted.before.begin(), wanted.before.end());
  if (asked) commands.push_back({&place_question(link.server()), &none});
  commands.insert(commands.end(), statements.begin(), statements.end());
  if (placed) commands.push_back({&commit_mode_statement, &none});
  commands.push_back({&commit_batch, &none});
  if (placed) {
    commands.push_back({link.server().is_known() ? &position_statement : &position_and_server_statement, &none});
  }

  const std::size_t own = wanted.before.size() + (asked ? 1 : 0);
  constexpr std::size_t around_commit = 3;
  std::vector<rows> reports;
  if (placed) reports.reserve(around_commit);
  auto answers = sent(link.run_all({.commands = commands,
                                    .kind = batch_kind::whole,
                                    .until = wanted.until,
                                    .cancel = wanted.cancel,
                                    .callers = statements.size() + own,
                                    .behind = placed ? around_commit : 1,
                                    .own = own,
                                    .commit = &commit_batch,
                                    .reports = placed || asked ? &reports : nullptr,
                                    .cacheable = shares_plans(wanted.before)}));
  if (answers) {
    auto& all = answers.assume_value();
    if (asked) note_place(link, *wanted.causal, all[own - 1]);
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own));
    if (leaves_session_changed(statements, all)) link.retire();
    if (placed) {
      *wanted.written = reports.size() == around_commit
                            ? read_token(reports.front(), reports.back(), link.backend(), link.server())
                            : unplaced_token(link.server());
    }
    return answers;
  }
  if (asked && reports.size() >= own) note_place(link, *wanted.causal, reports[own - 1]);
  const auto outlives = [](const batched_statement& each) {
    return !each.what->mapped && outlives_rollback(each.what->sql);
  };
  if (std::ranges::any_of(statements, outlives)) link.retire();
  return answers;
}

/// A statement that its Sync commits.
result<rows> run_alone(connection& link, const request& wanted, const statement& what) {
  std::array<command, 4> commands{};
  std::size_t count = 0;
  const parameters none;
  parameters timeout_value;
  if (const auto timeout = own_statement_timeout(what.kind == statement_class::write, wanted.until,
                                                 deadline::clock::now(), link.statement_timeout())) {
    bind_timeout(timeout_value, *timeout);
    commands[count++] = {&set_timeout_statement, &timeout_value};
  }
  // On a replica the session is read-only already.
  if (what.enforce_read_only && !link.was_replica()) commands[count++] = {&set_read_only_statement, &none};
  const bool asked = is_asked(wanted);
  if (asked) commands[count++] = {&place_question(link.server()), &none};
  commands[count++] = {&what, &wanted.values};

  std::vector<rows> before_failure;
  const batch all{.commands = std::span(commands).first(count),
                  .kind = batch_kind::autocommit,
                  .until = wanted.until,
                  .cancel = wanted.cancel,
                  .callers = asked ? std::size_t{2} : std::size_t{1},
                  .own = asked ? std::size_t{1} : std::size_t{0},
                  .reports = asked ? &before_failure : nullptr};
  if (!asked) return sent(link.run(all));
  auto answers = sent(link.run_all(all));
  if (!answers) {
    if (!before_failure.empty()) note_place(link, *wanted.causal, before_failure.front());
    return std::move(answers).error();
  }
  note_place(link, *wanted.causal, answers.assume_value().front());
  rows answer = std::move(answers.assume_value().back());
  return answer;
}

result<rows> run_on(connection& link, const request& wanted) {
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
  if (is_wrapped(wanted)) {
    if (!what.mapped && controls_transaction(what.sql)) {
      return error(
                 errc::unsafe_operation,
                 "the statement begins, divides or ends a transaction, and it would be another one than it means. Use "
                 "session.transact(...)")
          .with_statement(what.name)
          .with_node(link.node());
    }
    const command only{&what, &wanted.values};
    BOOST_OUTCOME_TRY(auto answers, run_whole(link, wanted, {&only, 1}));
    rows answer = std::move(answers.front());
    return answer;
  }

  auto answer = run_alone(link, wanted, what);
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
  if (answer && wanted.written != nullptr) *wanted.written = unplaced_token(link.server());
  return answer;
}

/// `run` on a server that has the writes which the read must see, as far as it is known of it.
template <class Run>
auto run_when_fresh(connection& link, const request& wanted, const Run& run) -> decltype(run(wanted)) {
  causal_read& read = *wanted.causal;
  if (is_too_young(read, link, wanted.on_primary)) return not_fresh().with_node(link.node());
  if (read.after.empty()) return run(wanted);
  read.found = known_finding(read, link.server(), link.opened_at(), wanted.on_primary);
  read.unasked = read.found != read_finding::unknown;
  if (read.found == read_finding::behind) return not_fresh().with_node(link.node());
  auto answer = run(wanted);
  if (read.unasked) return answer;
  if (!answer && is_refused_question(answer.assume_error())) {
    if (!wanted.on_primary) return not_fresh().with_node(link.node());
    read.found = read_finding::not_vouched;
    return run(wanted);
  }
  // What is behind may also fail for that: a table that is not there yet.
  if (read.found != read_finding::behind) return answer;
  if (!link.is_clean()) return answer ? decltype(answer)(not_fresh().with_node(link.node())) : std::move(answer);
  BOOST_OUTCOME_TRY(wait_until_fresh(link, read, wanted.until, wanted.cancel));
  if (read.found == read_finding::behind) return not_fresh().with_node(link.node());
  if (!link.is_pooled()) return run(wanted);
  // What was said a moment ago may be said by another server than the one that answers now: asked once more.
  read.found = read_finding::unknown;
  answer = run(wanted);
  if (read.found == read_finding::behind) return not_fresh().with_node(link.node());
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

namespace {

/// A COPY in a transaction around it: what has to run ahead of it does not mix with it.
template <class Copy>
result<std::size_t> copy_in_transaction(lease held, const request& wanted, const Copy& copy) {
  transaction_channel whole(std::move(held), {.read_only = wanted.what.is_read()}, wanted.until);
  whole.set_up(wanted.before);
  result<std::size_t> copied = copy(whole);
  if (!copied) {
    whole.rollback();
    return sent(std::move(copied));
  }
  if (auto committed = whole.commit(wanted.written); !committed) {
    return sent(result<std::size_t>(std::move(committed).error()));
  }
  return copied;
}

/// The position behind a COPY that was committed. Whether that was waited for is not known.
causality_token ask_position(connection& link, const request& wanted) {
  const parameters none;
  const command question{link.server().is_known() ? &position_statement : &position_and_server_statement, &none};
  const auto answer = link.run({.commands = {&question, 1}, .until = wanted.until, .cancel = wanted.cancel});
  if (!answer) return unplaced_token(link.server());
  return read_token(rows(), answer.assume_value(), link.backend(), link.server());
}

}  // namespace

result<std::size_t> copy_in(pool& connections, const request& wanted, copy_source& from) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections, wanted));
  if (!wanted.before.empty()) {
    return copy_in_transaction(std::move(borrowed), wanted,
                               [&](transaction_channel& whole) { return whole.copy_in(wanted, from); });
  }
  auto copied = sent(borrowed->copy_in({.what = wanted.what, .until = wanted.until, .cancel = wanted.cancel}, from));
  if (copied && wanted.written != nullptr) *wanted.written = ask_position(*borrowed, wanted);
  return copied;
}

result<std::size_t> copy_out(pool& connections, const request& wanted, std::string_view shape, copy_sink& to) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections, wanted));
  if (wanted.causal != nullptr) {
    BOOST_OUTCOME_TRY(sent(settle_finding(*borrowed, *wanted.causal, wanted.on_primary, wanted.until, wanted.cancel)));
  }
  if (!wanted.before.empty()) {
    return copy_in_transaction(std::move(borrowed), wanted,
                               [&](transaction_channel& whole) { return whole.copy_out(wanted, shape, to); });
  }
  // One that its sink had enough of goes back as it is: the pool's background ends it.
  return sent(borrowed->copy_out({.what = wanted.what, .until = wanted.until, .cancel = wanted.cancel}, shape, to));
}

result<rows> lease_channel::run(const request& wanted) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections_, wanted));
  connection& link = *borrowed;
  if (wanted.causal == nullptr) return run_on(link, wanted);
  return run_when_fresh(link, wanted, [&](const request& there) { return run_on(link, there); });
}

result<std::vector<rows>> lease_channel::run_batch(const request& wanted,
                                                   std::span<const batched_statement> statements) {
  BOOST_OUTCOME_TRY(auto borrowed, borrow_live(connections_, wanted));
  connection& link = *borrowed;
  if (wanted.causal == nullptr) return run_whole(link, wanted, statements);
  return run_when_fresh(link, wanted, [&](const request& there) { return run_whole(link, there, statements); });
}

bool leaves_session_changed(std::span<const batched_statement> statements, const std::vector<rows>& answers) noexcept {
  for (std::size_t i = 0; i < statements.size() && i < answers.size(); ++i) {
    const statement& what = *statements[i].what;
    if (!what.mapped && changed_session(what.sql, answers[i].command_tag())) return true;
  }
  return false;
}

}  // namespace breakwater::postgres
