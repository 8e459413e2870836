// Your code around writes, validation, audit: docs/guide/hooks.md.

#include "guide.hpp"

using guide::expect;

struct Order {
  std::int64_t id{};
  std::string customer{};
  bw::numeric total{};
};
template <>
inline constexpr auto breakwater::mapping<Order> =
    bw::table("orders", bw::column<&Order::id>("id", bw::primary_key, bw::generated),
              bw::column<&Order::customer>("customer", bw::sensitive), bw::column<&Order::total>("total"));

struct OutboxLine {
  std::int64_t id{};
  std::string text{};
};
template <>
inline constexpr auto breakwater::mapping<OutboxLine> = bw::table(
    "outbox", bw::column<&OutboxLine::id>("id", bw::primary_key, bw::generated), bw::column<&OutboxLine::text>("text"));

// [hooks]
template <>
struct breakwater::hooks<Order> {
  static void validate(const Order& given, bw::validation& check) {
    check.that<&Order::customer>(!given.customer.empty(), "must not be empty");
    check.that(given.total > 0, "total", "must be positive");
  }
  static bw::result<void> after_insert(bw::hook_context& context, const Order& stored) {
    // In the same transaction: the order is never stored without its line, nor the line without its order.
    BOOST_OUTCOME_TRY(context.repository<OutboxLine>().insert({.text = "order " + std::to_string(stored.id)}));
    return bw::success();
  }
};
// [/hooks]

// [auditor]
struct AuditLog : bw::auditor {
  bw::result<void> on_change(bw::hook_context& context, const bw::audit_event& event) override {
    for (const bw::audit_change& change : event.changes) {
      BOOST_OUTCOME_TRY(context.execute(
          "insert into audit (actor, action, entity, key, field, value) values (?, ?, ?, ?, ?, ?)", event.actor,
          bw::to_string(event.action), event.table, event.key, change.column, change.value));
    }
    return bw::success();
  }
};
// [/auditor]

bw::result<void> topic(const bw::database& db) {
  const bw::session plain = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(
      plain, {"drop table if exists orders, outbox, audit",
              "create table orders (id bigint generated always as identity primary key, customer text not null,"
              " total numeric(12, 2) not null)",
              "create table outbox (id bigint generated always as identity primary key, text text not null)",
              "create table audit (actor text, action text, entity text, key text, field text, value text)"}));

  // [writes]
  const auto orders = plain.repository<Order>();
  BOOST_OUTCOME_TRY(const Order stored, orders.insert({.customer = "ada", .total = bw::numeric{"12.50"}}));
  BOOST_OUTCOME_TRY(const auto lines, plain.repository<OutboxLine>().count());
  expect(stored.id > 0 && lines == 1);
  // [/writes]

  // [refused]
  const auto refused = orders.insert({});  // nothing is sent
  expect(refused.error() == bw::errc::validation_failed);
  for (const bw::validation_failure& each : refused.error().failures()) {
    expect(each.field == "customer" || each.field == "total");
  }
  const auto batch = orders.insert_many({stored, {.customer = "eve"}});
  expect(batch.error().failures()[0].row == 2);  // counted from 1
  // [/refused]

  BOOST_OUTCOME_TRY(auto config, bw::config::from_environment());
  // [audited]
  config.auditor = std::make_shared<AuditLog>();
  BOOST_OUTCOME_TRY(const auto audited, bw::database::open(config));
  const bw::session session = audited.session({.actor = "support/7"});
  BOOST_OUTCOME_TRY(session.repository<Order>().patch(stored.id, bw::set<&Order::total>(bw::numeric{"10"})));
  BOOST_OUTCOME_TRY(
      const auto change,
      session.query("select actor || ' ' || action || ' ' || field || ' ' || value from audit").one<std::string>());
  expect(change == "support/7 patch total 10.00");
  // [/audited]
  return bw::success();
}

int main() { return guide::run(topic); }
