#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/testing/cluster_options.hpp>
#include <breakwater/testing/node.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::testing {

/// A real PostgreSQL cluster for tests: a primary and streaming replicas, made from the installed
/// server binaries in a temporary folder, on free loopback ports.
///
///     auto cluster = bw::testing::cluster::start({.replicas = 2}).value();
///     run_my_tests_against(cluster.dsns());
///     cluster.kill(cluster.primary()).value();     // and see what the code under test makes of it
///
/// Nothing stays behind: servers and folder go away with this object, and also when the process
/// ends without destroying it, be it by a crash or by SIGKILL. A caller who is root needs no
/// preparation: the servers then run as "postgres", or "nobody" where there is no such user. Linux
/// only (it reads /proc).
///
/// Threads may share a cluster: operations on one node run one after the other, on different nodes
/// side by side. Moving from it, assigning to it and destroying it need the object for oneself.
///
/// Operations that take a node refuse one of another cluster with `errc::invalid_argument`, and end
/// after `cluster_options::operation_timeout` with `errc::deadline_exceeded` unless they say
/// otherwise.
class cluster {
 public:
  /// Makes the cluster and returns when every replica streams. On two cores and with the folder in
  /// memory 0.4 s for a primary and 0.6 s with two replicas; on disk 1.5 s and 3 s.
  ///
  /// Errors: `invalid_argument` for an option that is not allowed, and when there are no server
  /// binaries (the text says which command installs them); `deadline_exceeded` after
  /// `start_timeout`; `connection_failed` when a server did not start, with the last lines of its
  /// log; `internal` when the operating system refuses.
  [[nodiscard]] static result<cluster> start(const cluster_options& options = {});

  cluster(cluster&& other) noexcept;
  cluster& operator=(cluster&& other) noexcept;
  /// Ends the servers and removes the folder; returns when that is done, usually within 0.1 s.
  ~cluster();

  /// \name Nodes
  /// @{

  /// The node that was started as the primary, whatever was promoted since.
  [[nodiscard]] node primary() const noexcept;
  /// The i-th of the nodes that were started as replicas.
  /// REQUIRES: `i` is less than `cluster_options::replicas`; checked, the program ends if not.
  [[nodiscard]] node replica(std::size_t i) const;
  /// All nodes, the first primary first.
  [[nodiscard]] std::vector<node> nodes() const;
  /// @}

  /// \name Connecting
  /// @{

  /// `postgresql://app:password@127.0.0.1:15432/app` for the application's role.
  /// REQUIRES: the node is of this cluster; checked, the program ends if not.
  [[nodiscard]] std::string dsn(node n) const;
  /// The DSN of `primary()`.
  [[nodiscard]] std::string dsn() const;
  /// One DSN per node, in the order of `nodes()`.
  [[nodiscard]] std::vector<std::string> dsns() const;
  /// As `dsn(n)`, for the superuser "postgres". REQUIRES: as there.
  [[nodiscard]] std::string admin_dsn(node n) const;
  /// @}

  /// \name Faults and their repair
  /// @{

  /// Stops a server as an operator would (fast shutdown: sessions are ended, replicas get all WAL
  /// first). Success if it was not running.
  [[nodiscard]] result<void> stop(node n);
  /// Starts a server again, on its old port, in the role it had; returns when it takes connections.
  /// Success if it is running. Errors also: `connection_failed`, with the last lines of the log.
  [[nodiscard]] result<void> start(node n);
  /// `stop`, then `start`, within one `operation_timeout`.
  [[nodiscard]] result<void> restart(node n);
  /// SIGKILL to a server and all its processes; returns when they are gone. Nothing they leave
  /// behind hinders a later `start`. Success if it was not running.
  [[nodiscard]] result<void> kill(node n);
  /// Whether the server's main process runs; true also while it is starting or recovering.
  [[nodiscard]] bool is_running(node n) const;

  /// Makes a replica a primary; returns when it takes writes. The old primary is not touched: stop
  /// or kill it first, or there are two. The other replicas stay with it; `rejoin` moves them.
  /// Errors also: `invalid_argument` if it is no replica.
  [[nodiscard]] result<void> promote(node n);
  /// Throws a node's data away and makes it a replica of the most recently promoted node: the old
  /// primary after a failover. Running or not, it is running afterwards; returns when it streams.
  /// Errors also: `invalid_argument` for the current primary itself.
  [[nodiscard]] result<void> rejoin(node n);

  /// Stops replay on a replica: it keeps receiving WAL, but its data stands still. Returns when it
  /// does. Ends with `resume_replay`, `promote` and with a restart of the server.
  /// Errors also: `invalid_argument` if it is no replica.
  [[nodiscard]] result<void> pause_replay(node n);
  /// Lets replay go on. Returns at once; see `wait_for_replay`. Errors: as `pause_replay`.
  [[nodiscard]] result<void> resume_replay(node n);
  /// Waits until a replica has replayed everything its primary had flushed when this was called.
  /// Errors: `deadline_exceeded` after `timeout`, saying how far it came; `invalid_argument` if it
  /// is no replica; `connection_failed` if either server does not answer.
  [[nodiscard]] result<void> wait_for_replay(node n, std::chrono::milliseconds timeout = std::chrono::seconds(10));
  /// @}

  /// \name Looking behind the scenes
  /// Each call makes a connection of its own (some milliseconds), as superuser, to the
  /// application's database: what these see owes nothing to the code under test. The text of a query goes into
  /// error messages, so keep secrets out of it.
  /// @{

  /// Runs one or more statements. Tables made here are the superuser's; the application's role may
  /// read and write, but not alter them.
  /// Errors: `connection_failed` if no connection is to be had or it was lost; `deadline_exceeded`;
  /// else by the server's SQLSTATE, which the error carries: `invalid_statement` for class 42,
  /// `read_only`, ...
  [[nodiscard]] result<void> execute(node n, std::string_view sql);
  /// The same on `primary()`.
  [[nodiscard]] result<void> execute(std::string_view sql);
  /// The one value of a query of one row and one column, as text.
  /// Errors also: `not_found` for no row, `too_many_rows` for several; `data_error` for NULL (use
  /// coalesce) and when there is not exactly one column.
  [[nodiscard]] result<std::string> query_value(node n, std::string_view sql);
  /// The same on `primary()`.
  [[nodiscard]] result<std::string> query_value(std::string_view sql);

  /// The server's log so far, all starts together. REQUIRES: the node is of this cluster.
  [[nodiscard]] std::string log(node n) const;
  /// The folder all is in; it exists as long as the cluster. Readable for its owner only.
  [[nodiscard]] const std::string& directory() const noexcept;
  /// @}

 private:
  class impl;
  friend class cluster_builder;
  explicit cluster(std::unique_ptr<impl> state) noexcept;

  std::unique_ptr<impl> impl_;
};

}  // namespace breakwater::testing
