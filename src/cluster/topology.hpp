#pragma once

#include <breakwater/core/deadline.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What is known of the servers of a database, and what follows from it. Pure: the times that come in are the client's own
// monotonic ones, never a server's.

namespace breakwater::routing {

/// Where a server's history stands: databases that were made by different `initdb`s never share a system identifier, and
/// every promotion begins a new timeline.
struct lineage {
  std::uint64_t system = 0;    ///< 0: not known
  std::uint32_t timeline = 0;  ///< 0: not known

  friend bool operator==(const lineage&, const lineage&) noexcept = default;
};

/// What one probe of one node said.
struct node_observation {
  using time_point = deadline::clock::time_point;

  bool reachable = false;    ///< it answered; else nothing below is known but the times
  bool in_recovery = false;  ///< it follows another server
  bool streaming = false;    ///< of a replica: it receives WAL, and says from which timeline
  bool read_only = false;    ///< of a primary: transactions are read-only unless they ask for more
  bool synchronous = false;  ///< of a primary: its commits may wait for standbys
  /// Of a primary its own; of a replica the one it receives, 0 where it does not stream or may not tell us.
  std::uint32_t timeline = 0;
  std::uint64_t system = 0;    ///< 0: it may not tell us
  std::uint64_t position = 0;  ///< of the WAL: flushed by a primary, replayed by a replica
  std::uint64_t place = 0;     ///< fingerprint of the server's own address, port, and the time it was started
  time_point sent{};           ///< when it was asked
  time_point answered{};
};

/// How far a replica had come, for who wants to read what was written: it is kept while nothing is heard that would
/// contradict it, because replay never goes back but by a restart.
struct replay_mark {
  lineage of{};                             ///< of the WAL that it received then
  std::uint64_t position = 0;               ///< replayed
  std::uint64_t place = 0;                  ///< as in the observation: which server, since which start
  deadline::clock::time_point probed_at{};  ///< when the probe that found it was sent
  [[nodiscard]] explicit operator bool() const noexcept { return of.timeline != 0; }
};

/// The mark of a replica after another observation of it. `same_server`: on the same connection as the last one, or at
/// least the same place.
///
///     observed                                       | the mark
///     no answer                                      | none: it may be another server when it is heard of again
///     another place, or a primary                    | none
///     a replica that streams, of a known system      | is what was observed
///     a replica that does not stream                 | stays: what it has replayed it has replayed
[[nodiscard]] replay_mark next_mark(const replay_mark& mark, const node_observation& seen, bool same_server) noexcept;

/// What counts of a node that is there and would not be asked: it has no place for us, or no longer knows us.
///
///     what was known of it                       | counts
///     it answered when it was last asked         | what it said then, with the times of then: nothing of it is newer
///     else, but a connection of the pool has     | that role; of a primary on the timeline that it was last seen on
///     learnt its role                            | itself, and on none where it was not: it may have been replaced since
///     neither                                    | no answer
///
/// `asked` has the times of the refused probe. `own`: the system, and that timeline or 0.
[[nodiscard]] node_observation after_refusal(const node_observation& last, std::optional<bool> in_recovery,
                                             const lineage& own, const node_observation& asked) noexcept;

/// Why a primary is confirmed, or none is.
enum class confirmation : std::uint8_t {
  confirmed,
  none_answers,   ///< no node answered
  only_replicas,  ///< none of those that answered is a primary
  outdated,       ///< the only primaries stand on a timeline that was left: one that was replaced is back
  split_brain,    ///< two on one timeline say that they are the primary
  foreign         ///< the only primaries belong to another database system
};

/// The reason's name as written in the source.
[[nodiscard]] std::string_view to_string(confirmation value) noexcept;

/// What is remembered of a database from one look to the next.
struct history {
  std::uint64_t system = 0;            ///< 0: not known yet
  std::uint32_t highest_timeline = 0;  ///< ever seen: of primaries, and received by replicas
};

/// Which system the nodes belong to and which timelines there are, after this look.
///
///     what the nodes say                                     | the system is
///     it is not known yet                                    | that of most that answered; of the first one, where
///                                                            | there is no majority
///     all of the configured nodes answer with one other      | that one: the database was made anew. Its timelines
///                                                            | are counted anew
///     anything else                                          | what it was: a name that leads elsewhere changes nothing
[[nodiscard]] history remember(const history& known, std::span<const node_observation> nodes);

/// Does the node belong to another system? One that may not tell is taken at its word that it is ours.
[[nodiscard]] constexpr bool is_foreign(const node_observation& seen, const history& known) noexcept {
  return seen.reachable && seen.system != 0 && known.system != 0 && seen.system != known.system;
}

/// The outcome of `confirm_primary`.
struct primary_finding {
  std::optional<std::size_t> node{};  ///< the confirmed one
  confirmation why = confirmation::none_answers;
  std::vector<std::size_t> claimants{};  ///< the nodes that the reason is about
};

/// Which node is the primary. `known` includes this look (`remember`).
///
///     nodes that answer, of the known system, not in recovery      | confirmed
///     none                                                         | none: only_replicas, foreign or none_answers
///     one on the highest timeline of them, never seen a higher one | that one
///     the same, but a higher timeline was seen                     | none: outdated
///     two or more on the highest timeline of them                  | none: split_brain
///
/// The state of a database, as callers see it; `sure` decides how often the nodes are probed:
///
///     state               | event                                                   | then
///     unconfirmed         | a look confirms a node, by a probe sent after it was    | confirmed(node), sure
///                         | last demoted                                            |
///     confirmed(a)        | a look confirms a                                       | the same; sure, if the probe was sent
///                         |                                                         | after the last doubt
///     confirmed(a)        | a look confirms b: it has the higher timeline           | confirmed(b); a takes no more writes
///     confirmed(a)        | a look confirms none                                    | unconfirmed: writes wait
///     confirmed(a)        | a connection of a's learns that a follows another one   | unconfirmed, at once and for everybody;
///                         |                                                         | a's connections for writing are closed
///     any                 | a caller lost a connection, or a node's role changed    | the same, not sure: look at once
///
/// A node that does not answer has no voice: it is not confirmed, and it keeps no other from being so.
[[nodiscard]] primary_finding confirm_primary(std::span<const node_observation> nodes, const history& known);

/// What the nodes said, for an error's text: "db1:5432: a primary on timeline 3; db2:5432: no answer".
[[nodiscard]] std::string describe(const primary_finding& found, std::span<const node_observation> nodes,
                                   const history& known, std::span<const std::string_view> names);

/// How the primary's WAL grew, as far back as replicas may lag. Bounded: the older it is, the coarser, by which lag comes
/// out a little too small and freshness a little too old.
class wal_history {
 public:
  using time_point = deadline::clock::time_point;

  /// The confirmed primary stood at `position` when it answered a probe sent at `sent`. Another primary's, or one that
  /// stands before where it stood, begins anew.
  void note(const lineage& of, std::uint64_t position, time_point sent);

  /// For how long a replica that has replayed up to `position` has been behind, at `now`: zero where it has replayed all that
  /// the primary had at the last look, else the time since the primary was first seen beyond it. Nothing while no primary
  /// was seen.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> lag(std::uint64_t position, time_point now) const noexcept;

  /// When the primary was last asked and had no more than this: what a replica that has replayed it shows is at least as
  /// fresh. Nothing where it is older than all that is remembered.
  [[nodiscard]] std::optional<time_point> fresh_as_of(std::uint64_t position) const noexcept;

 private:
  struct entry {
    std::uint64_t position = 0;
    time_point first{};  // when the primary was first asked and stood there
    time_point last{};   // and when it last did
  };
  /// With gaps that grow with age: lag is right to about a tenth, up to a day and more.
  static constexpr std::size_t most_entries = 128;

  void forget_one(time_point now);

  lineage of_{};
  std::vector<entry> entries_;  // positions and times grow
};

}  // namespace breakwater::routing
