#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace breakwater {

/// The defaults of what follows, each with the reason for its value.
namespace defaults {

using namespace std::chrono_literals;

/// A failover that nobody runs into is noticed within it; a probe is one statement.
inline constexpr std::chrono::milliseconds monitor_interval = 1s;
/// While callers wait for a primary; a promotion takes about as long.
inline constexpr std::chrono::milliseconds monitor_unsure_interval = 100ms;
/// A node that needs longer for a statement without any work is not one to send work to.
inline constexpr std::chrono::milliseconds monitor_probe_timeout = 1s;
/// An address behind a name changes seldom, and connecting is cheap for one connection.
inline constexpr std::chrono::milliseconds monitor_reconnect_after = 30s;

/// Two or three may be bad luck with single connections.
inline constexpr std::size_t ejection_consecutive_failures = 5;
/// A restart of a replica takes about so long.
inline constexpr std::chrono::milliseconds ejection_base = 30s;
/// A node that comes back is noticed within five minutes, however often it failed.
inline constexpr std::chrono::milliseconds ejection_cap = 300s;
/// About one node in thirty is below it by chance alone.
inline constexpr double ejection_deviations = 1.9;

/// Caches are warm and plans are made by then.
inline constexpr std::chrono::milliseconds routing_slow_start = 10s;
/// Ten seconds of calls tell what a node's latency is now.
inline constexpr std::chrono::milliseconds routing_latency_decay = 10s;
/// A healthy replica replays a commit within a few milliseconds; the primary is a round trip away.
inline constexpr std::chrono::milliseconds routing_replica_wait = 5ms;

}  // namespace defaults

/// What watches the nodes: which one is the primary, and how far the replicas are. See docs/routing.md.
struct monitor_options {
  /// Between probes of all nodes while all is well. 50 ms..1 min.
  std::chrono::milliseconds interval = defaults::monitor_interval;
  /// The same while it is not certain which node is the primary. 10 ms..`interval`.
  std::chrono::milliseconds unsure_interval = defaults::monitor_unsure_interval;
  /// A node that has not answered a probe by then is taken for lost. 10 ms..1 min.
  std::chrono::milliseconds probe_timeout = defaults::monitor_probe_timeout;
  /// Age at which the monitor connects anew, and so notices that a host name leads elsewhere. 1 s..1 d.
  std::chrono::milliseconds reconnect_after = defaults::monitor_reconnect_after;
};

/// When a replica is left out for a while; never the last one. See docs/routing.md.
struct ejection_options {
  bool enabled = true;
  /// Failures of the infrastructure in a row. 1..1000.
  std::size_t consecutive_failures = defaults::ejection_consecutive_failures;
  /// The first time; the second time in a row twice as long, and so on. 100 ms..1 h.
  std::chrono::milliseconds base = defaults::ejection_base;
  /// Never longer. `base`..1 d.
  std::chrono::milliseconds cap = defaults::ejection_cap;
  /// With five or more replicas: one whose part of successful calls is so many standard deviations below the mean.
  /// 0.5..10.
  double deviations = defaults::ejection_deviations;
};

/// How a replica is chosen for a read. See docs/routing.md.
struct routing_options {
  /// For how long a node that is new or has come back gets less than its share. 0 (off)..1 h.
  std::chrono::milliseconds slow_start = defaults::routing_slow_start;
  /// Half-life, nearly, of what is remembered of a node's latency. 100 ms..10 min.
  std::chrono::milliseconds latency_decay = defaults::routing_latency_decay;
  /// How long a read that must see a write waits for a replica to replay it before it goes to the primary. 0..1 min.
  std::chrono::milliseconds replica_wait = defaults::routing_replica_wait;
  /// The zone that this process runs in: replicas of the same zone are preferred. Empty: none are. At most 63 bytes of
  /// printable ASCII.
  std::string zone = {};
  /// Where the nodes are: "db2:5432=a, db3=b", in which db3 means every server of that host. Nodes that are not named are
  /// in no zone.
  std::string node_zones = {};
};

}  // namespace breakwater
