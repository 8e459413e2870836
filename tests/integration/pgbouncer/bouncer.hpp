#pragma once

#include <breakwater/core/config.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/testing/cluster.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

/// When PgBouncer takes a connection to the server back from its client.
enum class pooling : std::uint8_t { session, transaction };

struct bouncer_options {
  pooling mode = pooling::transaction;
  /// Connections to the server for each database and role. One: whatever a client leaves on it the next one meets.
  unsigned pool_size = 20;
  /// Where the server listens on 127.0.0.1, when that is not the node's own port: a proxy of the test's.
  std::uint16_t server_port = 0;
  /// Further lines for the section [pgbouncer].
  std::string settings = {};
};

/// A PgBouncer in front of a node of a cluster, on a free port of 127.0.0.1.
///
///     auto between = bouncer::start(cluster, cluster.primary(), {.mode = pooling::transaction}).value();
///     config.nodes = {between.dsn()};
///
/// Goes away with this object, and also when the process ends without destroying it. For one thread at a time.
class bouncer {
 public:
  /// Returns when it takes connections. Errors: `internal`, with what it says of itself, or how it is installed.
  [[nodiscard]] static bw::result<bouncer> start(const bw::testing::cluster& before, bw::testing::node node,
                                                 const bouncer_options& options = {});

  bouncer(bouncer&&) noexcept;
  bouncer& operator=(bouncer&&) noexcept;
  ~bouncer();

  /// The node's DSN for the application's role, through here.
  [[nodiscard]] const std::string& dsn() const noexcept { return dsn_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// What it has written so far.
  [[nodiscard]] std::string log() const;

 private:
  struct process;
  bouncer() noexcept;

  std::unique_ptr<process> process_;
  std::string dsn_;
  std::uint16_t port_ = 0;
};

/// \name A whole suite through PgBouncer
/// BW_TEST_THROUGH in the environment says how a suite reaches its cluster: `pgbouncer-session`,
/// `pgbouncer-transaction`, or (not set) without anything between.
/// @{

/// What BW_TEST_THROUGH says is between; ends the program when it says anything else.
[[nodiscard]] bool is_through_bouncer();
[[nodiscard]] bool is_through_transaction_bouncer();

/// The ways to all nodes of a cluster, as BW_TEST_THROUGH wants them.
class way_to {
 public:
  /// Ends the program with what is wrong when there is no way.
  explicit way_to(const bw::testing::cluster& cluster);
  /// Makes it the way of a database: the nodes, and what has to be said of what stands between.
  void lead(bw::config& settings) const;
  /// One for each node, in the order of `cluster::nodes()`.
  [[nodiscard]] const std::vector<std::string>& dsns() const noexcept { return dsns_; }
  /// To the one that was started as the primary.
  [[nodiscard]] const std::string& dsn() const noexcept { return dsns_.front(); }

 private:
  std::vector<bouncer> between_;
  std::vector<std::string> dsns_;
};
/// @}

}  // namespace tests
