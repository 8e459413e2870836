#include "bank.hpp"

namespace scenarios {

std::span<const std::string_view> bank_schema() {
  // Each statement is several literals.
  // NOLINTBEGIN(bugprone-suspicious-missing-comma)
  static constexpr std::string_view statements[] = {
      "drop table if exists customers, accounts, entries, payments, journal cascade",
      "create table customers (id uuid primary key default gen_random_uuid(), email text not null unique,"
      " name text not null, region text not null default 'north', version int not null,"
      " created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz)",
      "create table accounts (id bigint generated always as identity primary key,"
      " customer_id uuid not null references customers, label text not null, balance numeric(20, 8) not null,"
      " version int not null, updated_at timestamptz not null, deleted_at timestamptz)",
      "create table entries (account_id bigint, number int, amount numeric(20, 8) not null, note text,"
      " made_by bigint not null default txid_current(),"
      " primary key (account_id, number))",
      "create table payments (id bigint generated always as identity primary key, payee text not null,"
      " amount numeric(20, 8) not null, version int not null,"
      " made_by bigint not null default txid_current())",
      "create table journal (at bigint generated always as identity primary key, line text not null,"
      " made_by bigint not null default txid_current())"};
  // NOLINTEND(bugprone-suspicious-missing-comma)
  return statements;
}

}  // namespace scenarios
