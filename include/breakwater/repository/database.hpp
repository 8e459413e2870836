#pragma once

#include <breakwater/core/config.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/repository/detail/verify.hpp>
#include <breakwater/repository/session.hpp>
#include <breakwater/repository/session_options.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace breakwater {

namespace detail {
class database_state;
}  // namespace detail

/// One node as it is now.
struct node_stats {
  std::string node;  ///< "host:port"
  node_role role = node_role::unknown;
  std::size_t connections = 0;  ///< open, idle and used
  std::size_t idle = 0;
  std::size_t waiting = 0;  ///< callers waiting for a connection
};

/// A node's answer to a health check.
struct node_health {
  std::string node;
  node_role role = node_role::unknown;
  std::chrono::nanoseconds round_trip{};  ///< of the check, waiting for a connection included
  std::optional<error> failure{};         ///< why it did not answer
};

/// A health check's outcome.
struct health_report {
  bool can_read = false;   ///< some node answered
  bool can_write = false;  ///< exactly one node that answered is a primary
  std::vector<node_health> nodes{};
};

/// A PostgreSQL primary and its replicas: the pools, and what watches over them. One per process and database.
///
///     bw::config config;
///     config.nodes = {"postgresql://app@db1/shop", "postgresql://app@db2/shop"};
///     BOOST_OUTCOME_TRY(auto db, bw::database::open(config));
///     bw::session session = db.session({.timeout = 200ms});
///
/// Thread-safe; copies share the same pools. The last copy, session or repository to go closes them.
class database {
 public:
  /// Checks the configuration, connects to every node and learns their roles. Errors: `invalid_argument` naming every
  /// bad field; where no node can be reached, why the first one could not. Takes at most `connect_timeout`.
  [[nodiscard]] static result<database> open(const config& settings);

  /// A session for one request. Costs an allocation; talks to no server.
  [[nodiscard]] breakwater::session session(session_options options = {},
                                            source_location where = source_location::current()) const;

  /// Asks every node for a sign of life, all at once, within `timeout`.
  [[nodiscard]] health_report health(std::chrono::milliseconds timeout = std::chrono::seconds(1)) const;

  /// Numbers of this moment, for a status page. Takes each pool's lock for a moment.
  [[nodiscard]] std::vector<node_stats> stats() const;

  /// Refuses new work with `errc::cancelled`, lets what runs finish within `grace` (the configuration's
  /// `shutdown_grace` where it is not given), then cuts it off. Errors: `deadline_exceeded` when something had to be
  /// cut off.
  result<void> shutdown(std::optional<std::chrono::milliseconds> grace = std::nullopt);

  /// Deletes rows of the outcome guard's table that are older than `config.outcome_guard.retention`, a thousand at a time;
  /// returns how many. A process that guards something does so by itself from time to time. Takes at most `timeout`;
  /// what was deleted before an error stays deleted. Errors: as a statement's. No error where the table is missing.
  [[nodiscard]] result<std::size_t> sweep_outcomes(std::chrono::milliseconds timeout = std::chrono::seconds(30)) const;

  /// Compares the mappings with the live schema of the primary. Errors: `mapping_mismatch` whose message lists every
  /// difference, table by table:
  /// - what breaks reading: tables and columns that are missing, types that the members do not read, columns that can be
  ///   NULL where the members can not, a key that is none;
  /// - what breaks writing: `generated` and `defaulted` columns for which the server has no value (unless a trigger runs
  ///   before an insert), columns that it always generates, ones that are not mapped but need a value;
  /// - what the mapping says and the schema does not: `unique`, `index`, `references`.
  /// Not compared: checks, `type`, and of views anything but their columns. One round trip.
  template <entity... Entities>
  requires(sizeof...(Entities) > 0) [[nodiscard]] result<void> verify() const {
    const detail::mapped_table tables[] = {
        {.table = detail::view_of<Entities>, .fields = detail::field_types<Entities>}...};
    return detail::verify_tables(session({.consistency = consistency::primary}), tables);
  }

 private:
  explicit database(std::shared_ptr<detail::database_state> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::database_state> state_;
};

}  // namespace breakwater
