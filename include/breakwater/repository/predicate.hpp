#pragma once

#include <breakwater/repository/detail/sources.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>

#include <string_view>
#include <utility>

namespace breakwater {

/// A condition on columns of the listed sources: made by comparing `bw::col`s and other expressions. Combine with
/// && || !. A value that owns what it compares with, converted to the column's type when it was built.
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
/// The predicate over all sources of the lists.
template <class... Lists>
using predicate_over = typename predicate_over_list<union_of_sources<Lists...>>::type;

[[nodiscard]] sql_fragment combine(const sql_fragment& left, std::string_view with, const sql_fragment& right);
[[nodiscard]] sql_fragment negate(const sql_fragment& operand);

}  // namespace detail

template <class... A, class... B>
[[nodiscard]] auto operator&&(const predicate<A...>& left, const predicate<B...>& right) {
  using both = detail::predicate_over<detail::source_list<A...>, detail::source_list<B...>>;
  return both(detail::combine(left.sql(), " and ", right.sql()));
}
template <class... A, class... B>
[[nodiscard]] auto operator||(const predicate<A...>& left, const predicate<B...>& right) {
  using both = detail::predicate_over<detail::source_list<A...>, detail::source_list<B...>>;
  return both(detail::combine(left.sql(), " or ", right.sql()));
}
template <class... A>
[[nodiscard]] predicate<A...> operator!(const predicate<A...>& operand) {
  return predicate<A...>(detail::negate(operand.sql()));
}

}  // namespace breakwater
