#pragma once

#include "statistics.hpp"
#include <breakwater/testing/cluster.hpp>

#include <chrono>
#include <stop_token>

namespace ledger {

/// What happened to the cluster, as far as it got.
struct incident_report {
  std::chrono::milliseconds promotion{};    ///< from the primary's death until a replica had been promoted
  std::chrono::milliseconds write_pause{};  ///< the longest time without a transfer, from the primary's death on
  bool replica_died = false;
  bool primary_died = false;
  bool replica_was_promoted = false;
};

/// Kills a replica and starts it again; kills the primary, promotes the replica that has received most, has the other one
/// follow it, and at last brings the old primary back as a replica. In the time that the whole takes, in even steps; tells
/// what it does. Does what a cluster's own high-availability manager would do: the library takes no part in it.
[[nodiscard]] bw::result<incident_report> cause_incidents(bw::testing::cluster& cluster, statistics& seen,
                                                          std::chrono::seconds duration, const std::stop_token& stop);

}  // namespace ledger
