#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <string>

namespace breakwater::detail {
namespace {

std::string quoted_table(const table_view& table) {
  return written([&](text_out& out) { write_table(out, table.name); });
}

/// Runs a statement whose placeholders are not numbered yet.
result<rows> run(executor& on, const sql_fragment& sql, const table_view& table, std::string_view name,
                 std::string_view operation, statement_class kind) {
  const std::string text = numbered(sql.text);
  return on.execute(dynamic_statement(text, sql.values, table, name, operation, kind), sql.values);
}

template <class T>
result<T> only_value(const rows& answer, std::string_view name) {
  T value{};
  if (answer.size() != 1 || answer.columns() != 1 || !codec<T>::decode(answer.at(0, 0).text, value)) {
    return error(errc::internal, "the server's answer is not the single value that was asked for").with_statement(name);
  }
  return value;
}

error refuse_every_row(const char* operation, std::string_view name) {
  return error(errc::unsafe_operation, std::string(operation) +
                                           " without a condition would touch every row; say every_row() if it "
                                           "shall")
      .with_statement(name);
}

result<void> check_bulk(const query_state& wanted, const char* operation, std::string_view name) {
  if (wanted.condition.empty() && !wanted.every_row) return refuse_every_row(operation, name);
  if (wanted.scope != trash::excluded) {
    return error(errc::invalid_argument, std::string(operation) +
                                             " leaves the trash alone: it can not be combined with with_trashed or "
                                             "only_trashed; use restore or purge")
        .with_statement(name);
  }
  if (wanted.limit || wanted.offset || !wanted.order.empty()) {
    return error(errc::invalid_argument,
                 std::string(operation) + " takes all rows of its condition: it has no order, limit or offset")
        .with_statement(name);
  }
  return success();
}

}  // namespace

void query_state::add_condition(const sql_fragment& more) {
  if (more.empty()) return;
  if (!condition.empty()) condition.add(" and ");
  condition.add("(").add(more).add(")");
}

void query_state::append_where(sql_fragment& to) const {
  const std::string trash_condition = written([&](text_out& out) { write_and_trash(out, table, scope); });
  constexpr std::string_view and_word = " and ";
  if (!condition.empty()) {
    to.add(" where ").add(condition).add(trash_condition);
  } else if (!trash_condition.empty()) {
    to.add(" where ").add(std::string_view(trash_condition).substr(and_word.size()));
  }
}

void query_state::append_order_and_bounds(sql_fragment& to) const {
  const char* separator = " order by ";
  for (const order_term& term : order) {
    to.add(separator).add(term.column).add(term.descending ? " desc" : "");
    separator = ", ";
  }
  const auto bound = [&to](std::string_view word, const std::optional<std::int64_t>& value) {
    if (!value) return;
    to.add(word).text.push_back(sql_fragment::placeholder);
    bind(to.values, *value);
  };
  bound(" limit ", limit);
  bound(" offset ", offset);
}

sql_fragment query_state::select_sql() const {
  sql_fragment sql;
  sql.add(written([this](text_out& out) { write_select_from(out, table); }));
  append_where(sql);
  append_order_and_bounds(sql);
  return sql;
}

result<query_state> query_state::end_of_order(bool last) const {
  if (order.empty()) {
    return error(errc::invalid_argument,
                 std::string(last ? "last()" : "first()") +
                     " needs an order: without order_by it would be any row. Add order_by, or use one()")
        .with_table(table.name.table);
  }
  query_state bounded = *this;
  if (last) {
    if (limit || offset) {
      return error(errc::invalid_argument,
                   "last() can not be combined with limit or offset; reverse the order "
                   "and use first()")
          .with_table(table.name.table);
    }
    // PostgreSQL puts NULLs last ascending and first descending, so reversing every term reverses the whole.
    for (order_term& term : bounded.order) term.descending = !term.descending;
  }
  if (!bounded.limit || *bounded.limit > 1) bounded.limit = 1;
  return bounded;
}

result<void> query_state::check() const {
  if ((limit && *limit < 0) || (offset && *offset < 0)) {
    return error(errc::invalid_argument, "limit and offset can not be negative").with_table(table.name.table);
  }
  return success();
}

statement dynamic_statement(std::string_view sql, const parameters& values, const table_view& table,
                            std::string_view name, std::string_view operation, statement_class kind) {
  std::uint64_t print = fingerprint(sql);
  // One text prepared with other types is another statement to the server.
  for (std::size_t i = 0; i < values.size(); ++i) print = print * 0x100000001b3U + values.type(i);
  return {.sql = sql,
          .name = name,
          .operation = operation,
          .table = table.name.table,
          .print = print,
          .kind = kind,
          .mapped = true};
}

result<void> append_assignments(sql_fragment& to, const table_view& table, std::span<const assignment_view> sets,
                                bool raise_version) {
  bool first = true;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const column_info& column = *sets[i].column;
    for (const assignment_view& other : sets.first(i)) {
      if (other.column == &column) {
        return error(errc::invalid_argument, "column \"" + std::string(column.name) + "\" is set twice")
            .with_table(table.name.table)
            .with_column(column.name);
      }
    }
    if (!is_updated(column)) {
      return error(errc::invalid_argument,
                   "column \"" + std::string(column.name) +
                       "\" can not be set here: keys do not change, and generated, created_at, updated_at, version "
                       "and soft_delete columns are kept by the database and the library")
          .with_table(table.name.table)
          .with_column(column.name);
    }
    to.add(first ? "" : ", ");
    first = false;
    to.add(written([&](text_out& out) { write_identifier(out, column.name); })).add(" = ").add(*sets[i].value);
  }
  to.add(written([&](text_out& out) { write_update_marks(out, table, raise_version, first); }));
  return success();
}

result<rows> run_select(executor& on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(wanted.check());
  return run(on, wanted.select_sql(), wanted.table, name, "SELECT", statement_class::read);
}

result<std::int64_t> run_count(executor& on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(wanted.check());
  sql_fragment sql;
  const bool bounded = wanted.limit || wanted.offset;
  sql.add(bounded ? "select count(*) from (select from " : "select count(*) from ").add(quoted_table(wanted.table));
  wanted.append_where(sql);
  if (bounded) {
    wanted.append_order_and_bounds(sql);
    sql.add(") counted");
  }
  BOOST_OUTCOME_TRY(const auto answer, run(on, sql, wanted.table, name, "SELECT", statement_class::read));
  return only_value<std::int64_t>(answer, name);
}

result<bool> run_exists(executor& on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(wanted.check());
  sql_fragment sql;
  sql.add("select exists(select from ").add(quoted_table(wanted.table));
  wanted.append_where(sql);
  wanted.append_order_and_bounds(sql);
  sql.add(")");
  BOOST_OUTCOME_TRY(const auto answer, run(on, sql, wanted.table, name, "SELECT", statement_class::read));
  return only_value<bool>(answer, name);
}

result<std::size_t> run_update_all(executor& on, const query_state& wanted, std::span<const assignment_view> sets,
                                   std::string_view name) {
  BOOST_OUTCOME_TRY(check_bulk(wanted, "update_all", name));
  sql_fragment sql;
  sql.add("update ").add(quoted_table(wanted.table)).add(" set ");
  BOOST_OUTCOME_TRY(append_assignments(sql, wanted.table, sets, true));
  wanted.append_where(sql);
  BOOST_OUTCOME_TRY(const auto answer, run(on, sql, wanted.table, name, "UPDATE", statement_class::write));
  return answer.affected();
}

result<std::size_t> run_delete_all(executor& on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check_bulk(wanted, "delete_all", name));
  sql_fragment sql;
  const bool into_trash = wanted.table.has(&column_info::soft_delete);
  if (into_trash) {
    sql.add("update ").add(quoted_table(wanted.table)).add(" set ");
    sql.add(written([&](text_out& out) {
      write_identifier(out, wanted.table.column(&column_info::soft_delete).name);
      out << " = statement_timestamp()";
      write_update_marks(out, wanted.table, true, false);
    }));
  } else {
    sql.add("delete from ").add(quoted_table(wanted.table));
  }
  wanted.append_where(sql);
  BOOST_OUTCOME_TRY(const auto answer,
                    run(on, sql, wanted.table, name, into_trash ? "UPDATE" : "DELETE", statement_class::write));
  return answer.affected();
}

error not_one_row(std::size_t count, const table_view& table) {
  if (count == 0) return error(errc::not_found).with_table(table.name.table);
  return error(errc::too_many_rows, "one() found more than one row; make the condition narrower, or use first()")
      .with_table(table.name.table);
}

}  // namespace breakwater::detail
