#pragma once

#include "core/machine.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace breakwater {

/// What is known of a server's connections.
struct server_slots {
  std::size_t most = 0;  ///< max_connections
  std::size_t free =
      0;  ///< for this service: not reserved, not in use by others, within the role's and database's limits
};

/// What the size of a pool is decided by.
struct sizing_facts {
  std::optional<std::size_t> configured{};  ///< `pool.size`
  std::size_t instances = 0;                ///< `pool.instances`; 0: not known
  processor_share processors{};
  std::optional<std::string_view> serverless{};
  std::optional<server_slots> slots{};  ///< nothing: the server was not asked yet
};

struct pool_sizing {
  std::size_t size = 1;
  std::string reason{};
};

/// How many connections a pool has. Pure.
///
///     first      | a size that was configured is taken as it is
///                | a platform that starts an instance for each request: `serverless_size`
///                | else `per_processor` for each processor, within `least_size`..`largest_size`
///     then       | not more than this process's share of what the server has free: nine tenths of it divided by the
///                | instances; half of it where their number is not known; at least one
///
/// A configured size above that share is kept: the reason says so.
[[nodiscard]] pool_sizing size_pool(const sizing_facts& facts);

/// \name The figures, each with the reason for its value.
/// @{
/// A caller keeps a connection while the server works, which is most of the time, so more than one for each processor;
/// ten for two, as a fixed size would be.
inline constexpr double connections_per_processor = 5;
/// A transaction that waits for something must not stop everything else.
inline constexpr std::size_t least_pool_size = 4;
/// More do not make a server of usual size faster.
inline constexpr std::size_t largest_pool_size = 50;
/// An instance serves one request at a time, or a few; one more is for what it does beside.
inline constexpr std::size_t serverless_pool_size = 2;
/// The rest is for people and for deployments, in which the old and the new instances run side by side.
inline constexpr double share_of_free_slots = 0.9;
/// @}

}  // namespace breakwater
