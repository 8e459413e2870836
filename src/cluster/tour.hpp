#pragma once

#include "cluster/router.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace breakwater::routing {

inline constexpr deadline::clock::time_point never_failed{};

[[nodiscard]] inline circuit_class class_of(const request& wanted) noexcept {
  return wanted.what.is_read() ? circuit_class::read : circuit_class::write;
}

/// One operation's way through the nodes.
struct router::tour {
  resilience::retry_sequence& tries;
  const bool replicas_allowed = false;
  deadline::clock::time_point now;  // when the attempt under way began
  bool to_replicas = false;         // the next attempt may go to one
  /// The primary has to be confirmed by what was asked after this.
  deadline::clock::time_point confirmed_after = never_failed;
  std::uint64_t changes = 0;       // of the nodes, when the replicas were last gone through
  replica_set::choice first{};     // where this round among the nodes began
  std::size_t looked_at = 0;       // how many of them since; once more as many where there is no primary
  std::optional<error> refused{};  // by a replica's breaker, in this round
  bool admitted = false;           // one let it pass, in this round
  visited seen{};

  std::uint64_t tried = 0;  // of a causal read: the replicas that it was sent to in this round, a bit for each

  void begin_round(replica_set::choice from) noexcept {
    to_replicas = replicas_allowed;
    first = from;
    looked_at = 0;
    tried = 0;
    refused.reset();
    admitted = false;
  }
};

}  // namespace breakwater::routing
