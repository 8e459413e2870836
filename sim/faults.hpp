#pragma once

#include "sim/events.hpp"
#include "sim/random.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace breakwater::sim {

enum class fault_kind : std::uint8_t {
  crash,          ///< sessions die, connects are refused, then 57P03 while it starts
  failover,       ///< the primary dies and the replica is promoted
  refuses,        ///< 53300 to new connections, and some old ones die
  silent_links,   ///< some connections go silent; new ones work
  silent_server,  ///< all go silent, new ones too
  slow,           ///< everything takes far longer
  conflicts,      ///< 40001 and 40P01
  switchover,     ///< the primary turns read-only and another node takes writes
  disk_full,      ///< 53100 to every write
  io_error,       ///< 58030 to every write
  flapping,       ///< connections succeed, and die after a moment
  half_cut        ///< clients see their connections reset; the servers do not, and what was under way arrives late
};
constexpr std::size_t fault_kind_count = 12;

/// Does it strike again and again between its begin and its end?
constexpr bool repeats(fault_kind kind) noexcept {
  return kind == fault_kind::flapping || kind == fault_kind::half_cut;
}

[[nodiscard]] std::string_view to_string(fault_kind kind) noexcept;

struct fault {
  fault_kind kind{};
  instant begins = 0;
  instant goes_on = 0;  ///< of those in two steps: the second
  instant ends = 0;
  double strength = 0.0;  ///< in [0, 1)
  bool on_replica = false;
  std::uint8_t node = 0;  ///< whom it hit
};

/// One to three faults, one after another or at the same time, the first at `from` or soon after.
[[nodiscard]] std::vector<fault> plan_faults(generator& chance, instant from);

}  // namespace breakwater::sim
