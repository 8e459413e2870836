#include <breakwater/resilience/policy.hpp>

#include <string>

namespace breakwater::resilience {

node_verdict judge_node(const error& cause, std::chrono::nanoseconds waited,
                        std::chrono::nanoseconds silence) noexcept {
  switch (cause.code()) {
    case errc::connection_failed:
    case errc::commit_unknown:
    case errc::resource_exhausted:
    case errc::protocol_error: return node_verdict::failed;
    case errc::deadline_exceeded: return waited >= silence ? node_verdict::failed : node_verdict::unknown;
    case errc::cancelled:
    case errc::overloaded:
    case errc::circuit_open:
    case errc::no_primary: return node_verdict::unknown;
    default: return node_verdict::answered;
  }
}

error circuit_refusal(std::string_view name) {
  std::string text = "refused at once, because most recent calls to ";
  text += name;
  text +=
      " failed or were slow (its circuit breaker is open): it is tried again by itself within seconds; look at the "
      "server, or reset the breaker if the cause is gone";
  return {errc::circuit_open, std::move(text)};
}

void with_breaker::settle(circuit_permit& permit, const error& cause, circuit_permit::time_point now,
                          std::chrono::nanoseconds waited) const noexcept {
  switch (judge_node(cause, waited, breaker_->options().silence)) {
    case node_verdict::failed: permit.failed(now); break;
    case node_verdict::answered: permit.ignored(now); break;
    case node_verdict::unknown: permit.abandoned(); break;
  }
}

}  // namespace breakwater::resilience
