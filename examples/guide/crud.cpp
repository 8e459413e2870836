// The operations of a repository: docs/guide/repositories.md.

#include "guide.hpp"

using guide::expect;

// [entity]
struct Account {
  std::int64_t id{};
  std::string owner{};
  bw::numeric balance{};
  std::int32_t version{};
  std::optional<bw::timestamptz> deleted_at{};
};

template <>
inline constexpr auto breakwater::mapping<Account> = bw::table(
    "accounts", bw::column<&Account::id>("id", bw::primary_key, bw::generated), bw::column<&Account::owner>("owner"),
    bw::column<&Account::balance>("balance"), bw::column<&Account::version>("version", bw::version),
    bw::column<&Account::deleted_at>("deleted_at", bw::soft_delete));
// [/entity]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(
      guide::prepare(session, {"drop table if exists accounts",
                               "create table accounts (id bigint generated always as identity primary key,"
                               " owner text not null constraint one_account_each unique,"
                               " balance numeric(12, 2) not null check (balance >= 0),"
                               " version int not null, deleted_at timestamptz)"}));

  // [read_write]
  auto accounts = session.repository<Account>();
  BOOST_OUTCOME_TRY(auto ada, accounts.insert({.owner = "ada", .balance = bw::numeric{"10.00"}}));
  expect(ada.id > 0 && ada.version == 1);

  BOOST_OUTCOME_TRY(const Account same, accounts.get(ada.id));  // or errc::not_found
  expect(same.owner == "ada");
  BOOST_OUTCOME_TRY(const std::optional<Account> nobody, accounts.find(-1));  // no error
  expect(!nobody);
  BOOST_OUTCOME_TRY(const bool there, accounts.exists(ada.id));
  expect(there);

  ada.balance = ada.balance + 5;
  BOOST_OUTCOME_TRY(ada, accounts.update(ada));  // the row as it is now: version 2
  expect(ada.version == 2 && ada.balance == bw::numeric{"15.00"});
  // [/read_write]

  // [stale]
  Account outdated = same;  // version 1, as it was read
  outdated.owner = "grace";
  const auto lost = accounts.update(outdated);
  expect(lost.error() == bw::errc::stale_version);    // another writer was faster
  expect(lost.error().applied() == bw::applied::no);  // and nothing was changed
  // [/stale]

  // [patch]
  // Whatever its version:
  BOOST_OUTCOME_TRY(ada, accounts.patch(ada.id, bw::set<&Account::owner>("ada l.")));
  // Only over the version that was read:
  BOOST_OUTCOME_TRY(ada, accounts.patch(ada.id, bw::set<&Account::balance>(bw::numeric{"20"}),
                                        bw::set<&Account::version>(ada.version)));
  expect(ada.version == 4);
  // [/patch]

  // [errors]
  const auto twice = accounts.insert({.owner = "ada l."});
  expect(twice.error() == bw::errc::unique_violation);
  expect(twice.error().constraint() == "one_account_each");
  expect(twice.error().statement() == "accounts.insert");
  const auto broke = accounts.patch(ada.id, bw::set<&Account::balance>(bw::numeric{"-1"}));
  expect(broke.error() == bw::errc::check_violation);
  // [/errors]

  // [trash]
  BOOST_OUTCOME_TRY(accounts.remove(ada.id));  // a soft_delete column: the row goes into the trash
  expect(accounts.get(ada.id).error() == bw::errc::not_found);
  expect(accounts.update(ada).error() == bw::errc::not_found);  // never a resurrection
  BOOST_OUTCOME_TRY(const auto trashed, accounts.only_trashed().all());
  expect(trashed.size() == 1);

  BOOST_OUTCOME_TRY(accounts.restore(ada.id));
  BOOST_OUTCOME_TRY(accounts.purge(ada.id));  // deletes the row for good, in the trash or not
  BOOST_OUTCOME_TRY(const auto rows, accounts.with_trashed().count());
  expect(rows == 0);
  // [/trash]
  return bw::success();
}

int main() { return guide::run(topic); }
