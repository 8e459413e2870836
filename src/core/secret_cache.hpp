#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/secret_provider.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace breakwater {

/// Credentials and which ones they are: a later version is newer.
struct versioned_credentials {
  credentials what;
  std::uint64_t version = 0;
};

/// The credentials of a database as they are now, shared by all who connect.
///
///     state     | event                              | what is done
///     empty     | `current`                          | fetch; all who come meanwhile wait for it
///     held      | `current`                          | the held ones
///     held      | the server refused the held ones   | fetch once: others found: held, with a new version
///               |                                    | the same: held; no more fetches for them for a while
///     held      | the server refused older ones      | nothing: there are newer ones to try
///     held      | `refresh_if_due`                   | fetch; a failure keeps what is held
///
/// Thread-safe. `current` and `renew_refused` may wait for the provider: they are for background threads.
class secret_cache {
 public:
  using clock = deadline::clock;
  using held = std::shared_ptr<const versioned_credentials>;

  /// `watcher` may be null.
  secret_cache(std::shared_ptr<secret_provider> from, secret_options options, observer* watcher);

  /// Errors: the provider's, where none were fetched yet; `deadline_exceeded`.
  [[nodiscard]] result<held> current(deadline until);
  /// The server refused those of `version`. Returns others to try, or null where there are none. Errors: the provider's.
  [[nodiscard]] result<held> renew_refused(std::uint64_t version, deadline until);
  /// Fetches where it is time to.
  void refresh_if_due(deadline until);
  [[nodiscard]] bool is_due(clock::time_point now) const;

  /// The newest version's number; 0: none yet.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] std::chrono::milliseconds drain() const noexcept { return options_.drain; }
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

 private:
  using lock_type = std::unique_lock<std::mutex>;
  /// Waits until nobody fetches. False: the deadline came.
  [[nodiscard]] bool await_turn(lock_type& lock, deadline until);
  [[nodiscard]] result<held> fetch(lock_type& lock, deadline until);
  [[nodiscard]] bool has_just_failed() const;
  [[nodiscard]] clock::time_point due_after(clock::time_point now) const noexcept;

  const std::shared_ptr<secret_provider> from_;
  const secret_options options_;
  observer* const watcher_;
  const std::string source_;

  mutable std::mutex mutex_;
  std::condition_variable fetched_;
  bool fetching_ = false;
  held held_{};
  std::atomic<std::uint64_t> version_{0};
  clock::time_point due_ = clock::time_point::max();
  std::optional<error> failure_{};  // of the last fetch
  clock::time_point failed_at_{};
  /// Refused, and found to be the only ones there are: when.
  std::optional<clock::time_point> refused_at_{};
};

}  // namespace breakwater
