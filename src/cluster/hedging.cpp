// Reads that are sent to a second replica when the first one takes long.

#include "cluster/hedged_read.hpp"
#include "cluster/router.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace breakwater::routing {

bool router::may_hedge(const request& wanted, bool replica_allowed) const noexcept {
  if (hedger_ == nullptr || !replica_allowed || !wanted.what.is_read()) return false;
  // Which replica has what it must see is found out on the way, and what sets it up is not this object's to keep.
  if (wanted.causal != nullptr || !wanted.before.empty()) return false;
  // The primary has other things to do than to be a second replica.
  return std::ranges::count(nodes_, node_role::replica, [](const auto& each) { return each->role(); }) > 1;
}

routed router::run_hedged(const request& wanted) {
  const auto read = std::make_shared<hedged_read>(wanted);
  std::optional<hedge_result> came_of_it;
  const resilience::hedge_call how{.until = wanted.until,
                                   .cancel = wanted.cancel == nullptr ? std::stop_token{} : *wanted.cancel,
                                   .outcome = &came_of_it};
  const auto copy_of_it = [this, read](std::size_t copy, const std::stop_token& stop) -> result<rows> {
    if (copy > 0) return run_second_copy(*read, stop);
    result<rows> answer = errc::internal;
    const auto work = [&](node& on, node_call& /*call*/, const request& there) -> const error* {
      read->first_on.store(&on, std::memory_order_relaxed);
      answer = on.statements().run(there);
      return answer ? nullptr : &answer.assume_error();
    };
    visited seen = visit(read->as_request(stop), true, work);
    if (seen.refusal) answer = std::move(*seen.refusal);
    read->traces[0] = {.last = seen.last, .attempts = seen.attempts};
    return answer;
  };

  routed outcome{.answer = hedger_->run(copy_of_it, how)};
  const bool second = came_of_it == hedge_result::won;
  outcome.from = read->traces[second ? 1 : 0].last;
  outcome.attempts = read->traces[second ? 1 : 0].attempts;
  if (came_of_it && watcher_ != nullptr) {
    watcher_->on_hedge({.statement = wanted.what.name, .result = *came_of_it});
  }
  return outcome;
}

result<rows> router::run_second_copy(hedged_read& read, const std::stop_token& stop) {
  const request wanted = read.as_request(stop);
  const node* const first = read.first_on.load(std::memory_order_relaxed);
  const auto now = deadline::clock::now();
  const auto begin = replicas_->choose(now, first);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::size_t at = (begin.at + i) % nodes_.size();
    node& candidate = *nodes_[at];
    if (&candidate == first || candidate.role() != node_role::replica) continue;
    if (!begin.any && replicas_->is_out(at, now)) continue;
    auto call = candidate.admit(circuit_class::read, wanted.priority, now);
    if (!call) continue;
    if (begin.counts) call.assume_value().count(*replicas_, at);
    // Once: this is a bet, and the first copy is tried again where that helps.
    auto answer = candidate.statements().run(wanted);
    call.assume_value().settle(answer ? nullptr : &answer.assume_error(), deadline::clock::now());
    read.traces[1] = {.last = &candidate, .attempts = 1};
    return answer;
  }
  return error(errc::no_primary, "there is no other replica to send a second copy to");
}

}  // namespace breakwater::routing
