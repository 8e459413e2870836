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

call_outcome with_limiter::outcome_of(const error& cause) noexcept {
  // What came too late was too much for the server, however short the time was: the limit asks for many such calls
  // before it yields, unlike a breaker, to which a short deadline says nothing.
  const bool too_much = cause.code() == errc::deadline_exceeded || cause.code() == errc::overloaded;
  if (too_much) return call_outcome::dropped;
  switch (judge_node(cause, {}, {})) {
    case node_verdict::failed: return call_outcome::dropped;
    case node_verdict::answered: return call_outcome::success;
    case node_verdict::unknown: break;
  }
  return call_outcome::ignored;
}

}  // namespace breakwater::resilience
