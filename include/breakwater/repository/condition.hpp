#pragma once

#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace breakwater {

namespace detail {

/// A text as a template argument: an alias of `col`.
template <std::size_t N>
struct alias_text {
  char text[N]{};
  consteval alias_text(const char (&from)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

/// An entity as it stands in a query, under its own table's name or under an alias.
template <class E, alias_text Alias>
struct source {};

// ---- which values a column compares with --------------------------------------------------------------------------

// Variables, not concepts: a concept made of many alternatives is compared with others part by part during overload
// resolution, which takes compilers a long time (and clang 14 all of the machine's memory). One of these is atomic.

template <class Column, class Value>
inline constexpr bool compares_directly =
    std::same_as<Column, Value> || (plain_integer<Column> && plain_integer<Value>) ||
    (std::floating_point<Column> && (std::floating_point<Value> || plain_integer<Value>)) ||
    (std::same_as<Column, numeric> && plain_integer<Value>) ||
    (std::same_as<Column, std::string> && std::convertible_to<const Value&, std::string_view>);

/// Can a column of this type be compared with such a value? Optionals on either side do not matter.
template <class Column, class Value>
inline constexpr bool compares =
    compares_directly<without_optional_t<Column>, without_optional_t<std::decay_t<Value>>> ||
    compares_directly<without_optional_t<Column>, std::remove_cvref_t<Value>>;

template <auto Member, class Value>
concept comparable_value = compares<value_of<Member>, Value>;

template <auto Member>
inline constexpr bool is_nullable = is_optional<value_of<Member>>;

template <auto Member, alias_text Alias>
constexpr void write_qualified_name(text_out& out) noexcept {
  if constexpr (Alias.view().empty()) {
    write_column(out, view_of<owner_of<Member>>.name, info_of<Member>.name);
  } else {
    write_column(out, {.schema = {}, .table = Alias.view()}, info_of<Member>.name);
  }
}

template <auto Member, alias_text Alias>
consteval auto qualified_name_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_qualified_name<Member, Alias>(counter);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_qualified_name<Member, Alias>(out);
  return text;
}

template <auto Member, alias_text Alias>
inline constexpr auto qualified_name_of = qualified_name_text<Member, Alias>();

/// Binds one value as a member's column takes it.
template <auto Member, class Value>
void bind_for(parameters& out, const Value& value) {
  using column = without_optional_t<value_of<Member>>;
  if constexpr (plain_integer<column> && plain_integer<Value>) {
    if (std::in_range<column>(value)) {
      codec<column>::encode(static_cast<column>(value), out);
    } else if (std::in_range<std::int64_t>(value)) {
      // Out of the column's range, and so equal to none of its values: the server compares the two integer types.
      codec<std::int64_t>::encode(static_cast<std::int64_t>(value), out);
    } else {
      out.add_text(std::to_string(value), oid::numeric);
    }
  } else if constexpr (std::same_as<column, std::string>) {
    codec<std::string>::encode(std::string_view(value), out);
  } else {
    codec<column>::encode(static_cast<column>(value), out);
  }
  if constexpr (info_of<Member>.sensitive) out.mark_sensitive();
}

// ---- sources of a predicate ---------------------------------------------------------------------------------------

template <class... Sources>
struct source_list {
  template <class S>
  static constexpr bool contains = (std::same_as<S, Sources> || ...);
};

template <class List, class... More>
struct add_sources {
  using type = List;
};
template <class... Have, class Next, class... More>
struct add_sources<source_list<Have...>, Next, More...>
    : add_sources<std::conditional_t<source_list<Have...>::template contains<Next>, source_list<Have...>,
                                     source_list<Have..., Next>>,
                  More...> {};

}  // namespace detail

/// A condition on columns of the listed sources. Made by comparing `bw::col`s; owns its values. Combine with && || !.
template <class... Sources>
class predicate {
 public:
  explicit predicate(detail::sql_fragment sql) noexcept : sql_(std::move(sql)) {}
  [[nodiscard]] const detail::sql_fragment& sql() const noexcept { return sql_; }

 private:
  detail::sql_fragment sql_;
};

namespace detail {

template <class List>
struct predicate_over_list;
template <class... Sources>
struct predicate_over_list<source_list<Sources...>> {
  using type = predicate<Sources...>;
};

/// The predicate over the union of two predicates' sources.
template <class... A, class... B>
auto joined_sources(const predicate<A...>&, const predicate<B...>&) ->
    typename predicate_over_list<typename add_sources<source_list<A...>, B...>::type>::type;

[[nodiscard]] sql_fragment combine(const sql_fragment& left, std::string_view with, const sql_fragment& right);
[[nodiscard]] sql_fragment negate(const sql_fragment& operand);

}  // namespace detail

template <class... A, class... B>
[[nodiscard]] auto operator&&(const predicate<A...>& left, const predicate<B...>& right) {
  return decltype(detail::joined_sources(left, right))(detail::combine(left.sql(), " and ", right.sql()));
}
template <class... A, class... B>
[[nodiscard]] auto operator||(const predicate<A...>& left, const predicate<B...>& right) {
  return decltype(detail::joined_sources(left, right))(detail::combine(left.sql(), " or ", right.sql()));
}
template <class... A>
[[nodiscard]] predicate<A...> operator!(const predicate<A...>& operand) {
  return predicate<A...>(detail::negate(operand.sql()));
}

/// A mapped column in a query. Use through `bw::col`.
///
/// Comparisons follow SQL: with NULL in the column they are neither true nor false, so `col != v` leaves out rows
/// where the column is NULL. Compared with `std::nullopt` (or an empty optional) they become IS [NOT] NULL.
template <auto Member, detail::alias_text Alias>
requires detail::mapped_member<Member>
class column_ref {
 public:
  using entity_type = detail::owner_of<Member>;
  using value_type = detail::value_of<Member>;
  using source_type = detail::source<entity_type, Alias>;
  using predicate_type = predicate<source_type>;

  /// "table"."column", quoted.
  [[nodiscard]] static constexpr std::string_view sql_name() noexcept {
    return detail::as_view(detail::qualified_name_of<Member, Alias>);
  }

  /// The column's value is one of the range's. An empty range matches nothing. Any length is one bound value.
  template <std::ranges::input_range Range>
  requires(!std::convertible_to<const Range&, std::string_view>) &&
      detail::comparable_value<Member, std::ranges::range_value_t<Range>> [[nodiscard]] predicate_type
      in(const Range& values) const {
    return with_array(" = any(", values);
  }
  template <class... Values>
  requires(sizeof...(Values) > 0) && (detail::comparable_value<Member, Values> && ...) [[nodiscard]] predicate_type
      in(const Values&... values) const {
    return with_array(" = any(", values...);
  }
  /// The column's value is none of the range's. An empty range matches everything that is not NULL.
  template <std::ranges::input_range Range>
  requires(!std::convertible_to<const Range&, std::string_view>) &&
      detail::comparable_value<Member, std::ranges::range_value_t<Range>> [[nodiscard]] predicate_type
      not_in(const Range& values) const {
    return with_array(" <> all(", values);
  }
  template <class... Values>
  requires(sizeof...(Values) > 0) && (detail::comparable_value<Member, Values> && ...) [[nodiscard]] predicate_type
      not_in(const Values&... values) const {
    return with_array(" <> all(", values...);
  }

  /// SQL's LIKE: % and _ are wildcards.
  [[nodiscard]] predicate_type like(
      std::string_view pattern) const requires std::same_as<without_optional_t<value_type>, std::string> {
    return compared(" like ", pattern);
  }
  /// As `like`, whatever the letters' case.
  [[nodiscard]] predicate_type ilike(
      std::string_view pattern) const requires std::same_as<without_optional_t<value_type>, std::string> {
    return compared(" ilike ", pattern);
  }

  [[nodiscard]] predicate_type is_null() const requires(detail::is_nullable<Member>) {
    return predicate_type({.text = std::string(sql_name()) + " is null"});
  }
  [[nodiscard]] predicate_type is_not_null() const requires(detail::is_nullable<Member>) {
    return predicate_type({.text = std::string(sql_name()) + " is not null"});
  }

  /// low <= column <= high.
  template <class Low, class High>
  requires detail::comparable_value<Member, Low> && detail::comparable_value<Member, High>
  [[nodiscard]] predicate_type between(const Low& low, const High& high) const {
    detail::sql_fragment sql{.text = std::string(sql_name()) + " between " + detail::sql_fragment::placeholder +
                                     " and " + detail::sql_fragment::placeholder};
    detail::bind_for<Member>(sql.values, low);
    detail::bind_for<Member>(sql.values, high);
    return predicate_type(std::move(sql));
  }

  /// column <operator> value; for the library's own use.
  template <class Value>
  [[nodiscard]] predicate_type compared(std::string_view with, const Value& value) const {
    detail::sql_fragment sql{.text = std::string(sql_name()).append(with) + detail::sql_fragment::placeholder};
    detail::bind_for<Member>(sql.values, value);
    return predicate_type(std::move(sql));
  }

 private:
  template <class Range>
  [[nodiscard]] predicate_type with_array(std::string_view with,
                                          const Range& values) const requires std::ranges::input_range<Range> {
    detail::array_text array;
    parameters element;
    for (const auto& value : values) add_element(array, element, value);
    return finish(with, array);
  }
  template <class... Values>
      [[nodiscard]] predicate_type with_array(std::string_view with, const Values&... values) const
      requires(!std::ranges::input_range<Values> || ...) ||
      (std::convertible_to<const Values&, std::string_view> || ...) {
    detail::array_text array;
    parameters element;
    (add_element(array, element, values), ...);
    return finish(with, array);
  }
  template <class Value>
  static void add_element(detail::array_text& array, parameters& element, const Value& value) {
    if constexpr (is_optional<Value>) {
      // NULL equals nothing; in an array it would also turn "not in" into "unknown" for every row.
      if (!value) return;
      detail::bind_for<Member>(element, *value);
    } else {
      detail::bind_for<Member>(element, value);
    }
    array.add(element);
  }
  [[nodiscard]] predicate_type finish(std::string_view with, detail::array_text& array) const {
    detail::sql_fragment sql{.text = std::string(sql_name()).append(with) + detail::sql_fragment::placeholder + ")"};
    array.finish(sql.values);
    if constexpr (detail::info_of<Member>.sensitive) sql.values.mark_sensitive();
    return predicate_type(std::move(sql));
  }
};

namespace detail {

template <auto Member, alias_text Alias>
consteval auto make_column_ref() {
  static_assert(entity<owner_of<Member>>,
                "breakwater: the class of this member has no mapping; specialise breakwater::mapping for it");
  static_assert(mapped_member<Member>,
                "breakwater: this member is not mapped; add a bw::column for it to its class's mapping");
  if constexpr (mapped_member<Member>) {
    return column_ref<Member, Alias>{};
  } else {
    return 0;
  }
}

}  // namespace detail

/// A mapped column in a condition, an order or an assignment: `bw::col<&Account::balance> > 5`. With an alias where a
/// query holds the same entity twice: `bw::col<&Employee::name, "manager">`.
template <auto Member, detail::alias_text Alias = "">
inline constexpr auto col = detail::make_column_ref<Member, Alias>();

namespace detail {

template <class T>
inline constexpr bool is_column_ref = false;
template <auto M, alias_text A>
inline constexpr bool is_column_ref<column_ref<M, A>> = true;

template <class T>
concept any_column = is_column_ref<T>;

template <class C, class V>
consteval bool can_compare() {
  if constexpr (any_column<C> && any_column<V>) {
    return compares<typename C::value_type, typename V::value_type> ||
           compares<typename V::value_type, typename C::value_type>;
  } else if constexpr (any_column<C>) {
    return compares<typename C::value_type, V>;
  } else {
    return false;
  }
}

/// A column and something that is not one but compares with it.
template <class C, class V>
concept column_and_value = !is_column_ref<V> && can_compare<C, V>();

template <class C, class D>
concept column_and_column = is_column_ref<D> && can_compare<C, D>();

/// What a comparison that makes no sense "returns": its name is the compiler's message.
struct this_column_can_not_be_compared_with_a_value_of_that_type {};

template <class C, class V>
consteval bool compares_with_null() {
  if constexpr (any_column<C> && std::same_as<V, std::nullopt_t>) {
    return is_optional<typename C::value_type>;
  } else {
    return false;
  }
}

/// A column on either side, but nothing to compare: such operators are deleted rather than absent, so that the
/// message is one line and not a list of candidates.
template <class A, class B>
concept unlike_types = (is_column_ref<A> || is_column_ref<B>)&&!can_compare<A, B>() && !can_compare<B, A>() &&
                       !compares_with_null<A, B>() && !compares_with_null<B, A>();

template <class C, class D>
using predicate_over = typename predicate_over_list<
    typename add_sources<source_list<typename C::source_type>, typename D::source_type>::type>::type;

/// `if_null` is what the comparison with an empty optional becomes; empty: nothing is smaller or
/// greater than NULL, and its negation is not true either.
template <class C, class V>
[[nodiscard]] typename C::predicate_type compare(const C& column, std::string_view with, const V& value,
                                                 std::string_view if_null) {
  if constexpr (is_optional<V>) {
    if (value) return column.compared(with, *value);
    return typename C::predicate_type(
        {.text = if_null.empty() ? std::string("null::boolean") : std::string(column.sql_name()).append(if_null)});
  } else {
    return column.compared(with, value);
  }
}

template <class C, class D>
[[nodiscard]] predicate_over<C, D> compare_columns(const C& left, std::string_view with, const D& right) {
  return predicate_over<C, D>({.text = std::string(left.sql_name()).append(with).append(right.sql_name())});
}

}  // namespace detail

/// \name Comparisons of a column with a value, on either side, or with another column.
/// Integers compare with integers, text with whatever converts to std::string_view, `std::nullopt` with optional
/// members only. Anything else does not compile.
/// @{
#define BREAKWATER_COMPARISON(op, sql, mirrored, if_null)                                                            \
  template <class C, class V>                                                                                        \
  requires detail::column_and_value<C, V>                                                                            \
  [[nodiscard]] typename C::predicate_type operator op(const C& column, const V& value) {                            \
    return detail::compare(column, sql, value, if_null);                                                             \
  }                                                                                                                  \
  template <class V, class C>                                                                                        \
  requires detail::column_and_value<C, V>                                                                            \
  [[nodiscard]] typename C::predicate_type operator op(const V& value, const C& column) {                            \
    return detail::compare(column, mirrored, value, if_null);                                                        \
  }                                                                                                                  \
  template <class C, class D>                                                                                        \
  requires detail::column_and_column<C, D>                                                                           \
  [[nodiscard]] detail::predicate_over<C, D> operator op(const C& left, const D& right) {                            \
    return detail::compare_columns(left, sql, right);                                                                \
  }                                                                                                                  \
  template <class A, class B>                                                                                        \
  requires detail::unlike_types<A, B> detail::this_column_can_not_be_compared_with_a_value_of_that_type operator op( \
      const A&, const B&) = delete;
BREAKWATER_COMPARISON(==, " = ", " = ", " is null")
BREAKWATER_COMPARISON(!=, " <> ", " <> ", " is not null")
BREAKWATER_COMPARISON(<, " < ", " > ", "")
BREAKWATER_COMPARISON(<=, " <= ", " >= ", "")
BREAKWATER_COMPARISON(>, " > ", " < ", "")
BREAKWATER_COMPARISON(>=, " >= ", " <= ", "")
#undef BREAKWATER_COMPARISON

template <detail::any_column C>
requires(is_optional<typename C::value_type>) [[nodiscard]] typename C::predicate_type operator==(const C& column,
                                                                                                  std::nullopt_t) {
  return column.is_null();
}
template <detail::any_column C>
requires(is_optional<typename C::value_type>) [[nodiscard]] typename C::predicate_type operator!=(const C& column,
                                                                                                  std::nullopt_t) {
  return column.is_not_null();
}
/// @}

/// A condition on E put together at run time, as a search form needs it.
///
///     bw::condition<Account> wanted;                          // matches all
///     if (form.owner) wanted = wanted && bw::col<&Account::owner> == *form.owner;
///     accounts.where(wanted).all();
///
/// The default one matches every row. That is for reading: bulk updates and deletes refuse it, unless
/// `every_row()` was said. A value.
template <class E>
class condition {
 public:
  condition() = default;
  /// Implicit: any predicate on E's own columns is a condition.
  condition(const predicate<detail::source<E, "">>& from) : sql_(from.sql()) {}

  [[nodiscard]] bool matches_all() const noexcept { return sql_.empty(); }
  [[nodiscard]] const detail::sql_fragment& sql() const noexcept { return sql_; }

  [[nodiscard]] friend condition operator&&(const condition& left, const condition& right) {
    if (left.matches_all()) return right;
    if (right.matches_all()) return left;
    return condition(detail::combine(left.sql_, " and ", right.sql_));
  }
  /// One that matches all makes the whole match all.
  [[nodiscard]] friend condition operator||(const condition& left, const condition& right) {
    if (left.matches_all() || right.matches_all()) return {};
    return condition(detail::combine(left.sql_, " or ", right.sql_));
  }
  [[nodiscard]] friend condition operator!(const condition& operand) {
    return condition(operand.matches_all() ? detail::sql_fragment{.text = "false"} : detail::negate(operand.sql_));
  }

 private:
  explicit condition(detail::sql_fragment sql) : sql_(std::move(sql)) {}
  detail::sql_fragment sql_;
};

/// An order: `bw::asc<&Account::id>`, `bw::desc<&Account::balance>`. NULLs stand where PostgreSQL puts them: last when
/// ascending, first when descending.
template <class E>
struct ordering {
  std::string_view column;  ///< "table"."column"
  bool descending = false;
};

namespace detail {
template <auto Member>
consteval auto make_ordering(bool descending) {
  [[maybe_unused]] constexpr auto checked = make_column_ref<Member, alias_text("")>();
  if constexpr (mapped_member<Member>) {
    return ordering<owner_of<Member>>{.column = as_view(qualified_name_of<Member, alias_text("")>),
                                      .descending = descending};
  } else {
    return 0;
  }
}
}  // namespace detail

template <auto Member>
inline constexpr auto asc = detail::make_ordering<Member>(false);
template <auto Member>
inline constexpr auto desc = detail::make_ordering<Member>(true);

/// A new value for one column of E, for `patch` and `update_all`. Made by `bw::set`.
template <class E>
struct assignment {
  detail::sql_fragment value;  ///< the right-hand side
  const detail::column_info* column = nullptr;
};

namespace detail {

/// What may be stored in a member's column: what it compares with, and NULL where it can hold that. Nothing is
/// converted silently: an integer that does not fit is the server's to refuse (`errc::data_error`).
template <auto Member, class Value>
inline constexpr bool is_assignable = compares<value_of<Member>, Value> ||
                                      (is_nullable<Member> && std::same_as<Value, std::nullopt_t>);

template <auto Member, class Value>
void bind_assigned(parameters& out, const Value& value) {
  using column = without_optional_t<value_of<Member>>;
  if constexpr (std::same_as<Value, std::nullopt_t>) {
    out.add_null(codec<column>::type);
  } else if constexpr (is_optional<Value>) {
    static_assert(is_nullable<Member>, "breakwater: this member can not be NULL, so it is not set from an optional");
    if (!value) {
      out.add_null(codec<column>::type);
    } else {
      bind_for<Member>(out, *value);
    }
  } else {
    bind_for<Member>(out, value);
  }
}

}  // namespace detail

/// `bw::set<&Account::balance>(bw::numeric{"5"})`. An optional member also takes `std::nullopt`.
template <auto Member, class Value>
requires detail::mapped_member<Member> && detail::is_assignable<Member, Value>
[[nodiscard]] assignment<detail::owner_of<Member>> set(const Value& value) {
  assignment<detail::owner_of<Member>> made{
      .value = {.text = std::string(1, detail::sql_fragment::placeholder), .values = {}},
      .column = &detail::info_of<Member>};
  detail::bind_assigned<Member>(made.value.values, value);
  if constexpr (detail::info_of<Member>.sensitive) made.value.values.mark_sensitive();
  return made;
}

}  // namespace breakwater
