#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace breakwater::testing {

/// What `cluster::start` is to start. The defaults are a single server, quick rather than durable.
///
///     auto cluster = bw::testing::cluster::start({.replicas = 2, .synchronous_replicas = 1});
///
/// An aggregate; distinct objects may be used by distinct threads.
struct cluster_options {
  /// Streaming replicas beside the primary, 0 to 16. Each has a replication slot, so that a replica
  /// which is stopped or paused finds all its WAL later.
  unsigned replicas = 0;

  /// Database to create; `dsn()` points at it. Any name but "postgres", "template0" and
  /// "template1".
  std::string database = "app";

  /// Role to create; it owns the database, and has no special rights but `pg_read_all_stats`, which
  /// an application's role needs for replicas to serve reads of what it wrote (docs/routing.md). Any
  /// name but "postgres", which is the superuser's.
  std::string user = "app";

  /// That role's password (SCRAM, over TCP); empty makes a random one. The superuser's is always
  /// random.
  std::string password = {};

  /// Further lines for postgresql.conf, name and unquoted value, on every node; they come last and
  /// win. What the cluster depends on (port, listen_addresses, logging and the like) is refused.
  std::vector<std::pair<std::string, std::string>> settings = {};

  /// How many replicas must confirm a commit (`synchronous_standby_names = 'ANY n (...)'` on the
  /// primary), 0 to `replicas`. With fewer of them running, commits wait, as in production.
  unsigned synchronous_replicas = 0;

  /// true: fsync as in production, for realistic commit times. false: the servers never wait for
  /// the disk. A killed *process* loses nothing either way, because what it wrote is in the kernel;
  /// only a crash of the machine tells the two apart.
  bool durable = false;

  /// Limit for the whole of `cluster::start`.
  std::chrono::milliseconds start_timeout = std::chrono::seconds(60);

  /// Limit for each later operation that has no limit of its own: stop, start, promote, execute,
  /// ...
  std::chrono::milliseconds operation_timeout = std::chrono::seconds(30);

  /// Folder with `initdb`, `postgres` and `pg_basebackup`. Empty: the environment variable
  /// BW_TEST_PG_BIN, else the first that has them of `pg_config --bindir`, the newest
  /// /usr/lib/postgresql/*/bin or /usr/pgsql-*/bin, and PATH. PostgreSQL 14 or newer.
  std::string binaries = {};

  /// Existing folder in which to make the cluster's own; the user the servers run as must be able
  /// to enter it. Empty: TMPDIR if that is set; else, unless `durable`, /dev/shm if it has 1 GiB to
  /// spare per node, where a cluster starts several times faster; else /tmp. A cluster that does
  /// nothing takes about 60 MiB per node.
  std::string folder = {};
};

}  // namespace breakwater::testing
