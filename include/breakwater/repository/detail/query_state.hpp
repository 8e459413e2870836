#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/argument.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>
#include <breakwater/repository/detail/sql_text.hpp>
#include <breakwater/repository/ordering.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a query is made of, without its types: statements are put together and run by plain functions.
namespace breakwater::detail {

enum class join_kind : std::uint8_t { inner, left, right, full, cross };

/// Another table of the query.
struct join_term {
  join_kind kind = join_kind::inner;
  table_view table{};
  std::string_view alias{};  // empty: the table's own name
  sql_fragment on{};
  trash scope = trash::excluded;

  [[nodiscard]] std::string_view name() const noexcept { return alias.empty() ? table.name.table : alias; }
};

struct order_term {
  std::string text{};  // placeholders for its values
  std::size_t first_value = 0;
  std::size_t value_count = 0;
  bool descending = false;
  nulls where_nulls = nulls::by_default;
  std::uint32_t type = oid::unknown;
  bool nullable = true;
  bool sensitive = false;
  const column_info* column = nullptr;  // where it is a plain column

  /// NULLs come behind all values, going forward.
  [[nodiscard]] bool nulls_come_last() const noexcept {
    return where_nulls == nulls::by_default ? !descending : where_nulls == nulls::last;
  }
  void reverse() noexcept {
    descending = !descending;
    if (where_nulls != nulls::by_default) where_nulls = where_nulls == nulls::first ? nulls::last : nulls::first;
  }
};

/// Where a keyset page begins: the values of its order behind or before which it lies.
struct keyset_bound {
  bool given = false;
  bool from_cursor = false;  // `cursor` holds it, not yet taken apart
  std::string cursor{};
  parameters values{};
};

enum class row_lock : std::uint8_t { none, for_update, for_no_key_update, for_share, for_key_share };
enum class lock_wait : std::uint8_t { wait, skip_locked, nowait };

struct query_state {
  table_view table;
  std::string_view columns{};  // all of the table's, as they are selected; a constant
  sql_fragment condition{};
  std::vector<join_term> joins{};
  sql_fragment projection{};  // empty: the root's columns
  sql_fragment group{};
  sql_fragment having{};
  bool distinct = false;
  sql_fragment distinct_on{};
  std::vector<order_term> order{};
  parameters order_values{};
  keyset_bound after{};
  keyset_bound before{};
  std::optional<std::int64_t> limit{};
  std::optional<std::int64_t> offset{};
  trash scope = trash::excluded;
  bool every_row = false;
  bool selects_sensitive = false;  // what is selected shows a sensitive column
  bool selects_aggregate = false;  // all rows become one, or one for each group
  row_lock lock = row_lock::none;
  lock_wait lock_waits = lock_wait::wait;

  // ---- building -------------------------------------------------------------------------------------------------------

  /// And this one; an empty one adds nothing.
  void add_condition(const sql_fragment& more);
  void add_having(const sql_fragment& more);
  void add_group(const sql_fragment& more);
  void add_distinct_on(const sql_fragment& more);
  void add_projection(const sql_fragment& more);
  /// All columns of a table under its name in the query.
  void add_projection(const table_view& of, std::string_view alias);
  template <class Source>
  void add_order(const ordering<Source>& by) {
    order.push_back({.text = std::string(by.column),
                     .descending = by.descending,
                     .where_nulls = by.where_nulls,
                     .type = by.type,
                     .nullable = by.nullable,
                     .sensitive = by.sensitive,
                     .column = by.info});
  }
  template <class Sources>
  void add_order(const expression_ordering<Sources>& by) {
    add_order(by.sql, by.descending, by.where_nulls, by.type, by.sensitive);
  }
  void add_order(const sql_fragment& by, bool descending, nulls where, std::uint32_t type, bool sensitive);

  // ---- writing --------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_keyset() const noexcept { return after.given || before.given; }
  /// Its rows are found from its end and have to be turned round.
  [[nodiscard]] bool is_backward() const noexcept { return before.given && !after.given; }
  /// More than the rows of one table.
  [[nodiscard]] bool is_plain() const noexcept {
    return joins.empty() && group.empty() && having.empty() && !distinct && distinct_on.empty();
  }

  /// Rows become other rows: groups, different ones, one for all.
  [[nodiscard]] bool folds_rows() const noexcept {
    return !group.empty() || !having.empty() || distinct || !distinct_on.empty() || selects_aggregate;
  }

  /// What `all` sends, for people to read. A query whose keyset is in error is written without it: it fails when it runs.
  [[nodiscard]] sql_fragment select_sql() const;
  /// The same to stand inside another statement. Where it could not run by itself, neither can that one: it has a value
  /// that can not be sent.
  [[nodiscard]] sql_fragment sub_query_sql() const;
  /// The select list and everything behind it, with the order's values as further columns where asked for.
  void append_select(sql_fragment& to, bool with_order_values) const;
  void append_from(sql_fragment& to) const;
  /// " where (condition) and (trash condition)", or nothing.
  void append_where(sql_fragment& to) const;
  void append_group(sql_fragment& to) const;
  void append_order(sql_fragment& to) const;
  void append_order_and_bounds(sql_fragment& to) const;
  void append_term(sql_fragment& to, const order_term& term) const;
  /// " order by" one term: its text, direction and NULLs.
  void append_direction(sql_fragment& to, const order_term& term) const;

  // ---- deriving -------------------------------------------------------------------------------------------------------

  /// The query for its first or last row. Errors: `invalid_argument` without an order, or for the last row of a
  /// bounded query.
  [[nodiscard]] result<query_state> end_of_order(bool last) const;
  /// The same query with the keys of all its tables behind its order, so that no two rows are in the same place; and with
  /// the order's columns nullable where an outer join makes them so.
  [[nodiscard]] query_state with_complete_order() const;
  /// What a cursor has to agree with: the order's text and the values in it.
  [[nodiscard]] std::uint64_t print_of_order() const;
  /// The same query with its keyset as conditions, turned round where it goes backward. Errors: `invalid_argument` for
  /// values that do not fit the order, or a cursor that is not one of this query.
  [[nodiscard]] result<query_state> with_keyset_applied() const;
  /// Errors: `invalid_argument` for negative bounds, or clauses that do not go together.
  [[nodiscard]] result<void> check() const;
};

/// One column of an update.
struct assignment_view {
  const column_info* column;
  const sql_fragment* value;
};

/// A statement made at run time from a mapping; its fingerprint covers the types of its values too.
[[nodiscard]] statement dynamic_statement(std::string_view sql, const parameters& values, const table_view& table,
                                          std::string_view name, std::string_view operation, statement_class kind);

/// Numbers the placeholders of a statement made from a mapping and runs it.
[[nodiscard]] result<rows> run_fragment(executor& on, const sql_fragment& sql, const table_view& table,
                                        std::string_view name, std::string_view operation, statement_class kind);

/// "column = value, ..., version = version + 1, updated_at = ...". With `raise_version` false the version stays.
/// Errors: `invalid_argument` for a column that the library keeps itself, or one set twice.
[[nodiscard]] result<void> append_assignments(sql_fragment& to, const table_view& table,
                                              std::span<const assignment_view> sets, bool raise_version);

[[nodiscard]] result<rows> run_select(executor* on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<std::int64_t> run_count(executor* on, const query_state& wanted, std::string_view name);
/// One aggregate over the query's rows: of a column of its first table, or of another one's, which can not be told apart
/// any more once rows are chosen by limit, offset or distinct (`invalid_argument`).
[[nodiscard]] result<rows> run_aggregate(executor* on, const query_state& wanted, const sql_fragment& aggregate,
                                         bool of_first_table, std::string_view name);
[[nodiscard]] result<bool> run_exists(executor* on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<std::size_t> run_update_all(executor* on, const query_state& wanted,
                                                 std::span<const assignment_view> sets, std::string_view name);
[[nodiscard]] result<std::size_t> run_delete_all(executor* on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<std::string> run_explain(executor* on, const query_state& wanted, bool analyze,
                                              std::string_view name);

/// The mapping's created_at column in [bounds[0], bounds[1]).
[[nodiscard]] sql_fragment created_within(const table_view& table, const parameters& bounds);
/// The same for one day of the session's time zone.
[[nodiscard]] sql_fragment created_on(const table_view& table, date day);

/// `not_found` for no row, `too_many_rows` for more than one.
[[nodiscard]] error not_one_row(std::size_t count, const table_view& table);

// ---- pages ----------------------------------------------------------------------------------------------------------

/// What a page's statement answered, before its rows are decoded.
struct page_rows {
  rows answer{};
  std::size_t first_column = 0;  // of the items' columns
  std::size_t count = 0;         // of the rows that are items; the first ones of the answer
  bool backward = false;         // they are in the opposite order
  std::optional<std::int64_t> total{};
  std::string next_cursor{};
  std::string previous_cursor{};
};

/// A keyset page of `size` rows: behind `after`, or before `before`, or the first.
[[nodiscard]] result<page_rows> run_keyset_page(executor* on, const query_state& wanted, std::int64_t size,
                                                std::string_view name);
/// Page `number`, from 1, of pages of `size` rows, with the total: one statement.
[[nodiscard]] result<page_rows> run_numbered_page(executor* on, const query_state& wanted, std::int64_t number,
                                                  std::int64_t size, std::string_view name);

/// An opaque text for a position in an order, and back. The order's own text goes into a fingerprint, so that a cursor
/// of another query is noticed.
[[nodiscard]] std::string write_cursor(std::uint64_t order_print, const rows& answer, std::size_t row,
                                       std::size_t first_column, std::size_t count);
[[nodiscard]] bool read_cursor(std::string_view text, std::uint64_t order_print, std::span<const order_term> order,
                               parameters& values);
[[nodiscard]] bool looks_like_cursor(std::string_view text) noexcept;

template <class... Values>
void set_bound(keyset_bound& bound, const Values&... values) {
  bound = {.given = true};
  (add_argument(bound.values, values), ...);
  if constexpr (sizeof...(Values) == 1 && (std::is_convertible_v<const Values&, std::string_view> && ...)) {
    // A text alone is the value of an order by one text, or a cursor.
    bound.cursor = (std::string(std::string_view(values)), ...);
    bound.from_cursor = looks_like_cursor(bound.cursor);
  }
}

}  // namespace breakwater::detail
