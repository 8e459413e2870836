#pragma once

#include "postgres/outcome_search.hpp"
#include "sim/database.hpp"
#include "sim/events.hpp"
#include "sim/history.hpp"
#include "sim/pool_model.hpp"
#include "sim/random.hpp"
#include <breakwater/core/error.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/resilience/circuit_breaker.hpp>
#include <breakwater/resilience/retry.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace breakwater::sim {

/// Mistakes that can be planted in the application, to see that the checker finds them.
enum class defect : std::uint8_t {
  none,
  blind_rerun,     ///< a write of unknown fate is run again
  early_success,   ///< told applied when COMMIT is sent
  blind_denial,    ///< a write of unknown fate is told not applied
  guard_gives_up,  ///< the guard never asks
  twin_ignored,    ///< the guard takes a token that is held for one that is absent, and denies the write
  twin_overtaken,  ///< the same, but runs the write again
  no_pacing,       ///< connects as wanted
  no_budget,       ///< retries as wanted
  no_deadline,     ///< waits for whatever is under way
  stuck_breaker    ///< a breaker that opened once stays open
};

struct application_options {
  std::size_t processes = 4;
  std::size_t clients = 1000;
  std::size_t pool_size = 8;
  instant think_min = 600 * ms;
  instant think_max = 1800 * ms;
  circuit_breaker_options breaker{};
  /// No operation is begun from then on.
  instant stop_at = 0;
  defect planted = defect::none;
};

/// Programs with a pool, breakers and a budget each, and their clients, which read and write one thing after another.
///
/// The state machines are the library's own: `retry_sequence`, `retry_budget`, `circuit_breaker`, `connect_pacer`,
/// `admission_queue`, `outcome_decisions`, and `decide`, which says what to do about a failure. What is between them here
/// follows `router`, `pool` and `outcome_search`, without threads and with virtual time.
class application final : public pool_listener {
 public:
  application(event_queue& events, database& servers, generator& chance, history& records,
              const application_options& options);

  void start();
  void handle(const event& what);
  /// Whether every breaker lets a call pass by `by`, at the latest.
  void check_breakers(instant by);
  [[nodiscard]] std::uint64_t breakers_opened();

  void served(std::uint32_t who, std::uint32_t with) override;
  void turned_away(std::uint32_t who, const error& why) override;
  void opened(std::uint32_t which, std::uint8_t node) override;

 private:
  enum class phase : std::uint8_t {
    thinking,
    pausing,         ///< between attempts, or while the primary is looked for
    waiting,         ///< for a connection
    pinging,         ///< whether a rested connection lives
    reading,         ///< or an autocommit write
    in_transaction,  ///< the first request of one
    committing,
    resting,   ///< the guard, between two steps
    claiming,  ///< ... and so on: the steps of the guard
    ending_twin,
    rerunning,
    confirming
  };
  /// Why a connection is waited for.
  enum class purpose : std::uint8_t { attempt, guard };

  struct client {
    std::uint32_t process = 0;
    std::uint32_t serial = 0;  ///< of its operation: what is scheduled for an earlier one is stale
    std::uint32_t operation = nobody;
    std::uint32_t on = nobody;  ///< the link
    std::uint32_t token = nobody;
    write_form form{};
    phase now{};
    purpose wants{};
    std::uint8_t node = 0;
    bool on_replica = false;
    bool in_doubt = false;         ///< an earlier attempt may have been applied
    bool commit_in_doubt = false;  ///< guarded: the token's fate is not known
    bool reported_early = false;
    bool look_for_primary = false;
    bool was_demoted = false;
    std::uint32_t ping_serial = 0;
    instant attempt_began = 0;
    instant token_made = 0;
    deadline until{};
    std::optional<resilience::retry_sequence> tries{};
    std::vector<std::uint32_t> twins{};  ///< links whose sessions may hold the token, and nobody else's
    std::optional<waiting_client> entry{};
    std::optional<postgres::outcome_decisions> guard{};
    resilience::circuit_permit permit{};
  };

  /// One program.
  struct process {
    explicit process(const retry_budget_options& options) : budget(options) {}
    resilience::retry_budget budget;
    std::array<std::unique_ptr<pool_model>, node_count> pools{};
    std::array<std::array<std::unique_ptr<resilience::circuit_breaker>, 2>, node_count> breakers{};
  };

  void look_after(std::uint32_t which, std::uint8_t node);
  void think(std::uint32_t who);
  void begin_operation(std::uint32_t who);
  void begin_attempt(std::uint32_t who);
  [[nodiscard]] std::optional<error> choose_node(client& c);
  [[nodiscard]] std::optional<std::uint8_t> known_primary(const process& p) const;
  void ask_for_roles(process& p);
  void borrow(std::uint32_t who, purpose why, std::uint8_t node);
  void got_connection(std::uint32_t who);
  void send_first_request(std::uint32_t who);
  void ask(std::uint32_t who, request_kind kind, phase next);
  void answered(const event& what);
  void attempt_answered(std::uint32_t who, const answer& said);
  void attempt_failed(std::uint32_t who, const error& cause);
  void settle_permit(client& c, const error* failure);
  void decide_next(std::uint32_t who, const error& cause);
  void end(std::uint32_t who, bool succeeded, applied told);
  void end_failed(std::uint32_t who, applied told);
  void deadline_came(std::uint32_t who, bool grace_is_over);
  void ping_failed(std::uint32_t who);
  /// Back to the pool, or closed: as fits the answer.
  void return_link(client& c, const answer& said);
  void abandon_link(client& c);

  void begin_guard(std::uint32_t who);
  void guard_step(std::uint32_t who);
  void guard_pause(std::uint32_t who);
  void guard_answered(std::uint32_t who, const answer& said);
  void guard_obstructed(std::uint32_t who, const error& cause);
  void rerun_guarded(std::uint32_t who);

  [[nodiscard]] process& process_of(const client& c) noexcept { return *processes_[c.process]; }
  [[nodiscard]] pool_model& pool_of(const client& c) noexcept { return *process_of(c).pools[c.node]; }
  [[nodiscard]] deadline::clock::time_point now() const noexcept { return clock_at(events_.now()); }

  event_queue& events_;
  database& servers_;
  generator& chance_;
  history& records_;
  const application_options options_;
  const retry_options retries_{};
  std::vector<std::unique_ptr<process>> processes_;
  std::vector<client> clients_;
  std::uint32_t next_token_ = 0;
};

}  // namespace breakwater::sim
