#pragma once

#include "cluster/counted_call.hpp"
#include "cluster/ejection.hpp"
#include "cluster/load_estimate.hpp"
#include "cluster/node.hpp"
#include "cluster/two_choices.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/observer.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>

namespace breakwater::routing {

/// Which replica a read goes to.
///
///     const auto first = replicas.choose(now);          // an index into the nodes
///     if (first.counts) call.count(replicas, first.at);
///
/// Where there are two replicas or more: two random choices among those that can be used, weighed by latency and calls in
/// flight (two_choices.hpp), without those that are left out (ejection.hpp), near ones first. Where there is one or none,
/// nothing is weighed and nothing is counted: it costs a load for each node.
///
/// Thread-safe; locks are taken only when a replica fails.
class replica_set {
 public:
  using time_point = deadline::clock::time_point;

  /// `nodes` outlive it.
  replica_set(const config& settings, std::span<const std::unique_ptr<node>> nodes);
  replica_set(const replica_set&) = delete;
  replica_set& operator=(const replica_set&) = delete;
  ~replica_set() = default;

  struct choice {
    std::size_t at = 0;   ///< the replica, if there is one; the others follow it in the order of the nodes
    bool counts = false;  ///< there were several: calls to them weigh on the choice
    bool any = true;      ///< none is better than one that is left out
  };
  /// For a read that begins now. `but`: not this one, or null.
  [[nodiscard]] choice choose(time_point now, const node* but = nullptr);

  /// Whether others are to be preferred for a while.
  [[nodiscard]] bool is_out(std::size_t replica, time_point now) const noexcept { return out_.is_out(replica, now); }
  /// For how long yet; none of one that is not.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> out_for(std::size_t replica, time_point now) const noexcept {
    return out_.remaining(replica, now);
  }
  /// What has to be done from time to time; once a second is enough.
  void maintain(time_point now);

 private:
  friend class counted_call;

  /// What is known of a node as a replica.
  struct member {
    member(const config& settings, standing place, time_point now)
        : zone(place), load(settings.routing.latency_decay, now), warm_up(settings.routing.slow_start) {}
    const standing zone;
    load_estimate load;
    slow_start warm_up;
    std::atomic<bool> here{false};  // it was a replica when a read was last sent
  };

  [[nodiscard]] bool is_usable(std::size_t replica, time_point now) const noexcept;
  void note_presence(member& of, bool here, time_point now) noexcept;
  void tell(const ejected_replica& out) const noexcept;
  void end(std::size_t replica, finding found, bool timed, time_point started, time_point now) noexcept;

  const std::shared_ptr<observer> watcher_;
  const std::span<const std::unique_ptr<node>> nodes_;
  std::deque<member> members_;  // of the nodes, in their order
  ejection out_;
};

}  // namespace breakwater::routing
