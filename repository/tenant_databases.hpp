#pragma once

#include <breakwater/core/config.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace breakwater::routing {
class router;
}  // namespace breakwater::routing

namespace breakwater::detail {

class database_state;

/// The databases of tenants that have one of their own, on the same servers as the configured one. Each is opened when it
/// is needed first, with pools and a configuration like those of the configured one; those that nobody uses are closed
/// when there are too many, the one that was unused for longest first. Thread-safe.
class tenant_databases {
 public:
  /// `configured` is the router of the configured database, whose credentials all share. Both outlive this.
  tenant_databases(const config& settings, const routing::router& configured) noexcept
      : settings_(settings), configured_(configured) {}

  /// Opens it where it is not open; others who want the same one wait for that, others do not. Errors: why it can not be
  /// opened (the same for a second, so that callers do not all try); `resource_exhausted` where as many are in use as there
  /// may be; `cancelled` after `close`.
  [[nodiscard]] result<std::shared_ptr<database_state>> get(const std::string& name);
  /// No more are opened from now on. Returns those that are open; what is being opened is given up.
  [[nodiscard]] std::vector<std::shared_ptr<database_state>> close();

 private:
  struct entry {
    std::string name;
    std::mutex opening;
    std::shared_ptr<database_state> state;
    std::optional<error> failure;
    deadline::clock::time_point failed_at{};
  };
  using entry_pointer = std::shared_ptr<entry>;

  [[nodiscard]] result<entry_pointer> place_for(const std::string& name, std::shared_ptr<database_state>& to_close);

  const config& settings_;
  const routing::router& configured_;
  std::mutex mutex_;
  bool closed_ = false;
  std::list<entry_pointer> entries_;  // the one that was used last is the first
};

}  // namespace breakwater::detail
