#pragma once

#include <breakwater/postgres/parameters.hpp>
#include <breakwater/repository/detail/sql_text.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// Statements over several rows, over conflicts, and by other columns than the key. As sql_text.hpp: plain constexpr
/// functions that write at compile time or at run time.
namespace breakwater::detail {

/// A built-in type's name by its number, or nothing.
constexpr std::string_view type_name(std::uint32_t type) noexcept {
  switch (type) {
    case oid::boolean: return "bool";
    case oid::bytea: return "bytea";
    case oid::int8: return "int8";
    case oid::int2: return "int2";
    case oid::int4: return "int4";
    case oid::float4: return "float4";
    case oid::float8: return "float8";
    case oid::date: return "date";
    case oid::timestamp: return "timestamp";
    case oid::timestamptz: return "timestamptz";
    case oid::numeric: return "numeric";
    case oid::uuid: return "uuid";
    case oid::time: return "time";
    case oid::interval: return "interval";
    default: return {};
  }
}

/// $n as an array of a column's values.
///
/// The element type is what the codec sends a single value as, so that the column converts it as in `insert`. A codec
/// that leaves the type to the server ("unknown": text, which may stand in an enum, an inet, a varchar) gets the
/// column's own: coalesce takes the type of its second argument, an empty array of the column, for the parameter too.
constexpr void write_array_parameter(text_out& out, const table_view& table, std::size_t column, std::uint32_t type,
                                     std::size_t number) noexcept {
  if (const std::string_view name = type_name(type); !name.empty()) {
    write_parameter(out, number);
    out << "::" << name << "[]";
    return;
  }
  out << "coalesce(";
  write_parameter(out, number);
  out << ", array(select ";
  write_column(out, table.name, table.columns[column].name);
  out << " from ";
  write_table(out, table.name);
  out << " where false))";
}

/// Can the column's values travel as one array? Not arrays: `unnest` takes those apart to their last element.
constexpr bool fits_array(const column_info& column) noexcept { return !column.sql_type.ends_with(']'); }

/// Does an insert of several rows name the column? One that takes its DEFAULT is left out.
constexpr bool is_named_by_bulk_insert(const table_view& table, std::size_t i, std::uint64_t use_default) noexcept {
  return is_inserted(table.columns[i]) && !in_column_set(use_default, i);
}

/// insert into t (a, b, version) select unnest($1::x[]), unnest($2::y[]), 1
///
/// One text, whatever the number of rows. `types` are the numbers that the members' codecs send. Without a column to
/// send, $1 is the number of rows.
///
/// The arrays are taken apart in step by one node of the plan (ProjectSet), row after row: beside `unnest(...) with
/// ordinality` in FROM, which first stores each array's elements, it takes a fifth off the whole insert.
constexpr void write_insert_from_arrays(text_out& out, const table_view& table, std::uint64_t use_default,
                                        std::span<const std::uint32_t> types) noexcept {
  out << "insert into ";
  write_table(out, table.name);
  bool any = false;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!is_named_by_bulk_insert(table, i, use_default)) continue;
    out << (any ? ", " : " (");
    any = true;
    write_identifier(out, table.columns[i].name);
  }
  out << (any ? ") select " : " select");
  any = false;
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!is_named_by_bulk_insert(table, i, use_default)) continue;
    if (any) out << ", ";
    any = true;
    if (write_own_value(out, table.columns[i])) continue;
    out << "unnest(";
    write_array_parameter(out, table, i, types[i], ++parameters);
    out << ")";
  }
  if (parameters == 0) out << " from generate_series(1, $1::int8)";
}

// ---- conflicts ------------------------------------------------------------------------------------------------------

/// What becomes of a row that is there already.
struct conflict_plan {
  std::span<const std::size_t> target;  // places of the columns
  std::span<const std::size_t> chosen;  // columns to update; empty: all that an update stores
  bool all_columns = true;
};

constexpr bool is_among(std::span<const std::size_t> places, std::size_t wanted) noexcept {
  for (const std::size_t place : places) {
    if (place == wanted) return true;
  }
  return false;
}

/// on conflict ("a", "b") [where "deleted_at" is null]
///
/// The condition lets PostgreSQL take a unique index over live rows only; one without a condition serves as well.
constexpr void write_conflict_target(text_out& out, const table_view& table,
                                     std::span<const std::size_t> target) noexcept {
  out << " on conflict (";
  for (std::size_t k = 0; k < target.size(); ++k) {
    if (k > 0) out << ", ";
    write_identifier(out, table.columns[target[k]].name);
  }
  out << ")";
  if (table.has(&column_info::soft_delete)) {
    out << " where ";
    write_identifier(out, table.column(&column_info::soft_delete).name);
    out << " is null";
  }
}

/// " where (live)": a row in the trash is not updated.
constexpr void write_where_live(text_out& out, const table_view& table) noexcept {
  if (!table.has(&column_info::soft_delete)) return;
  out << " where ";
  write_column(out, table.name, table.column(&column_info::soft_delete).name);
  out << " is null";
}

/// " returning ..., <was the row inserted?>"
///
/// xmax names the transaction that locked or deleted a row version. A row just inserted has none; ON CONFLICT locks
/// the row before it updates it, and the new version keeps that lock.
constexpr void write_returning_inserted(text_out& out, const table_view& table) noexcept {
  write_returning(out, table);
  out << ", ";
  write_column(out, table.name, "xmax");
  out << " = 0";
}

/// on conflict (...) do update set a = excluded.a, ..., version = version + 1, ... where live
///
/// Columns of the target keep their values, and so do those that the entity leaves to their DEFAULT.
constexpr void write_conflict_update(text_out& out, const table_view& table, const conflict_plan& plan,
                                     std::uint64_t use_default) noexcept {
  write_conflict_target(out, table, plan.target);
  out << " do update set ";
  bool first = true;
  const auto take = [&](std::size_t i) {
    if (!first) out << ", ";
    first = false;
    write_identifier(out, table.columns[i].name);
    out << " = excluded.";
    write_identifier(out, table.columns[i].name);
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!is_updated(table.columns[i]) || in_column_set(use_default, i)) continue;
    if (plan.all_columns ? !is_among(plan.target, i) : is_among(plan.chosen, i)) take(i);
  }
  const bool marks = table.has(&column_info::version) || table.has(&column_info::updated_at);
  if (first && !marks) take(plan.target.front());  // nothing to change, but only an update returns the row
  write_update_marks(out, table, true, first);
  write_where_live(out, table);
}

constexpr void write_upsert(text_out& out, const table_view& table, const conflict_plan& plan,
                            std::uint64_t use_default) noexcept {
  write_insert_values(out, table, use_default);
  write_conflict_update(out, table, plan, use_default);
  write_returning_inserted(out, table);
}

constexpr void write_insert_or_nothing(text_out& out, const table_view& table, std::span<const std::size_t> target,
                                       std::uint64_t use_default) noexcept {
  write_insert_values(out, table, use_default);
  write_conflict_target(out, table, target);
  out << " do nothing";
  write_returning(out, table);
}

// ---- finders --------------------------------------------------------------------------------------------------------

/// " where a = $1 and b is null": bit k of `nulls` says that the k-th is compared with NULL, and takes no parameter.
constexpr void write_where_columns(text_out& out, const table_view& table, std::span<const std::size_t> places,
                                   std::uint64_t nulls) noexcept {
  std::size_t number = 0;
  for (std::size_t k = 0; k < places.size(); ++k) {
    out << (k == 0 ? " where " : " and ");
    write_column(out, table.name, table.columns[places[k]].name);
    if (in_column_set(nulls, k)) {
      out << " is null";
    } else {
      out << " = ";
      write_parameter(out, ++number);
    }
  }
}

/// What `find_by` and its kind look for.
enum class finder : std::uint8_t { one, all, existing };

/// select ... from t where a = $1 and live [limit 2]
///
/// `existing` finds the row that an insert met: rows in the trash too, but a live one first.
constexpr void write_find_by(text_out& out, const table_view& table, std::span<const std::size_t> places,
                             std::uint64_t nulls, finder wanted) noexcept {
  write_select_from(out, table);
  write_where_columns(out, table, places, nulls);
  if (wanted != finder::existing) write_and_trash(out, table, trash::excluded);
  if (wanted == finder::one) out << " limit 2";  // enough to know that it is not the only one
  if (wanted == finder::existing && table.has(&column_info::soft_delete)) {
    out << " order by ";
    write_column(out, table.name, table.column(&column_info::soft_delete).name);
    out << " desc nulls first limit 1";
  }
}

/// select t... from unnest($1::x[]) with ordinality as "bw.keys"("1", "n") join t on t.key = "bw.keys"."1" and live
/// order by "bw.keys"."n"
///
/// The join and not `= any($1)`: the rows come in the order of the keys, and the server alone says which keys are equal.
constexpr void write_get_many(text_out& out, const table_view& table, std::span<const std::uint32_t> types) noexcept {
  out << "select ";
  write_all_columns(out, table);
  out << " from unnest(";
  std::size_t number = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].primary_key) continue;
    if (number > 0) out << ", ";
    write_array_parameter(out, table, i, types[i], ++number);
  }
  out << ") with ordinality as \"bw.keys\"(";
  for (std::size_t i = 1; i <= number; ++i) out << "\"" << static_cast<std::int64_t>(i) << "\", ";
  out << "\"n\") join ";
  write_table(out, table.name);
  number = 0;
  for (const column_info& column : table.columns) {
    if (!column.primary_key) continue;
    out << (number == 0 ? " on " : " and ");
    write_column(out, table.name, column.name);
    out << R"( = "bw.keys".")" << static_cast<std::int64_t>(++number) << "\"";
  }
  write_and_trash(out, table, trash::excluded);
  out << R"( order by "bw.keys"."n")";
}

}  // namespace breakwater::detail
