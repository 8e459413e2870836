#pragma once

#include <breakwater/core/config.hpp>
#include <breakwater/core/config_decision.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/repository/detail/verify.hpp>
#include <breakwater/repository/session.hpp>
#include <breakwater/repository/session_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  bool confirmed = false;   ///< it is the primary, for certain: writes go to it
  /// Its own, or of a replica the one it receives; 0: not known (a replica tells members of pg_read_all_stats only).
  std::uint32_t timeline = 0;
  std::uint64_t wal_position = 0;  ///< flushed by a primary, replayed by a replica; 0: not known
  /// For how long a replica has been behind the confirmed primary, as the last probes saw it: zero where it has replayed all
  /// that there was. Nothing where that is not known.
  std::optional<std::chrono::nanoseconds> lag{};
  /// Of a replica that is left out because it failed: for how long yet, at most.
  std::optional<std::chrono::nanoseconds> ejected{};
};

/// A node's answer to a health check.
struct node_health {
  std::string node;
  node_role role = node_role::unknown;
  std::chrono::nanoseconds round_trip{};  ///< of the check, waiting for a connection included
  std::optional<error> failure{};         ///< why it did not answer
  bool confirmed = false;                 ///< as in `node_stats`, and so what follows
  std::uint32_t timeline = 0;
  std::uint64_t wal_position = 0;
  std::optional<std::chrono::nanoseconds> lag{};
};

/// A health check's outcome.
struct health_report {
  bool can_read = false;   ///< some node answered
  bool can_write = false;  ///< the confirmed primary answered, and is not read-only
  std::vector<node_health> nodes{};
};

/// One of a node's two circuit breakers as it is now; see docs/resilience.md.
struct circuit_status {
  std::string node;
  circuit_class of = circuit_class::read;
  circuit_state state = circuit_state::closed;
  bool forced = false;         ///< by an operator, until it is reset
  std::uint64_t calls = 0;     ///< within its window
  std::uint64_t failures = 0;  ///< of these
  std::uint64_t slow = 0;      ///< of these
  std::uint64_t times_opened = 0;
};

/// What an operator wants of a circuit breaker.
enum class circuit_order : std::uint8_t {
  force_open,    ///< refuse all calls, until it is reset
  force_closed,  ///< let all calls pass and count none, until it is reset
  reset          ///< closed, and nothing remembered
};

/// Is this process's use of the database in order? Not whether the database is: restarting the process would not mend
/// that.
struct liveness_report {
  bool alive = false;
  std::string reason{};  ///< why not
};

/// Shall this process be sent requests? What is known without asking a server.
struct readiness_report {
  bool ready = false;      ///< `can_read` or `can_write`
  bool can_read = false;   ///< some node's role is known, and its breaker for reads would let a call pass
  bool can_write = false;  ///< a primary is confirmed and not read-only, and its breaker for writes would do so
  std::string reason{};    ///< what is amiss; also where it is ready for one of the two only
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

  /// A session for one request. Costs an allocation; talks to no server, but for the first session of a tenant that has a
  /// database of its own, whose pools it opens. Never fails: what is wrong with its tenant is the error of what it is asked
  /// to do.
  [[nodiscard]] breakwater::session session(session_options options = {},
                                            source_location where = source_location::current()) const;

  /// Asks every node for a sign of life, all at once, within `timeout`.
  [[nodiscard]] health_report health(std::chrono::milliseconds timeout = std::chrono::seconds(1)) const;

  /// For a liveness endpoint: talks to no server and never blocks. It is alive as long as the thread that looks after
  /// the pools does its rounds; after a shutdown it is not.
  [[nodiscard]] liveness_report liveness() const;
  /// For a readiness endpoint, asked as often as one likes: talks to no server. Not ready from the moment a shutdown
  /// begins. Where nodes were lost, the library looks for their return by itself, also while nobody calls.
  [[nodiscard]] readiness_report readiness() const;

  /// \name The circuit breakers, for operators. There are two for each node; they open and close by themselves.
  /// @{
  [[nodiscard]] std::vector<circuit_status> circuit_breakers() const;
  /// Forces a breaker, or lets it go. Errors: `invalid_argument` where no node has this name ("host:port").
  [[nodiscard]] result<void> set_circuit_breaker(std::string_view node, circuit_class of, circuit_order order) const;
  /// @}

  /// Numbers of this moment, for a status page. Takes each pool's lock for a moment.
  [[nodiscard]] std::vector<node_stats> stats() const;

  /// What the library decided on by itself, with its reasons: one line for each node that was reached so far. See
  /// docs/sizing.md.
  [[nodiscard]] std::vector<config_decision> explain_config() const;

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
    return detail::verify_tables(session({.consistency = consistency::primary, .across_tenants = true}), tables);
  }

 private:
  explicit database(std::shared_ptr<detail::database_state> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::database_state> state_;
};

}  // namespace breakwater
