#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/detail/bulk_insert.hpp>
#include <breakwater/repository/detail/bulk_sql_text.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/upsert.hpp>
#include <breakwater/repository/upsert.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

/// Rows by other columns than the key, and by many keys. For the library's own use.
namespace breakwater::detail {

constexpr action action_of(finder wanted) noexcept {
  switch (wanted) {
    case finder::one: return action::find_by;
    case finder::all: return action::find_all_by;
    case finder::existing: return action::find_or_insert;
  }
  return action::find_by;
}

template <class E, finder Wanted, auto... Members>
consteval auto make_finder_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_find_by(counter, view_of<E>, places_of<Members...>, 0, Wanted);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_find_by(out, view_of<E>, places_of<Members...>, 0, Wanted);
  return text;
}
template <class E, finder Wanted, auto... Members>
inline constexpr auto finder_text = make_finder_text<E, Wanted, Members...>();

/// The statement for values that are not NULL.
template <class E, finder Wanted, auto... Members>
inline constexpr statement finder_statement{.sql = as_view(finder_text<E, Wanted, Members...>),
                                            .name = statement_name<E, action_of(Wanted)>,
                                            .operation = "SELECT",
                                            .table = view_of<E>.name.table,
                                            .print = fingerprint(as_view(finder_text<E, Wanted, Members...>)),
                                            .kind = statement_class::read,
                                            .mapped = true};

/// What a column is compared with in a finder.
template <auto Member, class Value>
inline constexpr bool is_findable = compares<value_of<Member>, Value> ||
                                    (is_optional<value_of<Member>> && std::same_as<Value, std::nullopt_t>);

/// Runs a finder. One whose values contain NULL, or are not of their column's own type, has a text of its own.
[[nodiscard]] result<rows> run_finder(executor& on, const statement& fixed, const table_view& table,
                                      std::span<const std::size_t> places, std::span<const std::uint32_t> types,
                                      const binder& bound, finder wanted);

[[nodiscard]] error more_than_one(const statement& what);

template <auto Member, class Value>
void bind_wanted(binder& to, const Value& value) {
  using column = without_optional_t<value_of<Member>>;
  constexpr bool sensitive = info_of<Member>.sensitive;
  if constexpr (std::same_as<Value, std::nullopt_t>) {
    to.values.add_null(codec<column>::type);
  } else if constexpr (is_optional<Value>) {
    value ? bind_as<column>(to.values, *value, sensitive) : to.values.add_null(codec<column>::type);
  } else {
    bind_as<column>(to.values, value, sensitive);
  }
  to.values.mark_column(info_of<Member>.name);
  if (to.bad_column.empty() && to.values.first_invalid()) to.bad_column = info_of<Member>.name;
}

template <auto Member>
inline constexpr std::uint32_t type_of_column = codec<without_optional_t<value_of<Member>>>::type;

template <class E, finder Wanted, auto... Members, class... Values>
[[nodiscard]] result<rows> find_rows(executor& on, const Values&... values) {
  static_assert(sizeof...(Members) == sizeof...(Values), "breakwater: a finder takes one value for each member");
  static_assert((mapped_member<Members> && ...), "breakwater: this member is not mapped");
  static_assert((std::same_as<owner_of<Members>, E> && ...), "breakwater: a finder's member is another entity's");
  if constexpr (sizeof...(Members) == sizeof...(Values) && (mapped_member<Members> && ...)) {
    constexpr bool comparable = (is_findable<Members, Values> && ...);
    static_assert(comparable, "breakwater: this column can not be compared with a value of that type");
    if constexpr (comparable) {
      constexpr std::array<std::uint32_t, sizeof...(Members)> types{type_of_column<Members>...};
      binder bound;
      (bind_wanted<Members>(bound, values), ...);
      return run_finder(on, finder_statement<E, Wanted, Members...>, view_of<E>, places_of<Members...>, types, bound,
                        Wanted);
    }
  }
  return errc::internal;
}

template <entity E, auto... Members, class... Values>
[[nodiscard]] result<std::optional<E>> find_by(executor& on, const Values&... values) {
  BOOST_OUTCOME_TRY(const auto answer, (find_rows<E, finder::one, Members...>(on, values...)));
  if (answer.empty()) return std::optional<E>();
  if (answer.size() > 1) return more_than_one(finder_statement<E, finder::one, Members...>);
  BOOST_OUTCOME_TRY(auto found, decode_first<E>(answer));
  return std::optional<E>(std::move(found));
}

// ---- by many keys ---------------------------------------------------------------------------------------------------

template <class E>
consteval auto make_get_many_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_get_many(counter, view_of<E>, sent_types<E>);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_get_many(out, view_of<E>, sent_types<E>);
  return text;
}
template <class E>
inline constexpr auto get_many_text = make_get_many_text<E>();
template <class E>
inline constexpr statement get_many_statement{.sql = as_view(get_many_text<E>),
                                              .name = statement_name<E, action::get_many>,
                                              .operation = "SELECT",
                                              .table = view_of<E>.name.table,
                                              .print = fingerprint(as_view(get_many_text<E>)),
                                              .kind = statement_class::read,
                                              .mapped = true};

template <entity E, std::ranges::input_range Keys>
[[nodiscard]] result<std::vector<E>> get_many(executor& on, const Keys& keys) {
  using key_type = typename unwrap_single<key_tuple<E>>::type;
  static_assert((fits_array(view_of<E>.columns[key_places<E>[0]])),
                "breakwater: a key that is an array has no get_many");
  std::array<array_parameter, std::tuple_size_v<key_tuple<E>>> arrays;
  binder one;
  bool any = false;
  for (const auto& key : keys) {
    using given = std::remove_cvref_t<decltype(key)>;
    static_assert(!std::floating_point<given>, "breakwater: a key is not a floating point number");
    one.values.clear();
    if constexpr (std::same_as<given, key_type>) {
      bind_key<E>(one, key);
    } else if constexpr (plain_integer<given> && plain_integer<key_type>) {
      if (!std::in_range<key_type>(key)) continue;  // no row has such a key
      bind_key<E>(one, static_cast<key_type>(key));
    } else {
      bind_key<E>(one, static_cast<key_type>(key));
    }
    any = true;
    if (!one.bad_column.empty()) return bad_value(get_many_statement<E>, one);
    for (std::size_t i = 0; i < arrays.size(); ++i) arrays[i].add(one.values, i);
  }
  if (!any) return std::vector<E>();
  parameters values;
  for (array_parameter& array : arrays) array.finish(values);
  BOOST_OUTCOME_TRY(const auto answer, on.execute(get_many_statement<E>, values));
  return decode_entities<E>(answer);
}

// ---- or insert ------------------------------------------------------------------------------------------------------

/// How often a row that others insert and remove meanwhile is looked for.
inline constexpr int find_or_insert_attempts = 4;
[[nodiscard]] error always_gone(const statement& what, const table_view& table, bool in_trash);

template <entity E, auto... Members>
[[nodiscard]] result<upserted<E>> find_or_insert(executor& on, const E& given) {
  statement find = finder_statement<E, finder::existing, Members...>;
  find.kind = statement_class::locking_read;  // a replica may not have the row yet
  constexpr std::array<std::uint32_t, sizeof...(Members)> types{type_of_column<Members>...};
  bool in_trash = false;
  for (int attempt = 0; attempt < find_or_insert_attempts; ++attempt) {
    BOOST_OUTCOME_TRY(auto stored, (insert_or_nothing<E, conflict_target<Members...>>(on, given)));
    if (stored) return upserted<E>{std::move(*stored), true};
    binder bound;
    (bound.add_wanted(given.*Members, info_of<Members>), ...);
    BOOST_OUTCOME_TRY(const auto answer,
                      run_finder(on, find, view_of<E>, places_of<Members...>, types, bound, finder::existing));
    if (answer.empty()) continue;
    BOOST_OUTCOME_TRY(auto found, decode_first<E>(answer));
    if constexpr (is_soft_deleted<E>) {
      // In the trash since it was met; or all the time, and then the next insert meets it again.
      in_trash = answer.at(0, flagged_places<E, &column_info::soft_delete>()[0]).null == false;
      if (in_trash) continue;
    }
    return upserted<E>{std::move(found), false};
  }
  return always_gone(find, view_of<E>, in_trash);
}

}  // namespace breakwater::detail
