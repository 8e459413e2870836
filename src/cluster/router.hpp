#pragma once

#include "cluster/monitor.hpp"
#include "cluster/node.hpp"
#include "cluster/replica_set.hpp"
#include "cluster/sizing.hpp"
#include "core/task_runner.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/consistency.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/resilience/hedge.hpp>
#include <breakwater/resilience/retry.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace breakwater {
class secret_cache;
}  // namespace breakwater

namespace breakwater::routing {

/// An answer and where it came from.
template <class Answer>
struct routed_answer {
  result<Answer> answer;
  const node* from = nullptr;  ///< null: no node was reached
  unsigned attempts = 0;
  deadline::clock::time_point ended{};  ///< as in `visited`
};
using routed = routed_answer<rows>;
using routed_batch = routed_answer<std::vector<rows>>;

/// What is to be done on a node, once for each attempt: a view of a callable, which its maker keeps alive. Answers
/// null when it is done, else why not: an error that lives until the next attempt. `error::attempts()` of it is 0 where
/// nothing was sent, because there was no connection. What must not be done again although it failed settles the call
/// itself, and answers null.
class node_work {
 public:
  template <class Work>
  requires(!std::same_as<Work, node_work>) node_work(const Work& work)
  noexcept
      : work_(&work), call_([](const void* of, node& on, node_call& call, const request& there) -> const error* {
          return (*static_cast<const Work*>(of))(on, call, there);
        }) {}
  /// `there` is the request as it is to be sent to this node.
  [[nodiscard]] const error* operator()(node& on, node_call& call, const request& there) const {
    return call_(work_, on, call, there);
  }

 private:
  const void* work_;
  const error* (*call_)(const void*, node&, node_call&, const request&);
};

class hedged_read;

/// The nodes that an operation tried.
struct visited {
  node* last = nullptr;            ///< null: no node was tried
  unsigned attempts = 0;           ///< of which something was sent
  bool in_doubt = false;           ///< an attempt before the last one may have been applied
  std::optional<error> refusal{};  ///< why no node could be tried (any more); else the work's own answer counts
  /// Of one that succeeded: when. Not known otherwise.
  deadline::clock::time_point ended{};
};

/// A connection to the primary, with what is to be told of the node when the transaction has ended.
struct primary_lease {
  postgres::lease held;
  node_call call;
};

/// The nodes of a database, and the choice among them.
///
/// Which node is the primary is not configured: a monitor finds out, and connections that learn of a change tell it at
/// once. What needs the primary while none is confirmed waits for it within its deadline, and then runs; that costs
/// neither an attempt nor the budget.
///
///     a read that a replica may answer goes to   | as long as
///     the replicas, each once in a round: first  | their breakers let it pass. Those that are left out get none while
///     the one that `replica_set` chooses         | there is another one
///     the confirmed primary                      | there is one
///     the nodes that do not answer the monitor,  | there is none: they may be there all the same. Not to one that
///     and replicas that are left out             | belongs to another database system
///     nobody: it waits for any news              | the deadline has not come
///
/// Thread-safe. One thread of its own looks after the pools once a second, another one watches the nodes.
class router final : private node_listener {
 public:
  /// Connects to every node, all at once. Fails when none can be reached, with the first node's reason. REQUIRES
  /// a validated configuration.
  /// `database`: its name, in place of the one that the connection strings name; empty: theirs. `secrets`: those of another
  /// router, to be shared; null: the configuration's.
  [[nodiscard]] static result<std::unique_ptr<router>> open(const config& settings, std::string_view database = {},
                                                            std::shared_ptr<secret_cache> secrets = nullptr);
  ~router() override;
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// Runs a statement where its class and the wanted consistency allow, and again where `postgres::decide` says so;
  /// within the attempts, the deadline and the retry budget, and never on a node whose breaker is open.
  [[nodiscard]] routed run(const request& wanted, bool replica_allowed);

  /// The same for a batch; `wanted.what` describes it as a whole.
  [[nodiscard]] routed_batch run_batch(const request& wanted, std::span<const batched_statement> statements,
                                       bool replica_allowed);

  /// The same for what `wanted` describes and `work` does: on the next node, replicas before the primary.
  [[nodiscard]] visited visit(const request& wanted, bool replica_allowed, node_work work);

  /// A connection to the primary, for a transaction whose attempts `tries` counts. Tried again as a statement is.
  [[nodiscard]] result<primary_lease> borrow_primary(const request& wanted, resilience::retry_sequence& tries);
  /// A connection to the primary for finding out what became of a write: no call of a caller's, so neither the breaker
  /// nor the budget has a say. Waits for a confirmed primary; tried once.
  [[nodiscard]] result<postgres::lease> borrow_primary_to_resolve(const request& wanted);
  /// What counts the attempts of an operation that begins now, of this many at most.
  [[nodiscard]] resilience::retry_sequence begin_attempts(std::size_t most, deadline until,
                                                          deadline::clock::time_point now) noexcept;

  /// What all retries of this database together may be.
  [[nodiscard]] resilience::retry_budget& budget() noexcept { return budget_; }
  /// Tells the observer that an attempt is made again after `pause`, or that the budget does not allow it (null).
  void report_retry(const request& wanted, std::string_view node, const error& cause,
                    const resilience::retry_sequence& tries, const std::chrono::nanoseconds* pause) const noexcept;

  [[nodiscard]] const std::vector<std::unique_ptr<node>>& nodes() const noexcept { return nodes_; }
  /// Null where user and password are the connection strings'.
  [[nodiscard]] const std::shared_ptr<secret_cache>& secrets() const noexcept { return secrets_; }
  /// What was decided for the nodes that were reached.
  [[nodiscard]] const sizing& sizes() const noexcept { return sizing_; }

  /// The confirmed primary, or null. One load.
  [[nodiscard]] const node* primary() const noexcept { return monitor_->primary(); }
  /// Where the confirmed primary's history stands; as it was while none is confirmed. Empty: none was yet. No lock.
  [[nodiscard]] lineage primary_lineage() const noexcept { return monitor_->primary_lineage(); }
  /// The choice among the replicas; they have the numbers of `nodes`.
  [[nodiscard]] const replica_set& replicas() const noexcept { return *replicas_; }
  /// What watches the nodes.
  [[nodiscard]] const monitor& watch() const noexcept { return *monitor_; }

  /// As `pool::close`, for all nodes at once.
  bool close(deadline until);
  /// Has `close` come to its end?
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
  /// Was it called?
  [[nodiscard]] bool is_closing() const noexcept { return closing_.load(std::memory_order_relaxed); }
  /// When the caretaker last looked after the pools.
  [[nodiscard]] deadline::clock::time_point last_round() const noexcept {
    return last_round_.load(std::memory_order_relaxed);
  }

 private:
  /// Where a node is, and what it is declared to be; unknown: whatever it turns out to be.
  struct given_node {
    dsn address;
    node_role declared = node_role::unknown;
  };
  router(const config& settings, std::vector<given_node> given, std::shared_ptr<secret_cache> secrets);

  void role_learnt(const node& of, node_role now) override;
  void call_failed(const node& of) override;
  [[nodiscard]] result<void> connect_all(deadline until);
  [[nodiscard]] bool may_hedge(const request& wanted, bool replica_allowed) const noexcept;
  [[nodiscard]] routed run_hedged(const request& wanted);
  [[nodiscard]] result<rows> run_second_copy(hedged_read& read, const std::stop_token& stop);
  struct tour;
  struct chosen {
    node* to = nullptr;
    node_call call;
  };
  void make_tour(tour& way, const request& wanted, node_work work);
  [[nodiscard]] result<chosen> choose(tour& way, const request& wanted);
  [[nodiscard]] std::optional<chosen> choose_replica(tour& way, const request& wanted);
  [[nodiscard]] std::optional<chosen> choose_fresh_replica(tour& way, const request& wanted);
  [[nodiscard]] bool goes_on_to_fresher(tour& way, const request& wanted, const error* failure,
                                        deadline::clock::time_point now) noexcept;
  [[nodiscard]] result<chosen> admit_to(node& primary, tour& way, const request& wanted);
  enum class wait : std::uint8_t { for_news, with_looks_at_replicas };
  [[nodiscard]] result<monitor::finding> await_primary(tour& way, const request& wanted, wait how);
  [[nodiscard]] result<bool> primary_has_changed(tour& way, const request& wanted);
  [[nodiscard]] bool goes_on(tour& way, const request& wanted, const error& failure, const node* from);
  void look_after_pools(const std::stop_token& stop);
  void size_new_nodes();

  std::shared_ptr<observer> watcher_;
  const retry_options retries_;
  const std::chrono::nanoseconds replica_wait_;
  const std::chrono::milliseconds look_again_after_;
  resilience::retry_budget budget_;
  const std::chrono::milliseconds connect_timeout_;
  const std::shared_ptr<secret_cache> secrets_;  // null: user and password are the connection strings'
  sizing sizing_;
  task_runner background_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::unique_ptr<monitor> monitor_;
  std::unique_ptr<replica_set> replicas_;
  std::unique_ptr<task_runner> second_copies_;  // not the background: they wait for what that has to do
  std::unique_ptr<resilience::hedger> hedger_;  // null: reads are not hedged
  std::atomic<bool> closing_{false};
  std::atomic<bool> closed_{false};
  std::atomic<deadline::clock::time_point> last_round_{deadline::clock::now()};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread caretaker_;
};

}  // namespace breakwater::routing
