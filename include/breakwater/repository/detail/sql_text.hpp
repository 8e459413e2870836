#pragma once

#include <breakwater/repository/attributes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Statements of a mapping, written by plain constexpr functions: at compile time into arrays, at run time, for the
/// few shapes that depend on values, into strings. Nothing here is a template, so it is compiled once.
namespace breakwater::detail {

struct table_name {
  std::string_view schema{};
  std::string_view table{};
};

/// A mapping without its types.
struct table_view {
  table_name name;
  std::span<const column_info> columns;

  // By place and not by address: under -fsanitize=undefined g++ does not take the comparison of a global's address
  // with null for a constant.
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  [[nodiscard]] constexpr std::size_t place_of(bool column_info::*flag) const noexcept {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].*flag) return i;
    }
    return none;
  }
  [[nodiscard]] constexpr bool has(bool column_info::*flag) const noexcept { return place_of(flag) != none; }
  /// REQUIRES that there is one.
  [[nodiscard]] constexpr const column_info& column(bool column_info::*flag) const noexcept {
    return columns[place_of(flag)];
  }
};

/// Counts characters, and writes them where it was given room: a statement is written twice, first to learn its
/// length.
class text_out {
 public:
  constexpr text_out() noexcept = default;
  constexpr explicit text_out(char* to) noexcept : to_(to) {}

  constexpr void put(char c) noexcept {
    if (to_ != nullptr) to_[size_] = c;
    ++size_;
  }
  constexpr text_out& operator<<(std::string_view text) noexcept {
    for (const char c : text) put(c);
    return *this;
  }
  constexpr text_out& operator<<(std::int64_t number) noexcept {
    char digits[20] = {};
    std::size_t count = 0;
    std::uint64_t rest = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (number < 0) put('-');
    while (count > 0) put(digits[--count]);
    return *this;
  }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

 private:
  char* to_ = nullptr;
  std::size_t size_ = 0;
};

/// What a writer leaves, as a string.
template <class Write>
[[nodiscard]] std::string written(const Write& write) {
  text_out counter;
  write(counter);
  std::string text(counter.size(), '\0');
  text_out out(text.data());
  write(out);
  return text;
}

/// "a ""quoted"" name": always quoted, so that no name needs to be known to be a keyword.
constexpr void write_identifier(text_out& out, std::string_view name) noexcept {
  out.put('"');
  for (const char c : name) {
    if (c == '"') out.put('"');
    out.put(c);
  }
  out.put('"');
}

constexpr void write_table(text_out& out, const table_name& name) noexcept {
  if (!name.schema.empty()) {
    write_identifier(out, name.schema);
    out.put('.');
  }
  write_identifier(out, name.table);
}

/// "table"."column", so that no join can make it ambiguous.
constexpr void write_column(text_out& out, const table_name& table, std::string_view column) noexcept {
  write_table(out, table);
  out.put('.');
  write_identifier(out, column);
}

constexpr void write_all_columns(text_out& out, const table_view& table) noexcept {
  bool first = true;
  for (const column_info& column : table.columns) {
    if (!first) out << ", ";
    first = false;
    write_column(out, table.name, column.name);
  }
}

constexpr void write_parameter(text_out& out, std::size_t number) noexcept {
  out << "$" << static_cast<std::int64_t>(number);
}

/// Which rows a statement sees of a table with a soft_delete column.
enum class trash : std::uint8_t { excluded, included, only };

/// " and (trash condition)", or nothing.
constexpr void write_and_trash(text_out& out, const table_view& table, trash scope) noexcept {
  if (!table.has(&column_info::soft_delete) || scope == trash::included) return;
  out << " and (";
  write_column(out, table.name, table.column(&column_info::soft_delete).name);
  out << (scope == trash::only ? " is not null)" : " is null)");
}

/// " where key = $first and ...". Returns the next free parameter number.
constexpr std::size_t write_where_key(text_out& out, const table_view& table, std::size_t first) noexcept {
  out << " where ";
  bool separate = false;
  for (const column_info& column : table.columns) {
    if (!column.primary_key) continue;
    if (separate) out << " and ";
    separate = true;
    write_column(out, table.name, column.name);
    out << " = ";
    write_parameter(out, first++);
  }
  return first;
}

constexpr void write_select_from(text_out& out, const table_view& table) noexcept {
  out << "select ";
  write_all_columns(out, table);
  out << " from ";
  write_table(out, table.name);
}

/// select ... from t where key = $1
constexpr void write_get(text_out& out, const table_view& table, trash scope) noexcept {
  write_select_from(out, table);
  write_where_key(out, table, 1);
  write_and_trash(out, table, scope);
}

/// select exists(select from t where key = $1)
constexpr void write_exists(text_out& out, const table_view& table, trash scope) noexcept {
  out << "select exists(select from ";
  write_table(out, table.name);
  write_where_key(out, table, 1);
  write_and_trash(out, table, scope);
  out << ")";
}

constexpr void write_returning(text_out& out, const table_view& table) noexcept {
  out << " returning ";
  write_all_columns(out, table);
}

/// The value an insert gives a column itself, rather than take it from the entity: true if it wrote one.
constexpr bool write_own_value(text_out& out, const column_info& column) noexcept {
  if (column.created_at || column.updated_at) {
    // Not now(): within one transaction that would not move, and an update could not be told from its insert.
    out << "statement_timestamp()";
    return true;
  }
  if (column.version) {
    out << column.initial_version;
    return true;
  }
  return false;
}

/// Is the column named in an insert at all? A soft_delete column is not: rows are born live.
constexpr bool is_inserted(const column_info& column) noexcept { return !column.generated && !column.soft_delete; }

/// Is bit `i` of a set of columns set? Only `defaulted` columns are in such sets, and these are among the first 64.
constexpr bool in_column_set(std::uint64_t set, std::size_t i) noexcept { return i < 64 && (set >> i & 1U) != 0; }

/// Does an insert send the column a value of the entity?
constexpr bool is_sent_by_insert(const column_info& column) noexcept {
  return is_inserted(column) && !column.created_at && !column.updated_at && !column.version;
}

/// insert into t (a, b), or without a list where there is no column to name.
constexpr bool write_insert_columns(text_out& out, const table_view& table) noexcept {
  out << "insert into ";
  write_table(out, table.name);
  bool any = false;
  for (const column_info& column : table.columns) {
    if (!is_inserted(column)) continue;
    out << (any ? ", " : " (");
    any = true;
    write_identifier(out, column.name);
  }
  if (any) out << ")";
  return any;
}

/// ($first, default, statement_timestamp()). Returns the next free parameter number.
///
/// Bit i of `use_default` says that column i's DEFAULT is to be used (only for `defaulted` ones).
constexpr std::size_t write_insert_row(text_out& out, const table_view& table, std::uint64_t use_default,
                                       std::size_t parameter) noexcept {
  bool first = true;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const column_info& column = table.columns[i];
    if (!is_inserted(column)) continue;
    out << (first ? "(" : ", ");
    first = false;
    if (column.defaulted && in_column_set(use_default, i)) {
      out << "default";
    } else if (!write_own_value(out, column)) {
      write_parameter(out, parameter++);
    }
  }
  out << ")";
  return parameter;
}

/// insert into t (...) values (...)
constexpr void write_insert_values(text_out& out, const table_view& table, std::uint64_t use_default) noexcept {
  if (write_insert_columns(out, table)) {
    out << " values ";
    write_insert_row(out, table, use_default, 1);
  } else {
    out << " default values";
  }
}

/// insert into t (...) values (...) returning ...
constexpr void write_insert(text_out& out, const table_view& table, std::uint64_t use_default) noexcept {
  write_insert_values(out, table, use_default);
  write_returning(out, table);
}

/// "version" = "t"."version" + 1, "updated_at" = statement_timestamp(): what every update does besides.
constexpr void write_update_marks(text_out& out, const table_view& table, bool raise_version, bool first) noexcept {
  for (const column_info& column : table.columns) {
    if (!column.updated_at && !(column.version && raise_version)) continue;
    if (!first) out << ", ";
    first = false;
    write_identifier(out, column.name);
    out << " = ";
    if (column.version) {
      write_column(out, table.name, column.name);
      out << " + 1";
    } else {
      out << "statement_timestamp()";
    }
  }
}

/// Does a full update take the column's value from the entity?
constexpr bool is_updated(const column_info& column) noexcept {
  return !column.primary_key && !column.generated && !column.created_at && !column.updated_at && !column.version &&
         !column.soft_delete;
}

/// " and version = $n", or nothing.
constexpr void write_and_version(text_out& out, const table_view& table, std::size_t parameter) noexcept {
  if (!table.has(&column_info::version)) return;
  out << " and ";
  write_column(out, table.name, table.column(&column_info::version).name);
  out << " = ";
  write_parameter(out, parameter);
}

/// update t set ... where key = $k and version = $v and live returning ...
///
/// Parameters: the updated columns, the key, the version; each in mapping order.
constexpr void write_update(text_out& out, const table_view& table) noexcept {
  out << "update ";
  write_table(out, table.name);
  out << " set ";
  std::size_t parameter = 1;
  for (const column_info& column : table.columns) {
    if (!is_updated(column)) continue;
    if (parameter > 1) out << ", ";
    write_identifier(out, column.name);
    out << " = ";
    write_parameter(out, parameter++);
  }
  write_update_marks(out, table, true, parameter == 1);
  parameter = write_where_key(out, table, parameter);
  write_and_version(out, table, parameter);
  write_and_trash(out, table, trash::excluded);
  write_returning(out, table);
}

/// How `remove`, `restore` and `purge` name their row.
enum class check_version : std::uint8_t { no, yes };

/// update t set deleted_at = <time or null> where key = $1 [and version = $2] and <live or trashed>
constexpr void write_trash_update(text_out& out, const table_view& table, bool into_trash,
                                  check_version versioned) noexcept {
  out << "update ";
  write_table(out, table.name);
  out << " set ";
  write_identifier(out, table.column(&column_info::soft_delete).name);
  out << (into_trash ? " = statement_timestamp()" : " = null");
  write_update_marks(out, table, true, false);
  const std::size_t next = write_where_key(out, table, 1);
  if (versioned == check_version::yes) write_and_version(out, table, next);
  write_and_trash(out, table, into_trash ? trash::excluded : trash::only);
}

/// delete from t where key = $1 [and version = $2]; trashed or not
constexpr void write_delete(text_out& out, const table_view& table, check_version versioned) noexcept {
  out << "delete from ";
  write_table(out, table.name);
  const std::size_t next = write_where_key(out, table, 1);
  if (versioned == check_version::yes) write_and_version(out, table, next);
}

/// The removal that the mapping asks for: into the trash where there is one.
constexpr void write_remove(text_out& out, const table_view& table, check_version versioned) noexcept {
  if (table.has(&column_info::soft_delete)) {
    write_trash_update(out, table, true, versioned);
  } else {
    write_delete(out, table, versioned);
  }
}

// ---- by name --------------------------------------------------------------------------------------------------------

/// What an operation is called in statement names: "accounts.get".
enum class action : std::uint8_t {
  get,
  exists,
  insert,
  update,
  patch,
  remove,
  restore,
  purge,
  select,
  count,
  update_all,
  delete_all,
  insert_many,
  upsert,
  upsert_many,
  find_or_insert,
  find_by,
  find_all_by,
  get_many,
  purge_all,
  copy_in,
  copy_out,
  stream,
  in_batches
};

constexpr std::string_view to_string(action value) noexcept {
  switch (value) {
    case action::get: return "get";
    case action::exists: return "exists";
    case action::insert: return "insert";
    case action::update: return "update";
    case action::patch: return "patch";
    case action::remove: return "remove";
    case action::restore: return "restore";
    case action::purge: return "purge";
    case action::select: return "select";
    case action::count: return "count";
    case action::update_all: return "update_all";
    case action::delete_all: return "delete_all";
    case action::insert_many: return "insert_many";
    case action::upsert: return "upsert";
    case action::upsert_many: return "upsert_many";
    case action::find_or_insert: return "find_or_insert";
    case action::find_by: return "find_by";
    case action::find_all_by: return "find_all_by";
    case action::get_many: return "get_many";
    case action::purge_all: return "purge_all";
    case action::copy_in: return "copy_in";
    case action::copy_out: return "copy_out";
    case action::stream: return "stream";
    case action::in_batches: return "in_batches";
  }
  return "";
}

/// A statement whose text depends on nothing but the mapping.
enum class fixed_statement : std::uint8_t {
  get,
  exists,
  exists_in_trash,
  exists_anywhere,
  insert,
  update,
  remove,
  remove_checked,
  restore,
  restore_checked,
  purge,
  purge_checked
};

constexpr action action_of(fixed_statement which) noexcept {
  switch (which) {
    case fixed_statement::get: return action::get;
    case fixed_statement::exists:
    case fixed_statement::exists_in_trash:
    case fixed_statement::exists_anywhere: return action::exists;
    case fixed_statement::insert: return action::insert;
    case fixed_statement::update: return action::update;
    case fixed_statement::remove:
    case fixed_statement::remove_checked: return action::remove;
    case fixed_statement::restore:
    case fixed_statement::restore_checked: return action::restore;
    case fixed_statement::purge:
    case fixed_statement::purge_checked: return action::purge;
  }
  return action::get;
}

/// The SQL command it is, for metrics.
constexpr std::string_view operation_of(fixed_statement which, bool has_trash) noexcept {
  switch (which) {
    case fixed_statement::get:
    case fixed_statement::exists:
    case fixed_statement::exists_in_trash:
    case fixed_statement::exists_anywhere: return "SELECT";
    case fixed_statement::insert: return "INSERT";
    case fixed_statement::update:
    case fixed_statement::restore:
    case fixed_statement::restore_checked: return "UPDATE";
    case fixed_statement::remove:
    case fixed_statement::remove_checked: return has_trash ? "UPDATE" : "DELETE";
    case fixed_statement::purge:
    case fixed_statement::purge_checked: return "DELETE";
  }
  return "";
}

constexpr void write_fixed(text_out& out, const table_view& table, fixed_statement which) noexcept {
  switch (which) {
    case fixed_statement::get: write_get(out, table, trash::excluded); return;
    case fixed_statement::exists: write_exists(out, table, trash::excluded); return;
    case fixed_statement::exists_in_trash: write_exists(out, table, trash::only); return;
    case fixed_statement::exists_anywhere: write_exists(out, table, trash::included); return;
    case fixed_statement::insert: write_insert(out, table, 0); return;
    case fixed_statement::update: write_update(out, table); return;
    case fixed_statement::remove: write_remove(out, table, check_version::no); return;
    case fixed_statement::remove_checked: write_remove(out, table, check_version::yes); return;
    case fixed_statement::restore: write_trash_update(out, table, false, check_version::no); return;
    case fixed_statement::restore_checked: write_trash_update(out, table, false, check_version::yes); return;
    case fixed_statement::purge: write_delete(out, table, check_version::no); return;
    case fixed_statement::purge_checked: write_delete(out, table, check_version::yes); return;
  }
}

}  // namespace breakwater::detail
