#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/testing/cluster_options.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater::testing::detail {

/// The superuser's name; its password is in the cluster's folder only.
inline constexpr std::string_view superuser = "postgres";
/// The address every server listens on.
inline constexpr std::string_view loopback = "127.0.0.1";
/// Longest name of a role or database the server keeps, in bytes.
inline constexpr std::size_t longest_name = 63;

/// Errors: `errc::invalid_argument`, naming the member that is not allowed.
[[nodiscard]] result<void> validate(const cluster_options& options);

/// What differs between the nodes' configurations.
struct node_settings {
  std::string name;  ///< "replica-0"
  std::uint16_t port = 0;
  std::uint16_t upstream_port = 0;  ///< where a replica streams from; ignored by a primary
  bool synchronous = false;         ///< commits here wait for replicas
};

/// The text of a node's postgresql.conf. `folder` is the cluster's. REQUIRES: `validate(options)`.
[[nodiscard]] std::string postgresql_conf(const cluster_options& options, const node_settings& node,
                                          const std::string& folder);
/// The text of pg_hba.conf: passwords, over TCP from this machine.
[[nodiscard]] std::string pg_hba_conf();
/// What a replica streams with (a libpq connection string without the password).
[[nodiscard]] std::string replication_conninfo(const std::string& name, std::uint16_t port, const std::string& folder);
/// The replication slot of a node: its name with "_" for "-".
[[nodiscard]] std::string slot_name(std::string name);

/// 'it''s' for SQL and for connection parameters in SQL.
[[nodiscard]] std::string sql_literal(std::string_view text);
/// "a ""name""" for SQL.
[[nodiscard]] std::string sql_identifier(std::string_view name);
/// Percent-encoded for a URI.
[[nodiscard]] std::string uri_encoded(std::string_view text);

}  // namespace breakwater::testing::detail
