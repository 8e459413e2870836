#pragma once

#include <breakwater/repository/detail/sql_text.hpp>

#include <cstddef>
#include <span>
#include <string_view>

/// The statement that reads a relation's rows, written by plain constexpr functions as those of sql_text.hpp are.
namespace breakwater::detail {

struct relation_order {
  std::string_view column;
  bool descending = false;
};

/// A relation without its types.
struct relation_view {
  table_view target;                          // the rows that are read
  std::span<const std::string_view> matched;  // its columns that the owners' keys are compared with
  std::string_view type_column{};             // of a polymorphic one
  std::span<const relation_order> order{};
  bool ordered = false;  // an order is of use: there may be several rows for an owner
  // Of a many_to_many, whose `matched` are columns of the join table:
  bool linked = false;
  table_view links{};
  std::string_view link_to_target{};
  std::string_view target_key{};

  [[nodiscard]] constexpr const table_name& matched_table() const noexcept { return linked ? links.name : target.name; }
};

constexpr void write_matched_column(text_out& out, const relation_view& relation, std::size_t i) noexcept {
  write_column(out, relation.matched_table(), relation.matched[i]);
}

/// "column = any($1)". Of a composite key "(a, b) in (select * from unnest($1, $2))", and before it what tells the
/// server the arrays' types, which it would not find out there: a comparison that its planner drops again for the
/// "or true" beside it. Naming the types instead would need a name for each domain and enumeration.
constexpr void write_matched(text_out& out, const relation_view& relation) noexcept {
  const std::size_t columns = relation.matched.size();
  for (std::size_t i = 0; i < columns; ++i) {
    if (columns > 1) out << "(";
    write_matched_column(out, relation, i);
    out << " = any(";
    write_parameter(out, i + 1);
    out << ")";
    if (columns > 1) out << " or true) and ";
  }
  if (columns == 1) return;
  for (std::size_t i = 0; i < columns; ++i) {
    out << (i == 0 ? "(" : ", ");
    write_matched_column(out, relation, i);
  }
  out << ") in (select * from unnest(";
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) out << ", ";
    write_parameter(out, i + 1);
  }
  out << "))";
}

constexpr bool orders_by(const relation_view& relation, std::string_view column) noexcept {
  for (const relation_order& by : relation.order) {
    if (by.column == column) return true;
  }
  return false;
}

/// The relation's order, completed by the primary key so that it is the same each time.
constexpr void write_relation_order(text_out& out, const relation_view& relation) noexcept {
  std::string_view separator = " order by ";
  const auto term = [&](std::string_view column) {
    out << separator;
    separator = ", ";
    write_column(out, relation.target.name, column);
  };
  for (const relation_order& by : relation.order) {
    term(by.column);
    if (by.descending) out << " desc";
  }
  for (const column_info& column : relation.target.columns) {
    if (column.primary_key && !orders_by(relation, column.name)) term(column.name);
  }
}

/// select <target> [, <link's key>] from <target> [join <links>] where <keys> [and <type>] [and <trash>] [order by ...]
///
/// Parameters: one array for each matched column, the type.
constexpr void write_relation(text_out& out, const relation_view& relation, trash scope) noexcept {
  out << "select ";
  write_all_columns(out, relation.target);
  if (relation.linked) {
    out << ", ";
    write_column(out, relation.links.name, relation.matched[0]);
  }
  out << " from ";
  write_table(out, relation.target.name);
  if (relation.linked) {
    out << " join ";
    write_table(out, relation.links.name);
    out << " on ";
    write_column(out, relation.links.name, relation.link_to_target);
    out << " = ";
    write_column(out, relation.target.name, relation.target_key);
  }
  out << " where ";
  write_matched(out, relation);
  if (!relation.type_column.empty()) {
    out << " and ";
    write_column(out, relation.target.name, relation.type_column);
    out << " = ";
    write_parameter(out, relation.matched.size() + 1);
  }
  if (relation.linked) write_and_trash(out, relation.links, trash::excluded);
  write_and_trash(out, relation.target, scope);
  if (relation.ordered) write_relation_order(out, relation);
}

}  // namespace breakwater::detail
