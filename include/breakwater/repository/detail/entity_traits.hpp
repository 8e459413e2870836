#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>
#include <breakwater/repository/detail/sql_text.hpp>
#include <breakwater/repository/mapping.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// What the library derives from a mapping at compile time. For the library's own use.
namespace breakwater::detail {

/// The non-type parts of an entity's mapping.
template <class E>
inline constexpr table_view view_of{.name = mapping_of<E>.name, .columns = mapping_of<E>.columns};

template <class E, bool column_info::*Flag>
inline constexpr bool has_column = view_of<E>.has(Flag);

template <class E>
inline constexpr bool is_versioned = has_column<E, &column_info::version>;
template <class E>
inline constexpr bool is_soft_deleted = has_column<E, &column_info::soft_delete>;

// ---- members ------------------------------------------------------------------------------------------------------

/// The member's place in its entity's mapping; the number of columns when it is not mapped.
template <auto Member>
inline constexpr std::size_t index_of = index_among<Member>(mapping_of<owner_of<Member>>);

template <auto Member>
consteval bool member_is_mapped() {
  if constexpr (entity<owner_of<Member>>) {
    return index_of<Member> < view_of<owner_of<Member>>.columns.size();
  } else {
    return false;
  }
}

template <auto Member>
concept mapped_member = member_is_mapped<Member>();

template <auto Member>
inline constexpr const column_info& info_of = view_of<owner_of<Member>>.columns[index_of<Member>];

template <auto Target>
std::string_view references_attribute<Target>::column_name() {
  return info_of<Target>.name;
}

/// Calls `visit(std::integral_constant<std::size_t, i>, member)` for every mapped member, in mapping order.
template <auto... Members, class Visit>
constexpr void for_each_member(const table_def<Members...>& /*mapping*/, const Visit& visit) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (visit(std::integral_constant<std::size_t, I>{}, Members), ...); }
  (std::index_sequence_for<decltype(Members)...>{});
}

// ---- keys ---------------------------------------------------------------------------------------------------------

template <class Tuple>
struct unwrap_single {
  using type = Tuple;
};
template <class Only>
struct unwrap_single<std::tuple<Only>> {
  using type = Only;
};

template <class E, auto Member, std::size_t I>
using key_part = std::conditional_t<view_of<E>.columns[I].primary_key, std::tuple<value_of<Member>>, std::tuple<>>;

template <class E, auto... Members, std::size_t... I>
auto key_tuple_of(const table_def<Members...>&, std::index_sequence<I...>)
    -> decltype(std::tuple_cat(std::declval<key_part<E, Members, I>>()...));

/// The key's values in mapping order, as a tuple.
template <class E>
using key_tuple = decltype(key_tuple_of<E>(mapping_of<E>, std::make_index_sequence<view_of<E>.columns.size()>{}));

/// The key: its only value's type, or the tuple.
template <class E>
using key_of_entity = typename unwrap_single<key_tuple<E>>::type;

template <class E>
inline constexpr bool has_key = std::tuple_size_v<key_tuple<E>> > 0;

// ---- statements ---------------------------------------------------------------------------------------------------

// Texts are made by functions named by plain values, not by lambdas as template arguments: the latter give the
// variables below no linkage that every compiler and linker agrees on.

template <std::size_t N>
constexpr std::string_view as_view(const std::array<char, N>& text) noexcept {
  return {text.data(), N - 1};
}

template <class E, action Action>
consteval auto make_statement_name() {
  constexpr std::string_view table = view_of<E>.name.table;
  constexpr std::string_view name = to_string(Action);
  std::array<char, table.size() + 1 + name.size() + 1> text{};
  text_out out(text.data());
  out << table << "." << name;
  return text;
}
template <class E, action Action>
inline constexpr auto statement_name_text = make_statement_name<E, Action>();

/// "table.action", the name under which errors, metrics and traces speak of a statement.
template <class E, action Action>
inline constexpr std::string_view statement_name = as_view(statement_name_text<E, Action>);

template <class E>
constexpr void write_selected_columns(text_out& out) noexcept {
  write_all_columns(out, {.name = {.schema = {}, .table = view_of<E>.name.table}, .columns = view_of<E>.columns});
}
template <class E>
consteval auto make_selected_columns() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_selected_columns<E>(counter);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_selected_columns<E>(out);
  return text;
}
template <class E>
inline constexpr auto selected_columns_text = make_selected_columns<E>();
/// All columns as a query selects them, by the table's name without its schema.
template <class E>
inline constexpr std::string_view selected_columns = as_view(selected_columns_text<E>);

template <class E, fixed_statement Which>
consteval auto make_statement_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_fixed(counter, view_of<E>, Which);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_fixed(out, view_of<E>, Which);
  return text;
}
template <class E, fixed_statement Which>
inline constexpr auto statement_text = make_statement_text<E, Which>();

template <class E, fixed_statement Which>
consteval statement make_statement() {
  constexpr std::string_view sql = as_view(statement_text<E, Which>);
  constexpr action does = action_of(Which);
  constexpr bool reads = does == action::get || does == action::exists;
  return {.sql = sql,
          .name = statement_name<E, does>,
          .operation = operation_of(Which, is_soft_deleted<E>),
          .table = view_of<E>.name.table,
          .print = fingerprint(sql),
          .kind = reads ? statement_class::read : statement_class::write,
          .mapped = true};
}

/// The statements of an entity whose shape is fixed: constants, fingerprints included. Each is made when it is used.
template <class E>
struct statements {
  static constexpr statement get = make_statement<E, fixed_statement::get>();
  static constexpr statement exists = make_statement<E, fixed_statement::exists>();
  static constexpr statement insert = make_statement<E, fixed_statement::insert>();
  static constexpr statement update = make_statement<E, fixed_statement::update>();
  static constexpr statement remove = make_statement<E, fixed_statement::remove>();
  static constexpr statement remove_checked = make_statement<E, fixed_statement::remove_checked>();
  static constexpr statement exists_in_trash = make_statement<E, fixed_statement::exists_in_trash>();
  static constexpr statement exists_anywhere = make_statement<E, fixed_statement::exists_anywhere>();
  static constexpr statement restore = make_statement<E, fixed_statement::restore>();
  static constexpr statement restore_checked = make_statement<E, fixed_statement::restore_checked>();
  static constexpr statement purge = make_statement<E, fixed_statement::purge>();
  static constexpr statement purge_checked = make_statement<E, fixed_statement::purge_checked>();
};

}  // namespace breakwater::detail
