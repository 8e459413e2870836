#include "workload.hpp"

#include <random>
#include <string>

namespace ledger {
namespace {

using namespace std::chrono_literals;

/// Generous, because the demonstration counts every error: on a busy machine all accounts share a page or two, and a
/// replica that replays changes to them can make a reader wait for seconds.
constexpr auto patience = 10s;

enum class outcome { done, no_funds };

/// One attempt: both accounts as they are read, both stored only if nobody changed them meanwhile.
bw::result<outcome> book(const bw::database& db, const bw::uuid& id, std::int64_t from, std::int64_t to,
                         const bw::numeric& amount) {
  // Guarded: where the answer to a COMMIT is lost, with the primary for one, what became of it is found out.
  bw::session session = db.session({.timeout = patience, .outcome_guard = true});
  return session.transact([&](bw::transaction& tx) -> bw::result<outcome> {
    auto accounts = tx.repository<account>();
    BOOST_OUTCOME_TRY(auto payer, accounts.get(from));
    BOOST_OUTCOME_TRY(auto payee, accounts.get(to));
    if (payer.balance < amount) return outcome::no_funds;
    payer.balance = payer.balance - amount;
    payee.balance = payee.balance + amount;
    // In the order of their keys, so that two transfers the opposite way do not wait for each other.
    account& first = from < to ? payer : payee;
    account& second = from < to ? payee : payer;
    BOOST_OUTCOME_TRY(accounts.update(first));
    BOOST_OUTCOME_TRY(accounts.update(second));
    BOOST_OUTCOME_TRY(tx.repository<transfer>().insert({.id = id, .from = from, .to = to, .amount = amount}));
    return outcome::done;
  });
}

}  // namespace

bw::result<std::vector<std::int64_t>> open_accounts(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(
      session.execute("create table accounts (id bigint generated always as identity primary key, "
                      "owner text not null, balance numeric(12, 2) not null check (balance >= 0), "
                      "version int not null, deleted_at timestamptz)"));
  BOOST_OUTCOME_TRY(
      session.execute("create table transfers (id uuid primary key, "
                      "\"from\" bigint not null references accounts, "
                      "\"to\" bigint not null references accounts, "
                      "amount numeric(12, 2) not null, booked_at timestamptz not null)"));
  BOOST_OUTCOME_TRY((db.verify<account, transfer>()));  // the macro would take the comma for its own

  std::vector<std::int64_t> keys;
  auto accounts = session.repository<account>();
  for (std::size_t i = 0; i < account_count; ++i) {
    BOOST_OUTCOME_TRY(const auto opened,
                      accounts.insert({.owner = "owner " + std::to_string(i), .balance = opening_balance}));
    keys.push_back(opened.id);
  }
  return keys;
}

void transfer_money(const bw::database& db, const std::vector<std::int64_t>& accounts, std::uint32_t seed,
                    statistics& seen, const std::stop_token& stop) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> any_account(0, accounts.size() - 1);
  std::uniform_int_distribution<int> any_amount(1, 10'000);
  while (!stop.stop_requested()) {
    const std::int64_t from = accounts[any_account(random)];
    const std::int64_t to = accounts[any_account(random)];
    if (from == to) continue;
    const bw::numeric amount = bw::numeric(any_amount(random)) * bw::numeric{"0.01"};
    const bw::uuid id = bw::uuid::time_ordered();
    for (;;) {
      const auto booked = book(db, id, from, to, amount);
      if (!booked && booked.error().code() == bw::errc::stale_version) {
        ++seen.conflicts;
        continue;  // read both again and try anew
      }
      if (!booked) {
        seen.note_failed_transfer(id, booked.error());
      } else if (booked.value() == outcome::no_funds) {
        ++seen.refused;
      } else {
        seen.note_transfer(id);
      }
      break;
    }
  }
}

void look_around(const bw::database& db, const std::vector<std::int64_t>& accounts, std::uint32_t seed,
                 statistics& seen, const std::stop_token& stop) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> any_account(0, accounts.size() - 1);
  for (std::uint64_t round = 0; !stop.stop_requested(); ++round) {
    const bw::session session = db.session({.timeout = patience});
    const auto repository = session.repository<account>();
    bw::result<void> looked = bw::success();
    if (round % 10 == 0) {
      auto richest = repository.where(bw::col<&account::balance> >= opening_balance)
                         .order_by(bw::desc<&account::balance>, bw::asc<&account::id>)
                         .limit(10)
                         .all();
      if (!richest) looked = std::move(richest).error();
    } else {
      auto one = repository.get(accounts[any_account(random)]);
      if (!one) looked = std::move(one).error();
    }
    ++seen.reads;
    if (!looked) seen.note_failed_read(looked.error());
  }
}

}  // namespace ledger
