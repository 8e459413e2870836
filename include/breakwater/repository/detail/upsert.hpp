#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/bulk_insert.hpp>
#include <breakwater/repository/detail/bulk_sql_text.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/upsert.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Inserts that meet a row. For the library's own use.
namespace breakwater::detail {

template <auto... Members>
inline constexpr std::array<std::size_t, sizeof...(Members)> places_of{index_of<Members>...};

template <class E, bool column_info::*Flag>
consteval auto flagged_places() {
  constexpr std::size_t count = [] {
    std::size_t found = 0;
    for (const column_info& column : view_of<E>.columns) found += column.*Flag ? 1 : 0;
    return found;
  }();
  std::array<std::size_t, count> places{};
  std::size_t next = 0;
  for (std::size_t i = 0; i < view_of<E>.columns.size(); ++i) {
    if (view_of<E>.columns[i].*Flag) places[next++] = i;
  }
  return places;
}
template <class E>
inline constexpr auto key_places = flagged_places<E, &column_info::primary_key>();

/// What stands for the primary key as a target.
struct key_target {};

/// A target's or an update's columns, as places.
template <class E, class Columns>
struct column_list;
template <class E>
struct column_list<E, key_target> {
  static constexpr const auto& places = key_places<E>;
  static constexpr bool owned = true;
};
template <class E, auto... Members>
struct column_list<E, conflict_target<Members...>> {
  static constexpr const auto& places = places_of<Members...>;
  static constexpr bool owned = (std::is_same_v<owner_of<Members>, E> && ...);
};
template <class E, auto... Members>
struct column_list<E, updated_columns<Members...>> {
  static constexpr const auto& places = places_of<Members...>;
  static constexpr bool owned = (std::is_same_v<owner_of<Members>, E> && ...);
};

/// Every updatable column.
struct all_columns {};

template <class E, class Target, class Update>
inline constexpr conflict_plan plan_of = [] {
  if constexpr (std::is_same_v<Update, all_columns>) {
    return conflict_plan{.target = column_list<E, Target>::places, .chosen = {}, .all_columns = true};
  } else {
    return conflict_plan{
        .target = column_list<E, Target>::places, .chosen = column_list<E, Update>::places, .all_columns = false};
  }
}();

template <class E, class Target, class Update>
consteval std::size_t upsert_size() {
  text_out counter;
  if constexpr (std::is_same_v<Update, do_nothing_tag>) {
    write_insert_or_nothing(counter, view_of<E>, column_list<E, Target>::places, 0);
  } else {
    write_upsert(counter, view_of<E>, plan_of<E, Target, Update>, 0);
  }
  return counter.size();
}
template <class E, class Target, class Update>
consteval auto make_upsert_text() {
  std::array<char, upsert_size<E, Target, Update>() + 1> text{};
  text_out out(text.data());
  if constexpr (std::is_same_v<Update, do_nothing_tag>) {
    write_insert_or_nothing(out, view_of<E>, column_list<E, Target>::places, 0);
  } else {
    write_upsert(out, view_of<E>, plan_of<E, Target, Update>, 0);
  }
  return text;
}
template <class E, class Target, class Update>
inline constexpr auto upsert_text = make_upsert_text<E, Target, Update>();

/// The statement for an entity without defaults to leave to the database.
template <class E, class Target, class Update>
inline constexpr statement upsert_statement{.sql = as_view(upsert_text<E, Target, Update>),
                                            .name = statement_name<E, action::upsert>,
                                            .operation = "INSERT",
                                            .table = view_of<E>.name.table,
                                            .print = fingerprint(as_view(upsert_text<E, Target, Update>)),
                                            .kind = statement_class::write,
                                            .mapped = true};

template <class E, class Target>
consteval bool check_target() {
  using columns = column_list<E, Target>;
  static_assert(columns::owned, "breakwater: bw::conflict names columns of another entity");
  static_assert(!std::is_same_v<Target, key_target> || has_key<E>,
                "breakwater: the mapping has no primary_key; name the columns with bw::conflict");
  bool sent = true;
  for (const std::size_t place : columns::places) sent = sent && is_sent_by_insert(view_of<E>.columns[place]);
  return sent;
}

/// Statements for entities that leave columns to their DEFAULT, and for assignments. Their values are `values`
/// followed by those of `sets`.
[[nodiscard]] run_time_statement upsert_with_defaults(const table_view& table, const conflict_plan& plan,
                                                      std::uint64_t use_default, const parameters& values,
                                                      std::string_view name);
[[nodiscard]] run_time_statement insert_or_nothing_with_defaults(const table_view& table,
                                                                 std::span<const std::size_t> target,
                                                                 std::uint64_t use_default, const parameters& values,
                                                                 std::string_view name);
/// Errors: as `append_assignments`.
[[nodiscard]] result<run_time_statement> upsert_with_assignments(const table_view& table,
                                                                 std::span<const std::size_t> target,
                                                                 std::span<const assignment_view> sets,
                                                                 std::uint64_t use_default, const parameters& values,
                                                                 std::string_view name);

/// Runs an upsert of `given` rows. Errors: `unique_violation` when fewer came back: the others are in the trash.
[[nodiscard]] result<rows> run_upsert(executor& on, const statement& what, const parameters& values,
                                      const table_view& table, std::size_t given = 1);
[[nodiscard]] error conflicts_with_trash(const statement& what, const table_view& table);

template <entity E>
[[nodiscard]] result<upserted<E>> decode_upserted(const executor& on, const rows& answer, const statement& what) {
  upserted<E> done;
  BOOST_OUTCOME_TRY(done.row, decode_written<E>(on, answer, what));
  done.inserted = answer.at(0, view_of<E>.columns.size()).text == "t";
  return done;
}

template <entity E, class Target, class Update>
[[nodiscard]] result<upserted<E>> upsert(executor& on, const E& given) {
  static_assert(check_target<E, Target>(),
                "breakwater: the primary key is made by the database and not sent, so nothing can conflict with it; "
                "name the columns that can with bw::conflict");
  binder bound;
  const std::uint64_t use_default = bind_insert(bound, given);
  if (!bound.bad_column.empty()) return bad_value(upsert_statement<E, Target, Update>, bound);
  if (use_default == 0) {
    constexpr const statement& what = upsert_statement<E, Target, Update>;
    BOOST_OUTCOME_TRY(const auto answer, run_upsert(on, what, bound.values, view_of<E>));
    return decode_upserted<E>(on, answer, what);
  }
  const run_time_statement made = upsert_with_defaults(view_of<E>, plan_of<E, Target, Update>, use_default,
                                                       bound.values, statement_name<E, action::upsert>);
  BOOST_OUTCOME_TRY(const auto answer, run_upsert(on, made.view(), bound.values, view_of<E>));
  return decode_upserted<E>(on, answer, made.view());
}

template <entity E, class Target>
[[nodiscard]] result<upserted<E>> upsert_setting(executor& on, const E& given, std::span<const assignment_view> sets) {
  static_assert(check_target<E, Target>(), "breakwater: nothing can conflict with a key that is not sent");
  binder bound;
  const std::uint64_t use_default = bind_insert(bound, given);
  if (!bound.bad_column.empty()) return bad_value(upsert_statement<E, Target, all_columns>, bound);
  BOOST_OUTCOME_TRY(const auto made,
                    upsert_with_assignments(view_of<E>, column_list<E, Target>::places, sets, use_default, bound.values,
                                            statement_name<E, action::upsert>));
  BOOST_OUTCOME_TRY(const auto answer, run_upsert(on, made.view(), made.values, view_of<E>));
  return decode_upserted<E>(on, answer, made.view());
}

/// The row if it was inserted.
template <entity E, class Target>
[[nodiscard]] result<std::optional<E>> insert_or_nothing(executor& on, const E& given) {
  static_assert(check_target<E, Target>(), "breakwater: nothing can conflict with a key that is not sent");
  constexpr const statement& fixed = upsert_statement<E, Target, do_nothing_tag>;
  binder bound;
  const std::uint64_t use_default = bind_insert(bound, given);
  if (!bound.bad_column.empty()) return bad_value(fixed, bound);
  run_time_statement made;
  if (use_default != 0) {
    made = insert_or_nothing_with_defaults(view_of<E>, column_list<E, Target>::places, use_default, bound.values,
                                           statement_name<E, action::upsert>);
  }
  const statement what = use_default == 0 ? fixed : made.view();
  BOOST_OUTCOME_TRY(const auto answer, on.execute(what, bound.values));
  if (answer.empty()) return std::optional<E>();
  BOOST_OUTCOME_TRY(auto stored, decode_written<E>(on, answer, what));
  return std::optional<E>(std::move(stored));
}

/// Some rows leave a column to its DEFAULT, others do not.
[[nodiscard]] error mixed_defaults(std::string_view name, const table_view& table);

template <entity E, class Target>
[[nodiscard]] result<std::vector<upserted<E>>> upsert_many(const std::shared_ptr<executor>& on,
                                                           std::span<const E> given) {
  static_assert(check_target<E, Target>(),
                "breakwater: the primary key is made by the database and not sent, so nothing can conflict with it; "
                "name the columns that can with bw::conflict");
  std::vector<upserted<E>> stored;
  if (given.empty()) return stored;
  // One statement updates the same columns of every row: a column that only some rows leave to its DEFAULT would be set
  // to that where the row is there already.
  const std::uint64_t common = defaults_of(given.front());
  for (const E& each : given) {
    if (defaults_of(each) != common) return mixed_defaults(statement_name<E, action::upsert_many>, view_of<E>);
  }
  bulk_shape shape{.table = view_of<E>,
                   .types = {},
                   .name = statement_name<E, action::upsert_many>,
                   .tail = written([common](text_out& out) {
                     write_conflict_update(out, view_of<E>, plan_of<E, Target, all_columns>, common);
                     write_returning_inserted(out, view_of<E>);
                   })};
  BOOST_OUTCOME_TRY(const auto chunks, make_chunks(shape, given));
  stored.reserve(given.size());
  BOOST_OUTCOME_TRY(run_chunks(
      on, chunks, is_soft_deleted<E>,
      [](void* to, executor& runs_on, const insert_chunk& chunk) -> result<void> {
        const statement what = chunk.statement.view();
        BOOST_OUTCOME_TRY(const auto answer, run_upsert(runs_on, what, chunk.statement.values, view_of<E>, chunk.rows));
        std::vector<E> entities;
        BOOST_OUTCOME_TRY(append_written(runs_on, answer, what, entities));
        auto& all = *static_cast<std::vector<upserted<E>>*>(to);
        for (std::size_t row = 0; row < entities.size(); ++row) {
          all.push_back({std::move(entities[row]), answer.at(row, view_of<E>.columns.size()).text == "t"});
        }
        return success();
      },
      &stored));
  return stored;
}

}  // namespace breakwater::detail
