#pragma once

#include "admin_connection.hpp"
#include "guardian.hpp"
#include "server.hpp"
#include "workspace.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/testing/cluster.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace breakwater::testing {

/// A cluster's state. Everything is immutable after the start but what says otherwise.
class cluster::impl {
 public:
  struct member {
    member(std::string name, const detail::workspace& space) : server(std::move(name), space) {}

    std::mutex busy;        ///< held by the operation that uses `server`
    detail::server server;  ///< guarded by `busy`; its paths and name are immutable
    std::uint16_t port = 0;
    /// Index of the node it streams from; its own if it is a primary.
    std::atomic<std::size_t> upstream = 0;
  };

  impl(cluster_options chosen, detail::workspace opened);
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl();

  /// The limit of one operation that starts now.
  [[nodiscard]] deadline limit() const { return deadline::after(options.operation_timeout); }
  /// Whether the node is one of ours.
  [[nodiscard]] bool owns(node n) const noexcept;
  /// Errors: `errc::invalid_argument` for another cluster's node.
  [[nodiscard]] result<member*> find(node n) const;

  [[nodiscard]] result<detail::admin_connection> connect(const member& to, deadline until) const;
  /// Writes postgresql.conf. A `synchronous` primary waits for replicas.
  [[nodiscard]] result<void> configure(const member& which, bool synchronous) const;
  /// Creates the replication slot of `replica` on `primary`.
  [[nodiscard]] result<void> reserve_slot(const member& primary, const member& replica, deadline until) const;
  /// Starts copying the data of `source` into the empty data folder of `replica`.
  [[nodiscard]] result<detail::child_process> begin_copy(const member& source, const member& replica) const;
  /// Waits for the copy and makes it a replica of its `upstream`, ready to be launched.
  [[nodiscard]] result<void> finish_copy(detail::child_process& copy, const member& replica, deadline until) const;
  /// Waits until `replica` streams from its `upstream`.
  [[nodiscard]] result<void> await_streaming(const member& replica, deadline until) const;

  const cluster_options options;
  const detail::workspace space;
  std::string superuser_password;
  std::string user_password;
  std::vector<std::unique_ptr<member>> members;
  /// Index of the node promoted most recently; initially 0.
  std::atomic<std::size_t> current_primary = 0;
  detail::guardian keeper;
};

/// Asks until a query's value is "t"; a deadline is an error that says `waiting_for`.
[[nodiscard]] result<void> wait_for_true(detail::admin_connection& connection, const std::string& query, deadline until,
                                         const std::string& waiting_for);

}  // namespace breakwater::testing
