#pragma once

#include <breakwater/repository/column.hpp>
#include <breakwater/repository/comparison.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace breakwater {

namespace detail {

/// Marks the type of an expression that is never NULL, whatever an outer join does to its columns: count, coalesce.
template <class T>
struct never_null {};

template <class T>
struct expression_value {
  using type = T;
  static constexpr bool never_null = false;
};
template <class T>
struct expression_value<never_null<T>> {
  using type = T;
  static constexpr bool never_null = true;
};

}  // namespace detail

/// A value that the server computes from columns: `bw::col<&Account::balance> * 2`, `bw::sum(bw::col<&Entry::amount>)`,
/// `bw::lower(bw::col<&Account::owner>)`. It stands wherever a column does: in conditions, in `select`, in an order, and
/// on the right of `bw::set`. A value that owns what is bound in it.
///
/// T is the C++ type it is read into, an optional where it can be NULL.
template <class T, class... Sources>
class expression : public operand<expression<T, Sources...>, typename detail::expression_value<T>::type,
                                  detail::source_list<Sources...>> {
 public:
  static constexpr bool never_null = detail::expression_value<T>::never_null;

  expression(detail::sql_fragment sql, bool secret) noexcept : sql_(std::move(sql)), sensitive_(secret) {}

  void append_to(detail::sql_fragment& to) const { to.add(sql_); }
  /// A sensitive column is in it.
  [[nodiscard]] bool is_sensitive() const noexcept { return sensitive_; }

 private:
  detail::sql_fragment sql_;
  bool sensitive_;
};

namespace detail {

template <class T, class List>
struct expression_over_list;
template <class T, class... Sources>
struct expression_over_list<T, source_list<Sources...>> {
  using type = expression<T, Sources...>;
};
template <class T, class... Lists>
using expression_over = typename expression_over_list<T, union_of_sources<Lists...>>::type;

template <class T, class... Operands>
using optional_if_any = std::conditional_t<(is_optional<Operands> || ...), std::optional<without_optional_t<T>>, T>;

// ---- arithmetic -----------------------------------------------------------------------------------------------------

/// What PostgreSQL makes of two numbers. Void: no arithmetic between these.
template <class A, class B>
struct arithmetic_result {
  using type = void;
};
template <plain_integer A, plain_integer B>
struct arithmetic_result<A, B> {
  using type = std::conditional_t<(sizeof(A) >= sizeof(B)), A, B>;
};
template <std::floating_point A, std::floating_point B>
struct arithmetic_result<A, B> {
  using type = std::conditional_t<(sizeof(A) >= sizeof(B)), A, B>;
};
template <std::floating_point A, plain_integer B>
struct arithmetic_result<A, B> {
  using type = double;
};
template <plain_integer A, std::floating_point B>
struct arithmetic_result<A, B> {
  using type = double;
};
template <>
struct arithmetic_result<numeric, numeric> {
  using type = numeric;
};
template <plain_integer B>
struct arithmetic_result<numeric, B> {
  using type = numeric;
};
template <plain_integer A>
struct arithmetic_result<A, numeric> {
  using type = numeric;
};

template <class A, class B>
using arithmetic_result_t = typename arithmetic_result<without_optional_t<A>, without_optional_t<B>>::type;

template <class A, class B>
consteval bool can_calculate() {
  if constexpr (any_operand<A> && any_operand<B>) {
    return !std::is_void_v<arithmetic_result_t<typename A::value_type, typename B::value_type>>;
  } else if constexpr (any_operand<A>) {
    return present_value<typename A::value_type, B> &&
           !std::is_void_v<arithmetic_result_t<typename A::value_type, typename A::value_type>>;
  } else if constexpr (any_operand<B>) {
    return can_calculate<B, A>();
  } else {
    return false;
  }
}
template <class A, class B>
concept calculable = can_calculate<A, B>();

/// A side of an expression: an operand as it is, anything else as a value of the other side's type.
template <class Other, class Side>
void append_side(sql_fragment& sql, const Side& side, bool sensitive) {
  if constexpr (any_operand<Side>) {
    side.append_to(sql);
  } else {
    sql.text.push_back(sql_fragment::placeholder);
    bind_as<typename Other::value_type>(sql.values, side, sensitive);
  }
}

template <class Side>
[[nodiscard]] bool side_is_sensitive(const Side& side) noexcept {
  if constexpr (any_operand<Side>) {
    return side.is_sensitive();
  } else {
    return false;
  }
}

template <class A, class B>
consteval auto calculated_type() {
  if constexpr (any_operand<A> && any_operand<B>) {
    using left = typename A::value_type;
    using right = typename B::value_type;
    return std::type_identity<expression_over<optional_if_any<arithmetic_result_t<left, right>, left, right>,
                                              typename A::sources, typename B::sources>>{};
  } else if constexpr (any_operand<A>) {
    // A value is bound as the operand's type, so that an int literal does not widen a smallint.
    return std::type_identity<expression_over<typename A::value_type, typename A::sources>>{};
  } else {
    return std::type_identity<expression_over<typename B::value_type, typename B::sources>>{};
  }
}

template <class A, class B>
[[nodiscard]] auto calculate(const A& left, std::string_view with, const B& right) {
  const bool sensitive = side_is_sensitive(left) || side_is_sensitive(right);
  sql_fragment sql;
  append_side<B>(sql.add("("), left, sensitive);
  append_side<A>(sql.add(with), right, sensitive);
  sql.add(")");
  return typename decltype(calculated_type<A, B>())::type(std::move(sql), sensitive);
}

// ---- functions ------------------------------------------------------------------------------------------------------

/// name(a, b, ...), each an operand.
template <class T, class... Operands>
[[nodiscard]] auto call(std::string_view name, const Operands&... operands) {
  sql_fragment sql;
  sql.add(name).add("(");
  const char* separator = "";
  ((operands.append_to(sql.add(separator)), separator = ", "), ...);
  sql.add(")");
  return expression_over<T, typename Operands::sources...>(std::move(sql), (operands.is_sensitive() || ...));
}

/// What an aggregate function answers: over the operand's sources, and marked as an aggregate.
template <class T, class Operand>
[[nodiscard]] auto aggregate(std::string_view before, const Operand& of) {
  sql_fragment sql;
  of.append_to(sql.add(before));
  sql.add(")");
  return expression_over<T, typename Operand::sources, source_list<aggregated>>(std::move(sql), of.is_sensitive());
}

/// The type of sum(): PostgreSQL widens, so that a sum does not overflow where its parts do not.
template <class T>
struct sum_of {
  using type = void;
};
template <plain_integer T>
struct sum_of<T> {
  using type = std::conditional_t<(sizeof(T) < sizeof(std::int64_t)), std::int64_t, numeric>;
};
template <std::floating_point T>
struct sum_of<T> {
  using type = T;
};
template <>
struct sum_of<numeric> {
  using type = numeric;
};
/// The type of avg().
template <class T>
using average_of = std::conditional_t<std::is_floating_point_v<T>, double,
                                      std::conditional_t<plain_integer<T> || std::same_as<T, numeric>, numeric, void>>;

}  // namespace detail

/// \name Arithmetic on columns and expressions, with values or with each other.
/// Types are PostgreSQL's: integers stay integers (division cuts, an overflow is `errc::data_error`), with a numeric
/// numeric. A value is bound as the other side's type.
/// @{
#define BREAKWATER_ARITHMETIC(op, sql) \
  template <class A, class B>          \
  requires detail::calculable<A, B>    \
  [[nodiscard]] auto operator op(const A& left, const B& right) { return detail::calculate(left, sql, right); }
BREAKWATER_ARITHMETIC(+, " + ")
BREAKWATER_ARITHMETIC(-, " - ")
BREAKWATER_ARITHMETIC(*, " * ")
BREAKWATER_ARITHMETIC(/, " / ")
BREAKWATER_ARITHMETIC(%, " % ")
#undef BREAKWATER_ARITHMETIC
/// @}

/// \name Aggregates, for `select`, `having` and `order_by`.
/// Over no rows they are NULL, hence optionals; counts are 0. NULLs among the values do not count.
/// @{

/// count(*): the number of rows.
[[nodiscard]] inline auto count() {
  return expression<detail::never_null<std::int64_t>, detail::aggregated>({.text = "count(*)", .values = {}}, false);
}
/// The number of rows in which it is not NULL.
template <detail::any_operand Operand>
[[nodiscard]] auto count(const Operand& of) {
  return detail::aggregate<detail::never_null<std::int64_t>>("count(", of);
}
/// The number of different values, NULL not among them.
template <detail::any_operand Operand>
[[nodiscard]] auto count_distinct(const Operand& of) {
  return detail::aggregate<detail::never_null<std::int64_t>>("count(distinct ", of);
}
/// The sum: of smallint and integer a bigint, of bigint a numeric, else of the same type.
template <detail::any_operand Operand>
[[nodiscard]] auto sum(const Operand& of) {
  using sum_type = typename detail::sum_of<without_optional_t<typename Operand::value_type>>::type;
  static_assert(!std::is_void_v<sum_type>, "breakwater: bw::sum needs a number");
  return detail::aggregate<std::optional<sum_type>>("sum(", of);
}
/// The average: of floating point numbers a double, of all others a numeric.
template <detail::any_operand Operand>
[[nodiscard]] auto avg(const Operand& of) {
  using average_type = detail::average_of<without_optional_t<typename Operand::value_type>>;
  static_assert(!std::is_void_v<average_type>, "breakwater: bw::avg needs a number");
  return detail::aggregate<std::optional<average_type>>("avg(", of);
}
template <detail::any_operand Operand>
[[nodiscard]] auto min(const Operand& of) {
  return detail::aggregate<std::optional<without_optional_t<typename Operand::value_type>>>("min(", of);
}
template <detail::any_operand Operand>
[[nodiscard]] auto max(const Operand& of) {
  return detail::aggregate<std::optional<without_optional_t<typename Operand::value_type>>>("max(", of);
}
/// @}

/// \name Functions.
/// @{
template <detail::any_operand Text>
requires detail::is_text_column<typename Text::value_type>
[[nodiscard]] auto lower(const Text& of) { return detail::call<typename Text::value_type>("lower", of); }
template <detail::any_operand Text>
requires detail::is_text_column<typename Text::value_type>
[[nodiscard]] auto upper(const Text& of) { return detail::call<typename Text::value_type>("upper", of); }
/// In characters.
template <detail::any_operand Text>
requires detail::is_text_column<typename Text::value_type>
[[nodiscard]] auto length(const Text& of) {
  return detail::call<detail::optional_if_any<std::int32_t, typename Text::value_type>>("length", of);
}
template <detail::any_operand Number>
[[nodiscard]] auto abs(const Number& of) {
  return detail::call<typename Number::value_type>("abs", of);
}

/// The operand, or this value where it is NULL.
template <detail::any_operand Operand, class Value>
requires detail::present_value<typename Operand::value_type, Value>
[[nodiscard]] auto coalesce(const Operand& of, const Value& otherwise) {
  detail::sql_fragment sql;
  of.append_to(sql.add("coalesce("));
  detail::append_side<Operand>(sql.add(", "), otherwise, of.is_sensitive());
  sql.add(")");
  return detail::expression_over<detail::never_null<without_optional_t<typename Operand::value_type>>,
                                 typename Operand::sources>(std::move(sql), of.is_sensitive());
}

/// The text at a path into a document, such as `bw::json_text(bw::col<&Order::data>, "customer", "name")` (`#>>`); NULL
/// where there is nothing.
template <detail::any_operand Document, class... Keys>
requires detail::is_json<typename Document::value_type> &&(sizeof...(Keys) > 0) &&
    (std::convertible_to<const Keys&, std::string_view> && ...)
        [[nodiscard]] auto json_text(const Document& of, const Keys&... path) {
  detail::sql_fragment sql;
  of.append_to(sql.add("("));
  sql.add(" #>> ").text.push_back(detail::sql_fragment::placeholder);
  detail::bind_listed<std::string>(sql.values, of.is_sensitive(), std::string_view(path)...);
  sql.add(")");
  return detail::expression_over<std::optional<std::string>, typename Document::sources>(std::move(sql),
                                                                                         of.is_sensitive());
}
/// @}

namespace detail {

/// The next `?` of an expression's text that stands for a part, not in a quoted text or name; npos: there is none.
[[nodiscard]] constexpr std::size_t find_question(std::string_view text) noexcept {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '\'' || text[i] == '"') {
      quote = text[i];
    } else if (text[i] == '?') {
      if (i + 1 == text.size() || text[i + 1] != '?') return i;
      ++i;  // ?? is the operator
    }
  }
  return std::string_view::npos;
}

/// An expression's text, known when the program is compiled and with as many `?` as parts.
template <class... Parts>
class expression_text {
 public:
  consteval expression_text(const char* text) : text_(text) {  // NOLINT(google-explicit-constructor)
    std::string_view rest = text_;
    for (std::size_t i = 0; i < sizeof...(Parts); ++i) {
      const std::size_t at = find_question(rest);
      if (at == std::string_view::npos) throw "breakwater: the text of bw::sql has fewer ? than there are parts";
      rest.remove_prefix(at + 1);
    }
    if (find_question(rest) != std::string_view::npos) {
      throw "breakwater: the text of bw::sql has more ? than there are parts; the operator ? is written ??";
    }
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// Moves the text up to its next `?`, without that, to the fragment; all of it where there is none.
void append_up_to_question(std::string_view& rest, sql_fragment& to);

template <class Part>
struct sources_of_part {
  using type = source_list<>;
};
template <any_operand Part>
struct sources_of_part<Part> {
  using type = typename Part::sources;
};

template <class Part>
void append_part(sql_fragment& to, const Part& part, bool sensitive) {
  static_assert(any_operand<Part> || column_type<Part> || std::is_convertible_v<const Part&, std::string_view>,
                "breakwater: a part of bw::sql is a column, an expression, or a value with a bw::codec");
  if constexpr (any_operand<Part>) {
    part.append_to(to);
  } else {
    to.text.push_back(sql_fragment::placeholder);
    if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
      to.values.add_text(std::string_view(part));
    } else {
      bind(to.values, part);
    }
    if (sensitive) to.values.mark_sensitive();
  }
}

}  // namespace detail

/// Any SQL expression, each `?` of which is an operand or a value:
///
///     bw::sql<bw::date>("date_trunc('month', ?)::date", bw::col<&Order::placed_at>)
///
/// T is what it answers, an optional where that can be NULL; the server's type has to be one that T reads. The text is a
/// constant, so no user's words can get into it; it has as many `?` as there are parts, checked when it is compiled.
/// The operator `?` is written `??`. No comments and no dollar quotes.
template <class T, class... Parts>
[[nodiscard]] auto sql(std::type_identity_t<detail::expression_text<Parts...>> text, const Parts&... parts) {
  const bool secret = (detail::side_is_sensitive(parts) || ... || false);
  detail::sql_fragment made;
  std::string_view rest = text.view();
  made.add("(");
  ((detail::append_up_to_question(rest, made), detail::append_part(made, parts, secret)), ...);
  detail::append_up_to_question(rest, made);
  made.add(")");
  using over = detail::union_of_sources<typename detail::sources_of_part<Parts>::type...>;
  return typename detail::expression_over_list<T, over>::type(std::move(made), secret);
}

/// The value that another query of one column and at most one row answers; NULL where it has no row.
template <detail::sub_query Query>
[[nodiscard]] auto scalar(const Query& inner) {
  detail::sql_fragment sql;
  sql.add("(").add(inner.sub_query_sql()).add(")");
  return detail::expression_over<std::optional<without_optional_t<typename Query::only_value_type>>,
                                 typename Query::outer_sources>(std::move(sql), inner.selects_sensitive());
}

}  // namespace breakwater
