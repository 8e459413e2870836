#include "sim/answers.hpp"
#include "sim/application.hpp"
#include <breakwater/resilience/backoff.hpp>

// How a client finds out, by the outcome guard, what became of its COMMIT: `postgres::find_outcome` without threads. The
// decisions are the library's own.

namespace breakwater::sim {
namespace {

constexpr resilience::backoff_options setback_backoff{.base = std::chrono::milliseconds(10),
                                                      .cap = std::chrono::milliseconds(250)};

/// As the library sees the failure of the token's INSERT.
error token_error(const answer& said) {
  error cause = request_error(said, false);
  cause.with_statement(postgres::outcome_token_statement.name);
  if (states[said.state] == "23505") cause.with_table("outcomes");
  return cause;
}

}  // namespace

void application::begin_guard(std::uint32_t who) {
  client& c = clients_[who];
  c.commit_in_doubt = true;
  records_.at(c.operation).doubt_since = events_.now();
  if (options_.planted == defect::guard_gives_up) return end_failed(who, applied::unknown);
  c.guard.emplace(clock_at(c.token_made));
  guard_pause(who);
}

/// The next step, after a pause where the last one came to nothing.
void application::guard_pause(std::uint32_t who) {
  client& c = clients_[who];
  c.now = phase::resting;
  const unsigned setbacks = c.guard->setbacks();
  const auto pause = setbacks == 0 ? std::chrono::nanoseconds(0)
                                   : resilience::full_jitter(setback_backoff, setbacks - 1, chance_.unit());
  events_.after(pause.count(), event_kind::guard_due, who, c.serial);
}

void application::guard_step(std::uint32_t who) {
  client& c = clients_[who];
  switch (c.guard->step()) {
    case postgres::outcome_step::applied: return end(who, true, applied::yes);
    case postgres::outcome_step::unresolved: return end_failed(who, applied::unknown);
    case postgres::outcome_step::not_applied: return rerun_guarded(who);
    default: break;
  }
  if (c.on == nobody) {
    const auto primary = known_primary(process_of(c));
    if (!primary) {
      ask_for_roles(process_of(c));
      return guard_obstructed(who, errc::no_primary);
    }
    return borrow(who, purpose::guard, *primary);
  }
  switch (c.guard->step()) {
    case postgres::outcome_step::claim: return ask(who, request_kind::claim, phase::claiming);
    case postgres::outcome_step::end_twin: return ask(who, request_kind::end_twin, phase::ending_twin);
    default: return ask(who, request_kind::confirm, phase::confirming);
  }
}

/// No connection to the primary was to be had.
void application::guard_obstructed(std::uint32_t who, const error& cause) {
  client& c = clients_[who];
  switch (c.guard->step()) {
    case postgres::outcome_step::claim: c.guard->claimed(&cause, now()); break;
    case postgres::outcome_step::end_twin: c.guard->twin_ended(false); break;
    default: c.guard->not_confirmed(cause); break;
  }
  guard_pause(who);
}

void application::guard_answered(std::uint32_t who, const answer& said) {
  client& c = clients_[who];
  const bool ok = said.kind == answer_kind::ok;
  const bool lost = said.kind == answer_kind::fatal || said.kind == answer_kind::lost;
  // The server may hold its transaction open.
  if (lost && (c.now == phase::claiming || c.now == phase::confirming)) c.twins.push_back(c.on);
  switch (c.now) {
    case phase::claiming: {
      if (ok) {
        c.guard->claimed(nullptr, now());
        return rerun_guarded(who);
      }
      error cause = token_error(said);
      return_link(c, said);
      if (states[said.state] == "55P03") {
        if (options_.planted == defect::twin_ignored) return end(who, false, applied::no);
        if (options_.planted == defect::twin_overtaken) {
          c.commit_in_doubt = false;
          return decide_next(who, error(errc::connection_failed).with_applied(applied::no));
        }
      }
      c.guard->claimed(&cause, now());
      if (c.guard->step() == postgres::outcome_step::confirm) c.twins.clear();
      return guard_pause(who);
    }
    case phase::ending_twin:
      return_link(c, said);
      c.guard->twin_ended(ok);
      return guard_pause(who);
    case phase::confirming: {
      return_link(c, said);
      if (ok) {
        c.guard->confirmed(said.found_row);
      } else {
        const error cause = request_error(said, true);
        c.guard->not_confirmed(cause);
      }
      return guard_pause(who);
    }
    case phase::rerunning: {
      if (ok) return ask(who, request_kind::commit, phase::committing);
      const error cause = request_error(said, false);
      return_link(c, said);
      return decide_next(who, cause);
    }
    default: return;
  }
}

/// The first attempt did not happen and never will: carries on with the rerun, in the transaction that holds the token.
void application::rerun_guarded(std::uint32_t who) {
  client& c = clients_[who];
  c.commit_in_doubt = false;
  ask(who, request_kind::guarded_write, phase::rerunning);
}

}  // namespace breakwater::sim
