#include "postgres/causal_read.hpp"

#include "postgres/connection.hpp"
#include <breakwater/resilience/timing.hpp>

#include <algorithm>
#include <array>

namespace breakwater::postgres {
namespace {

/// Between questions to a replica. A commit takes about as long to get there; asking more often would only load it.
constexpr std::chrono::microseconds ask_again_after{500};

bool is_of(const causality_token& after, std::uint64_t system, std::uint32_t timeline) noexcept {
  return after.system() == system && after.timeline() == timeline;
}

/// The server's own word; where it does not let itself be asked, as if it said nothing.
result<void> ask(connection& on, causal_read& read, bool on_primary, deadline until, const std::stop_token* cancel) {
  const parameters none;
  const std::array commands{command{&place_question(on.server()), &none}};
  const auto answer = on.run({.commands = commands, .until = until, .cancel = cancel});
  if (answer) {
    note_place(on, read, answer.assume_value());
    return success();
  }
  if (!is_refused_question(answer.assume_error())) return answer.assume_error();
  read.found = on_primary ? read_finding::not_vouched : read_finding::behind;
  read.replayed = 0;
  return success();
}

}  // namespace

read_finding known_finding(const causal_read& read, const known_server& server, deadline::clock::time_point opened_at,
                           bool on_primary) noexcept {
  const causality_token& after = read.after;
  const bool same_history = server.timeline != 0 && is_of(after, server.system, server.timeline);
  if (same_history && after.knows_position() && !server.is_primary && server.position >= after.position()) {
    return read_finding::kept;
  }
  if (server.is_primary) {
    return same_history || !after.knows_timeline() ? read_finding::kept : read_finding::not_vouched;
  }
  if (on_primary) return after.knows_timeline() ? read_finding::unknown : read_finding::kept;
  if (!after.knows_position()) return read_finding::behind;
  if (server.is_known() && server.system != after.system()) return read_finding::behind;
  const auto& seen = read.seen;
  const bool same_server = seen && server.is_known() && server.system == seen->system && server.place == seen->place &&
                           opened_at <= seen->asked_at;
  if (same_server && is_of(after, seen->system, seen->timeline) && seen->position >= after.position()) {
    return read_finding::kept;
  }
  return read_finding::unknown;
}

read_finding finding_of(const causality_token& after, const std::optional<place>& said) noexcept {
  if (!said) return read_finding::behind;
  if (!said->is_replica) {
    const bool same_history = said->timeline != 0 && is_of(after, said->system, said->timeline);
    return same_history || !after.knows_timeline() ? read_finding::kept : read_finding::not_vouched;
  }
  const bool has_it = after.knows_position() && said->timeline != 0 && is_of(after, said->system, said->timeline) &&
                      said->position >= after.position() && said->per_statement;
  return has_it ? read_finding::kept : read_finding::behind;
}

const statement& place_question(const known_server& server) noexcept {
  return server.is_known() ? place_statement : place_and_server_statement;
}

result<void> settle_finding(connection& on, causal_read& read, bool on_primary, deadline until,
                            const std::stop_token* cancel) {
  if (is_too_young(read, on, on_primary)) return not_fresh().with_node(on.node());
  if (read.after.empty()) return success();
  // What one transaction is told says nothing of the next one.
  if (on.is_pooled() && !on_primary) {
    read.found = read_finding::behind;
    return not_fresh().with_node(on.node());
  }
  read.found = known_finding(read, on.server(), on.opened_at(), on_primary);
  read.unasked = read.found != read_finding::unknown;
  if (!read.unasked) {
    BOOST_OUTCOME_TRY(ask(on, read, on_primary, until, cancel));
    BOOST_OUTCOME_TRY(wait_until_fresh(on, read, until, cancel));
  }
  if (read.found == read_finding::behind) return not_fresh().with_node(on.node());
  return success();
}

result<void> wait_until_fresh(connection& on, causal_read& read, deadline until, const std::stop_token* cancel) {
  const deadline patience = until.earlier_of(deadline(deadline::clock::now() + read.patience));
  // One that says nothing of a history, or is on another one, will not be there in a moment: it has replayed nothing
  // that counts.
  while (read.found == read_finding::behind && read.replayed != 0) {
    const auto next = deadline::clock::now() + ask_again_after;
    if (patience.expired(next) || !resilience::system_timing().wait_until(next, cancel)) break;
    read.waited = true;
    BOOST_OUTCOME_TRY(ask(on, read, false, until, cancel));
  }
  return success();
}

bool is_too_young(causal_read& read, const connection& on, bool on_primary) noexcept {
  if (!read.lag || on_primary) return false;
  // A pooler's connection outlives its server's.
  if (!on.is_pooled() && on.opened_at() <= read.known_at) return false;
  read.found = read_finding::behind;
  return true;
}

void note_place(connection& on, causal_read& read, const rows& answer) {
  const auto said = read_place(answer, on.backend(), on.server());
  read.found = finding_of(read.after, said);
  // Of another history no position counts.
  const bool counts = said && said->is_replica && is_of(read.after, said->system, said->timeline);
  read.replayed = counts ? said->position : 0;
}

bool is_refused_question(const error& failure) noexcept {
  return failure.statement() == place_statement.name && failure.sqlstate().starts_with("42");
}

bool is_not_fresh(const causal_read& read, const error& failure) noexcept {
  return read.found == read_finding::behind && failure.code() == errc::no_primary && failure.sqlstate().empty();
}

error not_fresh() { return {errc::no_primary, "the replica has not replayed what the read must see"}; }

}  // namespace breakwater::postgres
