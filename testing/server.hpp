#pragma once

#include "child_process.hpp"
#include "workspace.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace breakwater::testing::detail {

/// One node's files and its postmaster.
///
///     state     postmaster   entered by
///     -------   ----------   -------------------------------------------------------
///     empty     none         construction; a base backup or initdb fills `data()`
///     running   runs         launch(); ready for connections once await_ready() says so
///     down      none         stop(), kill(), or by itself; launch() goes back to running
///
/// Not thread-safe.
class server {
 public:
  server(std::string name, const workspace& space);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& home() const noexcept { return home_; }  ///< holds data and logs
  [[nodiscard]] const std::string& data() const noexcept { return data_; }
  [[nodiscard]] const std::string& log() const noexcept { return log_; }

  [[nodiscard]] bool is_running() noexcept { return process_.is_running(); }
  /// Starts the postmaster, after sweeping away what a killed one left. REQUIRES: it is not
  /// running.
  [[nodiscard]] result<void> launch(deadline until);
  /// Waits until it takes connections. Errors: `errc::connection_failed` if it ended instead and
  /// `errc::deadline_exceeded`, both with the last lines of the log.
  [[nodiscard]] result<void> await_ready(deadline until);
  /// Whether the last launch failed because somebody else listens on the port.
  [[nodiscard]] bool lost_its_port() const;
  /// Fast shutdown. Errors: `errc::deadline_exceeded`.
  [[nodiscard]] result<void> stop(deadline until);
  /// SIGKILL to all its processes. Errors: `errc::deadline_exceeded`.
  [[nodiscard]] result<void> kill(deadline until);
  /// Has it read postgresql.conf again.
  void reload() noexcept;
  /// Collects the ended postmaster, so that it is no zombie.
  void reap(deadline until) noexcept { (void)process_.wait(until); }

 private:
  [[nodiscard]] result<void> sweep(deadline until);
  [[nodiscard]] bool says_ready() const;

  const workspace* space_;
  std::string name_, home_, data_, log_;
  child_process process_;
  std::size_t log_size_at_launch_ = 0;
};

}  // namespace breakwater::testing::detail
