#include "postgres/transaction_prologue.hpp"

namespace breakwater::postgres {
namespace {

constexpr std::string_view select_word = "select ";

/// As connect.cpp sets it for a session of our own.
std::string settings_sql(std::chrono::milliseconds statement_timeout, std::chrono::milliseconds idle_in_transaction) {
  std::string sql(select_word);
  sql.append(R"(pg_catalog.pg_is_in_recovery(),
pg_catalog.set_config('DateStyle', 'ISO', true),
pg_catalog.set_config('IntervalStyle', 'postgres', true),
pg_catalog.set_config('bytea_output', 'hex', true),
pg_catalog.set_config('extra_float_digits', '1', true),
pg_catalog.set_config('standard_conforming_strings', 'on', true),
pg_catalog.set_config('client_min_messages', 'warning', true),
pg_catalog.set_config('statement_timeout', ')");
  sql.append(std::to_string(statement_timeout.count()));
  sql.append("', true),\npg_catalog.set_config('idle_in_transaction_session_timeout', '");
  sql.append(std::to_string(idle_in_transaction.count())).append("', true)");
  return sql;
}

statement prologue_statement(std::string_view sql, bool prepare) noexcept {
  return {.sql = sql,
          .name = "transaction prologue",
          .operation = "SELECT",
          .print = fingerprint(sql),
          .kind = statement_class::read,
          .prepare = prepare};
}

}  // namespace

transaction_prologue::transaction_prologue(std::chrono::milliseconds statement_timeout,
                                           std::chrono::milliseconds idle_in_transaction, bool prepare)
    : sql_(settings_sql(statement_timeout, idle_in_transaction)),
      read_only_sql_(sql_ + ",\npg_catalog.set_config('transaction_read_only', 'on', true)"),
      statement_(prologue_statement(sql_, prepare)),
      read_only_statement_(prologue_statement(read_only_sql_, prepare)) {}

std::string_view transaction_prologue::select_list(bool read_only) const noexcept {
  return std::string_view(read_only ? read_only_sql_ : sql_).substr(select_word.size());
}

std::optional<bool> transaction_prologue::read_role(const rows& answer) {
  if (answer.empty()) return std::nullopt;
  return answer.at(0, 0).text == "t";
}

}  // namespace breakwater::postgres
