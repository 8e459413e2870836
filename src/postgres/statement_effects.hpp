#pragma once

#include <string_view>

/// What raw SQL can do besides what it is for. Judged by its first words only; where they leave a doubt, the careful
/// answer is given.
namespace breakwater::postgres {

/// CALL and DO may COMMIT inside, so an ERROR does not tell that nothing of them was applied.
[[nodiscard]] bool may_commit_by_itself(std::string_view sql) noexcept;

/// The statement, answered with `tag`, left a setting, a channel or the like behind in the session: SET without LOCAL,
/// RESET, LISTEN, ... It would reach the connection's next borrower.
[[nodiscard]] bool changed_session(std::string_view sql, std::string_view tag) noexcept;

/// The same, seen before it is sent: what may be one is one. What a function does (set_config, pg_advisory_lock), or
/// CREATE TEMPORARY TABLE, is not seen.
[[nodiscard]] bool may_change_session(std::string_view sql) noexcept;

/// It can not stand in a transaction, not even in the one that a Sync ends: VACUUM, CREATE DATABASE, CREATE INDEX
/// CONCURRENTLY, ... Of some a form is one that could.
[[nodiscard]] bool may_need_to_run_alone(std::string_view sql) noexcept;

/// What it leaves in the session stays there when its transaction is rolled back: PREPARE and its like.
[[nodiscard]] bool outlives_rollback(std::string_view sql) noexcept;

/// The statement begins, ends or divides a transaction: BEGIN, COMMIT, SAVEPOINT, PREPARE TRANSACTION, ...
[[nodiscard]] bool controls_transaction(std::string_view sql) noexcept;

/// The statement ends the transaction that it is sent in, and may commit it: COMMIT, END, PREPARE TRANSACTION.
[[nodiscard]] bool may_commit_transaction(std::string_view sql) noexcept;

/// The statement, answered with `tag`, ended the transaction although one is open afterwards: COMMIT AND CHAIN,
/// ROLLBACK AND CHAIN.
[[nodiscard]] bool chained_transaction(std::string_view sql, std::string_view tag) noexcept;

/// A statement that changes rows, or a query: a transaction around it changes nothing of what it does. Of others, VACUUM
/// and CREATE INDEX CONCURRENTLY among them, nothing is said.
[[nodiscard]] bool may_be_wrapped(std::string_view sql) noexcept;

/// It can stand in a DECLARE CURSOR: a SELECT, VALUES, TABLE or something that begins with WITH or a parenthesis, of
/// which the server is the judge.
[[nodiscard]] bool may_be_cursor(std::string_view sql) noexcept;

}  // namespace breakwater::postgres
