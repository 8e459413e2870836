#pragma once

#include "sim/events.hpp"
#include "sim/faults.hpp"
#include "sim/random.hpp"
#include "sim/wire.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace breakwater::sim {

constexpr std::size_t node_count = 2;

/// A primary, a synchronous replica, the network to them, and the truth about every write.
///
/// What is committed is durable and on both servers; what was not is gone with its session. A write is in place from the
/// moment its commit is flushed, its answer arrives later, and in between everything may fail.
class database {
 public:
  database(event_queue& events, generator& chance) : events_(events), chance_(chance) {}

  /// \name The clients' side of the network.
  /// @{
  /// A new link; `connect_answered` comes for it when there is something to look at.
  [[nodiscard]] std::uint32_t start_connect(std::uint32_t process, std::uint8_t node, instant timeout);
  /// What became of it; nothing while it hangs.
  [[nodiscard]] std::optional<answer> connect_outcome(std::uint32_t on);
  void send(std::uint32_t on, const request& what);
  /// Without a goodbye. What the server has not read yet it may still read (the twin), or never.
  void hang_up(std::uint32_t on);
  /// Cancels what runs and rolls back, if the server can be reached. Whether it is in order again.
  [[nodiscard]] bool repair(std::uint32_t on);
  [[nodiscard]] link& at(std::uint32_t on) noexcept { return links_[on]; }
  [[nodiscard]] const link& at(std::uint32_t on) const noexcept { return links_[on]; }
  [[nodiscard]] bool is_silent(std::uint32_t on) const noexcept { return links_[on].silent_until > events_.now(); }
  [[nodiscard]] bool is_reachable(std::uint8_t node) const noexcept;
  [[nodiscard]] bool is_standby(std::uint8_t node) const noexcept { return servers_[node].standby; }
  /// @}

  void handle(const event& what);
  void begin(fault& what);
  void go_on(const fault& what);
  void end(const fault& what);

  /// How often the write of an operation is in place.
  [[nodiscard]] unsigned applied(std::uint32_t operation) const noexcept {
    return operation < applied_.size() ? applied_[operation] : 0;
  }

 private:
  struct server {
    bool up = true;
    bool starting = false;
    bool standby = false;
    bool refuses_connects = false;
    bool unreachable = false;  // also for new connections
    double slowness = 1.0;
    double conflicts = 0.0;
    std::uint8_t disk_trouble = 0;  // the SQLSTATE of writes
  };
  enum class token_state : std::uint8_t { absent, held, committed };
  struct token_row {
    token_state state = token_state::absent;
    std::uint32_t holder = nobody;
    std::uint32_t waiter = nobody;
  };

  void request_arrives(const event& what);
  void request_done(const event& what);
  void lock_timeout(const event& what);
  void carry_out(std::uint32_t on, link& l);
  void write_in_transaction(std::uint32_t on, link& l);
  void take_token(std::uint32_t on, link& l);
  void commit(std::uint32_t on, link& l);
  void end_twins(std::uint32_t on, link& l);
  /// Of what a write fails with now; 0: it does not.
  [[nodiscard]] std::uint8_t write_error(const link& l);
  void reply(std::uint32_t on, answer what, instant delay);
  void finish(std::uint32_t on, link& l, answer what, instant delay = 0);
  void fail(std::uint32_t on, link& l, std::uint8_t state);
  void abort_transaction(link& l);
  void leave_token_queue(std::uint32_t on, const link& l);
  void release_token(link& l, bool committed);
  void end_session(std::uint32_t on, link& l);
  /// Ends the session from the server's side; the client hears of it.
  void kill_session(std::uint32_t on, std::uint8_t state);
  void kill_sessions(std::uint8_t node, double part, std::uint8_t state);
  /// The client's end sees a reset, the server's end nothing until then.
  void half_cut(std::uint8_t node, double part, instant until);
  /// What was sent into silence is sent again when it is over.
  [[nodiscard]] bool held_up(const event& what);
  void silence(std::uint8_t node, double part, instant until);
  [[nodiscard]] instant latency() { return chance_.between(100 * us, 400 * us); }
  [[nodiscard]] instant service_time(std::uint8_t node);
  [[nodiscard]] token_row& row_of(std::uint32_t token);
  void apply(std::uint32_t operation);

  event_queue& events_;
  generator& chance_;
  std::array<server, node_count> servers_{server{}, server{.standby = true}};
  std::vector<link> links_;
  std::vector<std::uint8_t> applied_;  // by operation
  std::vector<token_row> tokens_;
};

}  // namespace breakwater::sim
