#pragma once

#include <breakwater/core/date.hpp>
#include <breakwater/core/json.hpp>
#include <breakwater/core/timestamp.hpp>
#include <breakwater/core/timestamptz.hpp>
#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/predicate.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace breakwater {

namespace detail {

// ---- which values an operand compares with --------------------------------------------------------------------------

// Variables, not concepts: a concept made of many alternatives is compared with others part by part during overload
// resolution, which takes compilers a long time (and clang 14 all of the machine's memory). One of these is atomic.

template <class Column, class Value>
inline constexpr bool compares_directly =
    std::same_as<Column, Value> || (plain_integer<Column> && plain_integer<Value>) ||
    (std::floating_point<Column> && (std::floating_point<Value> || plain_integer<Value>)) ||
    (std::same_as<Column, numeric> && plain_integer<Value>) ||
    (std::same_as<Column, std::string> && std::convertible_to<const Value&, std::string_view>);

/// Can an operand of this type be compared with such a value? Optionals on either side do not matter.
template <class Column, class Value>
inline constexpr bool compares =
    compares_directly<without_optional_t<Column>, without_optional_t<std::decay_t<Value>>> ||
    compares_directly<without_optional_t<Column>, std::remove_cvref_t<Value>>;

template <class T, class Value>
concept comparable_value = compares<T, Value>;
/// The same for a value that is there: what an empty optional would mean is not for every operation to say.
template <class T, class Value>
concept present_value = compares<T, Value> && !is_optional<Value>;

/// Binds one value as a column of type T takes it.
template <class T, class Value>
void bind_as(parameters& out, const Value& value, bool sensitive) {
  using column = without_optional_t<T>;
  static_assert(!is_optional<Value>);
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
  if (sensitive) out.mark_sensitive();
}

/// Appends the placeholder of a value of type T that is compared; `suffix` makes the type an array's.
template <class T>
void add_compared(sql_fragment& sql, std::string_view suffix = {}) {
  using column = without_optional_t<T>;
  sql.text.push_back(sql_fragment::placeholder);
  if constexpr (requires { codec<column>::compares_by_cast; }) {
    sql.add("::").add(codec<column>::sql_type).add(suffix);
  }
}

template <class T>
inline constexpr bool is_text_column = std::same_as<without_optional_t<T>, std::string>;
template <class T>
inline constexpr bool is_json = std::same_as<without_optional_t<T>, json>;
template <class T>
inline constexpr bool is_point_in_time =
    std::same_as<without_optional_t<T>, timestamptz> || std::same_as<without_optional_t<T>, date>;
template <class T>
inline constexpr bool is_local_time = std::same_as<without_optional_t<T>, timestamp>;
/// Does a column of this type have days, and ranges between such bounds? A timestamptz and a timestamp compare only by
/// way of a time zone, and so do not.
template <class T>
inline constexpr bool is_time = is_point_in_time<T> || is_local_time<T>;
template <class T, class Bound>
inline constexpr bool bounds_time = (is_point_in_time<T> && is_point_in_time<Bound>) ||
                                    (is_local_time<T> && (is_local_time<Bound> || std::same_as<Bound, date>));

template <class T>
struct array_element {
  using type = void;
};
template <class T>
struct array_element<std::vector<T>> {
  using type = without_optional_t<T>;
};
template <>
struct array_element<std::vector<std::byte>> {
  using type = void;  // that is bytea
};
/// What the elements of a PostgreSQL array are; void where it is none.
template <class T>
using array_element_t = typename array_element<without_optional_t<T>>::type;
template <class T>
inline constexpr bool is_array = !std::is_void_v<array_element_t<T>>;

/// A query of one column, to stand inside another one.
template <class Q>
concept sub_query = requires(const Q& inner) {
  typename Q::only_value_type;
  typename Q::outer_sources;
  { inner.sub_query_sql() } -> std::same_as<sql_fragment>;
};

template <class T>
concept value_range = std::ranges::input_range<T> && !std::convertible_to<const T&, std::string_view> && !sub_query<T>;

/// An element of a list. NULL is left out: it equals nothing, and in an array it would turn "not in" into "unknown" for
/// every row. So is an integer that no value of the column can equal, which the column's array could not hold.
template <class T, class Value>
void add_listed(array_text& array, parameters& element, const Value& value) {
  using column = without_optional_t<T>;
  if constexpr (is_optional<Value>) {
    if (value) add_listed<T>(array, element, *value);
  } else {
    if constexpr (plain_integer<column> && plain_integer<Value>) {
      if (!std::in_range<column>(value)) return;
    }
    bind_as<T>(element, value, false);
    array.add(element);
  }
}
template <class T, class Range>
[[nodiscard]] bool all_in_range([[maybe_unused]] const Range& values) noexcept {
  using value_type = without_optional_t<std::ranges::range_value_t<Range>>;
  if constexpr (plain_integer<T> && plain_integer<value_type> && !is_optional<std::ranges::range_value_t<Range>>) {
    for (const auto& value : values) {
      if (!std::in_range<T>(value)) return false;
    }
  }
  return true;
}
template <class T, class Range>
void bind_list(parameters& out, const Range& values, bool sensitive) {
  array_text array;
  parameters element;
  for (const auto& value : values) add_listed<T>(array, element, value);
  array.finish(out);
  if (sensitive) out.mark_sensitive();
}
template <class T, class... Values>
void bind_listed(parameters& out, bool sensitive, const Values&... values) {
  array_text array;
  parameters element;
  (add_listed<T>(array, element, values), ...);
  array.finish(out);
  if (sensitive) out.mark_sensitive();
}

/// `? in (sub-query)`; its negation leaves the sub-query's NULLs out, which would make it "unknown" for every row.
[[nodiscard]] sql_fragment in_sub_query(sql_fragment left, sql_fragment inner, bool negated, bool nullable);

}  // namespace detail

/// What can stand on the left of a comparison: a column or an expression, of type T, over the sources listed. Its
/// members make conditions; see also the operators in comparison.hpp.
template <class Self, class T, class Sources>
class operand {
 public:
  using value_type = T;
  using sources = Sources;
  using predicate_type = detail::predicate_over<Sources>;

  /// One of the range's values. An empty range matches nothing. Any length is one bound value.
  template <detail::value_range Range>
  requires detail::comparable_value<T, std::ranges::range_value_t<Range>>
  [[nodiscard]] predicate_type in(const Range& values) const {
    detail::sql_fragment sql = with_list(" = any(");
    detail::bind_list<T>(sql.values, values, self().is_sensitive());
    name_value(sql);
    return closed(std::move(sql));
  }
  template <class... Values>
  requires(sizeof...(Values) > 0) && (detail::comparable_value<T, Values> && ...)  //
      [[nodiscard]] predicate_type in(const Values&... values) const {
    detail::sql_fragment sql = with_list(" = any(");
    detail::bind_listed<T>(sql.values, self().is_sensitive(), values...);
    name_value(sql);
    return closed(std::move(sql));
  }
  /// One of the values that another query answers: `col.in(entries.query().select(bw::col<&Entry::account_id>))`.
  template <detail::sub_query Query>
  requires detail::comparable_value<T, typename Query::only_value_type>
  [[nodiscard]] auto in(const Query& inner) const { return among(inner, false); }
  /// None of the range's values. An empty range matches everything that is not NULL.
  template <detail::value_range Range>
  requires detail::comparable_value<T, std::ranges::range_value_t<Range>>
  [[nodiscard]] predicate_type not_in(const Range& values) const {
    detail::sql_fragment sql = with_list(" <> all(");
    detail::bind_list<T>(sql.values, values, self().is_sensitive());
    name_value(sql);
    return closed(std::move(sql));
  }
  template <class... Values>
  requires(sizeof...(Values) > 0) && (detail::comparable_value<T, Values> && ...)  //
      [[nodiscard]] predicate_type not_in(const Values&... values) const {
    detail::sql_fragment sql = with_list(" <> all(");
    detail::bind_listed<T>(sql.values, self().is_sensitive(), values...);
    name_value(sql);
    return closed(std::move(sql));
  }
  /// None of the values that another query answers, whose NULLs do not count.
  template <detail::sub_query Query>
  requires detail::comparable_value<T, typename Query::only_value_type>
  [[nodiscard]] auto not_in(const Query& inner) const { return among(inner, true); }

  /// SQL's LIKE: % and _ are wildcards, \ takes their meaning away (`bw::like_escape` does that for a text).
  [[nodiscard]] predicate_type like(std::string_view pattern) const requires(detail::is_text_column<T>) {
    return compared(" like ", pattern);
  }
  /// As `like`, whatever the letters' case.
  [[nodiscard]] predicate_type ilike(std::string_view pattern) const requires(detail::is_text_column<T>) {
    return compared(" ilike ", pattern);
  }

  /// Also where the column is NULL only because of an outer join.
  [[nodiscard]] predicate_type is_null() const { return finished(with(" is null", false)); }
  [[nodiscard]] predicate_type is_not_null() const { return finished(with(" is not null", false)); }

  /// low <= this <= high.
  template <class Low, class High>
  requires detail::present_value<T, Low> && detail::present_value<T, High>
  [[nodiscard]] predicate_type between(const Low& low, const High& high) const {
    detail::sql_fragment sql = with_compared(" between ");
    detail::add_compared<T>(sql.add(" and "));
    detail::bind_as<T>(sql.values, low, self().is_sensitive());
    name_value(sql);
    detail::bind_as<T>(sql.values, high, self().is_sensitive());
    name_value(sql);
    return finished(std::move(sql));
  }

  // ---- times ----------------------------------------------------------------------------------------------------------

  /// from <= this < to. A date is its midnight, of a timestamptz that in the session's time zone, so that days follow
  /// each other without a gap.
  template <class Bound>
  requires(detail::bounds_time<T, Bound>)  //
      [[nodiscard]] predicate_type within(const Bound& from, const Bound& to) const {
    detail::sql_fragment sql = with(" >= ");
    bind_own(sql, from);
    self().append_to(sql.add(" and "));
    sql.add(" < ").text.push_back(detail::sql_fragment::placeholder);
    bind_own(sql, to);
    return finished(std::move(sql));
  }
  /// On that day, of a timestamptz one of the session's time zone.
  [[nodiscard]] predicate_type on_date(date day) const requires(detail::is_time<T>) {
    detail::sql_fragment sql = with(" >= ");
    bind_own(sql, day);
    self().append_to(sql.add(" and "));
    sql.add(" < ").text.push_back(detail::sql_fragment::placeholder);
    sql.add(" + 1");
    bind_own(sql, day);
    return finished(std::move(sql));
  }

  // ---- arrays ---------------------------------------------------------------------------------------------------------

  /// The array has all of these elements, in any order.
  template <detail::value_range Range>
  requires detail::is_array<T> &&
      detail::comparable_value<detail::array_element_t<T>, std::ranges::range_value_t<Range>>
  [[nodiscard]] predicate_type contains(const Range& elements) const {
    // An array that can not hold one of them contains not all of them.
    if (!detail::all_in_range<detail::array_element_t<T>>(elements)) return predicate_type({.text = "false"});
    return with_elements(" @> ", elements);
  }
  /// All of the array's elements are among these.
  template <detail::value_range Range>
  requires detail::is_array<T> &&
      detail::comparable_value<detail::array_element_t<T>, std::ranges::range_value_t<Range>>
  [[nodiscard]] predicate_type contained_in(const Range& elements) const { return with_elements(" <@ ", elements); }
  /// The array and these have an element in common.
  template <detail::value_range Range>
  requires detail::is_array<T> &&
      detail::comparable_value<detail::array_element_t<T>, std::ranges::range_value_t<Range>>
  [[nodiscard]] predicate_type overlaps(const Range& elements) const { return with_elements(" && ", elements); }
  /// The array has this element.
  template <class Value>
  requires detail::is_array<T> && detail::present_value<detail::array_element_t<T>, Value>
  [[nodiscard]] predicate_type has(const Value& element) const {
    detail::sql_fragment sql;
    detail::add_compared<detail::array_element_t<T>>(sql);
    detail::bind_as<detail::array_element_t<T>>(sql.values, element, self().is_sensitive());
    self().append_to(sql.add(" = any("));
    return closed(std::move(sql));
  }

  // ---- jsonb ----------------------------------------------------------------------------------------------------------

  /// The document contains this one (`@>`): an index on the column helps.
  [[nodiscard]] predicate_type contains(const json& part) const requires(detail::is_json<T>) {
    return with_document(" @> ", part);
  }
  /// The document is contained in this one (`<@`).
  [[nodiscard]] predicate_type contained_in(const json& whole) const requires(detail::is_json<T>) {
    return with_document(" <@ ", whole);
  }
  /// The object has this key, or the array this text, at its top (`?`).
  [[nodiscard]] predicate_type has_key(std::string_view key) const requires(detail::is_json<T>) {
    detail::sql_fragment sql = with(" ? ");
    sql.values.add_text(key, oid::text);
    if (self().is_sensitive()) sql.values.mark_sensitive();
    return finished(std::move(sql));
  }
  /// Any of the keys (`?|`).
  template <detail::value_range Range>
  requires detail::is_json<T>
  [[nodiscard]] predicate_type has_any_key(const Range& keys) const { return with_keys(" ?| ", keys); }
  /// All of the keys (`?&`).
  template <detail::value_range Range>
  requires detail::is_json<T>
  [[nodiscard]] predicate_type has_all_keys(const Range& keys) const { return with_keys(" ?& ", keys); }

  /// this <operator> value; for the library's own use.
  template <class Value>
  [[nodiscard]] predicate_type compared(std::string_view operation, const Value& value) const {
    detail::sql_fragment sql = with_compared(operation);
    detail::bind_as<T>(sql.values, value, self().is_sensitive());
    name_value(sql);
    return finished(std::move(sql));
  }

 private:
  [[nodiscard]] const Self& self() const noexcept { return static_cast<const Self&>(*this); }
  [[nodiscard]] detail::sql_fragment with(std::string_view operation, bool placeholder = true) const {
    detail::sql_fragment sql;
    self().append_to(sql);
    sql.add(operation);
    if (placeholder) sql.text.push_back(detail::sql_fragment::placeholder);
    return sql;
  }
  [[nodiscard]] detail::sql_fragment with_compared(std::string_view operation) const {
    detail::sql_fragment sql = with(operation, false);
    detail::add_compared<T>(sql);
    return sql;
  }
  [[nodiscard]] detail::sql_fragment with_list(std::string_view operation) const {
    detail::sql_fragment sql = with(operation, false);
    detail::add_compared<T>(sql, "[]");
    return sql;
  }
  /// Binds a value of its own type, as one of this operand's.
  template <class Value>
  void bind_own(detail::sql_fragment& sql, const Value& value) const {
    bind(sql.values, value);
    if (self().is_sensitive()) sql.values.mark_sensitive();
    name_value(sql);
  }
  /// So that an error about the value bound last names the column.
  static void name_value(detail::sql_fragment& sql) noexcept {
    if constexpr (requires { Self::column_name(); }) sql.values.mark_column(Self::column_name());
  }
  [[nodiscard]] static predicate_type finished(detail::sql_fragment sql) { return predicate_type(std::move(sql)); }
  [[nodiscard]] static predicate_type closed(detail::sql_fragment sql) {
    sql.text.push_back(')');
    return predicate_type(std::move(sql));
  }
  template <class Query>
  [[nodiscard]] auto among(const Query& inner, bool negated) const {
    detail::sql_fragment left;
    self().append_to(left);
    return detail::predicate_over<Sources, typename Query::outer_sources>(detail::in_sub_query(
        std::move(left), inner.sub_query_sql(), negated, is_optional<typename Query::only_value_type>));
  }
  template <class Range>
  [[nodiscard]] predicate_type with_elements(std::string_view operation, const Range& elements) const {
    detail::sql_fragment sql = with(operation);
    detail::bind_list<detail::array_element_t<T>>(sql.values, elements, self().is_sensitive());
    return finished(std::move(sql));
  }
  [[nodiscard]] predicate_type with_document(std::string_view operation, const json& document) const {
    detail::sql_fragment sql = with(operation);
    bind(sql.values, document);
    if (self().is_sensitive()) sql.values.mark_sensitive();
    return finished(std::move(sql));
  }
  template <class Range>
  [[nodiscard]] predicate_type with_keys(std::string_view operation, const Range& keys) const {
    detail::sql_fragment sql = with(operation);
    detail::bind_list<std::string>(sql.values, keys, self().is_sensitive());
    return finished(std::move(sql));
  }
};

namespace detail {
template <class Operand>
[[nodiscard]] sql_fragment fragment_of(const Operand& of) {
  sql_fragment sql;
  of.append_to(sql);
  return sql;
}
}  // namespace detail

/// A text in which % and _ mean themselves in `like`: for `like(bw::like_escape(typed_by_user) + "%")`.
[[nodiscard]] std::string like_escape(std::string_view text);

namespace detail {

template <class T>
concept any_operand = requires {
  typename T::value_type;
  typename T::sources;
}
&&std::derived_from<T, operand<T, typename T::value_type, typename T::sources>>;

}  // namespace detail
}  // namespace breakwater
