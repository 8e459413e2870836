#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/query_state.hpp>
#include <breakwater/repository/with_values.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace breakwater {

/// A query over one entity, put together step by step and run by its last call.
///
///     accounts.where(bw::col<&Account::balance> > 5).order_by(bw::desc<&Account::balance>).limit(20).all()
///
/// A value: steps return a new query, so a half-built one can be kept and used twice. It reads live rows only where
/// the mapping has a soft_delete column. For one thread at a time, as the repository it came from.
template <entity E>
class query {
 public:
  query(std::shared_ptr<executor> on, detail::query_state state) noexcept
      : on_(std::move(on)), state_(std::move(state)) {}

  /// Also this condition.
  [[nodiscard]] query where(const condition<E>& wanted) && {
    state_.add_condition(wanted.sql());
    return std::move(*this);
  }
  [[nodiscard]] query where(const condition<E>& wanted) const& { return query(*this).where(wanted); }

  /// By these columns; repeated calls add to the order.
  template <class... More>
  requires(std::same_as<More, ordering<E>>&&...) [[nodiscard]] query
      order_by(const ordering<E>& first, const More&... more) && {
    state_.order.push_back({first.column, first.descending});
    (state_.order.push_back({more.column, more.descending}), ...);
    return std::move(*this);
  }
  template <class... More>
  requires(std::same_as<More, ordering<E>>&&...) [[nodiscard]] query
      order_by(const ordering<E>& first, const More&... more) const& {
    return query(*this).order_by(first, more...);
  }

  /// At most `count` rows. A negative count is `errc::invalid_argument` when the query runs.
  [[nodiscard]] query limit(std::int64_t count) && {
    state_.limit = count;
    return std::move(*this);
  }
  [[nodiscard]] query limit(std::int64_t count) const& { return query(*this).limit(count); }
  /// Without the first `count` rows, which the server still has to find. A negative count is
  /// `errc::invalid_argument` when the query runs.
  [[nodiscard]] query offset(std::int64_t count) && {
    state_.offset = count;
    return std::move(*this);
  }
  [[nodiscard]] query offset(std::int64_t count) const& { return query(*this).offset(count); }

  /// Rows in the trash too.
  [[nodiscard]] query with_trashed() && requires(detail::is_soft_deleted<E>) {
    state_.scope = detail::trash::included;
    return std::move(*this);
  }
  [[nodiscard]] query with_trashed() const& requires(detail::is_soft_deleted<E>) { return query(*this).with_trashed(); }
  /// Rows in the trash only.
  [[nodiscard]] query only_trashed() && requires(detail::is_soft_deleted<E>) {
    state_.scope = detail::trash::only;
    return std::move(*this);
  }
  [[nodiscard]] query only_trashed() const& requires(detail::is_soft_deleted<E>) { return query(*this).only_trashed(); }

  /// Says that `update_all` or `delete_all` without a condition is meant.
  [[nodiscard]] query every_row() && {
    state_.every_row = true;
    return std::move(*this);
  }
  [[nodiscard]] query every_row() const& { return query(*this).every_row(); }

  /// All matching rows.
  [[nodiscard]] result<std::vector<E>> all() const {
    BOOST_OUTCOME_TRY(const auto answer, select(state_));
    return detail::decode_entities<E>(answer);
  }
  /// The first row of the order, if there is any. Without an order: `errc::invalid_argument`, "first" of a set
  /// means nothing.
  [[nodiscard]] result<std::optional<E>> first() const { return end_of_order(false); }
  /// The last row of the order, if there is any. Not together with `limit` or `offset`.
  [[nodiscard]] result<std::optional<E>> last() const { return end_of_order(true); }
  /// The only row. None is `errc::not_found`, two are `errc::too_many_rows`.
  [[nodiscard]] result<E> one() const {
    detail::query_state bounded = state_;
    // Two rows are enough to know that it is not the only one.
    if (!bounded.limit || *bounded.limit > 2) bounded.limit = 2;
    BOOST_OUTCOME_TRY(const auto answer, select(bounded));
    if (answer.size() != 1) return detail::not_one_row(answer.size(), detail::view_of<E>);
    return detail::decode_first<E>(answer);
  }
  /// How many rows match, `limit` and `offset` taken into account.
  [[nodiscard]] result<std::int64_t> count() const {
    return detail::run_count(*on_, state_, detail::statement_name<E, detail::action::count>);
  }
  /// Does any row match?
  [[nodiscard]] result<bool> exists() const {
    return detail::run_exists(*on_, state_, detail::statement_name<E, detail::action::exists>);
  }

  /// Sets the columns in all matching rows, raises their versions, and returns how many there were. Rows in the trash
  /// stay as they are. Without a condition: `errc::unsafe_operation`, unless `every_row()` was said.
  template <class... More>
  requires(std::same_as<More, assignment<E>>&&...)
      [[nodiscard]] result<std::size_t> update_all(const assignment<E>& first, const More&... more) const {
    const detail::assignment_view sets[] = {{first.column, &first.value}, {more.column, &more.value}...};
    return detail::run_update_all(*on_, state_, sets, detail::statement_name<E, detail::action::update_all>);
  }
  /// Removes all matching rows, into the trash where the mapping has one, and returns how many there were. Without a
  /// condition: `errc::unsafe_operation`, unless `every_row()` was said.
  [[nodiscard]] result<std::size_t> delete_all() const {
    return detail::run_delete_all(*on_, state_, detail::statement_name<E, detail::action::delete_all>);
  }

  /// The statement that `all` sends.
  [[nodiscard]] std::string to_sql() const { return detail::numbered(state_.select_sql().text); }
  /// The same with the values in their places, for people to read; those of sensitive columns show as '***'.
  [[nodiscard]] std::string to_sql(with_values_t /*tag*/) const {
    return detail::with_values_inlined(state_.select_sql());
  }

 private:
  [[nodiscard]] result<rows> select(const detail::query_state& wanted) const {
    return detail::run_select(*on_, wanted, detail::statement_name<E, detail::action::select>);
  }
  [[nodiscard]] result<std::optional<E>> end_of_order(bool last) const {
    BOOST_OUTCOME_TRY(const auto bounded, state_.end_of_order(last));
    BOOST_OUTCOME_TRY(const auto answer, select(bounded));
    if (answer.empty()) return std::optional<E>();
    BOOST_OUTCOME_TRY(auto found, detail::decode_first<E>(answer));
    return std::optional<E>(std::move(found));
  }

  std::shared_ptr<executor> on_;
  detail::query_state state_;
};

}  // namespace breakwater
