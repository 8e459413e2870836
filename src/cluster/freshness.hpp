#pragma once

#include "cluster/topology.hpp"
#include "postgres/causal_read.hpp"
#include <breakwater/core/causality_token.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

// Which replica a read that has to see certain writes is sent to. Whether that one has them is for its connection to find
// out (postgres/causal_read.hpp): what is known here is older, and another connection's.

namespace breakwater::routing {

/// What is known of one replica.
struct replica_knowledge {
  bool usable = false;         ///< it is a replica, and nothing keeps calls from it
  replay_mark mark{};          ///< by the monitor
  std::uint64_t replayed = 0;  ///< as the last caller was told that asked; 0: none was
  std::optional<std::chrono::nanoseconds> lag{};
};

/// What a read must have: see `postgres::causal_read`.
struct freshness_demand {
  causality_token after{};
  std::optional<std::chrono::nanoseconds> lag{};
};

/// How good a replica is for it.
enum class promise : std::uint8_t {
  none,   ///< it can not have it
  maybe,  ///< it has to be asked
  kept    ///< by what is known it has it
};

///     the demand                        | the replica                                      | answer
///     any                               | not usable                                       | none
///     a lag that is not positive        | any                                              | none
///     a lag                             | its own is not known, or longer                  | none
///     a write of unknown position       | any                                              | none
///     a write                           | its mark is of another system or a later         | none
///                                       | timeline                                         |
///     a write                           | its mark, or what it told, has the position      | kept
///     a write                           | otherwise                                        | maybe
///     no write                          | (what is left)                                   | kept
[[nodiscard]] promise promise_of(const replica_knowledge& replica, const freshness_demand& demand) noexcept;

/// The replica to ask: one that has it, the first from `first` on; else the one that is farthest. Nothing where none can
/// have it.
[[nodiscard]] std::optional<std::size_t> most_promising(std::span<const replica_knowledge> replicas,
                                                        const freshness_demand& demand, std::size_t first) noexcept;

/// What the monitor saw, for the connection that is to find out.
[[nodiscard]] std::optional<postgres::seen_replay> seen_of(const replay_mark& mark) noexcept;

}  // namespace breakwater::routing
