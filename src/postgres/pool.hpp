#pragma once

#include "postgres/connection.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/resilience/admission_queue.hpp>
#include <breakwater/resilience/connect_pacer.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace breakwater {
class task_runner;
}  // namespace breakwater

namespace breakwater::postgres {

class pool;

/// A connection of a pool with what the pool knows about it.
struct pooled_connection {
  std::unique_ptr<connection> link;
  deadline::clock::time_point expires_at;
  deadline::clock::time_point idle_since;
  deadline::clock::time_point borrowed_at;
  source_location borrower;
  bool leased = false;
  bool leak_reported = false;
  bool waited_for = false;  // by its borrower: then `borrowed_at` is exact
};

/// A pooled connection in one caller's hands; goes back by itself.
class lease {
 public:
  lease() noexcept = default;
  lease(pool& owner, pooled_connection& held) noexcept : owner_(&owner), held_(&held) {}
  lease(lease&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), held_(std::exchange(other.held_, nullptr)) {}
  lease& operator=(lease&& other) noexcept {
    give_back();
    owner_ = std::exchange(other.owner_, nullptr);
    held_ = std::exchange(other.held_, nullptr);
    return *this;
  }
  ~lease() { give_back(); }

  [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }
  [[nodiscard]] connection& operator*() const noexcept { return *held_->link; }
  [[nodiscard]] connection* operator->() const noexcept { return held_->link.get(); }
  /// Back to the pool, which looks at the connection's state and keeps, repairs or closes it.
  void give_back() noexcept;

 private:
  pool* owner_ = nullptr;
  pooled_connection* held_ = nullptr;
};

struct pool_counts {
  std::size_t open = 0;  ///< connections, idle and used
  std::size_t idle = 0;
  std::size_t waiting = 0;  ///< callers
  std::size_t connecting = 0;
};

/// Who is told of what a pool learns of its server: without a lock, by any thread. Each may be empty.
struct pool_callbacks {
  /// A connection was opened, or found alive by `look_for_life`. On a thread of the background.
  std::function<void(deadline::clock::time_point)> opened{};
  /// A connection said that the role is another one than was known; `unknown`: the server can not be reached.
  std::function<void(node_role)> role_learnt{};
};

/// The connections to one node: lends them, and opens, checks, renews and closes them.
///
/// The life of a connection:
///
///     event                                      | what happens to it
///     a caller finds none idle, or min_idle      | opened by the background, never by a caller's own thread
///     opened, given back                         | to the waiting caller whose turn it is, else on top of the idle ones
///     borrowed after resting validate_after_idle | pinged first; closed when it does not answer
///     given back busy or inside a transaction    | cancelled and rolled back by the background, else closed
///     given back older than its own lifetime     | closed; lifetimes are jittered, so they do not end together
///     resting idle_timeout                       | closed, down to min_idle
///     held leak_warning_after                    | reported once, with the source line that borrowed it
///     one of them says that the role changed     | all that were made to the old role are closed, when they are free
///
/// A `connect_pacer` says when the next connect may begin. In its pause after a failed one, callers without any
/// connection are refused at once with the reason.
///
/// Whose turn it is, who is refused because the queue is full or its deadline too near, and who gives way to a more
/// important caller: see `resilience::admission_queue`.
///
/// Thread-safe. One mutex, held for a few pushes and pops; the only system call under it is starting a background thread
/// when a connection has to be opened.
class pool {
 public:
  using clock = deadline::clock;

  /// `background` and `watcher` (which may be null) outlive the pool.
  pool(pool_options options, std::shared_ptr<const connection_settings> settings, task_runner& background,
       observer* watcher, pool_callbacks callbacks = {});
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  /// REQUIRES that no lease is out and that the background has stopped.
  ~pool();

  /// A live connection, within `until`. Errors: why none could be opened; `deadline_exceeded` after a wait;
  /// `overloaded` when too many wait already, when it would come too late, or when a more important caller took the
  /// place in the queue; `cancelled`.
  [[nodiscard]] result<lease> acquire(deadline until, const std::stop_token* cancel, source_location borrower,
                                      priority importance = priority::normal);

  /// Starts the first connection, if there is none and none on its way, without waiting for it.
  void open_first();

  /// Finds out, in the background, whether the server can be used: by a round trip on an idle connection, or by opening
  /// the first one. `opened` is called where it can. For who keeps callers away and wants to know until when.
  void look_for_life();

  /// \name What somebody else has found out about the server.
  /// @{
  /// As if one of the connections had said so.
  void learn_role(node_role now);
  /// It answers: who waits need not be refused, and the next connect need not wait for the pause after a failed one.
  void found_alive(clock::time_point now);
  /// It is another server, or was started anew: no connection that there is now is lent again.
  void renew();
  /// All who wait for a connection fail with this, as they would if it could not be opened.
  void turn_away(const error& why);
  /// @}

  /// What has to be done from time to time: see the table above. Once a second is enough.
  void maintain(clock::time_point now);

  /// Refuses new callers, waits within `until` for leases to come back, then makes what is left fail at once.
  /// False when some had to be cut off.
  bool close(deadline until);

  /// From now on there are at most so many connections; those above it are closed when they come back. At least 1.
  void resize(std::size_t size);

  [[nodiscard]] pool_counts counts() const;
  /// Why the last connection that could not be opened could not; nothing once one was opened since.
  [[nodiscard]] std::optional<error> last_connect_failure() const;
  /// What the server said when the last connection was opened or looked at.
  [[nodiscard]] node_role role() const noexcept { return role_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::string& node() const noexcept { return settings_->node; }

 private:
  friend class lease;
  struct waiter;
  using lock_type = std::unique_lock<std::mutex>;

  void give_back(pooled_connection& returned) noexcept;
  /// What came back is not to be lent again as it is: repairs or closes it.
  void take_out(lock_type& lock, pooled_connection& returned, bool clean, bool changed_role);
  /// It did not answer a ping in time. Returns whether it is dead, and so gone.
  bool take_back_silent(pooled_connection& checked);
  [[nodiscard]] result<lease> wait_for_one(lock_type& lock, deadline until, const std::stop_token* cancel,
                                           source_location borrower, priority importance);
  /// Connects are paced, so that nobody starts the next one: one of those who wait shall.
  void wake_one_to_connect();
  void await(waiter& self, lock_type& lock, deadline until, const std::stop_token& token);
  [[nodiscard]] error refusal(priority importance, shed_reason why, clock::duration estimated_wait,
                              std::size_t waiting);
  [[nodiscard]] error failure_of(const waiter& unserved, const std::stop_token& cancel);
  [[nodiscard]] bool still_lives(pooled_connection& rested, deadline until);
  void hand_out(pooled_connection& free);
  /// To the waiter whose turn it is.
  void serve_next(pooled_connection& free);
  static void lend(pooled_connection& chosen, source_location borrower, clock::time_point now,
                   bool waited_for) noexcept {
    chosen.leased = true;
    chosen.waited_for = waited_for;
    chosen.leak_reported = false;
    chosen.borrower = borrower;
    chosen.borrowed_at = now;
  }
  void start_connects(clock::time_point now, std::size_t at_least = 0);
  void serve_waiters(clock::time_point now);
  void connect_in_background(std::uint64_t generation);
  void connected(std::unique_ptr<connection> made, std::uint64_t generation);
  void connect_failed(const error& cause);
  void fail_waiters(const error& cause);
  void repair_in_background(pooled_connection& dirty);
  /// Takes it out of the pool; the caller closes what is returned, outside the lock.
  [[nodiscard]] std::unique_ptr<connection> remove(pooled_connection& gone);
  /// The server's role changed: what was made to the one it had is of no use, for it is read-only, or dead.
  [[nodiscard]] std::vector<std::unique_ptr<connection>> remove_idle_of_role(bool was_replica);
  void close_in_background(std::unique_ptr<connection> closing, close_reason why);
  /// Returns whether it was another one.
  bool note_role(node_role now);
  void report_role(node_role now) const;
  /// Those that were opened with an older secret than this come to their end, each at a moment of its own.
  void age_by_secret(std::uint64_t newest, clock::time_point now);
  [[nodiscard]] clock::time_point end_of_old_secret(clock::time_point now) const;

  const pool_options options_;
  const std::shared_ptr<const connection_settings> settings_;
  task_runner& background_;
  observer* const watcher_;
  const pool_callbacks callbacks_;
  std::stop_source stop_connecting_;
  std::atomic<node_role> role_{node_role::unknown};

  // On a cache line apart from the role, which is read without it.
  alignas(64) mutable std::mutex mutex_;
  std::condition_variable returned_;                     // for close()
  std::vector<std::unique_ptr<pooled_connection>> all_;  // owns; leased, idle or under repair
  std::vector<pooled_connection*> idle_;                 // the most recently used one last: it is lent first
  resilience::admission_queue waiters_;
  std::size_t connecting_ = 0;
  resilience::connect_pacer pacer_;
  std::optional<error> last_connect_error_;
  std::atomic<std::size_t> size_;  // most connections; written under the lock
  std::uint64_t generation_ = 0;   // one more with each `renew`
  std::uint64_t secret_seen_ = 0;  // the newest that `maintain` has seen
  bool closing_ = false;
};

inline void lease::give_back() noexcept {
  if (held_ != nullptr) std::exchange(owner_, nullptr)->give_back(*std::exchange(held_, nullptr));
}

}  // namespace breakwater::postgres
