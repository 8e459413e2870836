#include "cluster/freshness.hpp"

#include <algorithm>

namespace breakwater::routing {
namespace {

/// How far it is known to have come.
std::uint64_t distance_of(const replica_knowledge& replica) noexcept {
  return std::max(replica.replayed, replica.mark ? replica.mark.position : 0);
}

}  // namespace

promise promise_of(const replica_knowledge& replica, const freshness_demand& demand) noexcept {
  if (!replica.usable) return promise::none;
  if (demand.lag && (*demand.lag <= demand.lag->zero() || !replica.lag || *replica.lag > *demand.lag)) {
    return promise::none;
  }
  const causality_token& after = demand.after;
  if (after.empty()) return promise::kept;
  if (!after.knows_position()) return promise::none;
  // Of an earlier timeline it may be in a moment, when it follows the new primary.
  if (replica.mark && (replica.mark.of.system != after.system() || replica.mark.of.timeline > after.timeline())) {
    return promise::none;
  }
  return distance_of(replica) >= after.position() ? promise::kept : promise::maybe;
}

std::optional<std::size_t> most_promising(std::span<const replica_knowledge> replicas, const freshness_demand& demand,
                                          std::size_t first) noexcept {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    const std::size_t at = (first + i) % replicas.size();
    const promise made = promise_of(replicas[at], demand);
    if (made == promise::kept) return at;
    if (made == promise::maybe && (!best || distance_of(replicas[at]) > distance_of(replicas[*best]))) best = at;
  }
  return best;
}

std::optional<postgres::seen_replay> seen_of(const replay_mark& mark) noexcept {
  if (!mark) return std::nullopt;
  return postgres::seen_replay{.system = mark.of.system,
                               .timeline = mark.of.timeline,
                               .position = mark.position,
                               .place = mark.place,
                               .asked_at = mark.probed_at};
}

}  // namespace breakwater::routing
