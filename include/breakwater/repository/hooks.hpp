#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/hook_traits.hpp>
#include <breakwater/repository/raw_query.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Your code around an entity's reads and writes, found at compile time; what is left out costs nothing.
///
///     template <>
///     struct breakwater::hooks<Account> {
///       static void validate(const Account& given, bw::validation& check) {
///         check.that(!given.owner.empty(), "owner", "must not be empty");
///       }
///       static bw::result<void> after_insert(bw::hook_context& context, const Account& stored) {
///         return context.execute("insert into news (text) values (?)", "account " + std::to_string(stored.id));
///       }
///     };
///
/// Static functions, none of them overloaded, in the order in which they run:
///
/// | function | around | parameters |
/// |---|---|---|
/// | `validate` | insert, insert_many, update, upsert, find_or_insert; before anything is sent | `const E&, validation&` |
/// | `before_insert` | insert, insert_many, upsert, find_or_insert | `hook_context&, E&` |
/// | `after_insert` | the same, where a row was inserted | `hook_context&, const E&`, as stored |
/// | `before_update` | update | `hook_context&, E&` |
/// | `before_patch` | patch, which has no entity before | `hook_context&, const Key&` |
/// | `after_update` | update, patch; upsert of a row that was there | `hook_context&, const E&`, as stored |
/// | `before_remove`, `after_remove` | remove | `hook_context&, const Key&` |
/// | `before_restore`, `after_restore` | restore | the same |
/// | `before_purge`, `after_purge` | purge | the same |
/// | `after_load` | every entity read from a row, those that writes return included | `E&`; returns void |
///
/// All but `validate` and `after_load` return `bw::result<void>`. They run once, inside the transaction of the write: a
/// session's single write then becomes one, and takes a round trip more for its COMMIT. An error of a hook, or an
/// exception, undoes the write and all that hooks did. `Key` is `repository<E>::key_type`.
///
/// Bulk statements over a condition (`update_all`, `delete_all`, `purge_all`), COPY and raw SQL name no rows and run no
/// hooks. The specialisation has to be seen wherever the entity is used, as its mapping.
///
/// Hooks are called on the callers' threads, by many at once.
namespace breakwater {

template <entity E>
class repository;

/// Where a hook or an auditor works: on the connection, and in the transaction, of the write that it belongs to.
///
/// Valid during the call. What is made from it is part of the transaction; its writes run hooks of their own.
class hook_context {
 public:
  explicit hook_context(std::shared_ptr<executor> on) noexcept : on_(std::move(on)) {}

  template <entity E>
  [[nodiscard]] breakwater::repository<E> repository() const {
    return breakwater::repository<E>(on_);
  }
  /// Raw SQL; see `raw_query`.
  template <class... Args>
  [[nodiscard]] raw_query query(std::string_view sql, const Args&... args) const {
    return raw_query(on_, sql, args...);
  }
  /// Runs raw SQL. The number of rows affected is not told; for that, `query(...).execute()`.
  template <class... Args>
  [[nodiscard]] result<void> execute(std::string_view sql, const Args&... args) const {
    BOOST_OUTCOME_TRY(query(sql, args...).execute());
    return success();
  }
  /// `session_options::actor`.
  [[nodiscard]] std::string_view actor() const noexcept { return on_->actor(); }

 private:
  std::shared_ptr<executor> on_;
};

/// Collects what is wrong with an entity: all of it, so that a form can show everything at once.
///
///     check.that(account.balance >= 0, "balance", "must not be negative");
///     check.that<&Account::owner>(!account.owner.empty(), "must not be empty");   // under the column's name
///
/// A write of an entity with failures is `errc::validation_failed`: its message lists them, `error::failures()` has them
/// one by one. The texts are shown as they are: keep values that are nobody's business out of them.
class validation {
 public:
  /// Notes `text` against `field` where the condition does not hold. Returns the condition.
  bool that(bool holds, std::string_view field, std::string_view text);
  /// The same against the member's column.
  template <auto Member>
  bool that(bool holds, std::string_view text) {
    static_assert(detail::mapped_member<Member>, "breakwater: this member is not mapped");
    return that(holds, detail::info_of<Member>.name, text);
  }
  [[nodiscard]] bool passed() const noexcept { return failures_.empty(); }

  /// \name For the library's own use.
  /// @{
  void at_row(std::size_t number) noexcept { row_ = number; }
  [[nodiscard]] result<void> outcome(std::string_view statement, std::string_view table) &&;
  /// @}

 private:
  std::vector<validation_failure> failures_;
  std::size_t row_ = 0;
};

}  // namespace breakwater
