// Which replica a read is sent to that has to see certain writes, or one that is not far behind.

#include "cluster/freshness.hpp"
#include "cluster/router.hpp"
#include "cluster/tour.hpp"

#include <utility>
#include <vector>

namespace breakwater::routing {
namespace {

/// A bit for each of the first nodes; those behind them share.
constexpr std::size_t bits = 64;
constexpr std::uint64_t bit_of(std::size_t index) noexcept { return std::uint64_t{1} << (index % bits); }

/// After a replica was waited for in vain nobody else waits for so long: where replay stands still, each read would be late
/// by the wait, and where it is merely slow, it will be there by then.
constexpr std::chrono::milliseconds no_wait_after_vain_one{250};

/// How far the replica is behind at most. Nothing where it is not known for the primary's history.
std::optional<std::chrono::nanoseconds> lag_of(const node_observation& seen, const monitor& watch,
                                               deadline::clock::time_point now) {
  if (!seen.reachable || !seen.in_recovery || seen.position == 0) return std::nullopt;
  const lineage history = watch.primary_lineage();
  const bool same_system = seen.system == 0 || history.system == 0 || seen.system == history.system;
  if (!same_system || (seen.timeline != 0 && seen.timeline != history.timeline)) return std::nullopt;
  const auto fresh = watch.fresh_as_of(seen.position);
  if (!fresh) return std::nullopt;
  return now - *fresh;
}

}  // namespace

std::optional<router::chosen> router::choose_fresh_replica(tour& way, const request& wanted) {
  postgres::causal_read& read = *wanted.causal;
  const freshness_demand demand{.after = read.after, .lag = read.lag};
  std::vector<replica_knowledge> known(nodes_.size());
  // Where there is no primary, one that is left out is better than none.
  const bool any = way.first.any || monitor_->primary() == nullptr;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const node& each = *nodes_[i];
    known[i].usable =
        each.role() == node_role::replica && (way.tried & bit_of(i)) == 0 && (any || !replicas_->is_out(i, way.now));
    if (!known[i].usable) continue;
    known[i].mark = each.mark();
    known[i].replayed = each.replayed();
    if (demand.lag) known[i].lag = lag_of(each.observed(), *monitor_, way.now);
  }
  while (const auto at = most_promising(known, demand, way.first.at)) {
    known[*at].usable = false;
    way.tried |= bit_of(*at);
    node& candidate = *nodes_[*at];
    auto call = candidate.admit(class_of(wanted), wanted.priority, way.now);
    if (!call) {
      way.refused = std::move(call).error();
      continue;
    }
    way.admitted = true;
    if (way.first.counts) call.assume_value().count(*replicas_, *at);
    read.found = postgres::read_finding::unknown;
    read.replayed = 0;
    read.waited = false;
    read.seen = seen_of(known[*at].mark);
    read.known_at = candidate.observed().sent;
    // Where there is no primary to go to, the others are asked before this one is waited for.
    const auto last_vain = candidate.waited_in_vain();
    const bool stands_still =
        last_vain != deadline::clock::time_point{} && way.now - last_vain < no_wait_after_vain_one;
    read.patience = stands_still || monitor_->primary() == nullptr ? std::chrono::nanoseconds(0) : replica_wait_;
    return chosen{&candidate, std::move(call).assume_value()};
  }
  return std::nullopt;
}

/// After the work on a node. True: that was a replica which is not fresh, and it is somebody else's turn. That is no
/// attempt, and says nothing against the replica.
bool router::goes_on_to_fresher(tour& way, const request& wanted, const error* failure,
                                deadline::clock::time_point now) noexcept {
  postgres::causal_read& read = *wanted.causal;
  if (!way.to_replicas) return false;
  if (read.replayed != 0) way.seen.last->note_replayed(read.replayed);
  if (failure == nullptr || !postgres::is_not_fresh(read, *failure)) return false;
  if (read.waited) way.seen.last->note_wait_in_vain(now);
  // The others are no better, by what is known; and where the primary is, it has what was written.
  if (monitor_->primary() != nullptr) way.to_replicas = false;
  return true;
}

}  // namespace breakwater::routing
