// Retries, breakers, priorities, the outcome guard, and the same machinery around calls of your own: docs/resilience.md.

#include "guide.hpp"
#include <breakwater/resilience/circuit_breaker.hpp>
#include <breakwater/resilience/policy.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <memory>
#include <string>

using guide::expect;
using namespace std::chrono_literals;

struct Payment {
  bw::uuid id{};
  std::string payee{};
  bw::numeric amount{};
};
template <>
inline constexpr auto breakwater::mapping<Payment> = bw::table("payments",
                                                               bw::column<&Payment::id>("id", bw::primary_key),
                                                               bw::column<&Payment::payee>("payee"),
                                                               bw::column<&Payment::amount>("amount"));

bw::result<void> writes(const bw::database& db) {
  // [idempotent]
  bw::session session = db.session({.timeout = 2s});
  const Payment rent{.id = bw::uuid::time_ordered(), .payee = "landlord", .amount = bw::numeric{"900.00"}};
  // The key is ours and nobody changes payments: inserting it twice is as good as once.
  BOOST_OUTCOME_TRY(session.repository<Payment>().idempotent().insert(rent));
  // The same for raw SQL:
  BOOST_OUTCOME_TRY(
      session.query("update payments set payee = 'landlady' where id = ?", rent.id).idempotent().execute());
  // [/idempotent]

  // [guard]
  bw::session careful = db.session({.timeout = 2s, .outcome_guard = true});
  const auto paid = careful.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<Payment>().insert(
        {.id = bw::uuid::time_ordered(), .payee = "grocer", .amount = bw::numeric{"12.50"}}));
    return bw::success();
  });
  if (!paid && paid.error().applied() == bw::applied::unknown) {
    // Only where the primary could not be asked before the deadline: look first, pay later.
  }
  // [/guard]
  expect(paid.has_value());
  BOOST_OUTCOME_TRY(const auto count, session.repository<Payment>().count());
  expect(count == 2);
  return bw::success();
}

bw::result<void> operators(const bw::database& db) {
  // [priority]
  bw::session checkout = db.session({.priority = bw::priority::critical});
  bw::session suggestions = db.session({.timeout = 100ms, .priority = bw::priority::sheddable});
  // [/priority]
  for (bw::session* each : {&checkout, &suggestions}) {
    BOOST_OUTCOME_TRY(each->query("select 1").read_only().one<std::int32_t>());
  }

  // [breakers]
  for (const bw::circuit_status& each : db.circuit_breakers()) {
    expect(each.state == bw::circuit_state::closed && !each.forced);
  }
  const std::string node = db.stats().front().node;  // "db1:5432"
  BOOST_OUTCOME_TRY(db.set_circuit_breaker(node, bw::circuit_class::write, bw::circuit_order::force_open));
  expect(db.session().execute("delete from payments").error() == bw::errc::circuit_open);
  BOOST_OUTCOME_TRY(db.set_circuit_breaker(node, bw::circuit_class::write, bw::circuit_order::reset));
  // [/breakers]

  // [probes]
  expect(db.liveness().alive);  // false: restart this process
  const bw::readiness_report ready = db.readiness();
  expect(ready.ready);  // false: send it no requests; ready.reason says why
  // [/probes]
  return bw::success();
}

struct Rate {
  double per_euro = 0;
};

/// A call of the program's own, to another service.
bw::result<Rate> ask_bank(bw::deadline /*until*/, int& calls) {
  if (++calls < 3) return bw::errc::connection_failed;
  return Rate{1.1};
}

bw::result<void> own_calls() {
  // [policy]
  namespace resilience = bw::resilience;
  // Once for each service that is called:
  resilience::circuit_breaker breaker(bw::circuit_breaker_options{});
  resilience::retry_budget budget(bw::retry_budget_options{});
  // In the order in which they act, the outermost first:
  const auto guarded =
      resilience::policy(resilience::with_timeout(1s), resilience::with_retry(bw::retry_options{}, &budget),
                         resilience::with_breaker(breaker, "bank"));
  int calls = 0;
  const bw::result<Rate> rate =
      guarded([&](const resilience::call_context& attempt) { return ask_bank(attempt.until, calls); });
  expect(rate.has_value() && calls == 3);
  // [/policy]
  return bw::success();
}

bw::result<void> topic(const bw::database& db) {
  BOOST_OUTCOME_TRY(guide::prepare(
      db.session(), {"create table payments (id uuid primary key, payee text not null, amount numeric not null)"}));
  BOOST_OUTCOME_TRY(writes(db));
  BOOST_OUTCOME_TRY(operators(db));
  return own_calls();
}

int main() { return guide::run(topic); }
