#include "cluster/topology.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace breakwater::routing {
namespace {

bool is_candidate(const node_observation& seen, const history& known) noexcept {
  return seen.reachable && !seen.in_recovery && !is_foreign(seen, known);
}

/// The system of most nodes that answered and told; of several with as many the first. 0: none told.
std::uint64_t system_of_most(std::span<const node_observation> nodes) noexcept {
  std::uint64_t chosen = 0;
  std::ptrdiff_t most = 0;
  for (const node_observation& each : nodes) {
    if (!each.reachable || each.system == 0) continue;
    const auto count = std::ranges::count_if(
        nodes, [&](const node_observation& other) { return other.reachable && other.system == each.system; });
    if (count <= most) continue;
    most = count;
    chosen = each.system;
  }
  return chosen;
}

/// What all nodes say; 0 where one did not answer, or they differ.
std::uint64_t system_of_all(std::span<const node_observation> nodes) noexcept {
  if (nodes.empty()) return 0;
  const std::uint64_t first = nodes.front().system;
  const bool unanimous = std::ranges::all_of(
      nodes, [first](const node_observation& each) { return each.reachable && each.system == first; });
  return unanimous ? first : 0;
}

std::string describe(const node_observation& seen, const history& known) {
  if (!seen.reachable) return "no answer";
  const std::string timeline = " on timeline " + std::to_string(seen.timeline);
  if (is_foreign(seen, known)) return "belongs to another database system";
  if (!seen.in_recovery) return "a primary" + timeline;
  return seen.timeline == 0 ? "a replica" : "a replica" + timeline;
}

}  // namespace

node_observation after_refusal(const node_observation& last, std::optional<bool> in_recovery, const lineage& own,
                               const node_observation& asked) noexcept {
  if (last.reachable) return last;
  node_observation taken{.sent = asked.sent, .answered = asked.answered};
  if (!in_recovery) return taken;
  taken.reachable = true;
  taken.in_recovery = *in_recovery;
  taken.timeline = *in_recovery ? 0 : own.timeline;
  taken.system = own.system;
  return taken;
}

replay_mark next_mark(const replay_mark& mark, const node_observation& seen, bool same_server) noexcept {
  if (!seen.reachable || !seen.in_recovery) return {};
  if (seen.streaming && seen.timeline != 0 && seen.system != 0) {
    return {.of = {.system = seen.system, .timeline = seen.timeline},
            .position = seen.position,
            .place = seen.place,
            .probed_at = seen.sent};
  }
  return same_server ? mark : replay_mark{};
}

std::string_view to_string(confirmation value) noexcept {
  switch (value) {
    case confirmation::confirmed: return "confirmed";
    case confirmation::none_answers: return "none_answers";
    case confirmation::only_replicas: return "only_replicas";
    case confirmation::outdated: return "outdated";
    case confirmation::split_brain: return "split_brain";
    case confirmation::foreign: return "foreign";
  }
  return "unknown";
}

history remember(const history& known, std::span<const node_observation> nodes) {
  history now = known;
  if (now.system == 0) {
    now.system = system_of_most(nodes);
  } else if (const std::uint64_t all = system_of_all(nodes); all != 0 && all != now.system) {
    now = {.system = all, .highest_timeline = 0};
  }
  for (const node_observation& each : nodes) {
    if (each.reachable && !is_foreign(each, now)) now.highest_timeline = std::max(now.highest_timeline, each.timeline);
  }
  return now;
}

primary_finding confirm_primary(std::span<const node_observation> nodes, const history& known) {
  primary_finding found;
  std::uint32_t highest = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!is_candidate(nodes[i], known)) continue;
    if (nodes[i].timeline > highest) found.claimants.clear();
    if (nodes[i].timeline >= highest) found.claimants.push_back(i);
    highest = std::max(highest, nodes[i].timeline);
  }
  if (!found.claimants.empty()) {
    if (highest < known.highest_timeline) {
      found.why = confirmation::outdated;
    } else if (found.claimants.size() > 1) {
      found.why = confirmation::split_brain;
    } else {
      found.why = confirmation::confirmed;
      found.node = found.claimants.front();
    }
    return found;
  }
  bool any = false;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    any = any || nodes[i].reachable;
    if (is_foreign(nodes[i], known) && !nodes[i].in_recovery) found.claimants.push_back(i);
  }
  found.why = !found.claimants.empty() ? confirmation::foreign
              : any                    ? confirmation::only_replicas
                                       : confirmation::none_answers;
  return found;
}

std::string describe(const primary_finding& found, std::span<const node_observation> nodes, const history& known,
                     std::span<const std::string_view> names) {
  std::string text;
  const auto claimants = [&] {
    std::string list;
    for (const std::size_t each : found.claimants) list.append(list.empty() ? "" : " and ").append(names[each]);
    return list;
  };
  switch (found.why) {
    case confirmation::split_brain:
      text =
          claimants() +
          " both say that they are the primary, on the same timeline; writes are refused until one of them steps back";
      break;
    case confirmation::outdated:
      text = claimants() + " says that it is the primary, but timeline " + std::to_string(known.highest_timeline) +
             " was seen already: it was replaced, and writes to it would be lost";
      break;
    default: text = "no node is known to accept writes"; break;
  }
  text += " (";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    text.append(i == 0 ? "" : "; ").append(names[i]).append(": ").append(describe(nodes[i], known));
  }
  return text + ")";
}

void wal_history::note(const lineage& of, std::uint64_t position, time_point sent) {
  if (of != of_ || (!entries_.empty() && position < entries_.back().position)) entries_.clear();
  of_ = of;
  if (!entries_.empty() && entries_.back().position == position) {
    entries_.back().last = std::max(entries_.back().last, sent);
    return;
  }
  if (entries_.size() == most_entries) forget_one(sent);
  entries_.push_back({.position = position, .first = sent, .last = sent});
}

/// The one that is missed least: the gap that it leaves is the smallest compared with its age.
void wal_history::forget_one(time_point now) {
  std::size_t chosen = 1;
  double least = std::numeric_limits<double>::max();
  for (std::size_t i = 1; i + 1 < entries_.size(); ++i) {
    const std::chrono::duration<double> gap = entries_[i + 1].first - entries_[i - 1].first;
    const std::chrono::duration<double> age = now - entries_[i].first;
    const double harm = gap / age;
    if (harm >= least) continue;
    least = harm;
    chosen = i;
  }
  entries_.erase(std::next(entries_.begin(), static_cast<std::ptrdiff_t>(chosen)));
}

std::optional<std::chrono::nanoseconds> wal_history::lag(std::uint64_t position, time_point now) const noexcept {
  if (entries_.empty()) return std::nullopt;
  const auto beyond = std::ranges::upper_bound(entries_, position, {}, &entry::position);
  if (beyond == entries_.end()) return std::chrono::nanoseconds(0);
  return std::max<std::chrono::nanoseconds>(now - beyond->first, std::chrono::nanoseconds(0));
}

std::optional<wal_history::time_point> wal_history::fresh_as_of(std::uint64_t position) const noexcept {
  const auto beyond = std::ranges::upper_bound(entries_, position, {}, &entry::position);
  if (beyond == entries_.begin()) return std::nullopt;
  return std::prev(beyond)->last;
}

}  // namespace breakwater::routing
