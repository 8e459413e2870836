#pragma once

#include "cluster/node.hpp"
#include "core/task_runner.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/consistency.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace breakwater::routing {

/// An answer and where it came from.
template <class Answer>
struct routed_answer {
  result<Answer> answer;
  const node* from = nullptr;  ///< null: no node was reached
  unsigned attempts = 0;
};
using routed = routed_answer<rows>;
using routed_batch = routed_answer<std::vector<rows>>;

/// The nodes that an operation of several steps tried.
struct visited {
  node* last = nullptr;
  unsigned attempts = 0;
};

/// The statement did not fail, the way to the server did: another node may answer.
[[nodiscard]] bool is_nodes_fault(const error& failure) noexcept;

/// The nodes of a database, and the choice among them.
///
/// Which node is the primary is not configured: every connection is told by its server whether that follows another
/// one, and is told again when that changes. Where no node is known to be the primary, the nodes are asked anew.
/// Two nodes that both claim to be it are both doubtful: writes are refused until one of them steps back.
///
/// Thread-safe. One thread of its own looks after the pools once a second.
class router {
 public:
  /// Connects to every node, all at once. Fails when none can be reached, with the first node's reason. REQUIRES
  /// a validated configuration.
  [[nodiscard]] static result<std::unique_ptr<router>> open(const config& settings);
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// Runs a statement where its class and the wanted consistency allow. A read that fails because of its node is
  /// run again on the next one, replicas before the primary; a write runs once.
  [[nodiscard]] routed run(const request& wanted, bool replica_allowed);

  /// The same for a batch; `wanted.what` describes it as a whole.
  [[nodiscard]] routed_batch run_batch(const request& wanted, std::span<const batched_statement> statements,
                                       bool replica_allowed);

  /// Lets `attempt` work on a node where the statement may run: on the next one, replicas before the primary, as long
  /// as it answers false because of the node. Errors: no node could be tried.
  [[nodiscard]] result<visited> visit(const request& wanted, bool replica_allowed,
                                      const std::function<bool(node&)>& attempt);

  /// A connection to the primary, for a transaction.
  [[nodiscard]] result<postgres::lease> borrow_primary(const request& wanted);

  [[nodiscard]] const std::vector<std::unique_ptr<node>>& nodes() const noexcept { return nodes_; }

  /// As `pool::close`, for all nodes at once.
  bool close(deadline until);

 private:
  router(const config& settings, std::vector<dsn> addresses);

  [[nodiscard]] result<void> connect_all(deadline until);
  [[nodiscard]] result<node*> find_primary(const request& wanted);
  [[nodiscard]] result<node*> known_primary();
  [[nodiscard]] error no_primary_known() const;
  void ask_for_roles(const request& wanted);
  template <class Answer, class Send>
  [[nodiscard]] routed_answer<Answer> route(const request& wanted, bool replica_allowed, const Send& send);
  /// Nothing when there is no replica.
  template <class Answer, class Send>
  [[nodiscard]] std::optional<routed_answer<Answer>> read_from_replicas(const Send& send);
  void look_after_pools(const std::stop_token& stop);

  std::shared_ptr<observer> watcher_;
  task_runner background_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::atomic<std::size_t> next_replica_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread caretaker_;
};

}  // namespace breakwater::routing
