#include "sim/database.hpp"

#include <algorithm>

namespace breakwater::sim {
namespace {

/// Of a statement or a COMMIT, on an idle server.
constexpr instant service_min = 2 * ms;
constexpr instant service_max = 12 * ms;
/// From the flush of a commit to its answer, at most: what a synchronous standby takes.
constexpr instant acknowledge_max = 4 * ms;
/// When lost packets of a connect are sent again.
constexpr std::array<instant, 3> connect_tries{0, second, 3 * second};

constexpr std::uint8_t read_only = state_id("25006");
constexpr std::uint8_t unique_violation = state_id("23505");
constexpr std::uint8_t admin_shutdown = state_id("57P01");
constexpr std::uint8_t crash_shutdown = state_id("57P02");

}  // namespace

database::token_row& database::row_of(std::uint32_t token) {
  if (token >= tokens_.size()) tokens_.resize(token + 1024);
  return tokens_[token];
}

void database::apply(std::uint32_t operation) {
  if (operation >= applied_.size()) applied_.resize(operation + 4096);
  ++applied_[operation];
}

instant database::service_time(std::uint8_t node) {
  return static_cast<instant>(static_cast<double>(chance_.between(service_min, service_max)) * servers_[node].slowness);
}

bool database::is_reachable(std::uint8_t node) const noexcept {
  const server& s = servers_[node];
  return s.up && !s.starting && !s.unreachable;
}

std::uint32_t database::start_connect(std::uint32_t process, std::uint8_t node, instant timeout) {
  const auto id = static_cast<std::uint32_t>(links_.size());
  links_.push_back(
      {.process = process, .node = node, .connect_began = events_.now(), .connect_until = events_.now() + timeout});
  events_.after(latency() + ms, event_kind::connect_answered, id);
  return id;
}

std::optional<answer> database::connect_outcome(std::uint32_t on) {
  link& l = links_[on];
  const server& s = servers_[l.node];
  if (s.unreachable) {
    if (events_.now() >= l.connect_until) return answer{.kind = answer_kind::timed_out};
    instant next = l.connect_until;
    for (const instant each : connect_tries) {
      if (l.connect_began + each > events_.now()) next = std::min(next, l.connect_began + each);
    }
    events_.at(next, event_kind::connect_answered, on);
    return std::nullopt;
  }
  if (!s.up) return answer{.kind = answer_kind::lost};
  if (s.starting) return answer{.kind = answer_kind::fatal, .state = state_id("57P03")};
  if (s.refuses_connects) return answer{.kind = answer_kind::fatal, .state = state_id("53300")};
  l.session_open = true;
  l.made_to_standby = s.standby;
  return answer{.from_standby = s.standby};
}

void database::send(std::uint32_t on, const request& what) {
  link& l = links_[on];
  l.asked = what;
  ++l.request_serial;
  events_.at(std::max(events_.now(), l.silent_until) + latency(), event_kind::request_arrives, on, l.request_serial);
}

void database::hang_up(std::uint32_t on) {
  link& l = links_[on];
  if (!l.client_open) return;
  l.client_open = false;
  l.user = nobody;
  ++l.answer_serial;
  l.unsent_is_lost = is_silent(on) && chance_.chance(0.5);
  events_.at(std::max(events_.now(), l.silent_until) + latency() + ms, event_kind::hangup_arrives, on);
}

bool database::repair(std::uint32_t on) {
  link& l = links_[on];
  if (!l.client_open || !l.session_open || is_silent(on)) return false;
  ++l.request_serial;
  ++l.answer_serial;
  l.busy = false;
  leave_token_queue(on, l);
  abort_transaction(l);
  return true;
}

void database::handle(const event& what) {
  switch (what.kind) {
    case event_kind::request_arrives: request_arrives(what); break;
    case event_kind::request_done: request_done(what); break;
    case event_kind::lock_timeout: lock_timeout(what); break;
    case event_kind::hangup_arrives: {
      if (held_up(what)) break;
      link& l = links_[what.who];
      // Noticed when the server next reads from the client; what it is doing it finishes.
      if (l.busy) {
        l.ends_after_request = true;
      } else {
        end_session(what.who, l);
      }
      break;
    }
    default: break;
  }
}

void database::request_arrives(const event& what) {
  if (held_up(what)) return;
  link& l = links_[what.who];
  if (!l.session_open || what.serial != l.request_serial || (!l.client_open && l.unsent_is_lost)) return;
  l.busy = true;
  instant done = events_.now() + service_time(l.node);
  const bool ends_at_timeout = l.asked.statement_until != 0 && l.asked.statement_until < done;
  if (ends_at_timeout) done = std::max(l.asked.statement_until, events_.now());
  events_.at(done, event_kind::request_done, what.who, what.serial, ends_at_timeout ? 1 : 0);
}

void database::request_done(const event& what) {
  link& l = links_[what.who];
  if (!l.session_open || !l.busy || what.serial != l.request_serial) return;
  if (what.detail == 1) return fail(what.who, l, state_id("57014"));
  carry_out(what.who, l);
}

void database::carry_out(std::uint32_t on, link& l) {
  switch (l.asked.kind) {
    case request_kind::read: return finish(on, l, {});
    case request_kind::write: {
      if (const std::uint8_t state = write_error(l); state != 0) return fail(on, l, state);
      apply(l.asked.operation);
      return finish(on, l, {}, chance_.between(0, acknowledge_max));
    }
    case request_kind::begin_write:
    case request_kind::guarded_write: return write_in_transaction(on, l);
    case request_kind::begin_guarded:
    case request_kind::claim: return take_token(on, l);
    case request_kind::commit: return commit(on, l);
    case request_kind::confirm: {
      if (servers_[l.node].standby) return fail(on, l, read_only);
      const bool found = row_of(l.asked.token).state == token_state::committed;
      return finish(on, l, {.found_row = found}, chance_.between(0, acknowledge_max));
    }
    case request_kind::end_twin: return end_twins(on, l);
    case request_kind::ping:
    case request_kind::none: return finish(on, l, {});
  }
}

std::uint8_t database::write_error(const link& l) {
  const server& s = servers_[l.node];
  if (s.standby) return read_only;
  if (s.disk_trouble != 0) return s.disk_trouble;
  if (s.conflicts > 0.0 && chance_.chance(s.conflicts)) return state_id(chance_.chance(0.7) ? "40001" : "40P01");
  return 0;
}

void database::write_in_transaction(std::uint32_t on, link& l) {
  l.in_transaction = true;
  if (const std::uint8_t state = write_error(l); state != 0) return fail(on, l, state);
  l.pending_write = l.asked.operation;
  finish(on, l, {});
}

void database::take_token(std::uint32_t on, link& l) {
  l.in_transaction = true;
  if (servers_[l.node].standby) return fail(on, l, read_only);
  token_row& row = row_of(l.asked.token);
  if (row.state == token_state::committed) return fail(on, l, unique_violation);
  if (row.state == token_state::held && row.holder != on) {
    row.waiter = on;
    events_.after(l.asked.lock_wait != 0 ? l.asked.lock_wait : second, event_kind::lock_timeout, on, l.request_serial);
    return;
  }
  row.state = token_state::held;
  row.holder = on;
  l.token = l.asked.token;
  if (l.asked.kind == request_kind::claim) return finish(on, l, {});
  write_in_transaction(on, l);
}

void database::lock_timeout(const event& what) {
  link& l = links_[what.who];
  if (!l.session_open || !l.busy || what.serial != l.request_serial) return;
  if (l.asked.token == nobody || row_of(l.asked.token).waiter != what.who) return;
  leave_token_queue(what.who, l);
  fail(what.who, l, state_id("55P03"));
}

void database::commit(std::uint32_t on, link& l) {
  if (l.pending_write != nobody) apply(l.pending_write);
  l.pending_write = nobody;
  l.in_transaction = false;
  release_token(l, true);
  finish(on, l, {}, chance_.between(0, acknowledge_max));
}

void database::end_twins(std::uint32_t on, link& l) {
  finish(on, l, {});
  for (const std::uint32_t twin : l.asked.targets) {
    link& target = links_[twin];
    if (!target.session_open || target.node != l.node) continue;
    // A process that is committing is not interrupted.
    if (target.busy && target.asked.kind == request_kind::commit) {
      target.ends_after_request = true;
    } else {
      kill_session(twin, admin_shutdown);
    }
  }
}

void database::reply(std::uint32_t on, answer what, instant delay) {
  link& l = links_[on];
  what.from_standby = servers_[l.node].standby;
  events_.at(std::max(events_.now() + delay, l.silent_until) + latency(), event_kind::answer_arrives, on,
             l.answer_serial, what.encode());
}

void database::finish(std::uint32_t on, link& l, answer what, instant delay) {
  l.busy = false;
  reply(on, what, delay);
  if (l.ends_after_request) end_session(on, l);
}

void database::fail(std::uint32_t on, link& l, std::uint8_t state) {
  abort_transaction(l);
  finish(on, l, {.kind = answer_kind::error, .state = state});
}

void database::abort_transaction(link& l) {
  l.in_transaction = false;
  l.pending_write = nobody;
  release_token(l, false);
}

void database::leave_token_queue(std::uint32_t on, const link& l) {
  if (l.asked.token == nobody) return;
  token_row& row = row_of(l.asked.token);
  if (row.waiter == on) row.waiter = nobody;
}

void database::release_token(link& l, bool committed) {
  if (l.token == nobody) return;
  token_row& row = row_of(l.token);
  l.token = nobody;
  row.state = committed ? token_state::committed : token_state::absent;
  row.holder = nobody;
  const std::uint32_t next = row.waiter;
  row.waiter = nobody;
  if (next != nobody) take_token(next, links_[next]);
}

void database::end_session(std::uint32_t on, link& l) {
  if (!l.session_open) return;
  l.session_open = false;
  l.busy = false;
  leave_token_queue(on, l);
  abort_transaction(l);
}

void database::kill_session(std::uint32_t on, std::uint8_t state) {
  link& l = links_[on];
  if (!l.session_open) return;
  // A COMMIT in its last steps may be flushed although its answer never leaves.
  const bool permanent = l.busy && is_permanent(l.asked.kind);
  if (permanent && l.asked.kind == request_kind::write && write_error(l) == 0 && chance_.chance(0.3)) {
    apply(l.asked.operation);
  } else if (permanent && l.asked.kind == request_kind::commit && chance_.chance(0.5)) {
    if (l.pending_write != nobody) apply(l.pending_write);
    l.pending_write = nobody;
    release_token(l, true);
  }
  end_session(on, l);
  ++l.answer_serial;  // what was on its way does not arrive any more
  if (!l.client_open) return;
  const answer last =
      state != 0 ? answer{.kind = answer_kind::fatal, .state = state} : answer{.kind = answer_kind::lost};
  reply(on, last, 0);
}

void database::kill_sessions(std::uint8_t node, double part, std::uint8_t state) {
  for (std::uint32_t on = 0; on < links_.size(); ++on) {
    if (links_[on].node != node || !links_[on].session_open || !chance_.chance(part)) continue;
    kill_session(on, state);
  }
}

void database::half_cut(std::uint8_t node, double part, instant until) {
  for (std::uint32_t on = 0; on < links_.size(); ++on) {
    link& l = links_[on];
    if (l.node != node || !l.session_open || !l.client_open || !chance_.chance(part)) continue;
    l.silent_until = std::max(l.silent_until, until);
    ++l.answer_serial;
    events_.after(0, event_kind::answer_arrives, on, l.answer_serial, answer{.kind = answer_kind::lost}.encode());
  }
}

bool database::held_up(const event& what) {
  if (!is_silent(what.who)) return false;
  events_.at(links_[what.who].silent_until + latency(), what.kind, what.who, what.serial, what.detail);
  return true;
}

void database::silence(std::uint8_t node, double part, instant until) {
  for (link& l : links_) {
    if (l.node == node && l.session_open && chance_.chance(part)) l.silent_until = std::max(l.silent_until, until);
  }
}

void database::begin(fault& what) {
  const auto current = static_cast<std::uint8_t>(servers_[0].standby ? 1 : 0);
  what.node = what.on_replica ? static_cast<std::uint8_t>(1 - current) : current;
  const std::uint8_t node = what.node;
  server& s = servers_[node];
  switch (what.kind) {
    case fault_kind::crash:
    case fault_kind::failover:
      s.up = false;
      kill_sessions(node, 1.0, what.strength < 0.3 ? admin_shutdown : what.strength < 0.6 ? crash_shutdown : 0);
      break;
    case fault_kind::refuses:
      s.refuses_connects = true;
      kill_sessions(node, what.strength, admin_shutdown);
      break;
    case fault_kind::silent_links: silence(node, 0.2 + 0.8 * what.strength, what.ends); break;
    case fault_kind::silent_server:
      s.unreachable = true;
      silence(node, 1.0, what.ends);
      break;
    case fault_kind::slow: s.slowness = 5.0 + 100.0 * what.strength; break;
    case fault_kind::conflicts: s.conflicts = 0.3 + 0.7 * what.strength; break;
    case fault_kind::switchover:
      // What holds open transactions is ended; the rest stay connected, to a standby.
      s.standby = true;
      for (std::uint32_t on = 0; on < links_.size(); ++on) {
        if (links_[on].node == node && (links_[on].in_transaction || links_[on].busy)) kill_session(on, admin_shutdown);
      }
      break;
    case fault_kind::disk_full: s.disk_trouble = state_id("53100"); break;
    case fault_kind::io_error: s.disk_trouble = state_id("58030"); break;
    case fault_kind::flapping: kill_sessions(node, 1.0, admin_shutdown); break;
    case fault_kind::half_cut: half_cut(node, 0.1 + 0.4 * what.strength, what.ends); break;
  }
}

void database::go_on(const fault& what) {
  server& s = servers_[what.node];
  switch (what.kind) {
    case fault_kind::crash:
      s.up = true;
      s.starting = true;
      break;
    case fault_kind::failover:
    case fault_kind::switchover:
      // The old one is fenced before the new one is promoted.
      if (!s.standby) kill_sessions(what.node, 1.0, admin_shutdown);
      s.standby = true;
      servers_[1 - what.node].standby = false;
      break;
    case fault_kind::flapping: kill_sessions(what.node, 1.0, admin_shutdown); break;
    case fault_kind::half_cut: half_cut(what.node, 0.1 + 0.4 * what.strength, what.ends); break;
    default: break;
  }
}

void database::end(const fault& what) {
  server& s = servers_[what.node];
  switch (what.kind) {
    case fault_kind::crash:
    case fault_kind::failover:
      s.up = true;
      s.starting = false;
      break;
    case fault_kind::refuses: s.refuses_connects = false; break;
    case fault_kind::silent_server: s.unreachable = false; break;
    case fault_kind::slow: s.slowness = 1.0; break;
    case fault_kind::conflicts: s.conflicts = 0.0; break;
    case fault_kind::disk_full:
    case fault_kind::io_error: s.disk_trouble = 0; break;
    default: break;
  }
}

}  // namespace breakwater::sim
