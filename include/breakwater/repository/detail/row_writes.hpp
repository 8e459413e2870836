#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>

#include <cstdint>
#include <span>

/// Writes of single rows, one statement each. For the library's own use.
namespace breakwater::detail {

/// A write that has to return a row returned none.
[[nodiscard]] error suppressed(const executor& on, const statement& what);

template <entity E>
[[nodiscard]] result<E> insert_row(executor& on, const E& added) {
  binder values;
  const std::uint64_t use_default = bind_insert(values, added);
  run_time_statement made;
  if (use_default != 0) {
    made = insert_with_defaults(view_of<E>, use_default, values.values, statement_name<E, action::insert>);
  }
  const statement what = use_default == 0 ? statements<E>::insert : made.view();
  BOOST_OUTCOME_TRY(const auto answer, execute(on, what, values));
  if (answer.empty()) return suppressed(on, what);
  return decode_written<E>(on, answer, what);
}

/// A write found no row: is there one, of another version? `exists` finds the row whatever its version.
template <entity E>
[[nodiscard]] error why_no_row(executor& on, const key_of_entity<E>& key, const statement& exists,
                               const statement& what) {
  binder values;
  bind_key<E>(values, key);
  return stale_or_missing(on, exists, values, what);
}

template <entity E>
[[nodiscard]] result<E> update_row(executor& on, const E& changed) {
  constexpr const statement& what = statements<E>::update;
  binder values;
  bind_update(values, changed);
  BOOST_OUTCOME_TRY(const auto answer, execute(on, what, values));
  if (!answer.empty()) return decode_written<E>(on, answer, what);
  if constexpr (is_versioned<E>) return why_no_row<E>(on, key_of(changed), statements<E>::exists, what);
  return no_such_row(what);
}

template <entity E>
[[nodiscard]] result<E> patch_row(executor& on, const key_of_entity<E>& key, std::span<const assignment_view> sets) {
  binder key_values;
  bind_key<E>(key_values, key);
  BOOST_OUTCOME_TRY(const auto made, make_patch(view_of<E>, sets, key_values.values, statement_name<E, action::patch>));
  BOOST_OUTCOME_TRY(const auto answer, on.execute(made.view(), made.values));
  if (!answer.empty()) return decode_written<E>(on, answer, made.view());
  if (!made.checks_version) return no_such_row(made.view());
  return why_no_row<E>(on, key, statements<E>::exists, made.view());
}

/// A removal, a restoration or a purge.
template <entity E>
[[nodiscard]] result<void> write_by_key(executor& on, const statement& what, const key_of_entity<E>& key) {
  binder values;
  bind_key<E>(values, key);
  BOOST_OUTCOME_TRY(const auto answer, execute(on, what, values));
  if (answer.affected() == 0) return no_such_row(what);
  return success();
}
/// The same over the very version that was read.
template <entity E>
[[nodiscard]] result<void> write_as_read(executor& on, const statement& what, const statement& exists, const E& read) {
  binder values;
  bind_key<E>(values, key_of(read));
  bind_version(values, read);
  BOOST_OUTCOME_TRY(const auto answer, execute(on, what, values));
  if (answer.affected() > 0) return success();
  return why_no_row<E>(on, key_of(read), exists, what);
}

}  // namespace breakwater::detail
