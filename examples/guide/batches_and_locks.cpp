// Batches, what is called at a transaction's end, advisory locks: docs/guide/transactions.md, "Batches" and
// after; and docs/guide/raw_sql.md, "Lists".

#include "guide.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Order {
  std::int64_t id{};
  std::string customer{};
  bw::numeric total{};
};

struct CustomerTotal {
  std::string customer;
  bw::numeric total;
};

/// A message queue that wants to hear of orders.
struct queue {
  std::vector<std::string> sent;
  void publish(std::string what) { sent.push_back(std::move(what)); }
};

}  // namespace

template <>
inline constexpr auto breakwater::mapping<Order> =
    bw::table("orders", bw::column<&Order::id>("id", bw::primary_key, bw::generated),
              bw::column<&Order::customer>("customer"), bw::column<&Order::total>("total"));

namespace {

using guide::expect;

bw::result<void> batches(bw::session& session) {
  // [batch]
  bw::batch b = session.batch();
  const auto totals = b.add<CustomerTotal>(
      session.query("select customer, sum(total) total from orders group by customer order by customer"));
  const auto count = b.one<std::int64_t>(session.query("select count(*) from orders where total > ?", 5));
  const auto first = b.find<Order>(1);
  const auto raised = b.add(session.query("update orders set total = total + 1 where customer = ?", "ada"));

  BOOST_OUTCOME_TRY(const auto answers, b.run());  // one round trip, all or nothing
  BOOST_OUTCOME_TRY(const std::vector<CustomerTotal> per_customer, answers.get(totals));
  BOOST_OUTCOME_TRY(const std::int64_t large, answers.get(count));
  BOOST_OUTCOME_TRY(const std::optional<Order> order, answers.get(first));
  BOOST_OUTCOME_TRY(const std::size_t changed, answers.get(raised));
  // [/batch]
  expect(per_customer.size() == 2 && large == 1 && order->customer == "ada" && changed == 1);
  return bw::success();
}

bw::result<void> failing_batch(bw::session& session) {
  // [batch-error]
  bw::batch b = session.batch();
  b.add(session.query("insert into orders (customer, total) values ('eve', 1)").named("orders.add"));
  b.add(session.query("insert into orders (customer, total) values ('eve', -1)").named("orders.add"));
  const auto refused = b.run();
  expect(refused.error() == bw::errc::check_violation);
  expect(refused.error().statement() == "orders.add");   // and its message says that it is number 2 of 2
  expect(refused.error().applied() == bw::applied::no);  // nothing of the batch is
  // [/batch-error]
  return bw::success();
}

bw::result<void> at_the_end(bw::session& session, queue& outbox) {
  // [on-commit]
  BOOST_OUTCOME_TRY(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(const Order placed,
                      tx.repository<Order>().insert({.customer = "eve", .total = bw::numeric{"7"}}));
    tx.on_commit([&outbox, id = placed.id] { outbox.publish("order " + std::to_string(id)); });
    tx.on_rollback([&outbox] { outbox.publish("never mind"); });
    return bw::success();
  }));
  // [/on-commit]
  expect(outbox.sent.size() == 1 && outbox.sent[0].starts_with("order "));
  return bw::success();
}

bw::result<void> locks(bw::session& session) {
  // [lock]
  BOOST_OUTCOME_TRY(session.with_advisory_lock("invoices/2026", [](bw::transaction& tx) -> bw::result<void> {
    // One at a time, in all programs that use this key on this database.
    BOOST_OUTCOME_TRY(tx.execute("update orders set total = total * 2"));
    return bw::success();
  }));
  // [/lock]
  // [try-lock]
  BOOST_OUTCOME_TRY(session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(const bool mine, tx.try_advisory_lock("nightly report"));  // does not wait
    if (!mine) return bw::success();                                             // somebody else is at it
    auto waited = tx.advisory_lock({7, 42}, {.timeout = 50ms});                  // waits, but not for long
    if (!waited && waited.error() == bw::errc::lock_not_available) return bw::success();
    return waited;
  }));
  // [/try-lock]
  return bw::success();
}

bw::result<void> lists(bw::session& session) {
  // [lists]
  const std::vector<std::string> wanted{"ada", "bob"};
  BOOST_OUTCOME_TRY(const auto theirs,
                    session.query("select count(*) from orders where customer in (:names)", bw::arg("names", wanted))
                        .one<std::int64_t>());
  BOOST_OUTCOME_TRY(
      const auto others,
      session.query("select count(*) from orders where customer not in ('nobody', ?)", wanted).one<std::int64_t>());
  // [/lists]
  expect(theirs == 2 && others == 1);
  return bw::success();
}

}  // namespace

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(
      session, {"drop table if exists orders",
                "create table orders (id bigint generated always as identity primary key, customer text not null, "
                "total numeric(12, 2) not null check (total >= 0))",
                "insert into orders (customer, total) values ('ada', 10), ('bob', 5)"}));
  queue outbox;
  BOOST_OUTCOME_TRY(batches(session));
  BOOST_OUTCOME_TRY(failing_batch(session));
  BOOST_OUTCOME_TRY(at_the_end(session, outbox));
  BOOST_OUTCOME_TRY(locks(session));
  BOOST_OUTCOME_TRY(lists(session));
  return bw::success();
}

int main() { return guide::run(topic); }
