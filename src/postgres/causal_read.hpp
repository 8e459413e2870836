#pragma once

#include "postgres/log_position.hpp"
#include <breakwater/core/causality_token.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace breakwater::postgres {

class connection;

/// What was seen of a replica on another connection: it had replayed this when it was asked.
struct seen_replay {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;
  std::uint64_t position = 0;
  std::string start{};                     ///< when the server was started, as it writes that
  deadline::clock::time_point asked_at{};  ///< before the question was sent
};

/// What is known of the writes that a read has to see.
enum class read_finding : std::uint8_t {
  unknown,     ///< nobody has looked yet
  kept,        ///< the server has them
  behind,      ///< a replica that has not, or that does not say: its answer must not be used
  not_vouched  ///< a primary on another history, which may have lost them
};

/// A read that has to see certain writes, and what came of it on one server.
struct causal_read {
  causality_token after;              ///< REQUIRES that it is not empty
  std::optional<seen_replay> seen{};  ///< of the server that the read is sent to
  /// How long a replica that has not replayed enough is asked again, on the one connection that the read has.
  std::chrono::nanoseconds patience{0};
  read_finding found = read_finding::unknown;
  /// What a replica said it had replayed, when it was asked; else 0.
  std::uint64_t replayed = 0;
  /// It was not asked because what is known suffices.
  bool unasked = false;
};

/// What a connection's server need not be asked for. `unknown`: it has to be asked.
///
///     the token                 | the server                                      | answer
///     any                       | replayed it, as this connection was told        | kept
///     any                       | a primary on the token's history                | kept
///     any                       | a primary on another one                        | not_vouched
///     timeline not known        | a primary, or one that is taken for it          | kept
///     position not known        | a replica                                       | behind
///     any                       | a replica of another system                     | behind
///     position known            | seen to have replayed it by another connection, | kept
///                               | and this connection stood before it was asked   |
///     else                      |                                                 | unknown
///
/// The last but one holds because a server that is started anew, be it after a crash of one of its processes, ends all
/// its connections: one that stood before and answers later proves that the replay never went back in between.
[[nodiscard]] read_finding known_finding(const causal_read& read, const known_server& server,
                                         deadline::clock::time_point opened_at, bool on_primary) noexcept;

/// What a server's own word means for the read.
///
///     the server says                                                       | answer
///     a primary, on the token's history or the token knows of none          | kept
///     a primary, on another one, or it does not say                         | not_vouched
///     a replica, following the token's history, has replayed its position,  | kept
///     and the read sees what is there when it begins                        |
///     else                                                                  | behind
[[nodiscard]] read_finding finding_of(const causality_token& after, const std::optional<place>& said) noexcept;

/// The statement that asks, as long as it has to be.
[[nodiscard]] const statement& place_question(const known_server& server) noexcept;

/// Finds out in a message of its own, for what can not have the question ahead of it; in `read.found` is what came of
/// it. Sends nothing where nothing has to be asked. Errors: of the connection; of a server that has not the writes.
[[nodiscard]] result<void> settle_finding(connection& on, causal_read& read, bool on_primary, deadline until,
                                          const std::stop_token* cancel);
/// After a replica was found to be behind: asks again until it is not, or patience ends. Errors: of the connection.
[[nodiscard]] result<void> wait_until_fresh(connection& on, causal_read& read, deadline until,
                                            const std::stop_token* cancel);

/// Takes the answer to `place_question`.
void note_place(connection& on, causal_read& read, const rows& answer);
/// The server does not let its place be asked for; the read itself may be well.
[[nodiscard]] bool is_refused_question(const error& failure) noexcept;

/// The error of an answer that must not be used. Nobody but the router sees it.
[[nodiscard]] error not_fresh();

}  // namespace breakwater::postgres
