#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/codec.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

/// From entities to a statement's values, and back from what a write returned. For the library's own use.
namespace breakwater::detail {

/// Values on their way to a statement, and the column of the first that can not be sent.
struct binder {
  parameters values{};
  std::string_view bad_column{};

  /// A value to be stored.
  template <class T>
  void add(const T& value, const column_info& column) {
    bind(values, value);
    if (column.limit.of != column_limit::kind::none) check_limit(values, column.limit);
    describe(column);
  }
  /// A value to find rows by: one that no row can hold finds none.
  template <class T>
  void add_wanted(const T& value, const column_info& column) {
    bind(values, value);
    describe(column);
  }

 private:
  void describe(const column_info& column) {
    values.mark_column(column.name);
    if (column.sensitive) values.mark_sensitive();
    if (bad_column.empty() && values.first_invalid()) bad_column = column.name;
  }
};

/// Why the first value that can not be sent can not, naming its column.
[[nodiscard]] error bad_value(const statement& what, const binder& bound);
/// Runs a statement. Errors, before anything is sent and naming the column: `invalid_argument` for a text with a NUL
/// byte, `data_error` for a value that its codec refused.
[[nodiscard]] result<rows> execute(executor& on, const statement& what, const binder& bound);

[[nodiscard]] error no_such_row(const statement& what);
/// `stale_version` when `exists` finds the row, else `not_found`. Asks the primary.
[[nodiscard]] error stale_or_missing(executor& on, const statement& exists, const binder& key, const statement& what);

template <class E>
inline constexpr bool has_updated_columns = [] {
  for (const column_info& column : view_of<E>.columns) {
    if (is_updated(column)) return true;
  }
  return false;
}();

template <class E>
[[nodiscard]] auto key_of(const E& from) {
  const auto all = [&]<auto... Members, std::size_t... I>(const table_def<Members...>&, std::index_sequence<I...>) {
    return std::tuple_cat([&] {
      if constexpr (view_of<E>.columns[I].primary_key) {
        return std::tuple<value_of<Members>>(from.*Members);
      } else {
        return std::tuple<>();
      }
    }()...);
  }
  (mapping_of<E>, std::make_index_sequence<view_of<E>.columns.size()>{});
  if constexpr (std::tuple_size_v<key_tuple<E>> == 1) {
    return std::get<0>(all);
  } else {
    return all;
  }
}

/// Appends the key's values in mapping order.
template <class E, class Key>
void bind_key(binder& to, const Key& key) {
  constexpr auto names = [] {
    std::array<std::size_t, std::tuple_size_v<key_tuple<E>>> places{};
    std::size_t next = 0;
    for (std::size_t i = 0; i < view_of<E>.columns.size(); ++i) {
      if (view_of<E>.columns[i].primary_key) places[next++] = i;
    }
    return places;
  }();
  if constexpr (std::tuple_size_v<key_tuple<E>> == 1) {
    to.add_wanted(key, view_of<E>.columns[names[0]]);
  } else {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (to.add_wanted(std::get<I>(key), view_of<E>.columns[names[I]]), ...);
    }
    (std::make_index_sequence<names.size()>{});
  }
}

/// The columns that take their DEFAULT in an insert of this entity: bit i is column i.
template <class E>
[[nodiscard]] std::uint64_t defaults_of(const E& from) {
  std::uint64_t use_default = 0;
  if constexpr (has_column<E, &column_info::defaulted>) {
    for_each_member(mapping_of<E>, [&](auto i, auto member) {
      using value = typename member_traits<decltype(member)>::value;
      constexpr const column_info& column = view_of<E>.columns[i];
      if constexpr (column.defaulted && is_inserted(column)) {
        static_assert(i < 64, "breakwater: a defaulted column must be among the first 64");
        if (from.*member == value{}) use_default |= std::uint64_t{1} << i;
      }
    });
  }
  return use_default;
}

/// Appends what an insert sends, and answers `defaults_of`.
template <class E>
std::uint64_t bind_insert(binder& to, const E& from) {
  const std::uint64_t use_default = defaults_of(from);
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    constexpr const column_info& column = view_of<E>.columns[i];
    if constexpr (is_sent_by_insert(column)) {
      if (!column.defaulted || !in_column_set(use_default, i)) to.add(from.*member, column);
    }
  });
  return use_default;
}

/// Appends the version, if there is one.
template <class E>
void bind_version(binder& to, const E& from) {
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    constexpr const column_info& column = view_of<E>.columns[i];
    if constexpr (column.version) to.add(from.*member, column);
  });
}

/// Appends what an update sends: the updated columns, the key, the version.
template <class E>
void bind_update(binder& to, const E& from) {
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    constexpr const column_info& column = view_of<E>.columns[i];
    if constexpr (is_updated(column)) to.add(from.*member, column);
  });
  bind_key<E>(to, key_of(from));
  bind_version(to, from);
}

/// A statement made at run time, with its text.
struct run_time_statement {
  std::string text{};
  parameters values{};
  statement made{};
  bool checks_version = false;

  /// Valid as long as this object.
  [[nodiscard]] statement view() const noexcept {
    statement at = made;
    at.sql = text;
    return at;
  }
};

[[nodiscard]] run_time_statement insert_with_defaults(const table_view& table, std::uint64_t use_default,
                                                      const parameters& values, std::string_view name);

/// Errors: as `append_assignments`.
[[nodiscard]] result<run_time_statement> make_patch(const table_view& table, std::span<const assignment_view> sets,
                                                    const parameters& key, std::string_view name);

/// The entity that a write returned. When it can not be read the write has still been done, and the error says so.
template <entity E>
[[nodiscard]] result<E> decode_written(const executor& on, const rows& answer, const statement& what) {
  auto decoded = decode_first<E>(answer);
  if (!decoded) {
    const bool committed = what.kind == statement_class::write && on.autocommits();
    decoded.error().with_applied(committed ? applied::yes : applied::no).with_statement(what.name);
  }
  return decoded;
}

/// Appends the entities that a write returned to `to`. Errors: as `decode_written`.
template <entity E>
[[nodiscard]] result<void> append_written(const executor& on, const rows& answer, const statement& what,
                                          std::vector<E>& to) {
  auto decoded = check_types(answer, field_types<E>, view_of<E>.name.table);
  for (std::size_t row = 0; row < answer.size() && decoded; ++row) {
    decoded = decode_entity(answer, row, to.emplace_back());
  }
  if (!decoded) decoded.error().with_applied(on.autocommits() ? applied::yes : applied::no).with_statement(what.name);
  return decoded;
}

}  // namespace breakwater::detail
