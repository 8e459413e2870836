#pragma once

#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/detail/aggregate.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Which tables a query reads and what its rows become, as types. For the library's own use.
namespace breakwater::detail {

// ---- from -----------------------------------------------------------------------------------------------------------

/// A table of the query. Nullable: an outer join may leave its columns NULL.
template <class E, alias_text Alias, bool Nullable>
struct from_item {
  using entity_type = E;
  using source_type = source<E, Alias>;
  using as_nullable = from_item<E, Alias, true>;
  using outer_sources = source_list<>;
  static constexpr bool nullable = Nullable;
  static constexpr std::string_view name = Alias.view().empty() ? view_of<E>.name.table : Alias.view();
};
/// A table of the query around this one.
template <class E, alias_text Alias>
struct outer_item {
  using entity_type = E;
  using source_type = source<E, Alias>;
  using as_nullable = outer_item;
  using outer_sources = source_list<source_type>;
  static constexpr bool nullable = false;
  static constexpr std::string_view name = Alias.view().empty() ? view_of<E>.name.table : Alias.view();
};

template <class Root, class... More>
struct from_list {
  using root = Root;
  template <class S>
  static constexpr bool has = (std::same_as<S, typename Root::source_type> || ... ||
                               std::same_as<S, typename More::source_type>);
  template <class S>
  static constexpr bool is_nullable = ((std::same_as<S, typename Root::source_type> && Root::nullable) || ... ||
                                       (std::same_as<S, typename More::source_type> && More::nullable));
  [[nodiscard]] static constexpr bool has_name(std::string_view name) noexcept {
    return Root::name == name || ((More::name == name) || ...);
  }
  using all_nullable = from_list<typename Root::as_nullable, typename More::as_nullable...>;
  template <class Item>
  using with = from_list<Root, More..., Item>;
  using outer_sources = union_of_sources<typename Root::outer_sources, typename More::outer_sources...>;
  static constexpr bool single = sizeof...(More) == 0;
};

/// Are all sources of the list in the query? Aggregates are not.
template <class From, class List>
inline constexpr bool covers = false;
template <class From, class... Sources>
inline constexpr bool covers<From, source_list<Sources...>> = (From::template has<Sources> && ...);
/// The same, aggregates allowed.
template <class From, class List>
inline constexpr bool covers_aggregates = false;
template <class From, class... Sources>
inline constexpr bool covers_aggregates<From, source_list<Sources...>> = ((From::template has<Sources> ||
                                                                           std::same_as<Sources, aggregated>)&&...);

template <class From, class List>
inline constexpr bool any_nullable = false;
template <class From, class... Sources>
inline constexpr bool any_nullable<From, source_list<Sources...>> = (From::template is_nullable<Sources> || ...);

/// A query for all live rows.
template <class E>
[[nodiscard]] query_state every_row_of() {
  return query_state{.table = view_of<E>, .columns = selected_columns<E>};
}

// ---- what is selected -----------------------------------------------------------------------------------------------

/// All columns of one of the query's entities; made by `bw::row_of`.
template <class E, alias_text Alias>
struct whole_row {
  using sources = source_list<source<E, Alias>>;
  static constexpr std::string_view alias = Alias.view();
};

template <class T>
inline constexpr bool is_whole_row = false;
template <class E, alias_text Alias>
inline constexpr bool is_whole_row<whole_row<E, Alias>> = true;

template <class T>
concept selectable = any_operand<T> || is_whole_row<T>;

template <class Operand>
inline constexpr bool is_never_null = false;
template <class T, class... Sources>
inline constexpr bool is_never_null<expression<T, Sources...>> = expression<T, Sources...>::never_null;

/// One column of the result as a value of type T.
template <class T>
struct column_item {
  using type = T;
  static constexpr std::size_t width = 1;
};
/// The columns of an entity as E, or as std::optional<E> where an outer join may leave them NULL.
template <class E, bool Nullable>
struct entity_item {
  using type = std::conditional_t<Nullable, std::optional<E>, E>;
  static constexpr std::size_t width = view_of<E>.columns.size();
};

template <class From, class Selected>
struct item_of {
  using value = typename Selected::value_type;
  static constexpr bool can_be_null = any_nullable<From, typename Selected::sources> && !is_never_null<Selected>;
  using type = column_item<std::conditional_t<can_be_null && !is_optional<value>, std::optional<value>, value>>;
};
template <class From, class E, alias_text Alias>
struct item_of<From, whole_row<E, Alias>> {
  using type = entity_item<E, From::template is_nullable<source<E, Alias>>>;
};

/// Reads an item into a field: does the result's column fit, and then each row's value.
template <class Item, class Field>
struct item_reader;
template <class T, class Field>
struct item_reader<column_item<T>, Field> {
  static result<void> check(const rows& answer, std::size_t column) {
    return check_type(answer, column, codec<without_optional_t<Field>>::reads, answer.column_name(column));
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, Field& to) {
    const cell from = answer.at(row, column);
    if (!decode_cell(from, to)) return bad_cell(from.null, {}, answer.column_name(column));
    return success();
  }
};
template <class E>
struct item_reader<entity_item<E, false>, E> {
  static result<void> check(const rows& answer, std::size_t column) {
    return check_types(answer, field_types<E>, view_of<E>.name.table, column);
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, E& to) {
    return decode_entity(answer, row, to, column);
  }
};
template <class E, bool Nullable>
struct item_reader<entity_item<E, Nullable>, std::optional<E>> {
  static result<void> check(const rows& answer, std::size_t column) {
    return check_types(answer, field_types<E>, view_of<E>.name.table, column);
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, std::optional<E>& to) {
    if (is_absent(answer, row, column, view_of<E>)) {
      to.reset();
      return success();
    }
    return decode_entity(answer, row, to.emplace(), column);
  }
};

// ---- rows -----------------------------------------------------------------------------------------------------------

/// Each row is an entity of the query's root.
template <class E>
struct entity_rows {
  using value_type = E;
  static constexpr std::size_t width = view_of<E>.columns.size();
  static result<void> check(const rows& answer, std::size_t column) {
    return check_types(answer, field_types<E>, view_of<E>.name.table, column);
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, E& to) {
    return decode_entity(answer, row, to, column);
  }
};

/// Each row is the only item's value.
template <class Item>
struct value_rows : item_reader<Item, typename Item::type> {
  using value_type = typename Item::type;
  static constexpr std::size_t width = Item::width;
};

/// Items into as many fields, in order.
template <class... Items>
struct fields_reader {
  static constexpr std::size_t width = (Items::width + ...);
  template <class... Fields>
  static result<void> check_fields(const rows& answer, std::size_t column) {
    result<void> done = success();
    (void)((done = item_reader<Items, Fields>::check(answer, column), column += Items::width, done.has_value()) && ...);
    return done;
  }
  template <class... Fields>
  static result<void> read_fields(const rows& answer, std::size_t row, std::size_t column, Fields&... to) {
    result<void> done = success();
    (void)((done = item_reader<Items, Fields>::read(answer, row, column, to), column += Items::width,
            done.has_value()) &&
           ...);
    return done;
  }
};

template <class... Items>
struct tuple_rows : fields_reader<Items...> {
  using value_type = std::tuple<typename Items::type...>;
  static result<void> check(const rows& answer, std::size_t column) {
    return fields_reader<Items...>::template check_fields<typename Items::type...>(answer, column);
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, value_type& to) {
    return std::apply(
        [&](auto&... fields) { return fields_reader<Items...>::read_fields(answer, row, column, fields...); }, to);
  }
};

template <class Item, class Field>
inline constexpr bool item_fits = false;
template <class T, class Field>
inline constexpr bool item_fits<column_item<T>, Field> =
    column_type<Field> && (compares<Field, T> || std::is_same_v<without_optional_t<Field>, without_optional_t<T>>);
template <class E>
inline constexpr bool item_fits<entity_item<E, false>, E> = true;
template <class E, bool Nullable>
inline constexpr bool item_fits<entity_item<E, Nullable>, std::optional<E>> = true;

template <class... Fields>
struct field_types_of {
  template <class... Items>
  static constexpr bool fit() {
    if constexpr (sizeof...(Items) == sizeof...(Fields)) {
      return (item_fits<Items, Fields> && ...);
    } else {
      return false;
    }
  }
  template <class Reader>
  static result<void> check(const rows& answer, std::size_t column) {
    return Reader::template check_fields<Fields...>(answer, column);
  }
};

template <class Into, class... Items>
struct struct_rows : fields_reader<Items...> {
  using value_type = Into;
  using fields = aggregate_fields<Into, field_types_of>;
  static result<void> check(const rows& answer, std::size_t column) {
    return fields::template check<fields_reader<Items...>>(answer, column);
  }
  static result<void> read(const rows& answer, std::size_t row, std::size_t column, Into& to) {
    return with_fields(
        to, [&](auto&... each) { return fields_reader<Items...>::read_fields(answer, row, column, each...); });
  }
};

template <class Into, class... Items>
consteval auto choose_rows() {
  if constexpr (std::is_void_v<Into> && sizeof...(Items) == 1) {
    return std::type_identity<value_rows<Items...>>{};
  } else if constexpr (std::is_void_v<Into>) {
    return std::type_identity<tuple_rows<Items...>>{};
  } else {
    static_assert(is_flat_aggregate<Into>,
                  "breakwater: select<T> needs T to be a flat struct of 1 to 64 fields without base classes");
    static_assert(aggregate_fields<Into, field_types_of>::template fit<Items...>(),
                  "breakwater: select<T> needs as many fields in T as are selected, in the same order and of types "
                  "that can hold them");
    return std::type_identity<struct_rows<Into, Items...>>{};
  }
}

/// The first `count` rows, decoded; turned round where they were found from the end.
template <class Rows>
[[nodiscard]] result<std::vector<typename Rows::value_type>> decode_all(const rows& answer, std::size_t first_column,
                                                                        std::size_t count, bool backward) {
  BOOST_OUTCOME_TRY(Rows::check(answer, first_column));
  std::vector<typename Rows::value_type> all(count);
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t place = backward ? count - 1 - row : row;
    if constexpr (std::is_same_v<typename Rows::value_type, bool>) {
      bool one = false;  // a vector of these has no bool to refer to
      BOOST_OUTCOME_TRY(Rows::read(answer, row, first_column, one));
      all[place] = one;
    } else {
      BOOST_OUTCOME_TRY(Rows::read(answer, row, first_column, all[place]));
    }
  }
  return all;
}

}  // namespace breakwater::detail
