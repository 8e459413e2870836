#include "session_state.hpp"
#include <breakwater/repository/database.hpp>

#include <system_error>
#include <thread>
#include <utility>

namespace breakwater {
namespace {

node_health check(routing::node& node, deadline until) {
  const auto started = deadline::clock::now();
  node_health health{.node = node.name()};
  auto borrowed = node.connections().acquire(until, nullptr, source_location::current());
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
  return breakwater::session(std::make_shared<detail::session_state>(state_, std::move(options), where));
}

std::vector<node_stats> database::stats() const {
  std::vector<node_stats> all;
  for (const auto& node : state_->nodes().nodes()) {
    const auto counts = node->connections().counts();
    all.push_back({.node = node->name(),
                   .role = node->role(),
                   .connections = counts.open,
                   .idle = counts.idle,
                   .waiting = counts.waiting});
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
  std::size_t primaries = 0;
  for (const node_health& each : report.nodes) {
    if (each.failure) continue;
    report.can_read = true;
    if (each.role == node_role::primary) ++primaries;
  }
  report.can_write = primaries == 1;
  return report;
}

result<std::size_t> database::sweep_outcomes(std::chrono::milliseconds timeout) const {
  return state_->sweeper().sweep(deadline::after(timeout), nullptr);
}

result<void> database::shutdown(std::optional<std::chrono::milliseconds> grace) {
  const auto patience = grace.value_or(state_->settings().shutdown_grace);
  if (state_->nodes().close(deadline::after(patience))) return success();
  return error(errc::deadline_exceeded,
               "operations were still running when the shutdown's grace period ended, and were cut off");
}

}  // namespace breakwater
