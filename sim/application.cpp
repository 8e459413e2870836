#include "sim/application.hpp"

#include "postgres/decide.hpp"
#include "postgres/patience.hpp"
#include "sim/answers.hpp"

#include <algorithm>

namespace breakwater::sim {
namespace {

/// A connection that rested so long is pinged before it is used, with this part of the time left but no more than that.
constexpr instant validate_after_idle = second;
constexpr instant longest_ping = second;
constexpr int share_of_time_for_ping = 4;
/// What asking two nodes in turn for their role takes.
constexpr instant roles_asked = 3 * ms;
constexpr instant maintenance_interval = second;
constexpr instant verdict_grace = std::chrono::nanoseconds(postgres::verdict_grace).count();

struct form_share {
  write_form form;
  double up_to;
  instant patience_min;
  instant patience_max;
};
/// Who does what how often, and how long each would wait.
constexpr std::array<form_share, write_form_count> forms{form_share{write_form::read, 0.35, 200 * ms, 1500 * ms},
                                                         form_share{write_form::plain, 0.50, 200 * ms, 1500 * ms},
                                                         form_share{write_form::idempotent, 0.65, 200 * ms, 2000 * ms},
                                                         form_share{write_form::transaction, 0.80, 200 * ms, 2000 * ms},
                                                         form_share{write_form::guarded, 1.00, 500 * ms, 4000 * ms}};

constexpr std::size_t class_of(write_form form) noexcept {
  return static_cast<std::size_t>(form == write_form::read ? circuit_class::read : circuit_class::write);
}

}  // namespace

application::application(event_queue& events, database& servers, generator& chance, history& records,
                         const application_options& options)
    : events_(events),
      servers_(servers),
      chance_(chance),
      records_(records),
      options_(options),
      clients_(options.clients) {
  for (std::uint32_t p = 0; p < options_.processes; ++p) {
    auto made = std::make_unique<process>(retry_budget_options{});
    for (std::uint8_t node = 0; node < node_count; ++node) {
      made->pools[node] = std::make_unique<pool_model>(
          events_, servers_, chance_, records_, *this, p, node,
          pool_model::settings{.size = options_.pool_size, .paced = options_.planted != defect::no_pacing});
      for (auto& breaker : made->breakers[node]) {
        breaker = std::make_unique<resilience::circuit_breaker>(options_.breaker, [this] { return chance_.unit(); });
      }
    }
    processes_.push_back(std::move(made));
  }
  for (std::uint32_t who = 0; who < clients_.size(); ++who) {
    clients_[who].process = static_cast<std::uint32_t>(who % processes_.size());
  }
}

void application::start() {
  for (std::uint32_t p = 0; p < processes_.size(); ++p) {
    for (const auto& pool : processes_[p]->pools) pool->open_first();
    events_.after(maintenance_interval + p * 10 * ms, event_kind::maintenance, p);
  }
  for (std::uint32_t who = 0; who < clients_.size(); ++who) {
    // As if they had been at it for long: thinking that takes longer is more likely to be met in its midst.
    instant length = 0;
    do {
      length = chance_.between(options_.think_min, options_.think_max);
    } while (chance_.between(0, options_.think_max) > length);
    events_.after(50 * ms + chance_.between(0, length), event_kind::think_over, who);
  }
}

void application::handle(const event& what) {
  const auto is_current = [&] { return clients_[what.who].serial == what.serial; };
  switch (what.kind) {
    case event_kind::think_over: begin_operation(what.who); break;
    case event_kind::attempt_due:
    case event_kind::roles_known:
      if (is_current() && clients_[what.who].now == phase::pausing) begin_attempt(what.who);
      break;
    case event_kind::deadline_due:
      if (is_current()) deadline_came(what.who, what.detail == 1);
      break;
    case event_kind::guard_due:
      if (is_current() && clients_[what.who].now == phase::resting) guard_step(what.who);
      break;
    case event_kind::ping_due:
      if (is_current() && clients_[what.who].now == phase::pinging && clients_[what.who].ping_serial == what.detail) {
        ping_failed(what.who);
      }
      break;
    case event_kind::answer_arrives: answered(what); break;
    case event_kind::connect_answered: {
      const auto outcome = servers_.connect_outcome(what.who);
      const link& l = servers_.at(what.who);
      if (outcome) processes_[l.process]->pools[l.node]->connect_answered(what.who, *outcome);
      break;
    }
    case event_kind::repair_due: {
      const link& l = servers_.at(what.who);
      processes_[l.process]->pools[l.node]->repair_due(what.who, what.serial);
      break;
    }
    case event_kind::pool_due: processes_[what.who / node_count]->pools[what.who % node_count]->due(); break;
    case event_kind::maintenance:
      for (std::uint8_t node = 0; node < node_count; ++node) look_after(what.who, node);
      if (events_.now() < options_.stop_at) events_.after(maintenance_interval, event_kind::maintenance, what.who);
      break;
    default: break;
  }
}

void application::look_after(std::uint32_t which, std::uint8_t node) {
  pool_model& pool = *processes_[which]->pools[node];
  pool.maintain();
  const auto is_open = [](const auto& each) { return each->state() == circuit_state::open; };
  if (std::ranges::none_of(processes_[which]->breakers[node], is_open)) return;
  // Nobody calls a node whose breakers are open: whether it is back is for the background to find out, by a connection
  // that can be made, or by an idle one that still answers.
  if (pool.look_for_life()) opened(which, node);
}

void application::think(std::uint32_t who) {
  if (events_.now() >= options_.stop_at) return;
  events_.after(chance_.between(options_.think_min, options_.think_max), event_kind::think_over, who);
}

void application::begin_operation(std::uint32_t who) {
  client& c = clients_[who];
  const double choice = chance_.unit();
  const form_share& share = *std::ranges::find_if(forms, [&](const form_share& each) { return choice < each.up_to; });
  const instant until = events_.now() + chance_.between(share.patience_min, share.patience_max);
  ++c.serial;
  c.form = share.form;
  c.operation = records_.begin(c.process, share.form, until);
  c.until = deadline(clock_at(until));
  c.in_doubt = c.commit_in_doubt = c.reported_early = c.look_for_primary = c.was_demoted = false;
  c.guard.reset();
  c.token = nobody;
  c.twins.clear();
  c.tries.emplace(retries_, options_.planted == defect::no_budget ? nullptr : &process_of(c).budget, c.until, now());
  records_.first_attempt(c.process, events_.now());
  events_.at(until, event_kind::deadline_due, who, c.serial);
  begin_attempt(who);
}

std::optional<std::uint8_t> application::known_primary(const process& p) const {
  std::optional<std::uint8_t> found;
  for (std::uint8_t node = 0; node < node_count; ++node) {
    if (p.pools[node]->role() != node_role::primary) continue;
    if (found) return std::nullopt;  // two that say so are none
    found = node;
  }
  return found;
}

/// Opens a connection to nodes without, and hears from those that have some. What comes of it is known a little later.
void application::ask_for_roles(process& p) {
  for (std::uint8_t node = 0; node < node_count; ++node) {
    p.pools[node]->open_first();
    if (p.pools[node]->idle() > 0 && servers_.is_reachable(node)) {
      p.pools[node]->note_role(servers_.is_standby(node) ? node_role::replica : node_role::primary);
    }
  }
}

std::optional<error> application::choose_node(client& c) {
  process& p = process_of(c);
  const std::size_t of = class_of(c.form);
  c.on_replica = false;
  if (c.form == write_form::read && c.tries->attempts() < 3) {
    for (std::uint8_t node = 0; node < node_count; ++node) {
      if (p.pools[node]->role() != node_role::replica) continue;
      c.permit = p.breakers[node][of]->try_acquire(now());
      if (!c.permit) continue;
      c.node = node;
      c.on_replica = true;
      return std::nullopt;
    }
  }
  const auto primary = known_primary(p);
  if (!primary) return error(errc::no_primary);
  c.permit = p.breakers[*primary][of]->try_acquire(now());
  if (!c.permit) return error(errc::circuit_open);
  c.node = *primary;
  return std::nullopt;
}

void application::begin_attempt(std::uint32_t who) {
  client& c = clients_[who];
  process& p = process_of(c);
  // Where no primary is known, or another one has to be found, the nodes are asked first.
  if (c.look_for_primary || (c.form != write_form::read && !known_primary(p))) {
    const bool asked = c.now == phase::pausing && !c.look_for_primary && c.was_demoted;
    if (!asked) {
      c.look_for_primary = false;
      c.was_demoted = true;  // asked in this round
      ask_for_roles(p);
      c.now = phase::pausing;
      events_.after(roles_asked, event_kind::roles_known, who, c.serial);
      return;
    }
  }
  c.was_demoted = false;
  c.attempt_began = events_.now();
  if (const auto refused = choose_node(c)) return decide_next(who, *refused);
  borrow(who, purpose::attempt, c.node);
}

void application::borrow(std::uint32_t who, purpose why, std::uint8_t node) {
  client& c = clients_[who];
  c.wants = why;
  c.node = node;
  c.now = phase::waiting;
  c.entry.emplace(who, priority::normal, c.until);
  const auto got = pool_of(c).acquire(*c.entry);
  if (!got) return;
  c.on = *got;
  got_connection(who);
}

void application::served(std::uint32_t who, std::uint32_t with) {
  clients_[who].on = with;
  got_connection(who);
}

void application::got_connection(std::uint32_t who) {
  client& c = clients_[who];
  const link& l = servers_.at(c.on);
  if (events_.now() - l.idle_since < validate_after_idle) return send_first_request(who);
  const instant left = instant_of(c.until.at()) - events_.now();
  const instant patience = std::min(longest_ping, left / share_of_time_for_ping);
  ask(who, request_kind::ping, phase::pinging);
  events_.after(patience, event_kind::ping_due, who, c.serial, ++c.ping_serial);
}

void application::ping_failed(std::uint32_t who) {
  client& c = clients_[who];
  const std::uint32_t dead = std::exchange(c.on, nobody);
  pool_of(c).discard(dead, true);
  borrow(who, c.wants, c.node);
}

void application::turned_away(std::uint32_t who, const error& why) {
  client& c = clients_[who];
  error cause = why;
  cause.with_attempts(0);
  if (c.wants == purpose::guard) return guard_obstructed(who, cause);
  attempt_failed(who, cause);
}

void application::opened(std::uint32_t which, std::uint8_t node) {
  for (const auto& breaker : processes_[which]->breakers[node]) breaker->hint_recovered(now());
}

void application::send_first_request(std::uint32_t who) {
  client& c = clients_[who];
  if (c.wants == purpose::guard) return guard_step(who);
  switch (c.form) {
    case write_form::read: return ask(who, request_kind::read, phase::reading);
    case write_form::plain:
    case write_form::idempotent: return ask(who, request_kind::write, phase::reading);
    case write_form::transaction: return ask(who, request_kind::begin_write, phase::in_transaction);
    case write_form::guarded:
      c.token = next_token_++;
      c.token_made = events_.now();
      return ask(who, request_kind::begin_guarded, phase::in_transaction);
  }
}

void application::ask(std::uint32_t who, request_kind kind, phase next) {
  client& c = clients_[who];
  c.now = next;
  request wanted{.kind = kind, .operation = c.operation, .token = c.token};
  if (kind == request_kind::end_twin) wanted.targets = c.twins;
  // A COMMIT is never cancelled, not even by a time limit of the server's.
  if (kind != request_kind::commit && kind != request_kind::confirm) wanted.statement_until = instant_of(c.until.at());
  if (kind == request_kind::claim) {
    const instant left = instant_of(c.until.at()) - events_.now();
    wanted.lock_wait = std::clamp(left / 8, ms, 100 * ms);
  }
  servers_.send(c.on, wanted);
  if (kind == request_kind::commit && options_.planted == defect::early_success && !c.reported_early) {
    c.reported_early = true;
    records_.end(c.operation, events_.now(), true, applied::yes);
  }
}

void application::answered(const event& what) {
  link& l = servers_.at(what.who);
  if (!l.client_open || what.serial != l.answer_serial) return;
  const answer said = answer::decode(what.detail);
  const bool ends = said.kind == answer_kind::fatal || said.kind == answer_kind::lost;
  const std::uint32_t who = l.user;
  if (who == nobody) {
    l.goodbye = l.goodbye || ends;
    return;
  }
  client& c = clients_[who];
  if (c.now == phase::pinging) {
    if (ends) return ping_failed(who);
    return send_first_request(who);
  }
  if (c.now >= phase::resting) return guard_answered(who, said);
  attempt_answered(who, said);
}

void application::attempt_answered(std::uint32_t who, const answer& said) {
  client& c = clients_[who];
  const bool permanent = c.now == phase::committing || (c.now == phase::reading && c.form != write_form::read);
  if (said.kind == answer_kind::ok) {
    if (c.now == phase::in_transaction) return ask(who, request_kind::commit, phase::committing);
    settle_permit(c, nullptr);
    return_link(c, said);
    return end(who, true, applied::yes);
  }
  const error cause = request_error(said, permanent);
  c.was_demoted = said.from_standby && !servers_.at(c.on).made_to_standby;
  if (cause.applied() == applied::unknown && c.form == write_form::guarded) {
    c.twins.assign(1, c.on);
    settle_permit(c, &cause);
    return_link(c, said);
    return begin_guard(who);
  }
  return_link(c, said);
  attempt_failed(who, cause);
}

void application::return_link(client& c, const answer& said) {
  const std::uint32_t on = std::exchange(c.on, nobody);
  const link& l = servers_.at(on);
  pool_model& pool = *processes_[l.process]->pools[l.node];
  const bool ended = said.kind == answer_kind::fatal || said.kind == answer_kind::lost;
  if (ended) return pool.discard(on, true);
  if (said.from_standby != l.made_to_standby) {
    pool.note_role(said.from_standby ? node_role::replica : node_role::primary);
    return pool.discard(on, false);
  }
  // The server is short of something: another connection.
  if (said.kind == answer_kind::error && postgres::remedy_of(states[said.state]) == postgres::remedy::reconnect_once) {
    return pool.discard(on, true);
  }
  pool.give_back(on);
}

/// The answer to what runs on it is not awaited any longer.
void application::abandon_link(client& c) {
  if (c.on == nobody) return;
  const bool commits = c.now == phase::committing || (c.now == phase::reading && c.form != write_form::read);
  const std::uint32_t on = std::exchange(c.on, nobody);
  pool_model& pool = pool_of(c);
  // What may be permanent is never cancelled: its connection is closed.
  if (commits) {
    pool.discard(on, true);
  } else {
    pool.repair_later(on);
  }
}

void application::attempt_failed(std::uint32_t who, const error& cause) {
  client& c = clients_[who];
  settle_permit(c, &cause);
  decide_next(who, cause);
}

void application::settle_permit(client& c, const error* failure) {
  if (options_.planted == defect::stuck_breaker && c.permit.is_probe()) {
    process_of(c).breakers[c.node][class_of(c.form)]->force_open();
  }
  if (failure == nullptr) return c.permit.succeeded(now());
  const std::chrono::nanoseconds waited(events_.now() - c.attempt_began);
  const bool waited_in_vain = failure->code() == errc::deadline_exceeded && failure->attempts() == 0 &&
                              waited >= options_.breaker.silence && pool_of(c).open() == 0;
  if (waited_in_vain || postgres::is_infrastructure_failure(*failure, waited, options_.breaker.silence)) {
    c.permit.failed(now());
  } else if (!failure->sqlstate().empty()) {
    c.permit.ignored(now());
  } else {
    c.permit.abandoned();
  }
}

void application::decide_next(std::uint32_t who, const error& cause) {
  client& c = clients_[who];
  const bool unknown = cause.applied() == applied::unknown;
  const bool demoted = std::exchange(c.was_demoted, false);
  if (unknown && options_.planted == defect::blind_denial) return end(who, false, applied::no);
  postgres::decision what =
      postgres::decide({.cause = cause,
                        .kind = c.form == write_form::read ? statement_class::read : statement_class::write,
                        .in_transaction = c.form == write_form::transaction || c.form == write_form::guarded,
                        .idempotent = c.form == write_form::idempotent,
                        .mapped = true,
                        .on_replica = c.on_replica,
                        .demoted = demoted,
                        .attempt = c.tries->attempts()});
  if (unknown && options_.planted == defect::blind_rerun) what.next = postgres::next_attempt::same;
  if (what.next == postgres::next_attempt::none) return end_failed(who, cause.applied());
  const auto pause = c.tries->next(now(), chance_.unit(), {.at_once = !what.paused});
  if (!pause) return end_failed(who, cause.applied());
  records_.retried(c.process, events_.now());
  c.in_doubt = c.in_doubt || unknown;
  c.look_for_primary = what.next == postgres::next_attempt::other_primary;
  c.now = phase::pausing;
  events_.after(pause->count(), event_kind::attempt_due, who, c.serial);
}

void application::end_failed(std::uint32_t who, applied told) {
  const client& c = clients_[who];
  // What an earlier attempt may have done does not become undone by a later one's failure.
  end(who, false, c.in_doubt ? applied::unknown : told);
}

void application::end(std::uint32_t who, bool succeeded, applied told) {
  client& c = clients_[who];
  c.permit.abandoned();
  if (!c.reported_early) records_.end(c.operation, events_.now(), succeeded, told);
  events_.note(static_cast<std::uint64_t>(told) * 2 + (succeeded ? 1 : 0));
  ++c.serial;
  c.now = phase::thinking;
  c.on = nobody;
  think(who);
}

void application::deadline_came(std::uint32_t who, bool grace_is_over) {
  client& c = clients_[who];
  if (options_.planted == defect::no_deadline) return;
  const bool permanent = c.now == phase::committing || (c.now == phase::reading && c.form != write_form::read);
  if (permanent && !grace_is_over) {
    events_.after(verdict_grace, event_kind::deadline_due, who, c.serial, 1);
    return;
  }
  error cause = errc::deadline_exceeded;
  cause.with_attempts(c.now == phase::waiting || c.now == phase::pausing ? 0 : 1);
  if (permanent) cause = error(errc::commit_unknown).with_applied(applied::unknown).with_attempts(1);
  cause.with_poisoned_connection(c.on != nobody);
  if (c.now == phase::waiting) pool_of(c).leave(*c.entry);
  settle_permit(c, &cause);
  if (permanent && c.form == write_form::guarded) {
    c.commit_in_doubt = true;
    if (records_.at(c.operation).doubt_since == 0) records_.at(c.operation).doubt_since = events_.now();
  }
  abandon_link(c);
  const applied told = c.commit_in_doubt ? applied::unknown : cause.applied();
  if (permanent && options_.planted == defect::blind_denial) return end(who, false, applied::no);
  end_failed(who, told);
}

std::uint64_t application::breakers_opened() {
  std::uint64_t times = 0;
  for (const auto& each : processes_) {
    for (const auto& of_node : each->breakers) {
      for (const auto& breaker : of_node) times += breaker->snapshot(now()).times_opened;
    }
  }
  return times;
}

void application::check_breakers(instant by) {
  for (std::uint32_t p = 0; p < processes_.size(); ++p) {
    for (const auto& of_node : processes_[p]->breakers) {
      for (const auto& breaker : of_node) {
        if (!breaker->try_acquire(clock_at(by))) records_.break_rule(invariant::breaker_closes, by, p);
      }
    }
  }
}

}  // namespace breakwater::sim
