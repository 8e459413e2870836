#pragma once

#include <breakwater/repository/assignment.hpp>
#include <breakwater/repository/ordering.hpp>

#include <utility>

namespace breakwater {

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
  /// Also one on no columns at all, such as `bw::exists` of a query that stands for itself.
  condition(const predicate<>& from) : sql_(from.sql()) {}

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

}  // namespace breakwater
