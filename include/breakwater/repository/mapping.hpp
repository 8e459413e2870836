#pragma once

#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/attributes.hpp>
#include <breakwater/repository/detail/sql_text.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace breakwater {

namespace detail {

template <class Member>
struct member_traits;
template <class Owner, class Value>
struct member_traits<Value Owner::*> {
  using owner = Owner;
  using value = Value;
};
template <auto Member>
using owner_of = typename member_traits<decltype(Member)>::owner;
template <auto Member>
using value_of = typename member_traits<decltype(Member)>::value;

/// One mapped column: the member by type, everything else by value.
template <auto Member>
struct column_def {
  column_info info;
};

/// An index over columns of one table, as places in its mapping. Space for as many columns as PostgreSQL takes.
struct table_index {
  std::string_view name{};
  bool unique = false;
  std::size_t count = 0;
  std::array<std::uint8_t, 32> columns{};
};

/// The indexes of a mapping; a fixed number, so that a mapping's type does not depend on them.
struct table_indexes {
  static constexpr std::size_t most = 16;
  std::array<table_index, most> list{};
  std::size_t count = 0;

  [[nodiscard]] constexpr const table_index* begin() const noexcept { return list.data(); }
  [[nodiscard]] constexpr const table_index* end() const noexcept { return list.data() + count; }
};

/// What `bw::unique_on` and `bw::index_on` make.
template <auto... Members>
struct index_def {
  std::string_view name;
  bool unique = false;
};
template <class Part>
inline constexpr bool is_table_index = false;
template <auto... Members>
inline constexpr bool is_table_index<index_def<Members...>> = true;

/// A mapping's own type: the members, so that their types are known, and one plain description of each.
template <auto... Members>
struct table_def {
  table_name name;
  std::array<column_info, sizeof...(Members)> columns;
  table_indexes indexes{};
};

/// The same with the entity's relations, a std::tuple of definitions (relations.hpp).
template <class Relations, auto... Members>
struct related_table_def : table_def<Members...> {
  Relations relations;
};

template <class Part>
inline constexpr bool is_relation = false;
template <class Part>
inline constexpr bool is_column = false;
template <auto Member>
inline constexpr bool is_column<column_def<Member>> = true;

template <auto A, auto B>
consteval bool same_member() {
  if constexpr (std::is_same_v<decltype(A), decltype(B)>) {
    return A == B;
  } else {
    return false;
  }
}

template <auto Member, auto... Members>
consteval std::size_t index_among(const table_def<Members...>& /*mapping*/) {
  std::size_t index = 0;
  const bool found = ((same_member<Member, Members>() || (++index, false)) || ...);
  return found ? index : sizeof...(Members);
}

struct unmapped {};

consteval void check_identifier(std::string_view name) {
  if (name.empty()) throw "breakwater: a table or column name is empty";
  if (name.size() > 63) throw "breakwater: PostgreSQL cuts names after 63 bytes; choose a shorter one";
  for (const char c : name) {
    if (c == '\0') throw "breakwater: a name can not contain a NUL byte";
  }
}

template <std::size_t N>
consteval void check_columns(const std::array<column_info, N>& columns) {
  std::size_t versions = 0;
  std::size_t trash_columns = 0;
  for (std::size_t i = 0; i < N; ++i) {
    check_identifier(columns[i].name);
    for (std::size_t k = 0; k < i; ++k) {
      if (columns[k].name == columns[i].name) throw "breakwater: two mapped columns have the same name";
    }
    versions += columns[i].version ? 1 : 0;
    trash_columns += columns[i].soft_delete ? 1 : 0;
    if (columns[i].primary_key && columns[i].nullable) throw "breakwater: a primary key can not be optional";
    if (columns[i].primary_key && (columns[i].version || columns[i].soft_delete)) {
      throw "breakwater: a primary key can be neither version nor soft_delete";
    }
  }
  if (versions > 1) throw "breakwater: a mapping has more than one version column";
  if (trash_columns > 1) throw "breakwater: a mapping has more than one soft_delete column";
}

}  // namespace detail

/// The mapping of T; specialise it with what `bw::table` makes.
///
///     template <>
///     inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
///         bw::column<&Account::id>("id", bw::primary_key, bw::generated),
///         bw::column<&Account::owner>("owner"));
///
/// Or let it stand beside the type: `constexpr auto breakwater_mapping(std::type_identity<Account>) { return
/// bw::table(...); }` in Account's namespace.
template <class T>
inline constexpr auto mapping = detail::unmapped{};

/// A column and its attributes. `name` is taken as it is, letter case included; it is always quoted in SQL.
template <auto Member, class... Attributes>
[[nodiscard]] consteval auto column(std::string_view name, Attributes... attributes) {
  using value = detail::value_of<Member>;
  static_assert(column_type<value>, "breakwater: this member's type has no bw::codec; specialise one");
  detail::column_info info{.name = name, .nullable = is_optional<value>};
  if constexpr (column_type<value>) {
    info.sql_type = codec<without_optional_t<value>>::sql_type;
    info.bound_type = codec<without_optional_t<value>>::type;
  }
  (attributes.apply(info), ...);
  info.limit = detail::limit_of(info.sql_type);
  if (info.version && !std::integral<value>) throw "breakwater: a version column is an integer";
  if (info.soft_delete && !std::same_as<value, std::optional<timestamptz>>) {
    throw "breakwater: a soft_delete column is a std::optional<bw::timestamptz>";
  }
  return detail::column_def<Member>{info};
}

/// A table and its columns. The name is one identifier; for another schema than the connection's search_path
/// write `bw::in_schema("shop", "accounts")`.
template <auto... Members>
[[nodiscard]] consteval auto table(detail::table_name name, detail::column_def<Members>... columns) {
  detail::check_identifier(name.table);
  if (!name.schema.empty()) detail::check_identifier(name.schema);
  detail::table_def<Members...> made{.name = name, .columns = {columns.info...}};
  detail::check_columns(made.columns);
  return made;
}
template <auto... Members>
[[nodiscard]] consteval auto table(std::string_view name, detail::column_def<Members>... columns) {
  return table(detail::table_name{.schema = {}, .table = name}, columns...);
}

namespace detail {

template <class... Relations, auto... Members>
consteval auto with_relations(const table_def<Members...>& columns, const std::tuple<Relations...>& relations) {
  return related_table_def<std::tuple<Relations...>, Members...>{columns, relations};
}

template <class Parts, std::size_t... C, std::size_t... R>
consteval auto table_of_parts(table_name name, const Parts& parts, std::index_sequence<C...> /*columns*/,
                              std::index_sequence<R...> /*relations*/) {
  return with_relations(table(name, std::get<C>(parts)...), std::tuple(std::get<sizeof...(C) + R>(parts)...));
}

template <class... Parts, std::size_t... I>
consteval std::size_t count_leading_columns(std::index_sequence<I...> /*parts*/) {
  constexpr std::size_t columns = (std::size_t{is_column<Parts>} + ...);
  constexpr bool in_order = ((I < columns ? is_column<Parts> : is_relation<Parts>)&&...);
  static_assert(in_order, "breakwater: bw::table takes the table's name, its columns, and after them its relations");
  return in_order ? columns : 0;
}

}  // namespace detail

/// A table, its columns, and after them its relations to other entities: see relations.hpp.
template <class... Parts>
requires(detail::is_relation<Parts> || ...) &&
    (!detail::is_table_index<Parts> && ...)
        [[nodiscard]] consteval auto table(detail::table_name name, Parts... parts) {
  constexpr std::size_t columns = detail::count_leading_columns<Parts...>(std::index_sequence_for<Parts...>{});
  return detail::table_of_parts(name, std::tuple<Parts...>(parts...), std::make_index_sequence<columns>{},
                                std::make_index_sequence<sizeof...(Parts) - columns>{});
}
template <class... Parts>
requires(detail::is_relation<Parts> || ...) &&
    (!detail::is_table_index<Parts> && ...) [[nodiscard]] consteval auto table(std::string_view name, Parts... parts) {
  return table(detail::table_name{.schema = {}, .table = name}, parts...);
}

/// \name Constraints and indexes over several columns, listed in `bw::table` after its columns. Recorded for schema
/// tools; they themselves are the database's.
/// @{

/// No two rows share the values of all these columns: `bw::unique_on<&Seat::hall, &Seat::number>("one_seat")`.
template <auto... Members>
[[nodiscard]] consteval auto unique_on(std::string_view name) {
  static_assert(sizeof...(Members) > 0, "breakwater: bw::unique_on names at least one column");
  return detail::index_def<Members...>{.name = name, .unique = true};
}
/// An index over these columns, in this order.
template <auto... Members>
[[nodiscard]] consteval auto index_on(std::string_view name) {
  static_assert(sizeof...(Members) > 0, "breakwater: bw::index_on names at least one column");
  return detail::index_def<Members...>{.name = name, .unique = false};
}
/// @}

namespace detail {

template <auto... All, auto... Members>
consteval void add_index(table_def<All...>& to, const index_def<Members...>& added) {
  check_identifier(added.name);
  if (to.indexes.count == table_indexes::most) throw "breakwater: a mapping lists at most 16 indexes over columns";
  for (const table_index& other : to.indexes) {
    if (other.name == added.name) throw "breakwater: two indexes have the same name";
  }
  table_index& made = to.indexes.list[to.indexes.count++];
  made.name = added.name;
  made.unique = added.unique;
  static_assert(sizeof...(Members) <= 32, "breakwater: PostgreSQL's indexes have at most 32 columns");
  static_assert(((index_among<Members>(table_def<All...>{}) < sizeof...(All)) && ...),
                "breakwater: an index names a member that is not mapped; add a bw::column for it");
  ((made.columns[made.count++] = static_cast<std::uint8_t>(index_among<Members>(table_def<All...>{}))), ...);
}

/// Where the parts that are no indexes stand.
template <class... Parts>
consteval auto places_of_others() {
  std::array<std::size_t, ((is_table_index<Parts> ? 0 : 1) + ...)> places{};
  std::size_t next = 0;
  std::size_t at = 0;
  ((is_table_index<Parts> ? void() : void(places[next++] = at), ++at), ...);
  return places;
}

template <class Table, class Part>
consteval void add_if_index(Table& to, const Part& part) {
  if constexpr (is_table_index<Part>) add_index(to, part);
}
template <class Table, class... Parts>
consteval Table with_indexes(Table made, const std::tuple<Parts...>& parts) {
  (add_if_index(made, std::get<Parts>(parts)), ...);
  return made;
}
template <class... Parts, std::size_t... I>
consteval auto table_with_indexes(table_name name, const std::tuple<Parts...>& parts, std::index_sequence<I...>) {
  return with_indexes(table(name, std::get<places_of_others<Parts...>()[I]>(parts)...), parts);
}

}  // namespace detail

/// A table, its columns, and after them indexes over several columns, and relations.
template <class... Parts>
requires(detail::is_table_index<Parts> || ...)
    [[nodiscard]] consteval auto table(detail::table_name name, Parts... parts) {
  return detail::table_with_indexes(name, std::tuple<Parts...>(parts...),
                                    std::make_index_sequence<detail::places_of_others<Parts...>().size()>{});
}
template <class... Parts>
requires(detail::is_table_index<Parts> || ...)
    [[nodiscard]] consteval auto table(std::string_view name, Parts... parts) {
  return table(detail::table_name{.schema = {}, .table = name}, parts...);
}

/// A table's name with its schema.
[[nodiscard]] consteval detail::table_name in_schema(std::string_view schema, std::string_view table) {
  return {.schema = schema, .table = table};
}

namespace detail {

template <class T>
concept mapped_by_function = requires {
  breakwater_mapping(std::type_identity<T>{});
};

template <class T>
consteval auto find_mapping() {
  if constexpr (!std::same_as<std::remove_cvref_t<decltype(mapping<T>)>, unmapped>) {
    return mapping<T>;
  } else if constexpr (mapped_by_function<T>) {
    return breakwater_mapping(std::type_identity<T>{});
  } else {
    return unmapped{};
  }
}

/// The mapping of T wherever it stands.
template <class T>
inline constexpr auto mapping_of = find_mapping<T>();

template <class T>
inline constexpr bool is_mapped = !std::same_as<std::remove_cvref_t<decltype(mapping_of<T>)>, unmapped>;

}  // namespace detail

/// A type with a mapping.
template <class T>
concept entity = std::is_class_v<T> && detail::is_mapped<T>;

/// \cond
namespace detail {

template <class Def>
struct reference_to;

/// A foreign key to another entity's column.
template <auto Target>
struct references_attribute {
  breakwater::on_delete action;
  static std::string_view table_name() { return mapping_of<owner_of<Target>>.name.table; }
  static std::string_view column_name();
  constexpr void apply(column_info& column) const noexcept {
    column.references_table = &table_name;
    column.references_column = &column_name;
    column.on_delete = action;
  }
};

}  // namespace detail
/// \endcond

/// The column references another entity's: `bw::references<&Owner::id>(bw::on_delete::cascade)`. Recorded for
/// schema tools; the constraint itself is the database's.
template <auto Target>
[[nodiscard]] consteval auto references(on_delete action = on_delete::no_action) {
  return detail::references_attribute<Target>{action};
}

}  // namespace breakwater
