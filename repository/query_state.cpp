// Queries as text: every clause from what the query's steps collected.

#include <breakwater/repository/detail/query_state.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace breakwater::detail {
namespace {

/// The table as it is called in a query that does not rename it.
table_name without_schema(const table_name& name) { return {.schema = {}, .table = name.table}; }

table_view under_name(const table_view& table, std::string_view name) {
  return {.name = {.schema = {}, .table = name}, .columns = table.columns};
}

std::string quoted(std::string_view name) {
  return written([&](text_out& out) { write_identifier(out, name); });
}

std::string quoted_table(const table_view& table) {
  return written([&](text_out& out) { write_table(out, table.name); });
}

/// "name"."deleted_at" is null, or nothing.
std::string trash_condition(const table_view& table, std::string_view name, trash scope) {
  constexpr std::string_view before = " and (";
  std::string text = written([&](text_out& out) { write_and_trash(out, under_name(table, name), scope); });
  if (text.empty()) return text;
  return text.substr(before.size(), text.size() - before.size() - 1);
}

void add_listed(sql_fragment& list, const sql_fragment& more) {
  if (!list.empty()) list.add(", ");
  list.add(more);
}

void add_and(sql_fragment& all, const sql_fragment& more) {
  if (more.empty()) return;
  if (!all.empty()) all.add(" and ");
  all.add("(").add(more).add(")");
}

constexpr std::string_view word_of(join_kind kind) noexcept {
  switch (kind) {
    case join_kind::inner: return " join ";
    case join_kind::left: return " left join ";
    case join_kind::right: return " right join ";
    case join_kind::full: return " full join ";
    case join_kind::cross: return " cross join ";
  }
  return "";
}

/// A right or full join keeps rows whose other side is NULL. A condition on the trash behind such a join would drop them,
/// or let the trash through: there each table is scoped before it is joined.
bool scopes_come_first(const query_state& query) noexcept {
  return std::ranges::any_of(
      query.joins, [](const join_term& join) { return join.kind == join_kind::right || join.kind == join_kind::full; });
}

/// The table, its live rows only where they are chosen first, and the name it goes by.
void append_table(sql_fragment& to, const table_view& table, std::string_view alias, trash scope, bool scoped_first) {
  const std::string_view name = alias.empty() ? table.name.table : alias;
  const std::string condition = scoped_first ? trash_condition(table, table.name.table, scope) : std::string();
  if (!condition.empty()) {
    to.add("(select * from ").add(quoted_table(table)).add(" where ").add(condition).add(") as ").add(quoted(name));
    return;
  }
  to.add(quoted_table(table));
  if (!alias.empty()) to.add(" as ").add(quoted(alias));
}

constexpr std::string_view word_of(row_lock lock) noexcept {
  switch (lock) {
    case row_lock::none: return "";
    case row_lock::for_update: return " for update";
    case row_lock::for_no_key_update: return " for no key update";
    case row_lock::for_share: return " for share";
    case row_lock::for_key_share: return " for key share";
  }
  return "";
}

error misuse(const query_state& query, const char* text) {
  return error(errc::invalid_argument, text).with_table(query.table.name.table);
}

}  // namespace

// ---- building -------------------------------------------------------------------------------------------------------

void query_state::add_condition(const sql_fragment& more) { add_and(condition, more); }
void query_state::add_having(const sql_fragment& more) { add_and(having, more); }
void query_state::add_group(const sql_fragment& more) { add_listed(group, more); }
void query_state::add_distinct_on(const sql_fragment& more) { add_listed(distinct_on, more); }
void query_state::add_projection(const sql_fragment& more) { add_listed(projection, more); }
void query_state::add_projection(const table_view& of, std::string_view alias) {
  const table_view named = under_name(of, alias.empty() ? of.name.table : alias);
  add_listed(projection, {.text = written([&](text_out& out) { write_all_columns(out, named); }), .values = {}});
}

void query_state::add_order(const sql_fragment& by, bool descending, nulls where, std::uint32_t type, bool sensitive) {
  order.push_back({.text = by.text,
                   .first_value = order_values.size(),
                   .value_count = by.values.size(),
                   .descending = descending,
                   .where_nulls = where,
                   .type = type,
                   .nullable = true,
                   .sensitive = sensitive});
  order_values.append(by.values);
}

// ---- writing --------------------------------------------------------------------------------------------------------

void query_state::append_term(sql_fragment& to, const order_term& term) const {
  to.add(term.text);
  for (std::size_t i = 0; i < term.value_count; ++i) append_value(to.values, order_values, term.first_value + i);
}

void query_state::append_direction(sql_fragment& to, const order_term& term) const {
  append_term(to, term);
  if (term.descending) to.add(" desc");
  if (term.where_nulls == nulls::first) to.add(" nulls first");
  if (term.where_nulls == nulls::last) to.add(" nulls last");
}

void query_state::append_select(sql_fragment& to, bool with_order_values) const {
  to.add("select ");
  if (!distinct_on.empty()) {
    to.add("distinct on (").add(distinct_on).add(") ");
  } else if (distinct) {
    to.add("distinct ");
  }
  if (projection.empty()) {
    to.add(columns);
  } else {
    to.add(projection);
  }
  if (with_order_values) {
    for (const order_term& term : order) append_term(to.add(", "), term);
  }
  append_from(to);
  append_where(to);
  append_group(to);
}

void query_state::append_from(sql_fragment& to) const {
  const bool scoped_first = scopes_come_first(*this);
  append_table(to.add(" from "), table, {}, scope, scoped_first);
  for (const join_term& join : joins) {
    append_table(to.add(word_of(join.kind)), join.table, join.alias, join.scope, scoped_first);
    if (join.kind == join_kind::cross) continue;
    to.add(" on (").add(join.on).add(")");
    if (scoped_first) continue;
    // With the join's own condition, so that a left join finds no trash and still keeps its left side.
    const std::string live = trash_condition(join.table, join.name(), join.scope);
    if (!live.empty()) to.add(" and (").add(live).add(")");
  }
}

void query_state::append_where(sql_fragment& to) const {
  sql_fragment all = condition;
  if (!scopes_come_first(*this)) {
    add_and(all, {.text = trash_condition(table, table.name.table, scope), .values = {}});
    for (const join_term& join : joins) {
      if (join.kind == join_kind::cross) {
        add_and(all, {.text = trash_condition(join.table, join.name(), join.scope), .values = {}});
      }
    }
  }
  if (!all.empty()) to.add(" where ").add(all);
}

void query_state::append_group(sql_fragment& to) const {
  if (!group.empty()) to.add(" group by ").add(group);
  if (!having.empty()) to.add(" having ").add(having);
}

void query_state::append_order(sql_fragment& to) const {
  const char* separator = " order by ";
  for (const order_term& term : order) {
    append_direction(to.add(separator), term);
    separator = ", ";
  }
}

void query_state::append_order_and_bounds(sql_fragment& to) const {
  append_order(to);
  const auto bound = [&to](std::string_view word, const std::optional<std::int64_t>& value) {
    if (!value) return;
    to.add(word).text.push_back(sql_fragment::placeholder);
    bind(to.values, *value);
  };
  bound(" limit ", limit);
  bound(" offset ", offset);
  to.add(word_of(lock));
  if (lock == row_lock::none) return;
  // Of the first table alone: what an outer join may leave NULL can not be locked.
  if (!joins.empty()) to.add(" of ").add(quoted(table.name.table));
  if (lock_waits == lock_wait::skip_locked) to.add(" skip locked");
  if (lock_waits == lock_wait::nowait) to.add(" nowait");
}

sql_fragment query_state::select_sql() const {
  const auto applied = with_keyset_applied();
  const query_state& sent = applied ? applied.assume_value() : *this;
  sql_fragment sql;
  sent.append_select(sql, false);
  sent.append_order_and_bounds(sql);
  return sql;
}

sql_fragment query_state::sub_query_sql() const {
  sql_fragment sql = select_sql();
  if (check() && with_keyset_applied()) return sql;
  sql.text.push_back(sql_fragment::placeholder);
  sql.values.refuse(
      "stands for a sub-query that can not be run: its after() or before() does not fit its order, its limit or offset "
      "is negative, or its clauses do not go together");
  return sql;
}

sql_fragment created_within(const table_view& table, const parameters& bounds) {
  const std::string column = written([&](text_out& out) {
    write_column(out, without_schema(table.name), table.column(&column_info::created_at).name);
  });
  sql_fragment sql;
  sql.add(column).add(" >= ").text.push_back(sql_fragment::placeholder);
  sql.add(" and ").add(column).add(" < ").text.push_back(sql_fragment::placeholder);
  sql.values.append(bounds);
  return sql;
}

sql_fragment created_on(const table_view& table, date day) {
  parameters bounds;
  bind(bounds, day);
  bind(bounds, day);
  sql_fragment sql = created_within(table, bounds);
  sql.add(" + 1");
  return sql;
}

// ---- deriving -------------------------------------------------------------------------------------------------------

result<query_state> query_state::end_of_order(bool last) const {
  if (order.empty()) {
    return misuse(*this,
                  last ? "last() needs an order: without order_by it would be any row. Add order_by, or use one()"
                       : "first() needs an order: without order_by it would be any row. Add order_by, or use one()");
  }
  query_state bounded = *this;
  if (last) {
    if (limit || offset || is_keyset()) {
      return misuse(
          *this, "last() can not be combined with limit, offset, after or before; reverse the order and use first()");
    }
    if (!distinct_on.empty()) {
      return misuse(*this, "last() turns the order round, by which distinct_on() chooses its rows; use all()");
    }
    for (order_term& term : bounded.order) term.reverse();
  }
  if (!last && is_backward()) {
    return misuse(*this, "first() can not be combined with before(), which takes rows from the end; use all()");
  }
  if (!bounded.limit || *bounded.limit > 1) bounded.limit = 1;
  return bounded;
}

result<void> query_state::check() const {
  if ((limit && *limit < 0) || (offset && *offset < 0)) {
    return misuse(*this, "limit and offset can not be negative");
  }
  if (lock != row_lock::none && folds_rows()) {
    return misuse(*this, "groups and distinct rows can not be locked: lock the rows themselves, by key");
  }
  if (lock == row_lock::none && lock_waits != lock_wait::wait) {
    return misuse(*this, "skip_locked() and nowait() say how to lock: say for_update() or another lock as well");
  }
  if (is_keyset() && folds_rows()) {
    return misuse(*this, "after() and before() go by the rows' own keys: not together with group_by or distinct");
  }
  return success();
}

// ---- parts of statements --------------------------------------------------------------------------------------------

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
    to.add(quoted(column.name)).add(" = ").add(*sets[i].value);
  }
  to.add(written([&](text_out& out) { write_update_marks(out, table, raise_version, first); }));
  return success();
}

namespace {

/// Tells statements made at run time apart: eight bytes at a time, because it is computed for each of them. The statement
/// cache compares texts, so that two of one print are noticed.
std::uint64_t print_of(std::string_view sql) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;  // 2^64 divided by the golden ratio
  std::uint64_t print = odd * (sql.size() + 1);
  const auto mix = [&print](std::uint64_t piece) {
    print = (print ^ piece) * odd;
    print ^= print >> 32U;
  };
  for (; sql.size() >= sizeof(std::uint64_t); sql.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t piece = 0;
    std::memcpy(&piece, sql.data(), sizeof piece);
    mix(piece);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, sql.data(), sql.size());
  mix(rest);
  return print;
}

}  // namespace

statement dynamic_statement(std::string_view sql, const parameters& values, const table_view& table,
                            std::string_view name, std::string_view operation, statement_class kind) {
  std::uint64_t print = print_of(sql);
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

}  // namespace breakwater::detail
