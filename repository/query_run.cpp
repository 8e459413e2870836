// Queries on their way to the server.

#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <string>

namespace breakwater::detail {
namespace {

template <class T>
result<T> only_value(const rows& answer, std::string_view name) {
  T value{};
  if (answer.size() != 1 || answer.columns() != 1 || !codec<T>::decode(answer.at(0, 0).text, value)) {
    return error(errc::internal, "the server's answer is not the single value that was asked for").with_statement(name);
  }
  return value;
}

result<void> check_session(const executor* on, std::string_view name) {
  if (on != nullptr) return success();
  return error(errc::invalid_argument,
               "a query made by bw::from stands inside another one and has no session to run on; make it from a "
               "repository")
      .with_statement(name);
}

statement_class class_of(const query_state& wanted) noexcept {
  return wanted.lock == row_lock::none ? statement_class::read : statement_class::locking_read;
}

/// Locks are for rows that are handed out.
result<void> check_unlocked(const query_state& wanted, const char* operation, std::string_view name) {
  BOOST_OUTCOME_TRY(wanted.check());
  if (wanted.lock == row_lock::none) return success();
  return error(errc::invalid_argument, std::string(operation) + " locks no rows; leave the lock out")
      .with_statement(name);
}

}  // namespace

result<rows> run_fragment(executor& on, const sql_fragment& sql, const table_view& table, std::string_view name,
                          std::string_view operation, statement_class kind) {
  const std::string text = numbered(sql.text);
  return on.execute(dynamic_statement(text, sql.values, table, name, operation, kind), sql.values);
}

result<rows> run_select(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check_session(on, name));
  BOOST_OUTCOME_TRY(wanted.check());
  sql_fragment sql;
  if (wanted.is_keyset()) {
    BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
    sent.append_select(sql, false);
    sent.append_order_and_bounds(sql);
  } else {
    wanted.append_select(sql, false);
    wanted.append_order_and_bounds(sql);
  }
  return run_fragment(*on, sql, wanted.table, name, "SELECT", class_of(wanted));
}

result<std::int64_t> run_count(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check_session(on, name));
  BOOST_OUTCOME_TRY(check_unlocked(wanted, "count()", name));
  BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
  sql_fragment sql;
  const bool whole = !sent.folds_rows();
  if (whole && !sent.limit && !sent.offset) {
    sql.add("select count(*)");
    sent.append_from(sql);
    sent.append_where(sql);
  } else {
    sql.add("select count(*) from (");
    if (whole) {
      sql.add("select");
      sent.append_from(sql);
      sent.append_where(sql);
    } else {
      sent.append_select(sql, false);
    }
    sent.append_order_and_bounds(sql);
    sql.add(") counted");
  }
  BOOST_OUTCOME_TRY(const auto answer, run_fragment(*on, sql, sent.table, name, "SELECT", statement_class::read));
  return only_value<std::int64_t>(answer, name);
}

result<rows> run_aggregate(executor* on, const query_state& wanted, const sql_fragment& aggregate, bool of_first_table,
                           std::string_view name) {
  BOOST_OUTCOME_TRY(check_session(on, name));
  BOOST_OUTCOME_TRY(check_unlocked(wanted, "an aggregate", name));
  BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
  sql_fragment sql;
  sql.add("select ").add(aggregate);
  if (!sent.limit && !sent.offset && !sent.distinct && sent.distinct_on.empty()) {
    // All rows: their order does not matter.
    sent.append_from(sql);
    sent.append_where(sql);
    sent.append_group(sql);
  } else if (of_first_table) {
    // Some of the rows, found first. They go by the table's name, which is how the aggregate calls them; of a selection
    // only how it folds rows could matter, and its columns might be another table's.
    if (!sent.projection.empty() && sent.folds_rows()) {
      return error(errc::invalid_argument,
                   "an aggregate of different or grouped selected rows is not offered: select the aggregate itself")
          .with_statement(name);
    }
    query_state rows_first = sent;
    rows_first.projection = {};
    rows_first.append_select(sql.add(" from ("), false);
    rows_first.append_order_and_bounds(sql);
    sql.add(") as ").add(written([&](text_out& out) { write_identifier(out, sent.table.name.table); }));
  } else {
    return error(errc::invalid_argument,
                 "an aggregate of a joined entity's column takes all rows: not together with limit, offset or distinct")
        .with_statement(name);
  }
  return run_fragment(*on, sql, sent.table, name, "SELECT", statement_class::read);
}

result<bool> run_exists(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check_session(on, name));
  BOOST_OUTCOME_TRY(check_unlocked(wanted, "exists()", name));
  BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
  sql_fragment sql;
  sql.add("select exists(");
  if (sent.group.empty() && sent.having.empty() && !sent.selects_aggregate) {
    sql.add("select");
    sent.append_from(sql);
    sent.append_where(sql);
  } else {
    sent.append_select(sql, false);
  }
  if (sent.limit || sent.offset) sent.append_order_and_bounds(sql);
  sql.add(")");
  BOOST_OUTCOME_TRY(const auto answer, run_fragment(*on, sql, sent.table, name, "SELECT", statement_class::read));
  return only_value<bool>(answer, name);
}

result<std::string> run_explain(executor* on, const query_state& wanted, bool analyze, std::string_view name) {
  BOOST_OUTCOME_TRY(check_session(on, name));
  BOOST_OUTCOME_TRY(wanted.check());
  BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
  sql_fragment sql;
  sql.add(analyze ? "explain (analyze) " : "explain ");
  sent.append_select(sql, false);
  sent.append_order_and_bounds(sql);
  BOOST_OUTCOME_TRY(const auto answer, run_fragment(*on, sql, sent.table, name, "EXPLAIN", class_of(wanted)));
  std::string plan;
  for (std::size_t i = 0; i < answer.size(); ++i) plan.append(answer.at(i, 0).text).push_back('\n');
  return plan;
}

error not_one_row(std::size_t count, const table_view& table) {
  if (count == 0) return error(errc::not_found).with_table(table.name.table);
  return error(errc::too_many_rows, "one() found more than one row; make the condition narrower, or use first()")
      .with_table(table.name.table);
}

}  // namespace breakwater::detail
