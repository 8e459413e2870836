#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>
#include <breakwater/repository/detail/sql_text.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// What a query is made of, without its types: statements are put together and run by plain functions.
namespace breakwater::detail {

struct order_term {
  std::string_view column;  // "table"."column"
  bool descending = false;
};

struct query_state {
  table_view table;
  sql_fragment condition{};
  std::vector<order_term> order{};
  std::optional<std::int64_t> limit{};
  std::optional<std::int64_t> offset{};
  trash scope = trash::excluded;
  bool every_row = false;

  /// And this one; an empty one adds nothing.
  void add_condition(const sql_fragment& more);

  [[nodiscard]] sql_fragment select_sql() const;
  /// " where (condition) and (trash condition)", or nothing.
  void append_where(sql_fragment& to) const;
  void append_order_and_bounds(sql_fragment& to) const;
  /// The query for its first or last row. Errors: `invalid_argument` without an order, or for the last row of a
  /// bounded query.
  [[nodiscard]] result<query_state> end_of_order(bool last) const;
  /// Errors: `invalid_argument` for negative bounds.
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

/// "column = value, ..., version = version + 1, updated_at = ...". With `raise_version` false the version stays.
/// Errors: `invalid_argument` for a column that the library keeps itself, or one set twice.
[[nodiscard]] result<void> append_assignments(sql_fragment& to, const table_view& table,
                                              std::span<const assignment_view> sets, bool raise_version);

[[nodiscard]] result<rows> run_select(executor& on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<std::int64_t> run_count(executor& on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<bool> run_exists(executor& on, const query_state& wanted, std::string_view name);
[[nodiscard]] result<std::size_t> run_update_all(executor& on, const query_state& wanted,
                                                 std::span<const assignment_view> sets, std::string_view name);
[[nodiscard]] result<std::size_t> run_delete_all(executor& on, const query_state& wanted, std::string_view name);

/// `not_found` for no row, `too_many_rows` for more than one.
[[nodiscard]] error not_one_row(std::size_t count, const table_view& table);

}  // namespace breakwater::detail
