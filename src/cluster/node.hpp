#pragma once

#include "postgres/lease_channel.hpp"
#include "postgres/pool.hpp"

#include <memory>
#include <string>

namespace breakwater::routing {

/// One server of a database: its pool and the channels that run on it. Thread-safe.
class node {
 public:
  node(pool_options options, std::shared_ptr<const postgres::connection_settings> settings, task_runner& background,
       observer* watcher)
      : connections_(options, std::move(settings), background, watcher), leases_(connections_) {}

  [[nodiscard]] const std::string& name() const noexcept { return connections_.node(); }
  [[nodiscard]] node_role role() const noexcept { return connections_.role(); }
  [[nodiscard]] postgres::pool& connections() noexcept { return connections_; }
  /// Where single statements run.
  [[nodiscard]] channel& statements() noexcept { return leases_; }

 private:
  postgres::pool connections_;
  postgres::lease_channel leases_;
};

}  // namespace breakwater::routing
