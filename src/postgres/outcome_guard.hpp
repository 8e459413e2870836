#pragma once

#include "postgres/connection.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/uuid.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <string>
#include <string_view>

/// The outcome guard's table, and what is written to it and read from it.
///
/// A guarded transaction inserts a token that only it knows. Whoever later wants to know whether it was committed inserts
/// the same token in another transaction: the primary key lets two of them be committed never, so that the answer is a
/// proof and not a look at a moment.
namespace breakwater::postgres {

/// What makes the table. Fixed and schema-qualified; logged and unpartitioned, so that its key holds for all of it.
inline constexpr std::string_view outcome_schema_ddl = "create schema if not exists breakwater";
inline constexpr std::string_view outcome_table_ddl =
    "create table if not exists breakwater.outcomes (token uuid primary key, at timestamptz not null default "
    "pg_catalog.clock_timestamp())";
inline constexpr std::string_view outcome_index_ddl =
    "create index if not exists outcomes_at on breakwater.outcomes (at)";

/// A token older than this is not claimed: it may have been swept, and its absence would prove nothing. Half of the
/// shortest retention that can be configured, so that clocks may differ by an hour.
inline constexpr std::chrono::hours oldest_claim{1};

/// The identity of a guarded transaction, the same for all runs that come of an unknown COMMIT.
struct outcome_token {
  uuid id;
  deadline::clock::time_point made_at;  ///< on this process's monotonic clock
};

/// What is remembered of a guarded transaction while it runs.
struct outcome_mark {
  outcome_token token;
  std::string backend{};             ///< its server process, by the server's word: a proxy's would be another one
  std::string backend_start{};       ///< with `backend`, tells it from a later process of the same number
  std::string transaction_start{};   ///< behind a proxy, tells it from what another client runs in that process later
  std::string synchronous_commit{};  ///< as it was when the token was written; empty: changed since, in an unknown way
};

/// Inserts the token, and asks for what a search needs. Plain INSERT: ON CONFLICT would not tell a row that is committed
/// from one that is not yet. The process's start is asked for only behind a proxy, where it was not known from the start of
/// the connection: the server looks through all of its processes for it.
inline constexpr std::string_view outcome_token_sql =
    "insert into breakwater.outcomes (token) values ($1) returning pg_catalog.pg_backend_pid(), "
    "pg_catalog.current_setting('synchronous_commit')";
inline constexpr std::string_view outcome_token_and_start_sql =
    "insert into breakwater.outcomes (token) values ($1) returning pg_catalog.pg_backend_pid(), "
    "pg_catalog.current_setting('synchronous_commit'), "
    "(select a.backend_start from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a), "
    "pg_catalog.transaction_timestamp()";
inline constexpr statement outcome_token_statement{.sql = outcome_token_sql,
                                                   .name = "outcome_guard.token",
                                                   .operation = "INSERT",
                                                   .table = "breakwater.outcomes",
                                                   .print = fingerprint(outcome_token_sql)};
inline constexpr statement outcome_token_and_start_statement{.sql = outcome_token_and_start_sql,
                                                             .name = outcome_token_statement.name,
                                                             .operation = "INSERT",
                                                             .table = "breakwater.outcomes",
                                                             .print = fingerprint(outcome_token_and_start_sql),
                                                             .prepare = false};

/// The one of the two to send on a connection whose process is known so far as this.
[[nodiscard]] inline const statement& token_statement_for(const server_process& known) noexcept {
  return known.is_settled() ? outcome_token_statement : outcome_token_and_start_statement;
}

void bind_token(parameters& values, const outcome_token& token);
/// REQUIRES the answer to one of the two. What it says of the process goes into `known` as well.
[[nodiscard]] outcome_mark read_mark(const outcome_token& token, const rows& answer, server_process& known);

/// \name Of an error: the token's INSERT met ...
/// @{
/// ... no table, or no schema.
[[nodiscard]] bool is_missing_outcome_table(const error& failure) noexcept;
/// ... the same token, committed.
[[nodiscard]] bool is_known_token(const error& failure) noexcept;
/// ... another transaction that holds the same token and has not ended.
[[nodiscard]] bool is_token_in_flight(const error& failure) noexcept;
/// @}

/// Says in an error of the token's INSERT what to do about it; others stay as they are.
void explain_outcome_table(error& failure);

/// Makes the table, in a transaction of its own on `on`, which has none open. Others may be at it at the same time.
/// Errors: as statements have; where the role may not, with what has to be run and by whom.
[[nodiscard]] result<void> make_outcome_table(connection& on, deadline until, const std::stop_token* cancel);

/// At least as strong as the doubtful transaction's: with it the row's UPDATE is as durable as that had to be.
[[nodiscard]] std::string_view confirming_level(const outcome_mark& mark) noexcept;

/// The statement, or a value of it, names synchronous_commit: what it does to the setting is not known.
[[nodiscard]] bool may_set_synchronous_commit(const statement& what, const parameters& values) noexcept;

}  // namespace breakwater::postgres
