#pragma once

#include <breakwater/repository/expression.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace breakwater {

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
                                      (is_optional<value_of<Member>> && std::same_as<Value, std::nullopt_t>);

template <auto Member, class Value>
void bind_assigned(parameters& out, const Value& value) {
  using column = without_optional_t<value_of<Member>>;
  constexpr bool sensitive = info_of<Member>.sensitive;
  if constexpr (std::same_as<Value, std::nullopt_t>) {
    out.add_null(codec<column>::type);
  } else if constexpr (is_optional<Value>) {
    static_assert(is_optional<value_of<Member>>,
                  "breakwater: this member can not be NULL, so it is not set from an optional");
    if (!value) {
      out.add_null(codec<column>::type);
    } else {
      bind_as<column>(out, *value, sensitive);
    }
  } else {
    bind_as<column>(out, value, sensitive);
  }
  out.mark_column(info_of<Member>.name);
  if constexpr (info_of<Member>.limit.of != column_limit::kind::none) check_limit(out, info_of<Member>.limit);
  if constexpr (sensitive) out.mark_sensitive();
}

}  // namespace detail

/// `bw::set<&Account::balance>(bw::numeric{"5"})`. An optional member also takes `std::nullopt`.
template <auto Member, class Value>
requires detail::mapped_member<Member> &&(!detail::any_operand<Value>)&&detail::is_assignable<
    Member, Value> [[nodiscard]] assignment<detail::owner_of<Member>> set(const Value& value) {
  assignment<detail::owner_of<Member>> made{
      .value = {.text = std::string(1, detail::sql_fragment::placeholder), .values = {}},
      .column = &detail::info_of<Member>};
  detail::bind_assigned<Member>(made.value.values, value);
  return made;
}

/// Computed by the server from the row as it is: `bw::set<&Page::hits>(bw::col<&Page::hits> + 1)`. The increment is
/// atomic: two of them at once count as two.
template <auto Member, detail::any_operand Value>
requires detail::mapped_member<Member> && detail::compares < detail::value_of<Member>,
typename Value::value_type > [[nodiscard]] assignment<detail::owner_of<Member>> set(const Value& value) {
  using own = detail::source_list<detail::source<detail::owner_of<Member>, "">>;
  static_assert(std::same_as<detail::union_of_sources<own, typename Value::sources>, own>,
                "breakwater: the right-hand side of bw::set reads columns of the row that is changed, and no others");
  static_assert(is_optional<detail::value_of<Member>> || !is_optional<typename Value::value_type>,
                "breakwater: this expression can be NULL and the member can not; use bw::coalesce");
  assignment<detail::owner_of<Member>> made{.value = {}, .column = &detail::info_of<Member>};
  value.append_to(made.value);
  return made;
}

}  // namespace breakwater
