#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/copy.hpp>
#include <breakwater/repository/detail/bulk_insert.hpp>
#include <breakwater/repository/detail/copy_lines.hpp>
#include <breakwater/repository/detail/copy_rows.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/finders.hpp>
#include <breakwater/repository/detail/hooked_writes.hpp>
#include <breakwater/repository/detail/idempotent.hpp>
#include <breakwater/repository/detail/relation_loading.hpp>
#include <breakwater/repository/detail/upsert.hpp>
#include <breakwater/repository/hooks.hpp>
#include <breakwater/repository/query.hpp>
#include <breakwater/repository/upsert.hpp>
#include <breakwater/repository/with_trashed.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace breakwater {

/// Rows of one table as values of one type: every operation is one statement and one round trip, but for those that
/// say otherwise.
///
///     auto accounts = session.repository<Account>();
///     BOOST_OUTCOME_TRY(auto ada, accounts.insert({.owner = "ada"}));
///     BOOST_OUTCOME_TRY(accounts.remove(ada.id));
///
/// Comes from a session, or from a transaction, on whose connection it then runs everything. A cheap value, for one
/// thread at a time. A key is given as its value, a composite one as its values in mapping order or as a tuple.
///
/// Besides those named, any operation can end with the errors of the way to the server (`deadline_exceeded`,
/// `cancelled`, `overloaded`, `connection_failed`, ...), with `commit_unknown` for a write whose answer was lost, and
/// with `mapping_mismatch` when the table is not as mapped.
template <entity E>
class repository {
 public:
  /// The key's values in mapping order.
  using key_tuple = detail::key_tuple<E>;
  /// The key: its only value's type, or the tuple.
  using key_type = detail::key_of_entity<E>;

  explicit repository(std::shared_ptr<executor> on) noexcept : on_(std::move(on)) {}

  /// The same repository for what is as good done twice as once, also when others wrote in between: a patch to fixed
  /// values that nobody else sets, an insert under a key of the caller's own. Where the answer to such a statement is
  /// lost, it is run again, within the limits of all retries, instead of being `commit_unknown`. A further run that
  /// changes no row, or is refused, stays `commit_unknown`: the first may have been applied. Bulk writes and writes with
  /// hooks, which are transactions, and everything inside a transaction, are not affected: there, see
  /// `transaction_options::idempotent`.
  [[nodiscard]] repository idempotent() const { return repository(detail::declared_idempotent(on_)); }

  // ---- reading ----------------------------------------------------------------------------------------------------

  /// The row of this key. Errors: `not_found`, also for one in the trash.
  [[nodiscard]] result<E> get(const key_type& key) const requires(detail::has_key<E>) {
    BOOST_OUTCOME_TRY(auto found, find(key));
    if (!found) return detail::no_such_row(detail::statements<E>::get);
    return std::move(*found);
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) && std::constructible_from<key_tuple, const Parts&...> [[nodiscard]] result<E> get(
                                        const Parts&... parts) const {
    return get(key_tuple(parts...));
  }

  /// The row of this key, if there is one and it is not in the trash.
  [[nodiscard]] result<std::optional<E>> find(const key_type& key) const requires(detail::has_key<E>) {
    detail::binder values;
    detail::bind_key<E>(values, key);
    BOOST_OUTCOME_TRY(const auto answer, detail::execute(*on_, detail::statements<E>::get, values));
    if (answer.empty()) return std::optional<E>();
    BOOST_OUTCOME_TRY(auto found, detail::decode_first<E>(answer));
    return std::optional<E>(std::move(found));
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) &&
      std::constructible_from<key_tuple, const Parts&...> [[nodiscard]] result<std::optional<E>> find(
          const Parts&... parts) const {
    return find(key_tuple(parts...));
  }

  /// Is there a row of this key, not in the trash?
  [[nodiscard]] result<bool> exists(const key_type& key) const requires(detail::has_key<E>) {
    detail::binder values;
    detail::bind_key<E>(values, key);
    BOOST_OUTCOME_TRY(const auto answer, detail::execute(*on_, detail::statements<E>::exists, values));
    return !answer.empty() && answer.at(0, 0).text == "t";
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) &&
      std::constructible_from<key_tuple, const Parts&...> [[nodiscard]] result<bool> exists(
          const Parts&... parts) const {
    return exists(key_tuple(parts...));
  }

  /// The rows of these keys (any range of them, however many: one round trip), in the order of the keys. One that does
  /// not exist, or is in the trash, is left out; one given twice comes twice.
  template <std::ranges::input_range Keys>
  requires std::convertible_to<std::ranges::range_reference_t<const Keys>, key_type>
  [[nodiscard]] result<std::vector<E>> get_many(const Keys& keys) const requires(detail::has_key<E>) {
    return detail::get_many<E>(*on_, keys);
  }
  [[nodiscard]] result<std::vector<E>> get_many(std::initializer_list<key_type> keys) const
      requires(detail::has_key<E>) {
    return detail::get_many<E>(*on_, keys);
  }

  /// The row in which these columns have these values, if there is one that is not in the trash:
  /// `find_by<&Account::email>("ada@example.org")`, `find_by<&Line::order_id, &Line::number>(7, 1)`. An empty optional
  /// finds NULL. Errors: `too_many_rows`.
  template <auto... Members, class... Values>
  [[nodiscard]] result<std::optional<E>> find_by(const Values&... values) const requires(sizeof...(Members) > 0) {
    return detail::find_by<E, Members...>(*on_, values...);
  }
  /// The same row. Errors: `not_found`, `too_many_rows`.
  template <auto... Members, class... Values>
  [[nodiscard]] result<E> get_by(const Values&... values) const requires(sizeof...(Members) > 0) {
    BOOST_OUTCOME_TRY(auto found, (detail::find_by<E, Members...>(*on_, values...)));
    if (!found) return detail::no_such_row(detail::finder_statement<E, detail::finder::one, Members...>);
    return std::move(*found);
  }
  /// All rows in which these columns have these values, in no particular order.
  template <auto... Members, class... Values>
  [[nodiscard]] result<std::vector<E>> find_all_by(const Values&... values) const requires(sizeof...(Members) > 0) {
    BOOST_OUTCOME_TRY(const auto answer, (detail::find_rows<E, detail::finder::all, Members...>(*on_, values...)));
    return detail::decode_entities<E>(answer);
  }

  /// How many rows there are, not counting the trash.
  [[nodiscard]] result<std::int64_t> count() const { return query().count(); }

  /// A query that matches every row, to be narrowed.
  [[nodiscard]] breakwater::query<E> query() const { return breakwater::query<E>(on_, detail::every_row_of<E>()); }
  /// A query with a condition.
  [[nodiscard]] breakwater::query<E> where(const condition<E>& wanted) const { return query().where(wanted); }
  /// A query that sees the trash too.
  [[nodiscard]] breakwater::query<E> with_trashed() const requires(detail::is_soft_deleted<E>) {
    return query().with_trashed();
  }
  /// A query that sees the trash only.
  [[nodiscard]] breakwater::query<E> only_trashed() const requires(detail::is_soft_deleted<E>) {
    return query().only_trashed();
  }

  // ---- relations --------------------------------------------------------------------------------------------------

  /// Reads a relation of these rows now and puts it into them, with one statement however many they are:
  /// `load<&Account::entries>(accounts)`. Further members continue the path: `load<&Account::entries, &Entry::tags>`
  /// is one statement for each of the two. What was loaded before is read again. Without rows nothing is sent; after an
  /// error they are as they were. Errors: `too_many_rows` when a has_one finds two.
  template <auto... Path>
  [[nodiscard]] result<void> load(std::span<E> into) const {
    std::vector<detail::include_node> wanted;
    detail::include_path<E, Path...>(wanted, detail::trash::excluded);
    return detail::load_includes(*on_, wanted, into.data(), into.size());
  }
  template <auto... Path>
  [[nodiscard]] result<void> load(E& into) const {
    return load<Path...>(std::span<E>(&into, 1));
  }
  /// The same with rows in the trash of the path's last relation.
  template <auto... Path>
  [[nodiscard]] result<void> load(std::span<E> into, with_trashed_t /*tag*/) const {
    std::vector<detail::include_node> wanted;
    detail::include_path_with_trashed<E, Path...>(wanted);
    return detail::load_includes(*on_, wanted, into.data(), into.size());
  }
  template <auto... Path>
  [[nodiscard]] result<void> load(E& into, with_trashed_t tag) const {
    return load<Path...>(std::span<E>(&into, 1), tag);
  }

  // ---- writing ----------------------------------------------------------------------------------------------------

  /// Adds a row and returns it as it is stored: with what the database generated, its defaults and times, and the
  /// initial version. Errors: the violated constraint's.
  [[nodiscard]] result<E> insert(const E& added) const { return detail::insert(on_, added); }

  /// Adds all rows or none, and returns them as they are stored, in the order given. One round trip; where their text
  /// exceeds 8 MiB, several, in one transaction. No rows: nothing is sent. Errors: the violated constraint's;
  /// `invalid_argument` for text with a NUL byte, naming row and column.
  [[nodiscard]] result<std::vector<E>> insert_many(std::span<const E> added) const {
    return detail::insert_each<E>(on_, added);
  }
  [[nodiscard]] result<std::vector<E>> insert_many(std::initializer_list<E> added) const {
    return detail::insert_each<E>(on_, std::span<const E>(added.begin(), added.size()));
  }

  /// Adds the row, or, where a row with the same values in the columns of `bw::conflict` is there already, stores the
  /// entity over that one: all columns but the key and those of the conflict, whatever its version, which is raised.
  /// Defaulted columns that the entity leaves out keep their values. Says which of the two it did.
  ///
  /// Errors: the violated constraint's, of any constraint but the one named; `unique_violation` without a constraint's
  /// name when the row there is in the trash, which an upsert never brings back; `invalid_statement` when no unique
  /// index covers the columns, and for a partitioned table.
  template <auto... Members>
  [[nodiscard]] result<upserted<E>> upsert(const E& given, detail::conflict_target<Members...> /*target*/) const {
    return upsert_with<detail::conflict_target<Members...>, detail::all_columns>(given);
  }
  /// The same with the primary key as what may conflict.
  [[nodiscard]] result<upserted<E>> upsert(const E& given) const requires(detail::has_key<E>) {
    return upsert_with<detail::key_target, detail::all_columns>(given);
  }
  /// Of a row that is there, only the columns of `bw::update` are changed.
  template <auto... Members, auto... Columns>
  [[nodiscard]] result<upserted<E>> upsert(const E& given, detail::conflict_target<Members...> /*target*/,
                                           detail::updated_columns<Columns...> /*columns*/) const {
    return upsert_with<detail::conflict_target<Members...>, detail::updated_columns<Columns...>>(given);
  }
  /// A row that is there is changed as `bw::set` says; a column on the right side of a `bw::set` is the row's as it was.
  template <auto... Members, class... Sets>
  requires(sizeof...(Sets) > 0) &&
      (std::same_as<Sets, assignment<E>> && ...)
          [[nodiscard]] result<upserted<E>> upsert(const E& given, detail::conflict_target<Members...> /*target*/,
                                                   const Sets&... sets) const {
    const std::array<detail::assignment_view, sizeof...(Sets)> assigned{
        detail::assignment_view{sets.column, &sets.value}...};
    return detail::upsert_one(on_, given, [&](executor& on, const E& added) {
      return detail::upsert_setting<E, detail::conflict_target<Members...>>(on, added, assigned);
    });
  }
  /// A row that is there, in the trash or not, stays as it is: then there is no answer, but success.
  template <auto... Members>
  [[nodiscard]] result<std::optional<E>> upsert(const E& given, detail::conflict_target<Members...> /*target*/,
                                                detail::do_nothing_tag /*nothing*/) const {
    return detail::insert_unless_there(
        on_, given, detail::statement_name<E, detail::action::upsert>, [](executor& on, const E& added) {
          return detail::insert_or_nothing<E, detail::conflict_target<Members...>>(on, added);
        });
  }
  /// `upsert` of each, all or none, in the order given, sent as `insert_many` sends them; where the mapping has a
  /// soft_delete column, in a transaction. Errors: besides, `invalid_argument` when two of one statement's rows conflict
  /// with each other, or when only some rows leave a defaulted column to its DEFAULT.
  template <auto... Members>
  [[nodiscard]] result<std::vector<upserted<E>>> upsert_many(std::span<const E> given,
                                                             detail::conflict_target<Members...> /*target*/) const {
    return detail::upsert_each<E, detail::conflict_target<Members...>>(on_, given);
  }
  [[nodiscard]] result<std::vector<upserted<E>>> upsert_many(std::span<const E> given) const
      requires(detail::has_key<E>) {
    return detail::upsert_each<E, detail::key_target>(on_, given);
  }

  /// Adds the row, or returns the one that is there already as it is; says which. When there was one it takes a second
  /// round trip, and more while others insert and remove it. Errors: as `upsert`; `serialization_failure` when it was
  /// never there when looked for.
  template <auto... Members>
  [[nodiscard]] result<upserted<E>> find_or_insert(const E& given,
                                                   detail::conflict_target<Members...> /*target*/) const {
    return detail::insert_unless_there(
        on_, given, detail::statement_name<E, detail::action::find_or_insert>,
        [](executor& on, const E& added) { return detail::find_or_insert<E, Members...>(on, added); });
  }

  /// Stores the entity over its row, and returns it as it then is: with the new version and time of update. Where
  /// the mapping has a version, only over the very version that was read. Errors: `stale_version` when another
  /// writer was faster, `not_found` when there is no such row or it is in the trash; telling these two apart takes a
  /// second round trip.
  [[nodiscard]] result<E> update(const E& changed) const requires(detail::has_key<E>&& detail::has_updated_columns<E>) {
    return detail::update(on_, changed);
  }

  /// Changes only the given columns: `patch(id, bw::set<&Account::owner>("ada"))`, and returns the row. Where the
  /// mapping has a version it is raised; setting it, `bw::set<&Account::version>(read.version)`, checks that it still
  /// is the one that was read. Without any column it only touches the time of update. Errors: as `update`, and
  /// `invalid_argument` for a column that can not be set.
  template <class... Sets>
  requires(detail::has_key<E>) && (std::same_as<Sets, assignment<E>> && ...)
                                      [[nodiscard]] result<E> patch(const key_type& key, const Sets&... sets) const {
    const std::array<detail::assignment_view, sizeof...(Sets)> given{
        detail::assignment_view{sets.column, &sets.value}...};
    return detail::patch<E>(on_, key, given);
  }

  /// Removes the row: into the trash where the mapping has one, for good otherwise. Whatever its version. Errors:
  /// `not_found`, also for a row in the trash already.
  [[nodiscard]] result<void> remove(const key_type& key) const requires(detail::has_key<E>) {
    return detail::by_key<E, audit_action::remove>(on_, detail::statements<E>::remove, key);
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) &&
      std::constructible_from<key_tuple, const Parts&...> [[nodiscard]] result<void> remove(
          const Parts&... parts) const {
    return remove(key_tuple(parts...));
  }
  /// Removes the row as it was read. Errors: as `update`.
  [[nodiscard]] result<void> remove(const E& read) const requires(detail::has_key<E>&& detail::is_versioned<E>) {
    return detail::as_read<E, audit_action::remove>(on_, detail::statements<E>::remove_checked,
                                                    detail::statements<E>::exists, read);
  }

  /// Takes the row out of the trash. Errors: `not_found` when it is not there.
  [[nodiscard]] result<void> restore(const key_type& key) const
      requires(detail::has_key<E>&& detail::is_soft_deleted<E>) {
    return detail::by_key<E, audit_action::restore>(on_, detail::statements<E>::restore, key);
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) && std::constructible_from<key_tuple, const Parts&...>&& detail::is_soft_deleted<
                                        E> [[nodiscard]] result<void> restore(const Parts&... parts) const {
    return restore(key_tuple(parts...));
  }
  /// Takes the row out of the trash as it was read there. Errors: `stale_version`, `not_found`.
  [[nodiscard]] result<void> restore(const E& read) const
      requires(detail::has_key<E>&& detail::is_soft_deleted<E>&& detail::is_versioned<E>) {
    return detail::as_read<E, audit_action::restore>(on_, detail::statements<E>::restore_checked,
                                                     detail::statements<E>::exists_in_trash, read);
  }
  /// Deletes the row for good, in the trash or not. Errors: `not_found`.
  [[nodiscard]] result<void> purge(const key_type& key) const
      requires(detail::has_key<E>&& detail::is_soft_deleted<E>) {
    return detail::by_key<E, audit_action::purge>(on_, detail::statements<E>::purge, key);
  }
  template <class... Parts>
  requires(sizeof...(Parts) > 1) &&
      std::constructible_from<key_tuple, const Parts&...>&& detail::is_soft_deleted<E> [[nodiscard]] result<void> purge(
          const Parts&... parts) const {
    return purge(key_tuple(parts...));
  }
  /// Deletes the row as it was read. Errors: `stale_version`, `not_found`.
  [[nodiscard]] result<void> purge(const E& read) const
      requires(detail::has_key<E>&& detail::is_soft_deleted<E>&& detail::is_versioned<E>) {
    return detail::as_read<E, audit_action::purge>(on_, detail::statements<E>::purge_checked,
                                                   detail::statements<E>::exists_anywhere, read);
  }

  // ---- in bulk ----------------------------------------------------------------------------------------------------

  /// Adds all entities of a range with one COPY and returns how many rows the server counted: all of them are there
  /// then, or none. The range is run through once and need not fit into memory: a vector, a view, a generator.
  ///
  /// The columns are those of `insert`, versions and times included; the rows are not read back. Columns that are
  /// `defaulted` take their DEFAULT in all rows or in none: the first row decides, and one that differs is
  /// `invalid_argument`. Errors: the violated constraint's, with `row()`; `invalid_argument` naming row and column of a
  /// text with a NUL byte. An exception of the range passes through; nothing stays.
  template <class Range>
  [[nodiscard]] result<std::size_t> copy_in(Range&& entities, const copy_in_options& options = {}) const {
    using range = std::remove_reference_t<Range>;
    static_assert(detail::is_range_of<range, E>,
                  "breakwater: copy_in takes a range of the repository's entity, by reference or by value");
    static_assert(detail::has_inserted_columns<E>,
                  "breakwater: copy_in needs a column that is sent; the database makes all of this mapping's");
    if constexpr (detail::is_range_of<range, E> && detail::has_inserted_columns<E>) {
      detail::copied_range<E, range> from(entities, options.progress);
      return detail::run_copy_in(*on_, detail::view_of<E>, from, detail::statement_name<E, detail::action::copy_in>);
    } else {
      return errc::internal;
    }
  }
  [[nodiscard]] result<std::size_t> copy_in(std::initializer_list<E> entities,
                                            const copy_in_options& options = {}) const {
    return copy_in<std::initializer_list<E>&>(entities, options);
  }

  /// Calls `handler(E&&)` for every row of the table that is not in the trash, with one COPY: the fastest way to read
  /// all of it, in no particular order. It answers nothing, a bool (false: no more rows are wanted) or a
  /// `result<void>`, whose error ends the copy and is returned; an exception passes through. Returns how many rows it
  /// was called for. For rows that a condition picks, and in an order, there is `query::stream`.
  template <class Handler>
  [[nodiscard]] result<std::size_t> copy_out(Handler&& handler, const copy_out_options& options = {}) const {
    detail::assert_row_handler<Handler, E&&>();
    detail::copied_lines<E, std::remove_reference_t<Handler>> to(handler);
    detail::query_state all = detail::every_row_of<E>();
    if (options.with_trashed) all.scope = detail::trash::included;
    return detail::run_copy_out(*on_, all, to, detail::statement_name<E, detail::action::copy_out>);
  }

 private:
  template <class Target, class Update>
  [[nodiscard]] result<upserted<E>> upsert_with(const E& given) const {
    return detail::upsert_one(
        on_, given, [](executor& on, const E& added) { return detail::upsert<E, Target, Update>(on, added); });
  }

  std::shared_ptr<executor> on_;
};

}  // namespace breakwater
