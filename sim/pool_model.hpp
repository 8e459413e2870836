#pragma once

#include "sim/database.hpp"
#include "sim/events.hpp"
#include "sim/history.hpp"
#include "sim/random.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/error.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/resilience/admission_queue.hpp>
#include <breakwater/resilience/connect_pacer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace breakwater::sim {

/// A client in the pool's queue.
struct waiting_client : resilience::admission_queue::entry {
  waiting_client(std::uint32_t which, priority importance, deadline until) noexcept
      : entry(importance, until), client(which) {}
  std::uint32_t client;
};

/// Who is told what became of waiting. Called from within the pool: must not call it back.
class pool_listener {
 public:
  pool_listener() = default;
  pool_listener(const pool_listener&) = delete;
  pool_listener& operator=(const pool_listener&) = delete;
  virtual ~pool_listener() = default;
  virtual void served(std::uint32_t client, std::uint32_t with) = 0;
  virtual void turned_away(std::uint32_t client, const error& why) = 0;
  /// A connection was opened, or none could be.
  virtual void opened(std::uint32_t process, std::uint8_t node) = 0;
};

/// The connections of one process to one node: the real queue and the real pacer, with the rules of `postgres::pool`
/// around them.
class pool_model {
 public:
  struct settings {
    std::size_t size = 8;
    std::size_t max_waiters = 1000;
    instant connect_timeout = 5 * second;
    bool paced = true;  ///< false: a defect to be caught
  };

  pool_model(event_queue& events, database& servers, generator& chance, history& records, pool_listener& listener,
             std::uint32_t process, std::uint8_t node, settings options);

  /// A connection at once; else nothing, and `self` waits, or is told that it is turned away.
  [[nodiscard]] std::optional<std::uint32_t> acquire(waiting_client& self);
  void leave(waiting_client& self) noexcept { waiters_.leave(self); }
  void give_back(std::uint32_t on);
  /// It broke, or must not be used any more; `broken` says which.
  void discard(std::uint32_t on, bool broken);
  /// Its answer was given up: put in order in the background.
  void repair_later(std::uint32_t on);
  void repair_due(std::uint32_t on, std::uint32_t tries);
  void connect_answered(std::uint32_t on, const answer& outcome);
  void open_first();
  void maintain();
  void due() { serve_waiters(); }

  /// Whether an idle connection answers a ping; closes those that are dead, and opens the first one where there is none.
  [[nodiscard]] bool look_for_life();

  [[nodiscard]] node_role role() const noexcept { return role_; }
  void note_role(node_role role) noexcept { role_ = role; }
  [[nodiscard]] std::size_t open() const noexcept { return open_; }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
  [[nodiscard]] const std::optional<error>& last_failure() const noexcept { return last_failure_; }

 private:
  void start_connects(std::size_t at_least);
  void serve_waiters();
  void hand_out(std::uint32_t on);
  void lend(std::uint32_t on, std::uint32_t to, bool waited);
  void wake_when_paced();
  [[nodiscard]] deadline::clock::time_point now() const noexcept { return clock_at(events_.now()); }

  event_queue& events_;
  database& servers_;
  generator& chance_;
  history& records_;
  pool_listener& listener_;
  const std::uint32_t process_;
  const std::uint8_t node_;
  const settings options_;

  resilience::admission_queue waiters_;
  resilience::connect_pacer pacer_;
  std::vector<std::uint32_t> idle_;
  std::size_t open_ = 0;
  std::size_t connecting_ = 0;
  instant wakes_at_ = -1;
  node_role role_ = node_role::unknown;
  std::optional<error> last_failure_;
};

}  // namespace breakwater::sim
