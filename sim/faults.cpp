#include "sim/faults.hpp"

#include <algorithm>

namespace breakwater::sim {

std::string_view to_string(fault_kind kind) noexcept {
  switch (kind) {
    case fault_kind::crash: return "crash";
    case fault_kind::failover: return "failover";
    case fault_kind::refuses: return "refuses";
    case fault_kind::silent_links: return "silent_links";
    case fault_kind::silent_server: return "silent_server";
    case fault_kind::slow: return "slow";
    case fault_kind::conflicts: return "conflicts";
    case fault_kind::switchover: return "switchover";
    case fault_kind::disk_full: return "disk_full";
    case fault_kind::io_error: return "io_error";
    case fault_kind::flapping: return "flapping";
    case fault_kind::half_cut: return "half_cut";
  }
  return "unknown";
}

std::vector<fault> plan_faults(generator& chance, instant from) {
  std::vector<fault> plan(static_cast<std::size_t>(chance.between(1, 3)));
  instant begins = from + chance.between(0, 500 * ms);
  bool primary_changed = false;
  for (fault& each : plan) {
    each.kind = static_cast<fault_kind>(chance.between(0, fault_kind_count - 1));
    const bool changes_primary = each.kind == fault_kind::failover || each.kind == fault_kind::switchover;
    // Where the primary was is where it will not come back to: one change of it a run.
    if (changes_primary && primary_changed) each.kind = fault_kind::crash;
    primary_changed = primary_changed || changes_primary;
    each.begins = begins;
    each.ends = begins + chance.between(200 * ms, 5 * second);
    each.goes_on = begins + chance.between(0, each.ends - begins);
    each.strength = chance.unit();
    each.on_replica = !changes_primary && chance.chance(0.2);
    begins += chance.chance(0.5) ? chance.between(0, 2 * second) : each.ends - begins + chance.between(0, second);
  }
  return plan;
}

}  // namespace breakwater::sim
