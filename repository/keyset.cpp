// Keyset pages: the rows behind or in front of a place in an order, as a condition.

#include <breakwater/repository/detail/query_state.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

bool is_integer(std::uint32_t type) noexcept { return type == oid::int2 || type == oid::int4 || type == oid::int8; }

/// Can a value sent as `given` be compared with what is sent as `wanted`, without the server having to guess?
bool fits(std::uint32_t wanted, std::uint32_t given) noexcept {
  if (wanted == given) return true;
  if (is_integer(given)) {
    return is_integer(wanted) || wanted == oid::numeric || wanted == oid::float8 || wanted == oid::float4;
  }
  return wanted == oid::float8 && given == oid::float4;
}

error misfit(const query_state& query, std::string text) {
  return error(errc::invalid_argument, std::move(text)).with_table(query.table.name.table);
}

std::string describe_order(const query_state& query) {
  std::string text;
  for (const order_term& term : query.order) text.append(text.empty() ? "" : ", ").append(numbered(term.text));
  return text;
}

/// The bound's values, one for each term of the order.
result<parameters> values_of(const query_state& query, const keyset_bound& bound, const char* name) {
  if (bound.from_cursor) {
    parameters values;
    if (read_cursor(bound.cursor, query.print_of_order(), query.order, values)) return values;
    // A text column may hold what looks like a cursor.
    if (query.order.size() != 1 || query.order.front().type != oid::unknown) {
      return misfit(query, std::string(name) + "() was given a cursor that is not one of this query and order");
    }
  }
  if (bound.values.size() != query.order.size()) {
    return misfit(query, std::string(name) + "() takes one value for each column of the order, the key's included (" +
                             describe_order(query) + "): " + std::to_string(query.order.size()) + ", not " +
                             std::to_string(bound.values.size()));
  }
  parameters values;
  for (std::size_t i = 0; i < query.order.size(); ++i) {
    const order_term& term = query.order[i];
    const std::string which = std::string(name) + "()'s value for " + numbered(term.text);
    if (bound.values.is_null(i)) {
      if (!term.nullable) return misfit(query, which + " is NULL, which it can not be");
      values.add_null(term.type);
      continue;
    }
    if (!fits(term.type, bound.values.type(i))) return misfit(query, which + " is of another type");
    // As the column's type, but an integer may be beyond that.
    const bool keeps_type = is_integer(bound.values.type(i)) && is_integer(term.type);
    values.add_text(bound.values.text(i), keeps_type ? bound.values.type(i) : term.type);
    if (term.sensitive) values.mark_sensitive();
  }
  if (values.first_invalid()) return misfit(query, std::string(name) + "() was given a text with a NUL byte");
  return values;
}

/// Writes the condition that a row lies behind a place of the order, going in the order's direction.
class behind {
 public:
  behind(const query_state& query, const parameters& place, bool backward) noexcept
      : query_(query), place_(place), backward_(backward) {}

  [[nodiscard]] sql_fragment condition() const {
    sql_fragment sql;
    if (compares_as_row()) {
      row(sql);
    } else {
      from_term(sql, 0);
    }
    return sql;
  }

 private:
  [[nodiscard]] const order_term& term(std::size_t i) const noexcept { return query_.order[i]; }
  [[nodiscard]] bool descends(std::size_t i) const noexcept { return term(i).descending != backward_; }

  /// One comparison of two rows, which an index answers, where nothing stands against it.
  [[nodiscard]] bool compares_as_row() const noexcept {
    for (std::size_t i = 0; i < query_.order.size(); ++i) {
      if (term(i).nullable || descends(i) != descends(0)) return false;
    }
    return true;
  }

  void row(sql_fragment& sql) const {
    const bool several = query_.order.size() > 1;
    if (several) sql.add("(");
    for (std::size_t i = 0; i < query_.order.size(); ++i) query_.append_term(sql.add(i == 0 ? "" : ", "), term(i));
    sql.add(several ? ")" : "").add(descends(0) ? " < " : " > ").add(several ? "(" : "");
    for (std::size_t i = 0; i < query_.order.size(); ++i) value(sql.add(i == 0 ? "" : ", "), i);
    if (several) sql.add(")");
  }

  void value(sql_fragment& sql, std::size_t i) const {
    sql.text.push_back(sql_fragment::placeholder);
    append_value(sql.values, place_, i);
  }

  /// a > $1 or (a = $1 and (b > $2 or (b = $2 and ...)))
  void from_term(sql_fragment& sql, std::size_t i) const {
    strictly(sql, i);
    if (i + 1 == query_.order.size()) return;
    sql.add(" or (");
    equal(sql, i);
    sql.add(" and (");
    from_term(sql, i + 1);
    sql.add("))");
  }

  void strictly(sql_fragment& sql, std::size_t i) const {
    const bool nulls_behind = term(i).nulls_come_last() != backward_;
    if (place_.is_null(i)) {
      if (nulls_behind) {
        sql.add("false");  // nothing lies behind the NULLs but more of them
      } else {
        query_.append_term(sql, term(i));
        sql.add(" is not null");
      }
      return;
    }
    query_.append_term(sql, term(i));
    value(sql.add(descends(i) ? " < " : " > "), i);
    if (!term(i).nullable || !nulls_behind) return;
    query_.append_term(sql.add(" or "), term(i));
    sql.add(" is null");
  }

  void equal(sql_fragment& sql, std::size_t i) const {
    query_.append_term(sql, term(i));
    if (place_.is_null(i)) {
      sql.add(" is null");
    } else {
      value(sql.add(" = "), i);
    }
  }

  const query_state& query_;
  const parameters& place_;
  bool backward_;
};

}  // namespace

query_state query_state::with_complete_order() const {
  query_state complete = *this;
  const auto joined_by = [this](join_kind kind) {
    return std::ranges::any_of(joins, [kind](const join_term& join) { return join.kind == kind; });
  };
  const bool first_may_be_null = joined_by(join_kind::right) || joined_by(join_kind::full);
  const bool others_may_be_null = first_may_be_null || joined_by(join_kind::left);
  // Whatever a column is by itself: behind an outer join it may be NULL.
  for (order_term& term : complete.order) {
    const bool of_first_table =
        term.column >= table.columns.data() && term.column < table.columns.data() + table.columns.size();
    term.nullable = term.nullable || (of_first_table ? first_may_be_null : others_may_be_null);
  }
  const auto complete_by = [&](const table_view& of, std::string_view name, bool may_be_null) {
    for (const column_info& column : of.columns) {
      if (!column.primary_key) continue;
      std::string text = written([&](text_out& out) { write_column(out, {.schema = {}, .table = name}, column.name); });
      if (std::ranges::find(complete.order, text, &order_term::text) != complete.order.end()) continue;
      complete.order.push_back({.text = std::move(text),
                                .type = column.bound_type,
                                .nullable = may_be_null,
                                .sensitive = column.sensitive,
                                .column = &column});
    }
  };
  complete_by(table, table.name.table, first_may_be_null);
  // A row of the first table stands once for each row that joins it.
  for (const join_term& join : joins) complete_by(join.table, join.name(), others_may_be_null);
  return complete;
}

std::uint64_t query_state::print_of_order() const {
  sql_fragment by;
  append_order(by);
  std::uint64_t print = fingerprint(by.text);
  for (std::size_t i = 0; i < by.values.size(); ++i) {
    print = (print ^ fingerprint(by.values.text(i))) * 0x100000001b3U + by.values.type(i);
  }
  return print;
}

result<query_state> query_state::with_keyset_applied() const {
  if (!is_keyset()) return *this;
  query_state applied = with_complete_order();
  if (applied.order.empty()) {
    return misfit(*this, "after() and before() need an order: the mapping has no primary key, so say order_by");
  }
  // Both before anything is turned round: a bound's values are given in the query's own order.
  sql_fragment conditions[2];
  if (after.given) {
    BOOST_OUTCOME_TRY(const auto place, values_of(applied, after, "after"));
    conditions[0] = behind(applied, place, false).condition();
  }
  if (before.given) {
    BOOST_OUTCOME_TRY(const auto place, values_of(applied, before, "before"));
    conditions[1] = behind(applied, place, true).condition();
  }
  for (const sql_fragment& condition_of_bound : conditions) applied.add_condition(condition_of_bound);
  if (is_backward()) {
    for (order_term& term : applied.order) term.reverse();
  }
  applied.after = {};
  applied.before = {};
  return applied;
}

}  // namespace breakwater::detail
