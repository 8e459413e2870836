// Sessions, deadlines, cancelling, events, the end: docs/guide/sessions.md and docs/guide/running.md.

#include "guide.hpp"

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

using guide::expect;
using namespace std::chrono_literals;

// [observer]
class slow_log final : public bw::observer {
 public:
  // On the caller's own thread, and on many at once: it must not block, throw, or call the library.
  void on_operation(const bw::operation_event& event) noexcept override {
    ++statements;
    if (event.duration < 200ms) return;
    ++slow;
    std::fprintf(stderr, "slow: %.*s on %.*s for request %.*s\n", static_cast<int>(event.statement.size()),
                 event.statement.data(), static_cast<int>(event.node.size()), event.node.data(),
                 static_cast<int>(event.correlation_id.size()), event.correlation_id.data());
  }
  std::atomic<int> statements{0};
  std::atomic<int> slow{0};
};
// [/observer]

bw::result<void> deadlines(const bw::database& db) {
  // [deadline]
  bw::session hurried = db.session({.timeout = 300ms, .correlation_id = "request-17"});
  const auto read = hurried.query("select pg_sleep(5)::text").read_only().as<std::string>();
  expect(read.error() == bw::errc::deadline_exceeded);
  expect(read.error().applied() == bw::applied::no);  // reads apply nothing

  bw::session patient = db.session({.operation_timeout = 300ms});  // each operation by itself
  const auto write = patient.execute("create table never as select pg_sleep(5)::text");
  expect(write.error() == bw::errc::deadline_exceeded);
  expect(write.error().applied() == bw::applied::no);  // the server ended it, and said so
  // [/deadline]

  // [cancel]
  std::stop_source client_gone;
  bw::session session = db.session({.cancel = client_gone.get_token()});
  std::jthread watcher([&client_gone] { client_gone.request_stop(); });  // whenever that may be
  const auto report = session.query("select pg_sleep(5)::text").read_only().as<std::string>();
  expect(report.error() == bw::errc::cancelled);
  // [/cancel]
  return bw::success();
}

bw::result<void> topic(const bw::database& shared) {
  BOOST_OUTCOME_TRY(deadlines(shared));

  // [open]
  BOOST_OUTCOME_TRY(auto config, bw::config::from_environment());
  const auto events = std::make_shared<slow_log>();
  config.observer = events;
  config.pool.size = 4;
  BOOST_OUTCOME_TRY(auto db, bw::database::open(config));
  // [/open]
  BOOST_OUTCOME_TRY(db.session().query("select 1").read_only().one<std::int32_t>());
  expect(events->statements == 1 && events->slow == 0);

  // [consistency]
  // Any replica, however far behind:
  bw::session dashboard = db.session({.consistency = bw::consistency::eventual});
  // Never a replica:
  bw::session checkout = db.session({.consistency = bw::consistency::primary});
  // A replica that is at most so far behind:
  bw::session overview = db.session({.consistency = bw::consistency::bounded(30s)});
  // read_your_writes: replicas, as long as they have what the session wrote; else the primary.
  bw::session usual = db.session();
  // The same for what another session wrote, be it in another process:
  bw::session next = db.session({.after = usual.token()});
  // [/consistency]
  for (bw::session* each : {&dashboard, &checkout, &overview, &usual, &next}) {
    BOOST_OUTCOME_TRY(each->query("select 1").read_only().one<std::int32_t>());
  }

  // [health]
  const bw::health_report report = db.health(500ms);  // asks every node, all at once
  expect(report.can_read && report.can_write);
  for (const bw::node_health& each : report.nodes) expect(!each.failure && each.round_trip < 500ms);

  for (const bw::node_stats& each : db.stats()) {  // this moment's numbers, without asking anyone
    expect(each.role == bw::node_role::primary && each.connections <= 4 && each.waiting == 0);
  }
  // [/health]

  // [shutdown]
  // Lets what runs finish; deadline_exceeded where something had to be cut off.
  BOOST_OUTCOME_TRY(db.shutdown(2s));
  expect(db.session().execute("select 1").error() == bw::errc::cancelled);
  // [/shutdown]
  return bw::success();
}

int main() { return guide::run(topic); }
