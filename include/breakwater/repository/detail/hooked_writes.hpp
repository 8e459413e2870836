#pragma once

#include <breakwater/core/auditor.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/bulk_insert.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/finders.hpp>
#include <breakwater/repository/detail/hook_traits.hpp>
#include <breakwater/repository/detail/row_writes.hpp>
#include <breakwater/repository/detail/upsert.hpp>
#include <breakwater/repository/hooks.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Writes with what surrounds them: validation, hooks, the auditor. An entity without hooks, in a database without an
/// auditor, goes straight to its statement. For the library's own use.
namespace breakwater::detail {

// ---- calling hooks --------------------------------------------------------------------------------------------------

template <entity E>
inline constexpr bool hooks_inserts = has_before_insert<E> || has_after_insert<E>;
template <entity E>
inline constexpr bool hooks_upserts = hooks_inserts<E> || has_after_update<E>;

template <entity E>
void validate_one(const E& given, validation& check) {
  static_assert(
      requires { hooks<E>::validate(given, check); },
      "breakwater: hooks<E>::validate is a static void(const E&, bw::validation&)");
  hooks<E>::validate(given, check);
}

template <entity E>
[[nodiscard]] result<void> validate(const E& given, std::string_view statement) {
  if constexpr (has_validate<E>) {
    validation check;
    validate_one(given, check);
    return std::move(check).outcome(statement, view_of<E>.name.table);
  }
  return success();
}
template <entity E>
[[nodiscard]] result<void> validate_each(std::span<const E> given, std::string_view statement) {
  if constexpr (has_validate<E>) {
    validation check;
    for (std::size_t i = 0; i < given.size(); ++i) {
      check.at_row(i + 1);
      validate_one(given[i], check);
    }
    return std::move(check).outcome(statement, view_of<E>.name.table);
  }
  return success();
}

template <entity E>
[[nodiscard]] result<void> before_insert(hook_context& context, E& given) {
  if constexpr (has_before_insert<E>) {
    static_assert(
        requires {
          { hooks<E>::before_insert(context, given) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_insert is a static bw::result<void>(bw::hook_context&, E&)");
    return hooks<E>::before_insert(context, given);
  }
  return success();
}
template <entity E>
[[nodiscard]] result<void> after_insert(hook_context& context, const E& stored) {
  if constexpr (has_after_insert<E>) {
    static_assert(
        requires {
          { hooks<E>::after_insert(context, stored) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::after_insert is a static bw::result<void>(bw::hook_context&, const E&)");
    return hooks<E>::after_insert(context, stored);
  }
  return success();
}
template <entity E>
[[nodiscard]] result<void> before_update(hook_context& context, E& given) {
  if constexpr (has_before_update<E>) {
    static_assert(
        requires {
          { hooks<E>::before_update(context, given) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_update is a static bw::result<void>(bw::hook_context&, E&)");
    return hooks<E>::before_update(context, given);
  }
  return success();
}
template <entity E>
[[nodiscard]] result<void> after_update(hook_context& context, const E& stored) {
  if constexpr (has_after_update<E>) {
    static_assert(
        requires {
          { hooks<E>::after_update(context, stored) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::after_update is a static bw::result<void>(bw::hook_context&, const E&)");
    return hooks<E>::after_update(context, stored);
  }
  return success();
}
template <entity E>
[[nodiscard]] result<void> before_patch(hook_context& context, const key_of_entity<E>& key) {
  if constexpr (has_before_patch<E>) {
    static_assert(
        requires {
          { hooks<E>::before_patch(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_patch is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::before_patch(context, key);
  }
  return success();
}

/// The hooks around what names a row by its key alone.
template <entity E, audit_action Action>
inline constexpr bool hooks_by_key = [] {
  switch (Action) {
    case audit_action::remove: return has_before_remove<E> || has_after_remove<E>;
    case audit_action::restore: return has_before_restore<E> || has_after_restore<E>;
    case audit_action::purge: return has_before_purge<E> || has_after_purge<E>;
    default: return false;
  }
}();

template <entity E, audit_action Action>
[[nodiscard]] result<void> before_by_key([[maybe_unused]] hook_context& context,
                                         [[maybe_unused]] const key_of_entity<E>& key) {
  if constexpr (Action == audit_action::remove && has_before_remove<E>) {
    static_assert(
        requires {
          { hooks<E>::before_remove(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_remove is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::before_remove(context, key);
  }
  if constexpr (Action == audit_action::restore && has_before_restore<E>) {
    static_assert(
        requires {
          { hooks<E>::before_restore(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_restore is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::before_restore(context, key);
  }
  if constexpr (Action == audit_action::purge && has_before_purge<E>) {
    static_assert(
        requires {
          { hooks<E>::before_purge(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::before_purge is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::before_purge(context, key);
  }
  return success();
}
template <entity E, audit_action Action>
[[nodiscard]] result<void> after_by_key([[maybe_unused]] hook_context& context,
                                        [[maybe_unused]] const key_of_entity<E>& key) {
  if constexpr (Action == audit_action::remove && has_after_remove<E>) {
    static_assert(
        requires {
          { hooks<E>::after_remove(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::after_remove is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::after_remove(context, key);
  }
  if constexpr (Action == audit_action::restore && has_after_restore<E>) {
    static_assert(
        requires {
          { hooks<E>::after_restore(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::after_restore is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::after_restore(context, key);
  }
  if constexpr (Action == audit_action::purge && has_after_purge<E>) {
    static_assert(
        requires {
          { hooks<E>::after_purge(context, key) } -> std::same_as<result<void>>;
        },
        "breakwater: hooks<E>::after_purge is a static bw::result<void>(bw::hook_context&, const Key&)");
    return hooks<E>::after_purge(context, key);
  }
  return success();
}

// ---- telling the auditor --------------------------------------------------------------------------------------------

/// Tells the executor's auditor, if it has one. `values` are those of `columns`.
[[nodiscard]] result<void> tell_auditor(const std::shared_ptr<executor>& on, const table_view& table,
                                        audit_action action, const parameters& key,
                                        std::span<const std::string_view> columns, const parameters& values);

template <entity E>
[[nodiscard]] result<void> audit_key(const std::shared_ptr<executor>& on, audit_action action,
                                     const key_of_entity<E>& key) {
  if (on->auditor() == nullptr) return success();
  binder key_values;
  bind_key<E>(key_values, key);
  return tell_auditor(on, view_of<E>, action, key_values.values, {}, {});
}

/// Of the columns that `wanted` picks, the values that are stored.
template <entity E, class Wanted>
[[nodiscard]] result<void> audit_row(const std::shared_ptr<executor>& on, audit_action action, const E& stored,
                                     const Wanted& wanted) {
  if (on->auditor() == nullptr) return success();
  binder key;
  if constexpr (has_key<E>) bind_key<E>(key, key_of(stored));
  binder values;
  std::vector<std::string_view> columns;
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    const column_info& column = view_of<E>.columns[i];
    if (!wanted(column)) return;
    columns.push_back(column.name);
    values.add(stored.*member, column);
  });
  return tell_auditor(on, view_of<E>, action, key.values, columns, values.values);
}
template <entity E>
[[nodiscard]] result<void> audit_insert(const std::shared_ptr<executor>& on, const E& stored) {
  return audit_row(on, audit_action::insert, stored, [](const column_info&) { return true; });
}
template <entity E>
[[nodiscard]] result<void> audit_update(const std::shared_ptr<executor>& on, audit_action action, const E& stored) {
  return audit_row(on, action, stored, is_updated);
}

// ---- writes ---------------------------------------------------------------------------------------------------------

/// Runs `body(context, executor)` in a transaction: the session's own for this write, or the one under way.
template <class R, class Body>
[[nodiscard]] R in_transaction(const std::shared_ptr<executor>& on, const Body& body) {
  R outcome;
  const auto run = [&](const std::shared_ptr<executor>& runs_on) -> result<void> {
    hook_context context(runs_on);
    outcome = body(context, runs_on);
    if (!outcome) return outcome.error();
    return success();
  };
  if (auto done = on->run_in_transaction(run); !done) return std::move(done).error();
  return outcome;
}

template <entity E>
[[nodiscard]] result<E> insert(const std::shared_ptr<executor>& on, const E& given) {
  BOOST_OUTCOME_TRY(validate(given, statement_name<E, action::insert>));
  if (!hooks_inserts<E> && on->auditor() == nullptr) return insert_row(*on, given);
  return in_transaction<result<E>>(on, [&](hook_context& context, const auto& runs_on) -> result<E> {
    E added = given;
    BOOST_OUTCOME_TRY(before_insert(context, added));
    BOOST_OUTCOME_TRY(auto stored, insert_row(*runs_on, added));
    BOOST_OUTCOME_TRY(audit_insert(runs_on, stored));
    BOOST_OUTCOME_TRY(after_insert(context, stored));
    return stored;
  });
}

template <entity E>
[[nodiscard]] result<std::vector<E>> insert_each(const std::shared_ptr<executor>& on, std::span<const E> given) {
  BOOST_OUTCOME_TRY(validate_each(given, statement_name<E, action::insert_many>));
  if ((!hooks_inserts<E> && on->auditor() == nullptr) || given.empty()) return insert_many<E>(on, given);
  using rows_type = std::vector<E>;
  return in_transaction<result<rows_type>>(on, [&](hook_context& context, const auto& runs_on) -> result<rows_type> {
    rows_type added(given.begin(), given.end());
    for (E& each : added) {
      BOOST_OUTCOME_TRY(before_insert(context, each));
    }
    BOOST_OUTCOME_TRY(auto stored, insert_many<E>(runs_on, added));
    for (const E& each : stored) {
      BOOST_OUTCOME_TRY(audit_insert(runs_on, each));
      BOOST_OUTCOME_TRY(after_insert(context, each));
    }
    return stored;
  });
}

template <entity E>
[[nodiscard]] result<E> update(const std::shared_ptr<executor>& on, const E& given) {
  BOOST_OUTCOME_TRY(validate(given, statement_name<E, action::update>));
  if (!has_before_update<E> && !has_after_update<E> && on->auditor() == nullptr) return update_row(*on, given);
  return in_transaction<result<E>>(on, [&](hook_context& context, const auto& runs_on) -> result<E> {
    E changed = given;
    BOOST_OUTCOME_TRY(before_update(context, changed));
    BOOST_OUTCOME_TRY(auto stored, update_row(*runs_on, changed));
    BOOST_OUTCOME_TRY(audit_update(runs_on, audit_action::update, stored));
    BOOST_OUTCOME_TRY(after_update(context, stored));
    return stored;
  });
}

template <entity E>
[[nodiscard]] result<E> patch(const std::shared_ptr<executor>& on, const key_of_entity<E>& key,
                              std::span<const assignment_view> sets) {
  if (!has_before_patch<E> && !has_after_update<E> && on->auditor() == nullptr) return patch_row<E>(*on, key, sets);
  return in_transaction<result<E>>(on, [&](hook_context& context, const auto& runs_on) -> result<E> {
    BOOST_OUTCOME_TRY(before_patch<E>(context, key));
    BOOST_OUTCOME_TRY(auto stored, patch_row<E>(*runs_on, key, sets));
    BOOST_OUTCOME_TRY(audit_row(runs_on, audit_action::patch, stored, [&](const column_info& column) {
      for (const assignment_view& set : sets) {
        if (set.column->name == column.name) return true;
      }
      return false;
    }));
    BOOST_OUTCOME_TRY(after_update(context, stored));
    return stored;
  });
}

/// `write(executor)` removes, restores or purges the row of this key.
template <entity E, audit_action Action, class Write>
[[nodiscard]] result<void> by_key(const std::shared_ptr<executor>& on, const key_of_entity<E>& key,
                                  const Write& write) {
  if (!hooks_by_key<E, Action> && on->auditor() == nullptr) return write(*on);
  return in_transaction<result<void>>(on, [&](hook_context& context, const auto& runs_on) -> result<void> {
    BOOST_OUTCOME_TRY((before_by_key<E, Action>(context, key)));
    BOOST_OUTCOME_TRY(write(*runs_on));
    BOOST_OUTCOME_TRY(audit_key<E>(runs_on, Action, key));
    return after_by_key<E, Action>(context, key);
  });
}
template <entity E, audit_action Action>
[[nodiscard]] result<void> by_key(const std::shared_ptr<executor>& on, const statement& what,
                                  const key_of_entity<E>& key) {
  return by_key<E, Action>(on, key, [&](executor& runs_on) { return write_by_key<E>(runs_on, what, key); });
}
template <entity E, audit_action Action>
[[nodiscard]] result<void> as_read(const std::shared_ptr<executor>& on, const statement& what, const statement& exists,
                                   const E& read) {
  return by_key<E, Action>(on, key_of(read),
                           [&](executor& runs_on) { return write_as_read<E>(runs_on, what, exists, read); });
}

template <entity E>
[[nodiscard]] result<void> after_upsert(hook_context& context, const std::shared_ptr<executor>& on, const E& stored,
                                        bool inserted) {
  BOOST_OUTCOME_TRY(inserted ? audit_insert(on, stored) : audit_update(on, audit_action::upsert, stored));
  return inserted ? after_insert(context, stored) : after_update(context, stored);
}

/// `write(executor, entity)` is one of the upserts.
template <entity E, class Write>
[[nodiscard]] result<upserted<E>> upsert_one(const std::shared_ptr<executor>& on, const E& given, const Write& write) {
  BOOST_OUTCOME_TRY(validate(given, statement_name<E, action::upsert>));
  if (!hooks_upserts<E> && on->auditor() == nullptr) return write(*on, given);
  using done_type = upserted<E>;
  return in_transaction<result<done_type>>(on, [&](hook_context& context, const auto& runs_on) -> result<done_type> {
    E added = given;
    BOOST_OUTCOME_TRY(before_insert(context, added));
    BOOST_OUTCOME_TRY(auto done, write(*runs_on, added));
    BOOST_OUTCOME_TRY(after_upsert(context, runs_on, done.row, done.inserted));
    return done;
  });
}

template <entity E, class Target>
[[nodiscard]] result<std::vector<upserted<E>>> upsert_each(const std::shared_ptr<executor>& on,
                                                           std::span<const E> given) {
  BOOST_OUTCOME_TRY(validate_each(given, statement_name<E, action::upsert_many>));
  if ((!hooks_upserts<E> && on->auditor() == nullptr) || given.empty()) return upsert_many<E, Target>(on, given);
  using rows_type = std::vector<upserted<E>>;
  return in_transaction<result<rows_type>>(on, [&](hook_context& context, const auto& runs_on) -> result<rows_type> {
    std::vector<E> added(given.begin(), given.end());
    for (E& each : added) {
      BOOST_OUTCOME_TRY(before_insert(context, each));
    }
    BOOST_OUTCOME_TRY(auto done, (upsert_many<E, Target>(runs_on, added)));
    for (const upserted<E>& each : done) {
      BOOST_OUTCOME_TRY(after_upsert(context, runs_on, each.row, each.inserted));
    }
    return done;
  });
}

/// An insert that leaves a row alone that is there already: `write(executor, entity)` answers an optional entity or an
/// `upserted` one.
template <entity E, class Write>
[[nodiscard]] auto insert_unless_there(const std::shared_ptr<executor>& on, const E& given, std::string_view name,
                                       const Write& write) -> decltype(write(*on, given)) {
  using outcome_type = decltype(write(*on, given));
  BOOST_OUTCOME_TRY(validate(given, name));
  if (!hooks_inserts<E> && on->auditor() == nullptr) return write(*on, given);
  return in_transaction<outcome_type>(on, [&](hook_context& context, const auto& runs_on) -> outcome_type {
    E added = given;
    BOOST_OUTCOME_TRY(before_insert(context, added));
    BOOST_OUTCOME_TRY(auto done, write(*runs_on, added));
    const E* stored = nullptr;
    if constexpr (std::is_same_v<decltype(done), upserted<E>>) {
      if (done.inserted) stored = &done.row;
    } else {
      if (done) stored = &*done;
    }
    if (stored != nullptr) {
      BOOST_OUTCOME_TRY(audit_insert(runs_on, *stored));
      BOOST_OUTCOME_TRY(after_insert(context, *stored));
    }
    return done;
  });
}

}  // namespace breakwater::detail
