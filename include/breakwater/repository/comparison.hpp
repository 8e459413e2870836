#pragma once

#include <breakwater/repository/operand.hpp>

#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>

namespace breakwater {

namespace detail {

// Every operator below is tried on every type of the program that finds this namespace: what does not concern us has
// to be told apart quickly, and only then asked whether it compares.

template <class C, class V>
consteval bool can_compare() {
  if constexpr (any_operand<C> && any_operand<V>) {
    return compares<typename C::value_type, typename V::value_type> ||
           compares<typename V::value_type, typename C::value_type>;
  } else if constexpr (any_operand<C>) {
    return compares<typename C::value_type, V>;
  } else {
    return false;
  }
}

/// An operand and something that is not one but compares with it.
template <class C, class V>
concept operand_and_value = !any_operand<V> && can_compare<C, V>();

template <class C, class D>
concept operand_and_operand = any_operand<D> && can_compare<C, D>();

/// What a comparison that makes no sense "returns": its name is the compiler's message.
struct this_column_can_not_be_compared_with_a_value_of_that_type {};

template <class C, class V>
consteval bool compares_with_null() {
  if constexpr (any_operand<C> && std::same_as<V, std::nullopt_t>) {
    return is_optional<typename C::value_type>;
  } else {
    return false;
  }
}

/// An operand on either side, but nothing to compare: such operators are deleted rather than absent, so that the
/// message is one line and not a list of candidates.
template <class A, class B>
concept unlike_types = (any_operand<A> || any_operand<B>)&&!can_compare<A, B>() && !can_compare<B, A>() &&
                       !compares_with_null<A, B>() && !compares_with_null<B, A>();

/// `if_null` is what the comparison with an empty optional becomes; empty: nothing is smaller or
/// greater than NULL, and its negation is not true either.
template <class C, class V>
[[nodiscard]] typename C::predicate_type compare(const C& left, std::string_view with, const V& value,
                                                 std::string_view if_null) {
  if constexpr (is_optional<V>) {
    if (value) return left.compared(with, *value);
    sql_fragment sql;
    if (if_null.empty()) {
      sql.add("null::boolean");
    } else {
      left.append_to(sql);
      sql.add(if_null);
    }
    return typename C::predicate_type(std::move(sql));
  } else {
    return left.compared(with, value);
  }
}

template <class C, class D>
[[nodiscard]] auto compare_operands(const C& left, std::string_view with, const D& right) {
  sql_fragment sql;
  left.append_to(sql);
  right.append_to(sql.add(with));
  return predicate_over<typename C::sources, typename D::sources>(std::move(sql));
}

}  // namespace detail

/// \name Comparisons of a column or an expression with a value, on either side, or with another one.
/// Integers compare with integers, text with whatever converts to std::string_view, `std::nullopt` with optional
/// members only. Anything else does not compile.
/// @{
#define BREAKWATER_COMPARISON(op, sql, mirrored, if_null)                                                              \
  template <class C, class V>                                                                                          \
  requires detail::operand_and_value<C, V>                                                                             \
  [[nodiscard]] typename C::predicate_type operator op(const C& left, const V& value) {                                \
    return detail::compare(left, sql, value, if_null);                                                                 \
  }                                                                                                                    \
  template <class V, class C>                                                                                          \
  requires detail::operand_and_value<C, V>                                                                             \
  [[nodiscard]] typename C::predicate_type operator op(const V& value, const C& right) {                               \
    return detail::compare(right, mirrored, value, if_null);                                                           \
  }                                                                                                                    \
  template <class C, class D>                                                                                          \
  requires detail::operand_and_operand<C, D>                                                                           \
  [[nodiscard]] auto operator op(const C& left, const D& right) { return detail::compare_operands(left, sql, right); } \
  template <class A, class B>                                                                                          \
  requires detail::unlike_types<A, B> detail::this_column_can_not_be_compared_with_a_value_of_that_type operator op(   \
      const A&, const B&) = delete;
BREAKWATER_COMPARISON(==, " = ", " = ", " is null")
BREAKWATER_COMPARISON(!=, " <> ", " <> ", " is not null")
BREAKWATER_COMPARISON(<, " < ", " > ", "")
BREAKWATER_COMPARISON(<=, " <= ", " >= ", "")
BREAKWATER_COMPARISON(>, " > ", " < ", "")
BREAKWATER_COMPARISON(>=, " >= ", " <= ", "")
#undef BREAKWATER_COMPARISON

template <detail::any_operand C>
requires(is_optional<typename C::value_type>)  //
    [[nodiscard]] typename C::predicate_type
    operator==(const C& left, std::nullopt_t) {
  return left.is_null();
}
template <detail::any_operand C>
requires(is_optional<typename C::value_type>)  //
    [[nodiscard]] typename C::predicate_type
    operator!=(const C& left, std::nullopt_t) {
  return left.is_not_null();
}
/// @}

}  // namespace breakwater
