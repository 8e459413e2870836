#pragma once

#include "cluster/node.hpp"
#include "cluster/probe.hpp"
#include "cluster/topology.hpp"
#include "core/task_runner.hpp"
#include <breakwater/core/config.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace breakwater::routing {

/// Where the monitor reaches a node, and what that is declared to be; unknown: whatever it turns out to be.
struct monitored_address {
  std::shared_ptr<const postgres::connection_settings> settings;
  node_role declared = node_role::unknown;
};

/// What an operator is told of a node.
struct node_view {
  node_observation seen{};
  bool confirmed = false;
  std::optional<std::chrono::nanoseconds> lag{};
};

/// Watches the nodes of a database: which one is the primary, and how far the replicas are. Its callers never probe a node
/// themselves: they read what it found, or wait for what it finds next.
///
///     node* const primary = watch.primary();                                        // one load; null: none is confirmed
///     auto next = watch.wait_for_primary(failed_at, wanted.until, wanted.cancel);   // confirmed by a probe sent later
///
/// All nodes are probed at once, each on a thread and a connection of its own; an answer counts as soon as it is there. A
/// node that has not answered within `probe_timeout` counts as lost until it does; it is not probed again before its
/// old probe has come to an end.
///
///     the nodes are probed        | while
///     every `interval`            | a primary is confirmed and nobody doubts it; or none is, for long, and nobody waits
///     every `unsure_interval`     | a caller doubts (`wake`) or waits, or a node has changed, until a probe sent later
///                                 | has confirmed a primary
///
/// What follows from the answers is in topology.hpp. Thread-safe; one thread, and one for each node while it is probed.
class monitor {
 public:
  using time_point = deadline::clock::time_point;

  /// `nodes` and what `settings` refers to outlive it; `addresses` are where to reach each of them.
  monitor(const config& settings, std::span<const std::unique_ptr<node>> nodes,
          std::span<const monitored_address> addresses);
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;
  /// Waits for what is being probed: as long as resolving a host name blocks.
  ~monitor();

  /// Throws std::system_error where there is no thread to be had.
  void start();
  /// No further probes; who waits is told at once. Does not wait for the threads.
  void stop() noexcept;

  /// Every node has answered or has had the time to do so. False: `until` came first.
  bool wait_for_first_look(deadline until);

  /// The confirmed primary, or null.
  [[nodiscard]] node* primary() const noexcept { return primary_.load(std::memory_order_acquire); }
  /// Is there nothing that speaks against what is known of the primary?
  [[nodiscard]] bool is_sure() const noexcept { return sure_.load(std::memory_order_relaxed); }
  [[nodiscard]] lineage primary_lineage() const noexcept { return lineage_.load(); }

  /// Somebody met a failure that may mean that nodes have changed: look at once.
  void wake();
  /// A connection learnt what the node is: earlier probes of it say nothing any more. One that was the primary and follows
  /// another server now is not the primary any more, for anybody.
  void note_role(const node& of, node_role learnt);

  /// What a wait has come to.
  struct finding {
    node* primary = nullptr;  ///< null: there is none, but something else has changed
    time_point changed_at{};  ///< when another primary was confirmed last, or the same one that was restarted or lost
  };
  /// The confirmed primary, by a probe sent after `after`; waits for it. Where `changes` is given, it is enough that they
  /// have become more. Errors: `no_primary` at the deadline, saying what each node said (of a single node: why it can not
  /// be reached); `cancelled`.
  [[nodiscard]] result<finding> wait_for_primary(time_point after, deadline until, const std::stop_token* cancel,
                                                 std::optional<std::uint64_t> changes = std::nullopt);
  /// How often a node came, went, or changed its role.
  [[nodiscard]] std::uint64_t changes() const noexcept { return told_changes_.load(std::memory_order_relaxed); }
  /// What is known, in words.
  [[nodiscard]] std::string describe() const;

  /// What an operator is told, in the order of the nodes.
  [[nodiscard]] std::vector<node_view> view() const;

  /// When a replica that has replayed up to here was last known to show all that the primary had; see `wal_history`.
  [[nodiscard]] std::optional<time_point> fresh_as_of(std::uint64_t position) const;

 private:
  using lock_type = std::unique_lock<std::mutex>;

  /// A node with what is remembered of it. The probe belongs to the task under way; the rest to the mutex.
  struct watched {
    watched(node& observed, const monitored_address& where)
        : of(observed), address(where.settings), declared(where.declared), asks(where.settings) {}

    node& of;
    const std::shared_ptr<const postgres::connection_settings> address;
    const node_role declared;
    probe asks;
    bool renewing = false;  // a connection for it is being made
    time_point renew_at{};
    std::unique_ptr<postgres::connection> fresh{};
    bool busy = false;      // a probe is under way
    bool overdue = false;   // and is too late already
    bool heard_of = false;  // it has answered once, or had the time to
    time_point begun{};
    node_role hint = node_role::unknown;  // what a connection of the pool's learnt of it last,
    time_point hinted_at{};               // and when: what was asked before, and says otherwise, is of no use
    std::optional<probe_answer> arrived{};
    node_observation last{};
    replay_mark mark{};
    time_point heard_at{};           // when what it last said, be it a refusal, was asked for
    std::uint32_t own_timeline = 0;  // when it was last known as a primary; 0: it was not
    std::uint64_t place = 0;         // where it was when it last answered
    std::optional<error> failure{};  // of the last probe
  };
  /// What is to be told to a node, outside the lock.
  struct news_for_node;
  struct announcement;

  void run(const std::stop_token& stop);
  static void tell(const news_for_node& news, time_point now);
  void announce(const announcement& told) const;

  // What follows is called under the lock.
  [[nodiscard]] bool is_in_doubt(time_point now) const noexcept;
  [[nodiscard]] time_point next_event(time_point now) const;
  void begin_probes(time_point now);
  void prepare(watched& asked, time_point now);
  [[nodiscard]] bool take_answers(time_point now, std::vector<news_for_node>& news);
  void note_answer(watched& from, probe_answer answer, time_point now, std::vector<news_for_node>& news);
  void note_refusal(watched& from, const node_observation& asked, time_point now);
  void note_loss(watched& of, time_point now);
  /// It is not what its connection string declares it to be: neither read from nor written to.
  [[nodiscard]] static bool is_misplaced(const watched& of) noexcept;
  [[nodiscard]] static bool is_contradicted(const watched& of, const node_observation& seen) noexcept;
  [[nodiscard]] std::vector<node_observation> voices() const;
  [[nodiscard]] node* find_primary();
  void conclude(time_point now, announcement& told);
  void turn_away_from(node* next, announcement& told);
  void doubt(time_point now);
  [[nodiscard]] error no_primary() const;
  [[nodiscard]] std::vector<std::string_view> names() const;

  const monitor_options options_;
  observer* const watcher_;
  std::atomic<node*> primary_{nullptr};
  std::atomic<bool> sure_{false};
  std::atomic<std::uint64_t> told_changes_{0};
  seqlock<lineage> lineage_;

  // On a cache line apart from what callers read.
  alignas(64) mutable std::mutex mutex_;
  std::condition_variable_any work_;  // for the monitor's thread
  std::condition_variable_any news_;  // for those who wait
  std::vector<std::unique_ptr<watched>> nodes_;
  history known_{};
  primary_finding found_{};
  wal_history wal_{};
  time_point confirmed_by_{};  // when the probe that last confirmed the primary was sent
  std::uint64_t confirmed_place_ = 0;
  node* last_primary_ = nullptr;
  std::uint64_t changes_ = 0;  // not all of them told yet
  confirmation told_reason_ = confirmation::none_answers;
  time_point changed_at_{};
  time_point last_round_{};
  time_point doubted_at_{};
  std::size_t waiting_ = 0;
  bool has_begun_ = false;
  bool looked_ = false;
  bool kicked_ = false;  // there is something to do for the monitor's thread
  bool stopping_ = false;
  std::stop_source stop_probes_;
  task_runner probes_;
  std::jthread thread_;
};

}  // namespace breakwater::routing
