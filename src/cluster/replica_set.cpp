#include "cluster/replica_set.hpp"

#include "core/node_zones.hpp"
#include <breakwater/core/random.hpp>

#include <string>
#include <vector>

namespace breakwater::routing {

counted_call::counted_call(replica_set& among, std::size_t replica) noexcept : among_(&among), replica_(replica) {
  among.members_[replica].load.begin();
}

void counted_call::end(finding found, bool timed, time_point started, time_point now) noexcept {
  if (among_ != nullptr) std::exchange(among_, nullptr)->end(replica_, found, timed, started, now);
}

void counted_call::give_up() noexcept {
  if (among_ != nullptr) std::exchange(among_, nullptr)->members_[replica_].load.end_unmeasured();
}

replica_set::replica_set(const config& settings, std::span<const std::unique_ptr<node>> nodes)
    : watcher_(settings.observer),
      nodes_(nodes),
      out_(settings.ejection, nodes.size(),
           [this](std::size_t replica, time_point now) { return is_usable(replica, now); }) {
  std::vector<std::string> problems;  // none: the configuration is a validated one
  const node_zones zones = node_zones::read(settings.routing.node_zones, problems);
  const std::string& ours = settings.routing.zone;
  const auto now = deadline::clock::now();
  for (const auto& each : nodes) {
    const bool is_near = ours.empty() || zones.of(each->name()) == ours;
    members_.emplace_back(settings, is_near ? standing::near : standing::far, now);
  }
}

bool replica_set::is_usable(std::size_t replica, time_point now) const noexcept {
  node& of = *nodes_[replica];
  if (of.role() != node_role::replica) return false;
  // Without its lock while it is not open.
  return of.breaker(circuit_class::read).state() != circuit_state::open || of.is_open_for(circuit_class::read, now);
}

void replica_set::note_presence(member& of, bool here, time_point now) noexcept {
  if (of.here.load(std::memory_order_relaxed) == here) return;
  if (of.here.exchange(here, std::memory_order_relaxed) == here || !here) return;
  of.load.forget();
  of.warm_up.begin(now);
}

replica_set::choice replica_set::choose(time_point now, const node* but) {
  std::size_t replicas = 0;
  choice out;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const bool here = nodes_[i]->role() == node_role::replica;
    note_presence(members_[i], here, now);
    if (!here || nodes_[i].get() == but) continue;
    if (replicas++ == 0) out.at = i;
  }
  out.counts = replicas + (but == nullptr ? 0 : 1) > 1;
  if (replicas < 2) return out;

  replica_choice among;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].get() == but || !is_usable(i, now)) continue;
    among.offer(i, out_.is_out(i, now) ? standing::left_out : members_[i].zone, random_unit);
  }
  out.any = among.offered() == 0;
  const auto load_of = [&](std::size_t i) {
    return candidate_load{.seen = members_[i].load.read(now), .share = members_[i].warm_up.share(now, out_.back_at(i))};
  };
  out.at = among.choose(load_of, random_unit).value_or(out.at);
  return out;
}

void replica_set::maintain(time_point now) {
  for (const ejected_replica& each : out_.look_for_outliers(now)) tell(each);
}

void replica_set::end(std::size_t replica, finding found, bool timed, time_point started, time_point now) noexcept {
  load_estimate& load = members_[replica].load;
  if (!timed) {
    load.end_unmeasured();
  } else if (found == finding::well) {
    load.end_answered(now - started, now);
  } else {
    load.end_failed(now - started, now);
  }
  if (found == finding::ill) {
    if (const auto out = out_.failed(replica, started, now)) tell(*out);
  } else if (found != finding::nothing) {
    out_.succeeded(replica, started);
  }
}

void replica_set::tell(const ejected_replica& out) const noexcept {
  if (watcher_ == nullptr) return;
  watcher_->on_ejection({.node = nodes_[out.replica]->name(), .duration = out.duration, .reason = out.why});
}

}  // namespace breakwater::routing
