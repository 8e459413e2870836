#pragma once

#include <breakwater/repository/detail/column_limit.hpp>

#include <cstdint>
#include <string_view>

namespace breakwater {

/// What happens to a row when the row it references is deleted.
enum class on_delete : std::uint8_t { no_action, restrict, cascade, set_null, set_default };

namespace detail {

/// Everything a mapping says of one column, free of types so that SQL is put together by plain functions.
struct column_info {
  std::string_view name{};
  std::string_view sql_type{};   // from the codec, or as said by bw::type
  std::uint32_t bound_type = 0;  // the codec's: what a value is sent as
  bool nullable = false;         // the member is an optional
  bool primary_key = false;
  bool generated = false;
  bool defaulted = false;
  bool created_at = false;
  bool updated_at = false;
  bool version = false;
  bool soft_delete = false;
  bool sensitive = false;
  bool unique = false;
  bool index = false;
  column_limit limit{};  // what sql_type says of the values
  std::int64_t initial_version = 1;
  std::string_view check{};
  std::string_view renamed_from{};
  // The referenced table and column; functions, because the other mapping may not be complete yet.
  std::string_view (*references_table)() = nullptr;
  std::string_view (*references_column)() = nullptr;
  breakwater::on_delete on_delete = breakwater::on_delete::no_action;
};

/// An attribute that sets one flag.
template <bool column_info::*Flag>
struct flag_attribute {
  constexpr void apply(column_info& column) const noexcept { column.*Flag = true; }
};

/// An attribute that sets one text.
template <std::string_view column_info::*Text>
struct text_attribute {
  std::string_view value;
  constexpr void apply(column_info& column) const noexcept { column.*Text = value; }
};

struct version_attribute {
  std::int64_t initial = 1;
  constexpr void apply(column_info& column) const noexcept {
    column.version = true;
    column.initial_version = initial;
  }
  /// Another initial value.
  [[nodiscard]] constexpr version_attribute operator()(std::int64_t value) const noexcept { return {value}; }
};

}  // namespace detail

/// \name Attributes of a mapped column, listed after its name in `bw::column`.
/// @{

/// Part of the key by which rows are found. Several make a composite key, in mapping order.
inline constexpr detail::flag_attribute<&detail::column_info::primary_key> primary_key{};
/// The database always makes the value (identity, serial, a default, a stored expression): never sent, always
/// read back.
inline constexpr detail::flag_attribute<&detail::column_info::generated> generated{};
/// The column has a DEFAULT, which an insert uses while the member holds its value-initialised value (0, "",
/// nullopt).
inline constexpr detail::flag_attribute<&detail::column_info::defaulted> defaulted{};
/// Set by an insert to the database's clock, never changed afterwards.
inline constexpr detail::flag_attribute<&detail::column_info::created_at> created_at{};
/// Set by every write to the database's clock.
inline constexpr detail::flag_attribute<&detail::column_info::updated_at> updated_at{};
/// Optimistic locking: an integer that every write raises by one, and that a write checks. Starts at 1;
/// `bw::version(0)` starts at 0.
inline constexpr detail::version_attribute version{};
/// The time a row was moved to the trash, null while it is live; an optional timestamptz. Reads then see live rows
/// only, and removing a row sets the column.
inline constexpr detail::flag_attribute<&detail::column_info::soft_delete> soft_delete{};
/// Shown as *** wherever values are shown: logs, traces, `to_sql` with values.
inline constexpr detail::flag_attribute<&detail::column_info::sensitive> sensitive{};
/// No two rows share a value. Recorded for schema tools; the constraint itself is the database's.
inline constexpr detail::flag_attribute<&detail::column_info::unique> unique{};
/// The column has an index. Recorded for schema tools.
inline constexpr detail::flag_attribute<&detail::column_info::index> index{};
/// The column's SQL type where it is not the codec's own: `bw::type("varchar(40)")`. Recorded for schema tools.
[[nodiscard]] consteval auto type(std::string_view sql) {
  return detail::text_attribute<&detail::column_info::sql_type>{sql};
}
/// A CHECK constraint's condition. Recorded for schema tools.
[[nodiscard]] consteval auto check(std::string_view condition) {
  return detail::text_attribute<&detail::column_info::check>{condition};
}
/// The column's former name. Recorded for schema tools, which never guess a rename.
[[nodiscard]] consteval auto renamed_from(std::string_view name) {
  return detail::text_attribute<&detail::column_info::renamed_from>{name};
}
/// @}

}  // namespace breakwater
