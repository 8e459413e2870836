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

template <class E>
inline constexpr bool has_key = std::tuple_size_v<key_tuple<E>> > 0;

// ---- statements ---------------------------------------------------------------------------------------------------

/// A text of exactly the length that `Write` needs, as a constant.
template <auto Write>
inline constexpr auto static_text = [] {
  constexpr std::size_t size = [] {
    text_out counter;
    Write(counter);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  Write(out);
  return text;
}();

template <std::size_t N>
constexpr std::string_view as_view(const std::array<char, N>& text) noexcept {
  return {text.data(), N - 1};
}

/// "table.action", the name under which errors, metrics and traces speak of a statement.
template <class E, const char* Action>
inline constexpr std::string_view statement_name =
    as_view(static_text<[](text_out& out) { out << view_of<E>.name.table << "." << Action; }>);

template <class E>
constexpr statement mapped_statement(std::string_view sql, std::string_view name, std::string_view operation,
                                     statement_class kind) noexcept {
  return {.sql = sql,
          .name = name,
          .operation = operation,
          .table = view_of<E>.name.table,
          .print = fingerprint(sql),
          .kind = kind,
          .mapped = true};
}

// Names as arrays, so that they can be template arguments.
inline constexpr char get_name[] = "get";
inline constexpr char exists_name[] = "exists";
inline constexpr char insert_name[] = "insert";
inline constexpr char update_name[] = "update";
inline constexpr char patch_name[] = "patch";
inline constexpr char remove_name[] = "remove";
inline constexpr char restore_name[] = "restore";
inline constexpr char purge_name[] = "purge";
inline constexpr char select_name[] = "select";
inline constexpr char count_name[] = "count";
inline constexpr char update_all_name[] = "update_all";
inline constexpr char delete_all_name[] = "delete_all";

/// The statements of an entity whose shape is fixed: constants, fingerprints included.
template <class E>
struct statements {
  template <auto Write, const char* Name>
  static constexpr statement make(std::string_view operation, statement_class kind) noexcept {
    return mapped_statement<E>(as_view(static_text<Write>), statement_name<E, Name>, operation, kind);
  }

  static constexpr statement get = make<[](text_out& out) { write_get(out, view_of<E>, trash::excluded); }, get_name>(
      "SELECT", statement_class::read);
  static constexpr statement get_any =
      make<[](text_out& out) { write_get(out, view_of<E>, trash::included); }, get_name>("SELECT",
                                                                                         statement_class::read);
  static constexpr statement exists =
      make<[](text_out& out) { write_exists(out, view_of<E>); }, exists_name>("SELECT", statement_class::read);
  static constexpr statement insert =
      make<[](text_out& out) { write_insert(out, view_of<E>, 0); }, insert_name>("INSERT", statement_class::write);
  static constexpr statement update =
      make<[](text_out& out) { write_update(out, view_of<E>); }, update_name>("UPDATE", statement_class::write);
  static constexpr statement remove =
      make<[](text_out& out) { write_remove(out, view_of<E>, check_version::no); }, remove_name>(
          is_soft_deleted<E> ? "UPDATE" : "DELETE", statement_class::write);
  static constexpr statement remove_checked =
      make<[](text_out& out) { write_remove(out, view_of<E>, check_version::yes); }, remove_name>(
          is_soft_deleted<E> ? "UPDATE" : "DELETE", statement_class::write);
  static constexpr statement restore =
      make<[](text_out& out) { write_trash_update(out, view_of<E>, false, check_version::no); }, restore_name>(
          "UPDATE", statement_class::write);
  static constexpr statement purge =
      make<[](text_out& out) { write_delete(out, view_of<E>, check_version::no); }, purge_name>("DELETE",
                                                                                                statement_class::write);
};

}  // namespace breakwater::detail
