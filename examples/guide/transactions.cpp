// Transactions: docs/guide/transactions.md.

#include "guide.hpp"

#include <pqxx/pqxx>

#include <utility>

using guide::expect;

struct Purse {
  std::int64_t id{};
  std::int64_t cents{};
};

template <>
inline constexpr auto breakwater::mapping<Purse> = bw::table("purses", bw::column<&Purse::id>("id", bw::primary_key),
                                                             bw::column<&Purse::cents>("cents"));

// [business_error]
struct transfer_error {
  enum class reason { no_funds, database } why;
  bw::error cause;

  explicit transfer_error(reason r) : why(r), cause(bw::errc::validation_failed) {}
  // What transact needs:
  transfer_error(bw::error from) : why(reason::database), cause(std::move(from)) {}
};
template <class T>
using transfer_result = boost::outcome_v2::basic_result<T, transfer_error, boost::outcome_v2::policy::all_narrow>;
// [/business_error]

// [transfer]
transfer_result<std::int64_t> transfer(bw::session session, std::int64_t from, std::int64_t to, std::int64_t cents) {
  return session.transact(
      [&](bw::transaction& tx) -> transfer_result<std::int64_t> {
        auto purses = tx.repository<Purse>();  // everything made from tx runs on its one connection
        BOOST_OUTCOME_TRY(auto payer, purses.get(from));
        BOOST_OUTCOME_TRY(auto payee, purses.get(to));
        // Rolls back:
        if (payer.cents < cents) return transfer_error(transfer_error::reason::no_funds);
        payer.cents -= cents;
        payee.cents += cents;
        BOOST_OUTCOME_TRY(purses.update(payer));
        BOOST_OUTCOME_TRY(purses.update(payee));
        return payer.cents;  // commits
      },
      {.isolation = bw::isolation::serializable, .max_attempts = 5});
}
// [/transfer]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(
      session, {"drop table if exists purses", "create table purses (id bigint primary key, cents bigint not null)"}));
  BOOST_OUTCOME_TRY(session.repository<Purse>().insert({.id = 1, .cents = 100}));
  BOOST_OUTCOME_TRY(session.repository<Purse>().insert({.id = 2, .cents = 0}));

  // [outcomes]
  const auto paid = transfer(db.session(), 1, 2, 40);
  expect(paid.has_value() && paid.assume_value() == 60);  // committed
  const auto refused = transfer(db.session(), 1, 2, 1000);
  expect(refused.has_error() && refused.assume_error().why == transfer_error::reason::no_funds);
  const auto nobody = transfer(db.session(), 1, 3, 10);
  expect(nobody.has_error() && nobody.assume_error().cause == bw::errc::not_found);
  // [/outcomes]

  // [savepoint]
  BOOST_OUTCOME_TRY(session.transact([](bw::transaction& tx) -> bw::result<void> {
    auto purses = tx.repository<Purse>();
    BOOST_OUTCOME_TRY(purses.insert({.id = 3, .cents = 5}));
    const auto inner = tx.transact([&](bw::transaction& same) -> bw::result<void> {
      BOOST_OUTCOME_TRY(same.execute("update purses set cents = 0"));
      BOOST_OUTCOME_TRY(purses.insert({.id = 1, .cents = 5}));  // fails: there is one
      return bw::success();
    });
    // Undone to the savepoint; the rest goes on.
    expect(inner.error() == bw::errc::unique_violation);
    return bw::success();
  }));
  BOOST_OUTCOME_TRY(const auto sum, session.query("select sum(cents)::bigint from purses").one<std::int64_t>());
  expect(sum == 105);
  // [/savepoint]

  // [guard]
  auto outside = session.repository<Purse>();
  BOOST_OUTCOME_TRY(session.transact([&](bw::transaction&) -> bw::result<void> {
    // Captured by mistake: it would run elsewhere.
    expect(outside.get(1).error() == bw::errc::unsafe_operation);
    return bw::success();
  }));
  // [/guard]

  // [native]
  BOOST_OUTCOME_TRY(session.transact([](bw::transaction& tx) -> bw::result<void> {
    const pqxx::result moved =
        tx.native().exec("update purses set cents = cents + $1 where id = $2", pqxx::params{5, 2});
    expect(moved.affected_rows() == 1);
    BOOST_OUTCOME_TRY(const Purse second, tx.repository<Purse>().get(2));
    expect(second.cents == 45);  // the same transaction
    return bw::success();
  }));
  // [/native]
  return bw::success();
}

int main() { return guide::run(topic); }
