// Single writes of a guarded session. Their fate can be found out only where their results are read before they are
// committed, so each is a transaction: the statement with BEGIN and the token, then COMMIT.

#include "postgres/statement_effects.hpp"
#include "session_state.hpp"
#include <breakwater/repository/session.hpp>

#include <algorithm>
#include <utility>

namespace breakwater::detail {
namespace {

constexpr const char* run_it_unguarded =
    "; the outcome guard makes a transaction of each single write: run this one in a session with .outcome_guard = "
    "false";

/// A statement that begins or ends transactions can not be put into one.
std::optional<error> refuse_control(const statement& what) {
  if (what.mapped || !postgres::controls_transaction(what.sql)) return std::nullopt;
  return error(errc::unsafe_operation, "the statement begins, divides or ends a transaction; use session.transact(...)")
      .with_statement(what.name);
}

/// The server refuses some statements in a transaction, and procedures the COMMIT inside them.
void explain(error& failure) {
  const std::string_view code = failure.sqlstate();
  constexpr std::string_view active_sql_transaction = "25001";
  constexpr std::string_view invalid_transaction_termination = "2D000";
  if (code != active_sql_transaction && code != invalid_transaction_termination) return;
  failure.with_code(errc::unsafe_operation).with_text(failure.text() + run_it_unguarded);
}

/// `body` in a guarded transaction, again where it was not applied and may be.
template <class Answer, class Body>
result<Answer> in_guarded_transaction(transaction_run& run, std::string_view name, const Body& body) {
  const auto named = [name](error& failure) {
    if (failure.statement().empty() || failure.statement() == "begin" || failure.statement() == "commit") {
      failure.with_statement(name);
    }
    explain(failure);
  };
  for (;;) {
    if (auto begun = run.begin(); !begun) {
      named(begun.error());
      return std::move(begun).error();
    }
    result<Answer> answer = body(*run.executor());
    if (!answer) {
      run.rollback();
      if (run.shall_run_again()) continue;
      named(answer.error());
      return answer;
    }
    auto committed = run.commit();
    if (committed) return answer;
    if (run.shall_run_again()) continue;
    named(committed.error());
    return std::move(committed).error();
  }
}

}  // namespace

result<rows> session_state::execute_guarded(const statement& what, const parameters& values) {
  if (auto refused = refuse_control(what)) return std::move(*refused);
  transaction_run run(shared_from_this(), {.outcome_guard = true}, where_);
  return in_guarded_transaction<rows>(run, what.name, [&](executor& on) { return on.execute(what, values); });
}

result<std::vector<rows>> session_state::execute_batch_guarded(std::span<const batched_statement> statements,
                                                               std::string_view name) {
  transaction_run run(shared_from_this(), {.outcome_guard = true}, where_);
  return in_guarded_transaction<std::vector<rows>>(run, name,
                                                   [&](executor& on) { return on.execute_batch(statements, name); });
}

result<std::size_t> session_state::copy_in_guarded(const statement& what, copy_source& from) {
  // Its source can be read once.
  transaction_run run(shared_from_this(), {.max_attempts = 1, .outcome_guard = true}, where_);
  return in_guarded_transaction<std::size_t>(run, what.name, [&](executor& on) { return on.copy_in(what, from); });
}

}  // namespace breakwater::detail
