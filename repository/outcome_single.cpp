// Single writes of a guarded session. Their fate can be found out only where their results are read before they are
// committed, so each is a transaction: the statement with BEGIN and the token, then COMMIT.

#include "cluster/doubt.hpp"
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

/// What happens to errors on their way to the caller: they are the statement's, not those of the transaction around it.
error named(error failure, std::string_view name) {
  const std::string_view by = failure.statement();
  if (by.empty() || by == "begin" || by == "commit") failure.with_statement(name);
  explain(failure);
  return failure;
}

enum class repetition : std::uint8_t { allowed, refused };

/// Of statements, not of transactions: their number of attempts counts.
transaction_options single_write(const database_state& of, bool idempotent) noexcept {
  return {.max_attempts = static_cast<unsigned>(of.settings().retry.max_attempts),
          .idempotent = idempotent,
          .outcome_guard = true};
}

/// `body` in a guarded transaction, again where it was not applied and may be.
template <class Answer, class Body>
result<Answer> in_guarded_transaction(transaction_run& run, std::string_view name, repetition again, const Body& body) {
  for (;;) {
    if (auto begun = run.begin(); !begun) return named(run.doubt(begun.error()), name);
    result<Answer> answer = body(*run.executor());
    if (answer) {
      auto committed = run.commit(again == repetition::allowed);
      if (committed) return answer;
      answer = std::move(committed).error();
    } else {
      run.rollback();
    }
    if (again == repetition::refused || !run.shall_run_again()) return named(run.doubt(answer.error()), name);
  }
}

}  // namespace

result<rows> session_state::execute_guarded(const statement& what, const parameters& values) {
  if (auto refused = refuse_control(what)) return std::move(*refused);
  transaction_run run(shared_from_this(), single_write(database(), what.idempotent), where_);
  auto answer = in_guarded_transaction<rows>(run, what.name, repetition::allowed,
                                             [&](executor& on) { return on.execute(what, values); });
  if (!answer || !run.is_in_doubt()) return answer;
  auto settled = routing::settle_doubt(std::move(answer), what);
  if (!settled) settled.error().with_statement(what.name).with_node(run.node()).with_attempts(run.runs());
  return settled;
}

result<std::vector<rows>> session_state::execute_batch_guarded(std::span<const batched_statement> statements,
                                                               std::string_view name) {
  const bool idempotent = std::ranges::all_of(
      statements, [](const batched_statement& each) { return each.what->is_read() || each.what->idempotent; });
  transaction_run run(shared_from_this(), single_write(database(), idempotent), where_);
  auto answers = in_guarded_transaction<std::vector<rows>>(
      run, name, repetition::allowed, [&](executor& on) { return on.execute_batch(statements, name); });
  if (!answers || !run.is_in_doubt()) return answers;
  auto settled = routing::settle_doubt(std::move(answers), statements);
  if (!settled) settled.error().with_node(run.node()).with_attempts(run.runs());
  return settled;
}

result<std::size_t> session_state::copy_in_guarded(const statement& what, copy_source& from) {
  transaction_run run(shared_from_this(), single_write(database(), false), where_);
  // Its source can be read once.
  return in_guarded_transaction<std::size_t>(run, what.name, repetition::refused,
                                             [&](executor& on) { return on.copy_in(what, from); });
}

}  // namespace breakwater::detail
