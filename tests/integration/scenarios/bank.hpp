#pragma once

#include "support.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// A bank: customers with accounts, entries in these, and payments with rules of their own.
namespace scenarios {

struct Account;

/// A uuid made by the database as its key, a default, times, a version and a trash.
struct Customer {
  bw::uuid id{};
  std::string email{};
  std::string name{};
  std::string region{};
  std::int32_t version{};
  std::optional<bw::timestamptz> created_at{};
  std::optional<bw::timestamptz> updated_at{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::many<Account> accounts{};
};

struct Account {
  std::int64_t id{};
  bw::uuid customer_id{};
  std::string label{};
  bw::numeric balance{};
  std::int32_t version{};
  std::optional<bw::timestamptz> updated_at{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::one<Customer> customer{};
};

/// A key of two columns; no version, no times, no trash.
struct Entry {
  std::int64_t account_id{};
  std::int32_t number{};
  bw::numeric amount{};
  std::optional<std::string> note{};
};

/// Has rules, and writes a journal.
struct Payment {
  std::int64_t id{};
  std::string payee{};
  bw::numeric amount{};
  std::int32_t version{};
};

/// The tables of all of them, made anew. made_by, which is not mapped, is the transaction that a row was inserted in,
/// whatever savepoint it was in.
[[nodiscard]] std::span<const std::string_view> bank_schema();
/// Leaves them empty.
inline constexpr std::string_view empty_bank =
    "truncate customers, accounts, entries, payments, journal restart identity";

/// What the hooks of payments did, in order, and the one that shall fail.
struct hook_script {
  std::vector<std::string> calls{};
  std::string fails{};
};
inline hook_script script;

}  // namespace scenarios

template <>
inline constexpr auto breakwater::mapping<scenarios::Customer> = bw::table(
    "customers", bw::column<&scenarios::Customer::id>("id", bw::primary_key, bw::generated),
    bw::column<&scenarios::Customer::email>("email", bw::unique), bw::column<&scenarios::Customer::name>("name"),
    bw::column<&scenarios::Customer::region>("region", bw::defaulted),
    bw::column<&scenarios::Customer::version>("version", bw::version),
    bw::column<&scenarios::Customer::created_at>("created_at", bw::created_at),
    bw::column<&scenarios::Customer::updated_at>("updated_at", bw::updated_at),
    bw::column<&scenarios::Customer::deleted_at>("deleted_at", bw::soft_delete),
    bw::has_many<&scenarios::Customer::accounts, &scenarios::Account::customer_id>());

template <>
inline constexpr auto breakwater::mapping<scenarios::Account> =
    bw::table("accounts", bw::column<&scenarios::Account::id>("id", bw::primary_key, bw::generated),
              bw::column<&scenarios::Account::customer_id>("customer_id"),
              bw::column<&scenarios::Account::label>("label"), bw::column<&scenarios::Account::balance>("balance"),
              bw::column<&scenarios::Account::version>("version", bw::version),
              bw::column<&scenarios::Account::updated_at>("updated_at", bw::updated_at),
              bw::column<&scenarios::Account::deleted_at>("deleted_at", bw::soft_delete),
              bw::belongs_to<&scenarios::Account::customer, &scenarios::Account::customer_id>());

template <>
inline constexpr auto breakwater::mapping<scenarios::Entry> =
    bw::table("entries", bw::column<&scenarios::Entry::account_id>("account_id", bw::primary_key),
              bw::column<&scenarios::Entry::number>("number", bw::primary_key),
              bw::column<&scenarios::Entry::amount>("amount"), bw::column<&scenarios::Entry::note>("note"));

template <>
inline constexpr auto breakwater::mapping<scenarios::Payment> =
    bw::table("payments", bw::column<&scenarios::Payment::id>("id", bw::primary_key, bw::generated),
              bw::column<&scenarios::Payment::payee>("payee"), bw::column<&scenarios::Payment::amount>("amount"),
              bw::column<&scenarios::Payment::version>("version", bw::version));

template <>
struct breakwater::hooks<scenarios::Payment> {
  using Payment = scenarios::Payment;

  static void validate(const Payment& given, bw::validation& check) {
    check.that<&Payment::payee>(!given.payee.empty(), "must not be empty");
    check.that<&Payment::amount>(given.amount > 0, "must be positive");
  }
  static bw::result<void> before_insert(bw::hook_context& context, Payment& /*given*/) {
    return note(context, "before_insert");
  }
  static bw::result<void> after_insert(bw::hook_context& context, const Payment& /*stored*/) {
    return note(context, "after_insert");
  }
  static bw::result<void> before_update(bw::hook_context& context, Payment& /*given*/) {
    return note(context, "before_update");
  }
  static bw::result<void> before_patch(bw::hook_context& context, const std::int64_t& /*key*/) {
    return note(context, "before_patch");
  }
  static bw::result<void> after_update(bw::hook_context& context, const Payment& /*stored*/) {
    return note(context, "after_update");
  }
  static bw::result<void> before_remove(bw::hook_context& context, const std::int64_t& /*key*/) {
    return note(context, "before_remove");
  }
  static bw::result<void> after_remove(bw::hook_context& context, const std::int64_t& /*key*/) {
    return note(context, "after_remove");
  }

 private:
  static bw::result<void> note(bw::hook_context& context, const std::string& name) {
    scenarios::script.calls.push_back(name);
    BOOST_OUTCOME_TRY(context.execute("insert into journal (line) values (?)", name));
    if (name == scenarios::script.fails) return bw::error(bw::errc::validation_failed, "the hook said no");
    return bw::success();
  }
};
