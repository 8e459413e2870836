#pragma once

#include <breakwater/core/causality_token.hpp>
#include <breakwater/core/consistency.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/priority.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace breakwater {

/// What one request to a service asks of the database. Every member may be left out.
struct session_options {
  /// The whole session's time, counted from its creation; nothing runs longer. Zero or less has passed already.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  /// The same as a point in time; where both are given the earlier one counts.
  breakwater::deadline deadline = {};
  /// Longest time for each operation, queueing, connecting and further attempts included; the configuration's
  /// `operation_timeout` where it is not given.
  std::optional<std::chrono::nanoseconds> operation_timeout = std::nullopt;
  /// How fresh reads are; the configuration's where it is not given.
  std::optional<breakwater::consistency> consistency = std::nullopt;
  /// What the session's reads have to see besides its own writes: another session's `token()`.
  causality_token after = {};
  /// A read that only a primary could answer which can not vouch for those writes is an error (`errc::no_primary`), where
  /// without it is answered and `session::causality()` says so. See docs/causality.md.
  bool strict_causality = false;
  /// On whose behalf it all is done: a user's name or number, for hooks and the auditor.
  std::string actor = {};
  /// Goes into every event of the session, so that its log lines can be found together.
  std::string correlation_id = {};
  /// Ends what the session is doing when it is asked to stop. A COMMIT under way is never cut short.
  std::stop_token cancel = {};
  /// Whether what became of its writes is found out when their answer is lost; the configuration's
  /// `outcome_guard.enabled` where it is not given. Each single write then is a transaction, and costs one more round
  /// trip. See docs/outcome_guard.md.
  std::optional<bool> outcome_guard = std::nullopt;
  /// What is left out first when not all can be served: where callers wait for a connection the critical ones are served
  /// first, and the sheddable ones refused first (`errc::overloaded`).
  breakwater::priority priority = breakwater::priority::normal;
  /// On behalf of which tenant, where the configuration has a `tenant_resolver`: without one everything that the session is
  /// asked to do is refused. See docs/tenancy.md.
  std::string tenant = {};
  /// For what is no tenant's business, such as migrations: no tenant, and nothing is set.
  bool across_tenants = false;
};

}  // namespace breakwater
