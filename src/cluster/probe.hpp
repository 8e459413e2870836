#pragma once

#include "cluster/topology.hpp"
#include "postgres/connection.hpp"
#include <breakwater/core/error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

namespace breakwater::routing {

/// What came of a probe.
struct probe_answer {
  node_observation seen{};
  bool same_connection = false;    ///< as the last probe's
  bool refused = false;            ///< the server is there, but would not tell us anything
  std::optional<error> failure{};  ///< why there is no answer
};

/// Asks one server what it is: over a connection of its own, which is nobody else's and renewed when it is old.
///
/// One statement, which any role may run; what only members of pg_read_all_stats are told is not known then. For one
/// thread at a time.
class probe {
 public:
  probe(std::shared_ptr<const postgres::connection_settings> address, std::chrono::milliseconds reconnect_after);

  /// Connects where needed, asks, and returns by `until`; but resolving a host name blocks for as long as it likes.
  [[nodiscard]] probe_answer ask(deadline until, const std::stop_token& stop);

 private:
  using clock = deadline::clock;

  [[nodiscard]] std::optional<error> connect(deadline until, const std::stop_token& stop);
  [[nodiscard]] result<rows> question(deadline until, const std::stop_token& stop, clock::time_point& sent);

  const std::shared_ptr<const postgres::connection_settings> address_;
  const std::chrono::milliseconds reconnect_after_;
  std::unique_ptr<postgres::connection> link_;
  clock::time_point renew_at_{};
  bool plainly_ = false;  // the server lacks, or forbids, all but the plainest question
};

}  // namespace breakwater::routing
