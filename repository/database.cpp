#include "session_state.hpp"
#include "tenant_session.hpp"
#include <breakwater/repository/database.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace breakwater {
namespace {

node_health check(routing::node& node, deadline until) {
  const auto started = deadline::clock::now();
  node_health health{.node = node.name()};
  auto borrowed = node.connections().acquire(until, nullptr, source_location::current(), priority::critical);
  if (!borrowed) {
    health.failure = std::move(borrowed).error();
  } else if (!borrowed.assume_value()->ping(until)) {
    health.failure = error(errc::connection_failed, "no answer in time").with_node(node.name());
  }
  health.round_trip = deadline::clock::now() - started;
  health.role = node.role();
  return health;
}

}  // namespace

result<database> database::open(const config& settings) {
  BOOST_OUTCOME_TRY(validate(settings));
  BOOST_OUTCOME_TRY(auto nodes, routing::router::open(settings));
  return database(std::make_shared<detail::database_state>(settings, std::move(nodes)));
}

session database::session(session_options options, source_location where) const {
  return breakwater::session(detail::make_session(state_, std::move(options), where));
}

std::vector<node_stats> database::stats() const {
  std::vector<node_stats> all;
  const auto now = deadline::clock::now();
  const auto& nodes = state_->nodes().nodes();
  const auto views = state_->nodes().watch().view();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto counts = nodes[i]->connections().counts();
    all.push_back({.node = nodes[i]->name(),
                   .role = nodes[i]->role(),
                   .connections = counts.open,
                   .idle = counts.idle,
                   .waiting = counts.waiting,
                   .confirmed = views[i].confirmed,
                   .timeline = views[i].seen.timeline,
                   .wal_position = views[i].seen.position,
                   .lag = views[i].lag,
                   .ejected = state_->nodes().replicas().out_for(i, now)});
  }
  return all;
}

health_report database::health(std::chrono::milliseconds timeout) const {
  const deadline until = deadline::after(timeout);
  const auto& nodes = state_->nodes().nodes();
  health_report report;
  report.nodes.resize(nodes.size());
  {
    std::vector<std::jthread> checks;  // few nodes, and asked by a health endpoint: a thread each is simplest
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto ask = [&, i] { report.nodes[i] = check(*nodes[i], until); };
      try {
        checks.emplace_back(ask);
      } catch (const std::system_error&) {
        ask();  // no thread to be had: one after the other, then
      }
    }
  }
  const auto views = state_->nodes().watch().view();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    node_health& each = report.nodes[i];
    each.confirmed = views[i].confirmed;
    each.timeline = views[i].seen.timeline;
    each.wal_position = views[i].seen.position;
    each.lag = views[i].lag;
    if (each.failure) continue;
    report.can_read = true;
    report.can_write = report.can_write || (each.confirmed && !views[i].seen.read_only);
  }
  return report;
}

liveness_report database::liveness() const {
  /// The rounds are a second apart; a machine that does not get to one in ten is not well.
  constexpr std::chrono::seconds longest_round{10};
  const routing::router& nodes = state_->nodes();
  if (nodes.is_closed()) return {.reason = "the database was shut down"};
  const auto last = deadline::clock::now() - nodes.last_round();
  if (last <= longest_round) return {.alive = true};
  return {.reason = "the thread that looks after the connection pools did not come round for " +
                    std::to_string(std::chrono::duration_cast<std::chrono::seconds>(last).count()) + " s"};
}

readiness_report database::readiness() const {
  readiness_report report;
  const routing::router& nodes = state_->nodes();
  if (nodes.is_closing()) {
    report.reason = "the database is being shut down";
    return report;
  }
  const auto now = deadline::clock::now();
  const routing::node* const primary = nodes.primary();
  const auto note = [&report](std::string_view node, std::string_view what) {
    report.reason.append(report.reason.empty() ? "" : "; ").append(node).append(" ").append(what);
  };
  for (const auto& node : nodes.nodes()) {
    if (node->role() == node_role::unknown) {
      note(node->name(), node->observed().reachable
                             ? "is not what it is declared to be, or belongs to another database system"
                             : "can not be reached");
      continue;
    }
    const bool reads = node->is_open_for(circuit_class::read, now);
    if (!reads) note(node->name(), "has an open circuit breaker for reads");
    report.can_read = report.can_read || reads;
    if (node.get() != primary) continue;
    const bool takes_writes = node->is_open_for(circuit_class::write, now);
    const bool read_only = node->observed().read_only;
    if (!takes_writes) note(node->name(), "has an open circuit breaker for writes");
    if (read_only) note(node->name(), "is the primary and read-only (default_transaction_read_only)");
    report.can_write = takes_writes && !read_only;
  }
  if (primary == nullptr) note("no primary:", nodes.watch().describe());
  report.ready = report.can_read || report.can_write;
  return report;
}

std::vector<circuit_status> database::circuit_breakers() const {
  std::vector<circuit_status> all;
  const auto now = deadline::clock::now();
  for (const auto& node : state_->nodes().nodes()) {
    for (const circuit_class of : {circuit_class::read, circuit_class::write}) {
      const auto seen = node->breaker(of).snapshot(now);
      all.push_back({.node = node->name(),
                     .of = of,
                     .state = seen.state,
                     .forced = seen.forced,
                     .calls = seen.calls,
                     .failures = seen.failures,
                     .slow = seen.slow,
                     .times_opened = seen.times_opened});
    }
  }
  return all;
}

result<void> database::set_circuit_breaker(std::string_view node, circuit_class of, circuit_order order) const {
  std::string known;
  for (const auto& each : state_->nodes().nodes()) {
    known.append(known.empty() ? "" : ", ").append(each->name());
    if (each->name() != node) continue;
    resilience::circuit_breaker& breaker = each->breaker(of);
    switch (order) {
      case circuit_order::force_open: breaker.force_open(); break;
      case circuit_order::force_closed: breaker.force_closed(); break;
      case circuit_order::reset: breaker.reset(); break;
    }
    return success();
  }
  return error(errc::invalid_argument, "there is no node of this name; the nodes are " + known);
}

result<std::size_t> database::sweep_outcomes(std::chrono::milliseconds timeout) const {
  return state_->sweeper().sweep(deadline::after(timeout), nullptr);
}

std::vector<config_decision> database::explain_config() const { return state_->nodes().sizes().decisions(); }

result<void> database::shutdown(std::optional<std::chrono::milliseconds> grace) {
  const auto patience = grace.value_or(state_->settings().shutdown_grace);
  const deadline until = deadline::after(patience);
  const auto of_tenants = state_->of_tenants().close();
  std::atomic<bool> drained{true};
  const auto close = [&](routing::router& nodes) {
    if (!nodes.close(until)) drained = false;
  };
  {
    std::vector<std::jthread> closing;  // all at once: none goes on taking work while another one is waited for
    for (const auto& each : of_tenants) {
      try {
        closing.emplace_back([&close, &each] { close(each->nodes()); });
      } catch (const std::system_error&) {
        close(each->nodes());
      }
    }
    close(state_->nodes());
  }
  if (drained) return success();
  return error(errc::deadline_exceeded,
               "operations were still running when the shutdown's grace period ended, and were cut off");
}

}  // namespace breakwater
