#include "cluster/node.hpp"

#include "postgres/decide.hpp"

namespace breakwater::routing {
namespace {

/// What a failed call tells of its node.
enum class finding : std::uint8_t { ill, answered, nothing };

finding look_at(const error& failure, node& through, std::chrono::nanoseconds waited) {
  if (postgres::is_infrastructure_failure(failure, waited, through.silence())) return finding::ill;
  if (!failure.sqlstate().empty()) return finding::answered;
  // It waited for a connection, and there is none at all: nobody is using them, they can not be made.
  const bool waited_in_vain = failure.code() == errc::deadline_exceeded && failure.attempts() == 0;
  if (waited_in_vain && waited >= through.silence() && through.connections().counts().open == 0) return finding::ill;
  return finding::nothing;
}

}  // namespace

void node_call::settle(const error* failure, time_point now) noexcept { settle(failure, now, now); }

void node_call::settle_untimed(const error* failure, time_point now) noexcept { settle(failure, now, started_); }

void node_call::settle(const error* failure, time_point now, time_point succeeded_at) noexcept {
  if (through_ == nullptr) return;
  if (failure == nullptr) {
    permit_.succeeded(succeeded_at);
  } else {
    switch (look_at(*failure, *through_, now - started_)) {
      case finding::ill: permit_.failed(now); break;
      case finding::answered: permit_.ignored(now); break;
      case finding::nothing: permit_.abandoned(); break;
    }
  }
  through_ = nullptr;
}

node::node(const config& settings, std::shared_ptr<const postgres::connection_settings> address,
           task_runner& background)
    : watcher_(settings.observer.get()),
      silence_(settings.breaker.silence),
      connections_(settings.pool, std::move(address), background, watcher_),
      leases_(connections_),
      breakers_{make_breaker(settings.breaker, circuit_class::read),
                make_breaker(settings.breaker, circuit_class::write)} {}

std::unique_ptr<resilience::circuit_breaker> node::make_breaker(const circuit_breaker_options& options,
                                                                circuit_class of) {
  resilience::circuit_breaker::change_callback tell;
  if (watcher_ != nullptr) {
    tell = [this, of](circuit_state before, circuit_state now, bool forced) {
      watcher_->on_circuit_change({.node = name(), .of = of, .before = before, .now = now, .forced = forced});
    };
  }
  return std::make_unique<resilience::circuit_breaker>(options, resilience::circuit_breaker::unit_source{},
                                                       std::move(tell));
}

result<node_call> node::admit(circuit_class of, deadline::clock::time_point now) {
  auto permit = breaker(of).try_acquire(now);
  if (permit) return node_call(*this, std::move(permit), now);
  if (watcher_ != nullptr) watcher_->on_circuit_rejected({.node = name(), .of = of});
  return refusal(of, now);
}

error node::refusal(circuit_class of, deadline::clock::time_point now) {
  const resilience::circuit_snapshot seen = breaker(of).snapshot(now);
  std::string text = "the circuit breaker for " + std::string(to_string(of)) + "s of this node is open";
  if (seen.forced) {
    text += ", by an operator, until it is reset";
  } else if (seen.next_probe > now) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(seen.next_probe - now);
    text += ": too many of its last calls failed; it is tried again in " + std::to_string(left.count()) + " ms";
  } else {
    text += ": too many of its last calls failed; one call is finding out whether it is back";
  }
  return error(errc::circuit_open, std::move(text)).with_node(name());
}

}  // namespace breakwater::routing
