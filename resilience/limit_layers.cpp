#include <breakwater/core/resilience_options.hpp>
#include <breakwater/resilience/limit_layers.hpp>

#include <string>

namespace breakwater::resilience {

result<bulkhead::permit> with_bulkhead::enter(const call_context& context) const {
  return through_->acquire({.until = context.until,
                            .cancel = context.cancel == nullptr ? std::stop_token{} : *context.cancel,
                            .priority = context.priority});
}

error with_limiter::refusal() const {
  return error(errc::overloaded, "as many calls to " + std::string(name_) + " are in flight as it bears now (" +
                                     std::to_string(limiter_->limit()) + "): make fewer at once");
}

call_outcome with_limiter::outcome_of(const error& cause, std::chrono::nanoseconds took) noexcept {
  switch (judge_node(cause, took, defaults::breaker_silence)) {
    case node_verdict::failed: return call_outcome::dropped;
    case node_verdict::answered: return call_outcome::success;
    case node_verdict::unknown: break;
  }
  return call_outcome::ignored;
}

}  // namespace breakwater::resilience
