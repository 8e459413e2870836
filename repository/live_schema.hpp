#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/repository/session.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Tables as the server's catalogue has them, as far as mappings speak of them.
namespace breakwater::detail {

struct live_column {
  std::string name;
  std::uint32_t type = 0;  // of a domain, what it is made over, as in results
  std::string type_name;
  bool never_null = false;
  bool has_default = false;
  bool is_identity = false;
  bool is_stored = false;  // generated always as (...) stored
  bool is_always = false;  // refuses a value that is sent
};

struct live_index {
  bool unique = false;
  bool primary = false;
  bool partial = false;
  bool has_expression = false;
  std::vector<std::string> columns;  // in order, expressions left out
  std::string first;                 // empty: an expression
};

struct live_reference {
  std::string column;
  std::string to_table;
  std::string to_column;
  char on_delete = 'a';
};

struct live_table {
  bool exists = false;
  bool is_table = false;           // rather than a view, or a table elsewhere
  bool filled_by_trigger = false;  // before an insert, so that a column without a default may get a value all the same
  std::vector<live_column> columns;
  std::vector<live_index> indexes;
  std::vector<live_reference> references;

  [[nodiscard]] const live_column* find(std::string_view column) const noexcept;
};

/// A type by its name.
struct live_type {
  std::string name;
  std::optional<std::int64_t> type{};  // none where the search_path leads to no such type
};

struct live_schema {
  std::vector<live_table> tables;
  std::vector<live_type> types;

  [[nodiscard]] bool is_type(std::string_view name, std::uint32_t type) const noexcept;
};

/// The tables of these names, quoted as in SQL, in their order, and the types of those. One round trip.
[[nodiscard]] result<live_schema> read_live_schema(const session& on, const std::vector<std::string>& tables,
                                                   const std::vector<std::string>& types);

}  // namespace breakwater::detail
