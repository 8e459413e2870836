#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/core/source_location.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater {

/// What part a node plays: a primary takes writes, a replica follows it.
enum class node_role : std::uint8_t { unknown, primary, replica };

/// The role's name: "unknown", "primary" or "replica".
[[nodiscard]] constexpr std::string_view to_string(node_role role) noexcept {
  return role == node_role::primary ? "primary" : role == node_role::replica ? "replica" : "unknown";
}

/// One finished statement: the whole call, with its waiting.
struct operation_event {
  std::string_view statement;  ///< its name, e.g. "accounts.get"
  std::string_view operation;  ///< "SELECT", "INSERT", ...
  std::string_view table;      ///< may be empty for raw SQL
  std::string_view node;       ///< "host:port", empty when none was reached
  node_role role = node_role::unknown;
  std::chrono::nanoseconds duration{};
  std::size_t rows = 0;               ///< returned or affected
  unsigned attempts = 1;              ///< 0: refused before the first
  const error* failure = nullptr;     ///< null on success; valid during the call only
  std::string_view correlation_id{};  ///< the session's
};

/// Why a connection was closed.
enum class close_reason : std::uint8_t { expired, idle, broken, role_changed, shutdown };

/// A connection opened, failed to open, or closed.
struct connection_event {
  std::string_view node;
  std::chrono::nanoseconds duration{};          ///< time it took to open, or its age when closed
  const error* failure = nullptr;               ///< why it could not be opened; null otherwise
  close_reason reason = close_reason::expired;  ///< of a closed one
};

/// A caller that waited for a pooled connection.
struct lease_wait_event {
  std::string_view node;
  std::chrono::nanoseconds duration{};
  bool timed_out = false;
};

/// A connection held longer than `pool_options::leak_warning_after`.
struct lease_leak_event {
  std::string_view node;
  std::chrono::nanoseconds held{};
  source_location borrower;  ///< where the session or transaction that holds it was made
};

/// A node changed its role.
struct node_event {
  std::string_view node;
  node_role before = node_role::unknown;
  node_role now = node_role::unknown;
};

/// Where the library reports what it does; every floor reports here and nowhere else.
///
///     struct printer : bw::observer {
///       void on_lease_leak(const bw::lease_leak_event& e) noexcept override { ... }
///     };
///     config.observer = std::make_shared<printer>();
///
/// Override what is of interest; the rest does nothing. Without an observer no event is even put together.
/// Called on the callers' own threads, by many at once, sometimes under a lock: an implementation must be
/// thread-safe, must not throw, must not block and must not call back into the library. String views in
/// events are valid during the call only.
class observer {
 public:
  observer() = default;
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;
  virtual ~observer() = default;

  virtual void on_operation(const operation_event& /*event*/) noexcept {}
  virtual void on_connection_opened(const connection_event& /*event*/) noexcept {}
  virtual void on_connection_closed(const connection_event& /*event*/) noexcept {}
  virtual void on_lease_wait(const lease_wait_event& /*event*/) noexcept {}
  virtual void on_lease_leak(const lease_leak_event& /*event*/) noexcept {}
  virtual void on_node_change(const node_event& /*event*/) noexcept {}
};

}  // namespace breakwater
