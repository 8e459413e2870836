#pragma once

#include "cluster/topology.hpp"
#include "postgres/connection.hpp"
#include <breakwater/core/error.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

namespace breakwater::routing {

/// Behind the application's name, so that an operator can tell the connections that probe from those that do the work.
inline constexpr std::string_view monitor_name_suffix = " monitor";

/// What came of a probe.
struct probe_answer {
  node_observation seen{};
  bool same_connection = false;    ///< as the last probe's
  bool refused = false;            ///< the server is there, but would not tell us anything
  std::optional<error> failure{};  ///< why there is no answer
};

/// Asks one server what it is: over a connection of its own, which is nobody else's.
///
/// One statement, which any role may run; what only members of pg_read_all_stats are told is not known then. For one
/// thread at a time.
class probe {
 public:
  explicit probe(std::shared_ptr<const postgres::connection_settings> address) noexcept
      : address_(std::move(address)) {}

  /// Connects where needed, asks, and returns by `until`; but resolving a host name blocks for as long as it likes.
  [[nodiscard]] probe_answer ask(deadline until, const std::stop_token& stop);

  /// \name A connection that is old is replaced by one that somebody else has made, because connecting may take long.
  /// @{
  [[nodiscard]] bool has_connection() const noexcept { return link_ != nullptr; }
  [[nodiscard]] deadline::clock::time_point opened_at() const noexcept { return link_->opened_at(); }
  /// It was set up for what the server was before it changed its role.
  [[nodiscard]] bool is_outdated() const noexcept { return outdated_; }
  void adopt(std::unique_ptr<postgres::connection> fresh) noexcept;
  /// @}

 private:
  using clock = deadline::clock;

  [[nodiscard]] std::optional<error> connect(deadline until, const std::stop_token& stop);
  [[nodiscard]] result<rows> question(deadline until, const std::stop_token& stop, clock::time_point& sent);

  const std::shared_ptr<const postgres::connection_settings> address_;
  std::unique_ptr<postgres::connection> link_;
  bool adopted_ = false;  // and not asked yet
  bool outdated_ = false;
  bool plainly_ = false;  // on this connection the server lacks, or forbids, all but the plainest question
};

}  // namespace breakwater::routing
