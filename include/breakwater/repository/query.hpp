#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/detail/bulk_changes.hpp>
#include <breakwater/repository/detail/key_batches.hpp>
#include <breakwater/repository/detail/query_rows.hpp>
#include <breakwater/repository/detail/query_state.hpp>
#include <breakwater/repository/detail/query_stream.hpp>
#include <breakwater/repository/detail/relation_loading.hpp>
#include <breakwater/repository/page.hpp>
#include <breakwater/repository/stream.hpp>
#include <breakwater/repository/with_trashed.hpp>
#include <breakwater/repository/with_values.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace breakwater {

/// All columns of an entity in a query, for `select`: `query.join<Entry>(...).select(bw::row_of<Account>,
/// bw::row_of<Entry>)` answers tuples of both. Where an outer join may find none it is a std::optional.
template <entity E, detail::alias_text Alias = "">
inline constexpr detail::whole_row<E, Alias> row_of{};

/// How `explain` asks.
struct explain_options {
  bool analyze = false;  ///< runs the query, and tells the times and rows it met
};

/// A query, put together step by step and run by its last call. `query<E>` is one whose rows are entities.
///
///     accounts.where(bw::col<&Account::balance> > 5).order_by(bw::desc<&Account::balance>).limit(20).all()
///
/// A value: steps return a new query, so a half-built one can be kept and used twice. It reads live rows only, of every
/// table in it that has a soft_delete column. For one thread at a time, as the repository it came from.
///
/// Its statement's text depends on its shape alone, not on the values in it, so that a query that comes again finds its
/// prepared statement.
///
/// `From` lists its tables, `Rows` is what its rows become; both are the library's own business.
template <class From, class Rows>
class basic_query {
  using root_item = typename From::root;
  using root = typename root_item::entity_type;
  static constexpr bool answers_entities = std::same_as<Rows, detail::entity_rows<root>>;
  static constexpr bool one_table = answers_entities && From::single;

 public:
  using value_type = typename Rows::value_type;

  basic_query(std::shared_ptr<executor> on, detail::query_state state) noexcept
      : on_(std::move(on)), state_(std::move(state)) {}

  // ---- which rows -----------------------------------------------------------------------------------------------------

  /// Also this condition, on any of the query's entities.
  template <class... Sources>
  [[nodiscard]] basic_query where(const predicate<Sources...>& wanted) && {
    static_assert(!detail::source_list<Sources...>::template contains<detail::aggregated>,
                  "breakwater: an aggregate is not known before rows are grouped; put its condition into having()");
    static_assert(detail::covers_aggregates<From, detail::source_list<Sources...>>,
                  "breakwater: this condition names a column of an entity that is not in the query; join it first");
    state_.add_condition(wanted.sql());
    return std::move(*this);
  }
  template <class... Sources>
  [[nodiscard]] basic_query where(const predicate<Sources...>& wanted) const& {
    return basic_query(*this).where(wanted);
  }
  /// Also a condition that was put together at run time.
  template <entity E>
  [[nodiscard]] basic_query where(const condition<E>& wanted) && {
    static_assert(From::template has<detail::source<E, "">>,
                  "breakwater: this condition is on an entity that is not in the query; join it first");
    state_.add_condition(wanted.sql());
    return std::move(*this);
  }
  template <entity E>
  [[nodiscard]] basic_query where(const condition<E>& wanted) const& {
    return basic_query(*this).where(wanted);
  }

  /// Rows of the query's first entity that are in the trash too.
  [[nodiscard]] basic_query with_trashed() const requires(detail::is_soft_deleted<root>) {
    return with_scope(detail::trash::included);
  }
  /// Only its rows in the trash.
  [[nodiscard]] basic_query only_trashed() const requires(detail::is_soft_deleted<root>) {
    return with_scope(detail::trash::only);
  }
  /// Rows in the trash of a joined entity too.
  template <entity E, detail::alias_text Alias = "">
  requires(detail::is_soft_deleted<E>)  //
      [[nodiscard]] basic_query with_trashed() const {
    static_assert(From::template has<detail::source<E, Alias>>, "breakwater: this entity is not in the query");
    if constexpr (std::same_as<detail::source<E, Alias>, typename root_item::source_type>) {
      return with_scope(detail::trash::included);
    } else {
      basic_query other = *this;
      for (detail::join_term& join : other.state_.joins) {
        if (join.name() == detail::from_item<E, Alias, false>::name) join.scope = detail::trash::included;
      }
      return other;
    }
  }

  /// Rows created in [from, to), by the mapping's created_at column; bounds are `bw::timestamptz` or `bw::date`, which is
  /// its midnight in the session's time zone.
  template <class Bound>
  requires(detail::has_column<root, &detail::column_info::created_at>&& detail::is_point_in_time<Bound>)  //
      [[nodiscard]] basic_query created_between(const Bound& from, const Bound& to) const {
    basic_query other = *this;
    parameters bounds;
    bind(bounds, from);
    bind(bounds, to);
    other.state_.add_condition(detail::created_within(detail::view_of<root>, bounds));
    return other;
  }
  /// Rows created on that day of the session's time zone.
  [[nodiscard]] basic_query on_date(date day) const
      requires(detail::has_column<root, &detail::column_info::created_at>) {
    basic_query other = *this;
    other.state_.add_condition(detail::created_on(detail::view_of<root>, day));
    return other;
  }

  /// A scope of your own: any function that takes a query and returns one. `accounts.query().scope(overdrawn, limit)`.
  template <class Scope, class... Arguments>
  [[nodiscard]] auto scope(Scope&& narrow, Arguments&&... arguments) const {
    return std::forward<Scope>(narrow)(*this, std::forward<Arguments>(arguments)...);
  }

  // ---- joins ----------------------------------------------------------------------------------------------------------

  /// Rows of both that match. Trashed rows of E do not. With an alias, E may be in the query already:
  /// `employees.query().join<Employee, "boss">(bw::col<&Employee::boss_id> == bw::col<&Employee::id, "boss">)`.
  template <entity E, detail::alias_text Alias = "", class... Sources>
  [[nodiscard]] auto join(const predicate<Sources...>& on) const {
    return joined<detail::from_item<E, Alias, false>, false>(detail::join_kind::inner, on);
  }
  /// Every row so far, with those of E that match, or NULLs.
  template <entity E, detail::alias_text Alias = "", class... Sources>
  [[nodiscard]] auto left_join(const predicate<Sources...>& on) const {
    return joined<detail::from_item<E, Alias, true>, false>(detail::join_kind::left, on);
  }
  /// Every row of E, with those so far that match, or NULLs.
  template <entity E, detail::alias_text Alias = "", class... Sources>
  [[nodiscard]] auto right_join(const predicate<Sources...>& on) const {
    return joined<detail::from_item<E, Alias, false>, true>(detail::join_kind::right, on);
  }
  /// Every row of either side, with NULLs where the other has none.
  template <entity E, detail::alias_text Alias = "", class... Sources>
  [[nodiscard]] auto full_join(const predicate<Sources...>& on) const {
    return joined<detail::from_item<E, Alias, true>, true>(detail::join_kind::full, on);
  }
  /// Every row so far with every row of E.
  template <entity E, detail::alias_text Alias = "">
  [[nodiscard]] auto cross_join() const {
    return joined<detail::from_item<E, Alias, false>, false>(detail::join_kind::cross, predicate<>({}));
  }
  /// In a query that stands inside another one: the outer query's E may be used in conditions.
  template <entity E, detail::alias_text Alias = "">
  [[nodiscard]] auto outer() const {
    using item = detail::outer_item<E, Alias>;
    static_assert(!From::has_name(item::name),
                  "breakwater: a table of this name is in the query already; give one of the two an alias");
    basic_query<typename From::template with<item>, Rows> other(on_, state_);
    other.includes_ = includes_;
    return other;
  }

  // ---- what of them ---------------------------------------------------------------------------------------------------

  /// Columns, expressions and whole rows (`bw::row_of<E>`) instead of entities: each row becomes the only value, a
  /// std::tuple, or, as `select<Totals>(...)`, a flat struct whose fields take the values in order.
  template <class Into = void, class... Selected>
  requires(sizeof...(Selected) > 0) && (detail::selectable<Selected> && ...)  //
      [[nodiscard]] auto select(const Selected&... selected) const {
    static_assert(answers_entities, "breakwater: select() was said already");
    static_assert((detail::covers_aggregates<From, typename Selected::sources> && ...),
                  "breakwater: a column is selected of an entity that is not in the query; join it first");
    using rows_type =
        typename decltype(detail::choose_rows<Into, typename detail::item_of<From, Selected>::type...>())::type;
    basic_query<From, rows_type> other(on_, state_);
    (other.project(selected), ...);
    return other;
  }
  /// One column's values: `query.pluck<&Account::owner>().all()`.
  template <auto Member>
  [[nodiscard]] auto pluck() const {
    return select(col<Member>);
  }

  /// Each different row once.
  [[nodiscard]] basic_query distinct() const {
    basic_query other = *this;
    other.state_.distinct = true;
    return other;
  }
  /// Of the rows that agree in these, the first one by the order, which begins with them (PostgreSQL's DISTINCT ON).
  template <detail::any_operand... Operands>
  requires(sizeof...(Operands) > 0) [[nodiscard]] basic_query distinct_on(const Operands&... operands) const {
    static_assert((detail::covers<From, typename Operands::sources> && ...),
                  "breakwater: a column of an entity that is not in the query; join it first");
    basic_query other = *this;
    (other.state_.add_distinct_on(detail::fragment_of(operands)), ...);
    return other;
  }

  /// One row for each group of rows that agree in these.
  template <detail::any_operand... Operands>
  requires(sizeof...(Operands) > 0) [[nodiscard]] basic_query group_by(const Operands&... operands) const {
    static_assert(!answers_entities, "breakwater: say what to select of a group before group_by()");
    static_assert((detail::covers<From, typename Operands::sources> && ...),
                  "breakwater: a group is made by columns of entities in the query, and not by aggregates");
    basic_query other = *this;
    (other.state_.add_group(detail::fragment_of(operands)), ...);
    return other;
  }
  /// Only groups of which this holds.
  template <class... Sources>
  [[nodiscard]] basic_query having(const predicate<Sources...>& wanted) const {
    static_assert(detail::covers_aggregates<From, detail::source_list<Sources...>>,
                  "breakwater: this condition names a column of an entity that is not in the query; join it first");
    basic_query other = *this;
    other.state_.add_having(wanted.sql());
    return other;
  }

  // ---- in which order, how many ---------------------------------------------------------------------------------------

  /// By these; repeated calls add to the order.
  template <class... Orders>
  requires(sizeof...(Orders) > 0) [[nodiscard]] basic_query order_by(const Orders&... by) && {
    static_assert((detail::covers_aggregates<From, typename Orders::sources> && ...),
                  "breakwater: the order names a column of an entity that is not in the query; join it first");
    (state_.add_order(by), ...);
    return std::move(*this);
  }
  template <class... Orders>
  requires(sizeof...(Orders) > 0) [[nodiscard]] basic_query order_by(const Orders&... by) const& {
    return basic_query(*this).order_by(by...);
  }

  /// At most `count` rows. A negative count is `errc::invalid_argument` when the query runs.
  [[nodiscard]] basic_query limit(std::int64_t count) && {
    state_.limit = count;
    return std::move(*this);
  }
  [[nodiscard]] basic_query limit(std::int64_t count) const& { return basic_query(*this).limit(count); }
  /// Without the first `count` rows, which the server still has to find. A negative count is
  /// `errc::invalid_argument` when the query runs.
  [[nodiscard]] basic_query offset(std::int64_t count) && {
    state_.offset = count;
    return std::move(*this);
  }
  [[nodiscard]] basic_query offset(std::int64_t count) const& { return basic_query(*this).offset(count); }

  /// Only rows behind this place in the order: the values of the order's columns, then those of the key's columns that
  /// are not among them (the key completes the order, ascending). Or a page's cursor, as its only argument. Optionals
  /// where a column can be NULL. What does not fit the order is `errc::invalid_argument` when the query runs.
  template <class... Values>
  requires(sizeof...(Values) > 0) [[nodiscard]] basic_query after(const Values&... values) const {
    basic_query other = *this;
    detail::set_bound(other.state_.after, values...);
    return other;
  }
  /// Only rows in front of this place, still in the query's order: with a limit, those nearest to it.
  template <class... Values>
  requires(sizeof...(Values) > 0) [[nodiscard]] basic_query before(const Values&... values) const {
    basic_query other = *this;
    detail::set_bound(other.state_.before, values...);
    return other;
  }

  // ---- relations ------------------------------------------------------------------------------------------------------

  /// Loads a relation of the rows too, with one more statement however many rows there are:
  /// `include<&Account::entries>()`. Further members continue the path from there: `include<&Account::entries,
  /// &Entry::tags>()` is one statement for each of the two relations, and what two paths have in common is loaded once.
  /// Related rows in the trash are left out. `select` forgets it. See docs/guide/relations.md.
  template <auto... Path>
  [[nodiscard]] basic_query include() && {
    check_include();
    detail::include_path<root, Path...>(includes_, detail::trash::excluded);
    return std::move(*this);
  }
  template <auto... Path>
  [[nodiscard]] basic_query include() const& {
    return basic_query(*this).template include<Path...>();
  }
  /// The same with rows in the trash of the path's last relation: `include<&Account::entries>(bw::with_trashed)`.
  template <auto... Path>
  [[nodiscard]] basic_query include(with_trashed_t /*tag*/) && {
    check_include();
    detail::include_path_with_trashed<root, Path...>(includes_);
    return std::move(*this);
  }
  template <auto... Path>
  [[nodiscard]] basic_query include(with_trashed_t tag) const& {
    return basic_query(*this).template include<Path...>(tag);
  }

  // ---- locks ----------------------------------------------------------------------------------------------------------

  /// Locks the rows of the query's first entity until the transaction ends, against everybody who would change or lock
  /// them. The query goes to the primary. Outside a transaction the lock ends with the statement.
  [[nodiscard]] basic_query for_update() const { return with_lock(detail::row_lock::for_update); }
  /// The same, but lets others reference the rows by foreign keys.
  [[nodiscard]] basic_query for_no_key_update() const { return with_lock(detail::row_lock::for_no_key_update); }
  /// Against changes, but not against others who say the same.
  [[nodiscard]] basic_query for_share() const { return with_lock(detail::row_lock::for_share); }
  /// Against deletion and changes of the key.
  [[nodiscard]] basic_query for_key_share() const { return with_lock(detail::row_lock::for_key_share); }
  /// Without the rows that others have locked: how a queue's workers share it. With one of the locks above.
  [[nodiscard]] basic_query skip_locked() const { return with_wait(detail::lock_wait::skip_locked); }
  /// `errc::lock_not_available` rather than wait for a row that another has locked. With one of the locks above.
  [[nodiscard]] basic_query nowait() const { return with_wait(detail::lock_wait::nowait); }

  /// Says that `update_all` or `delete_all` without a condition is meant.
  [[nodiscard]] basic_query every_row() const {
    basic_query other = *this;
    other.state_.every_row = true;
    return other;
  }

  // ---- running it -----------------------------------------------------------------------------------------------------

  /// All matching rows.
  [[nodiscard]] result<std::vector<value_type>> all() const {
    check_rows();
    BOOST_OUTCOME_TRY(const auto answer, run(state_));
    return decode(answer, 0, answer.size(), state_.is_backward());
  }
  /// The first row of the order, if there is any. Without an order: `errc::invalid_argument`, "first" of a set
  /// means nothing.
  [[nodiscard]] result<std::optional<value_type>> first() const { return end_of_order(false); }
  /// The last row of the order, if there is any. Not together with `limit` or `offset`.
  [[nodiscard]] result<std::optional<value_type>> last() const { return end_of_order(true); }
  /// The only row. None is `errc::not_found`, two are `errc::too_many_rows`.
  [[nodiscard]] result<value_type> one() const {
    check_rows();
    detail::query_state bounded = state_;
    // Two rows are enough to know that it is not the only one.
    if (!bounded.limit || *bounded.limit > 2) bounded.limit = 2;
    BOOST_OUTCOME_TRY(const auto answer, run(bounded));
    if (answer.size() != 1) return detail::not_one_row(answer.size(), state_.table);
    BOOST_OUTCOME_TRY(auto all, decode(answer, 0, 1, false));
    return value_type(std::move(all.front()));
  }
  /// How many rows match, `limit` and `offset` taken into account.
  [[nodiscard]] result<std::int64_t> count() const {
    return detail::run_count(on_.get(), state_, detail::statement_name<root, detail::action::count>);
  }
  /// Does any row match?
  [[nodiscard]] result<bool> exists() const {
    return detail::run_exists(on_.get(), state_, detail::statement_name<root, detail::action::exists>);
  }

  /// \name An aggregate of one column over the rows that `all` would answer; see `bw::sum` and its like for the types.
  /// Limit, offset and distinct count, for columns of the query's first entity; of another one's they are
  /// `errc::invalid_argument`.
  /// @{
  template <auto Member>
  [[nodiscard]] auto sum() const {
    return over_rows<Member>(breakwater::sum(col<Member>));
  }
  template <auto Member>
  [[nodiscard]] auto avg() const {
    return over_rows<Member>(breakwater::avg(col<Member>));
  }
  template <auto Member>
  [[nodiscard]] auto min() const {
    return over_rows<Member>(breakwater::min(col<Member>));
  }
  template <auto Member>
  [[nodiscard]] auto max() const {
    return over_rows<Member>(breakwater::max(col<Member>));
  }
  /// @}

  /// A page of `size` rows behind `after`, in front of `before`, or the first. The order is completed by the key.
  [[nodiscard]] result<breakwater::page<value_type>> page(std::int64_t size) const {
    check_rows();
    BOOST_OUTCOME_TRY(auto found, detail::run_keyset_page(on_.get(), state_, size, select_name()));
    return decode_page(std::move(found));
  }
  /// Page `number`, counted from 1, of pages of `size` rows, and the total of rows, in one statement. Behind the end
  /// there are no items, and the total is told all the same.
  [[nodiscard]] result<breakwater::page<value_type>> page(std::int64_t number, std::int64_t size) const {
    check_rows();
    BOOST_OUTCOME_TRY(auto found, detail::run_numbered_page(on_.get(), state_, number, size, select_name()));
    BOOST_OUTCOME_TRY(auto made, decode_page(std::move(found)));
    made.number = number;
    made.size = size;
    return made;
  }

  /// The matching rows one by one, with a cursor on the server: for results larger than memory. See `row_stream`.
  [[nodiscard]] result<row_stream<value_type>> stream(const stream_options& options = {}) const {
    check_rows();
    if (!includes_.empty()) return detail::refuse_includes(stream_name());
    return detail::as_stream<Rows>(detail::open_select(on_, state_, stream_name(), options));
  }
  /// Calls `handler(value_type&&)` for each; it answers nothing, a bool (false: no more rows are wanted) or a
  /// `result<void>`, whose error ends the stream and is returned. An exception passes through. Returns how many rows it
  /// was called for.
  template <class Handler>
  requires(!std::is_convertible_v<Handler, const stream_options&>)  //
      [[nodiscard]] result<std::size_t> stream(Handler&& handler, const stream_options& options = {}) const {
    detail::assert_row_handler<Handler, value_type&&>();
    BOOST_OUTCOME_TRY(auto found, stream(options));
    return detail::for_each_row(found, handler);
  }

  /// Calls `handler(std::span<E>)` for the matching rows in batches of `size` by primary key; what it answers is as
  /// with `stream`. Each batch is a statement of its own that begins after the last key of the batch before it: no
  /// transaction is held open meanwhile, and a row is met once or, when it comes or goes behind the current key,
  /// never. What the query includes is loaded for each batch. Returns how many rows there were. Errors: `invalid_argument` for a query with an order, bounds or distinct.
  template <class Handler>
  requires(one_table&& detail::has_key<root>)  //
      [[nodiscard]] result<std::size_t> in_batches(std::size_t size, Handler&& handler) const {
    detail::assert_row_handler<Handler, std::span<value_type>>();
    return detail::for_each_batch<root>(on_.get(), state_, includes_, size, handler,
                                        detail::statement_name<root, detail::action::in_batches>);
  }

  /// Sets the columns in all matching rows, raises their versions, and returns how many there were. Rows in the trash
  /// stay as they are. Without a condition: `errc::unsafe_operation`, unless `every_row()` was said.
  template <class... More>
  requires(one_table && (std::same_as<More, assignment<root>> && ...))  //
      [[nodiscard]] result<std::size_t> update_all(const assignment<root>& first, const More&... more) const {
    const detail::assignment_view sets[] = {{first.column, &first.value}, {more.column, &more.value}...};
    return detail::run_update_all(on_.get(), state_, sets, detail::statement_name<root, detail::action::update_all>);
  }
  /// Removes all matching rows, into the trash where the mapping has one, and returns how many there were. Without a
  /// condition: `errc::unsafe_operation`, unless `every_row()` was said.
  [[nodiscard]] result<std::size_t> delete_all() const requires(one_table) {
    return detail::run_delete_all(on_.get(), state_, detail::statement_name<root, detail::action::delete_all>);
  }

  /// Deletes all matching rows for good, those in the trash as `with_trashed` and `only_trashed` say, and returns how
  /// many there were. Without a condition: `errc::unsafe_operation`, unless `every_row()` was said.
  [[nodiscard]] result<std::size_t> purge_all() const requires(one_table) {
    return detail::run_purge_all(on_.get(), state_, detail::statement_name<root, detail::action::purge_all>);
  }
  /// `update_all` that returns the rows as they are then, in no particular order.
  template <class... More>
  requires(one_table && (std::same_as<More, assignment<root>> && ...))  //
      [[nodiscard]] result<std::vector<root>> update_all_returning(const assignment<root>& first,
                                                                   const More&... more) const {
    const detail::assignment_view sets[] = {{first.column, &first.value}, {more.column, &more.value}...};
    constexpr std::string_view name = detail::statement_name<root, detail::action::update_all>;
    BOOST_OUTCOME_TRY(const auto answer, detail::run_update_all_returning(on_.get(), state_, sets, name));
    return detail::decode_changed<root>(*on_, answer, name);
  }
  /// `delete_all` that returns the rows as they were last, in no particular order.
  [[nodiscard]] result<std::vector<root>> delete_all_returning() const requires(one_table) {
    constexpr std::string_view name = detail::statement_name<root, detail::action::delete_all>;
    BOOST_OUTCOME_TRY(const auto answer, detail::run_delete_all_returning(on_.get(), state_, name));
    return detail::decode_changed<root>(*on_, answer, name);
  }

  // ---- looking at it --------------------------------------------------------------------------------------------------

  /// The statement that `all` sends.
  [[nodiscard]] std::string to_sql() const { return detail::numbered(state_.select_sql().text); }
  /// The same with the values in their places, for people to read; those of sensitive columns show as '***'.
  [[nodiscard]] std::string to_sql(with_values_t /*tag*/) const {
    return detail::with_values_inlined(state_.select_sql());
  }
  /// The server's plan for it, as text, one line for each node of the plan.
  [[nodiscard]] result<std::string> explain(explain_options options = {}) const {
    return detail::run_explain(on_.get(), state_, options.analyze, select_name());
  }

  // ---- for the library's own use --------------------------------------------------------------------------------------

  using only_value_type = value_type;
  using outer_sources = typename From::outer_sources;
  [[nodiscard]] detail::sql_fragment sub_query_sql() const { return state_.sub_query_sql(); }
  [[nodiscard]] bool selects_sensitive() const noexcept { return state_.selects_sensitive; }

 private:
  template <class OtherFrom, class OtherRows>
  friend class basic_query;

  static constexpr std::string_view select_name() noexcept {
    return detail::statement_name<root, detail::action::select>;
  }
  static constexpr std::string_view stream_name() noexcept {
    return detail::statement_name<root, detail::action::stream>;
  }
  static constexpr void check_include() noexcept {
    static_assert(answers_entities, "breakwater: include() loads relations of entities, and select() answers none");
  }
  static constexpr void check_rows() noexcept {
    static_assert(
        !answers_entities || !root_item::nullable,
        "breakwater: after a right or full join a row need not have an entity of the query's first table; say "
        "select(bw::row_of<E>), which answers optionals");
  }

  template <class Item, bool NullableSoFar, class... Sources>
  [[nodiscard]] auto joined(detail::join_kind kind, const predicate<Sources...>& on) const {
    static_assert(answers_entities, "breakwater: join before select(), which looks at what is joined");
    static_assert(!From::has_name(Item::name),
                  "breakwater: a table of this name is in the query already; give one of the two an alias: join<E, "
                  "\"other\">(...) and bw::col<&E::member, \"other\">");
    using so_far = std::conditional_t<NullableSoFar, typename From::all_nullable, From>;
    using from = typename so_far::template with<Item>;
    static_assert(detail::covers<from, detail::source_list<Sources...>>,
                  "breakwater: the join's condition names a column of an entity that is not in the query");
    basic_query<from, Rows> other(on_, state_);
    constexpr bool aliased = Item::name != detail::view_of<typename Item::entity_type>.name.table;
    other.state_.joins.push_back({.kind = kind,
                                  .table = detail::view_of<typename Item::entity_type>,
                                  .alias = aliased ? Item::name : std::string_view{},
                                  .on = on.sql()});
    other.includes_ = includes_;
    return other;
  }

  template <class Selected>
  void project(const Selected& selected) {
    if constexpr (detail::any_operand<Selected>) {
      state_.add_projection(detail::fragment_of(selected));
      state_.selects_sensitive = state_.selects_sensitive || selected.is_sensitive();
      state_.selects_aggregate = state_.selects_aggregate || Selected::sources::template contains<detail::aggregated>;
    } else {
      project_row(selected);
    }
  }
  template <class E, detail::alias_text Alias>
  void project_row(const detail::whole_row<E, Alias>&) {
    state_.add_projection(detail::view_of<E>, Alias.view());
  }

  [[nodiscard]] basic_query with_scope(detail::trash scope) const {
    basic_query other = *this;
    other.state_.scope = scope;
    return other;
  }
  [[nodiscard]] basic_query with_lock(detail::row_lock lock) const {
    basic_query other = *this;
    other.state_.lock = lock;
    return other;
  }
  [[nodiscard]] basic_query with_wait(detail::lock_wait how) const {
    basic_query other = *this;
    other.state_.lock_waits = how;
    return other;
  }

  /// The answer's rows, and the relations that are included.
  [[nodiscard]] result<std::vector<value_type>> decode(const rows& answer, std::size_t first_column, std::size_t count,
                                                       bool backward) const {
    BOOST_OUTCOME_TRY(auto all, detail::decode_all<Rows>(answer, first_column, count, backward));
    if constexpr (answers_entities) {
      BOOST_OUTCOME_TRY(detail::load_includes(*on_, includes_, all.data(), all.size()));
    }
    return all;
  }
  [[nodiscard]] result<rows> run(const detail::query_state& wanted) const {
    return detail::run_select(on_.get(), wanted, select_name());
  }
  template <auto Member, class Aggregate>
  [[nodiscard]] result<typename Aggregate::value_type> over_rows(const Aggregate& computed) const {
    // What select says of columns that are not in the query holds here too.
    using answers = decltype(select(computed));
    constexpr bool of_first_table =
        std::same_as<typename std::remove_const_t<decltype(col<Member>)>::source_type, typename root_item::source_type>;
    BOOST_OUTCOME_TRY(const auto answer, detail::run_aggregate(on_.get(), state_, detail::fragment_of(computed),
                                                               of_first_table, select_name()));
    if (answer.size() != 1) return detail::not_one_row(answer.size(), state_.table);
    BOOST_OUTCOME_TRY(auto all, answers::decode_plain(answer));
    return std::move(all.front());
  }
  [[nodiscard]] static result<std::vector<value_type>> decode_plain(const rows& answer) {
    return detail::decode_all<Rows>(answer, 0, answer.size(), false);
  }
  [[nodiscard]] result<std::optional<value_type>> end_of_order(bool last) const {
    check_rows();
    BOOST_OUTCOME_TRY(const auto bounded, state_.end_of_order(last));
    BOOST_OUTCOME_TRY(const auto answer, run(bounded));
    if (answer.empty()) return std::optional<value_type>();
    BOOST_OUTCOME_TRY(auto all, decode(answer, 0, 1, false));
    return std::optional<value_type>(std::move(all.front()));
  }
  [[nodiscard]] result<breakwater::page<value_type>> decode_page(detail::page_rows found) const {
    breakwater::page<value_type> made;
    BOOST_OUTCOME_TRY(made.items, decode(found.answer, found.first_column, found.count, found.backward));
    made.next_cursor = std::move(found.next_cursor);
    made.previous_cursor = std::move(found.previous_cursor);
    made.total = found.total;
    return made;
  }

  std::shared_ptr<executor> on_;
  detail::query_state state_;
  std::vector<detail::include_node> includes_{};
};

/// A query whose rows are entities of E.
template <entity E>
using query = basic_query<detail::from_list<detail::from_item<E, "", false>>, detail::entity_rows<E>>;

/// A query without a session, to stand inside another one: `bw::exists(bw::from<Entry>().outer<Account>().where(
/// bw::col<&Entry::account_id> == bw::col<&Account::id>))`. Run by itself it is `errc::invalid_argument`.
template <entity E>
[[nodiscard]] query<E> from() {
  return query<E>(nullptr, detail::every_row_of<E>());
}

/// True where the other query answers any row.
template <class From, class Rows>
[[nodiscard]] auto exists(const basic_query<From, Rows>& inner) {
  detail::sql_fragment sql;
  sql.add("exists (").add(inner.sub_query_sql()).add(")");
  return detail::predicate_over<typename From::outer_sources>(std::move(sql));
}

}  // namespace breakwater
