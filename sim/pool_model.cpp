#include "sim/pool_model.hpp"

#include "sim/answers.hpp"

#include <algorithm>

namespace breakwater::sim {
namespace {

/// How long the pool tries to put a connection in order.
constexpr instant repair_time = 500 * ms;
constexpr instant repair_step = 2 * ms;

}  // namespace

pool_model::pool_model(event_queue& events, database& servers, generator& chance, history& records,
                       pool_listener& listener, std::uint32_t process, std::uint8_t node, settings options)
    : events_(events),
      servers_(servers),
      chance_(chance),
      records_(records),
      listener_(listener),
      process_(process),
      node_(node),
      options_(options),
      waiters_({.servers = options.size, .max_waiters = options.max_waiters}) {}

std::optional<std::uint32_t> pool_model::acquire(waiting_client& self) {
  while (!idle_.empty()) {
    const std::uint32_t on = idle_.back();
    idle_.pop_back();
    if (servers_.at(on).goodbye) {
      discard(on, true);
      continue;
    }
    lend(on, self.client, false);
    return on;
  }
  const auto admitted = waiters_.join(self, now());
  if (admitted.displaced != nullptr) {
    listener_.turned_away(static_cast<waiting_client&>(*admitted.displaced).client, errc::overloaded);
  }
  if (admitted.refused) {
    listener_.turned_away(self.client, errc::overloaded);
    return std::nullopt;
  }
  serve_waiters();
  return std::nullopt;
}

void pool_model::lend(std::uint32_t on, std::uint32_t to, bool waited) {
  link& l = servers_.at(on);
  l.user = to;
  l.lent_at = events_.now();
  l.waited_for = waited;
}

void pool_model::give_back(std::uint32_t on) {
  link& l = servers_.at(on);
  l.user = nobody;
  if (l.waited_for) waiters_.note_held(std::chrono::nanoseconds(events_.now() - l.lent_at), now());
  l.idle_since = events_.now();
  hand_out(on);
}

void pool_model::hand_out(std::uint32_t on) {
  if (servers_.at(on).goodbye) return discard(on, true);
  auto turn = waiters_.next(now());
  while (auto* const late = turn.expired.pop_oldest()) {
    listener_.turned_away(static_cast<waiting_client&>(*late).client, errc::deadline_exceeded);
  }
  if (turn.next == nullptr) {
    idle_.push_back(on);
    return;
  }
  const std::uint32_t client = static_cast<waiting_client&>(*turn.next).client;
  lend(on, client, true);
  listener_.served(client, on);
}

void pool_model::discard(std::uint32_t on, bool broken) {
  servers_.hang_up(on);
  --open_;
  if (broken) {
    pacer_.lost(now());
    records_.trouble(process_, node_, events_.now());
  }
  serve_waiters();
}

void pool_model::repair_later(std::uint32_t on) {
  servers_.at(on).user = nobody;
  events_.after(repair_step, event_kind::repair_due, on, 0);
}

void pool_model::repair_due(std::uint32_t on, std::uint32_t tries) {
  if (servers_.at(on).goodbye) return discard(on, true);
  if (servers_.repair(on)) {
    servers_.at(on).idle_since = events_.now();
    return hand_out(on);
  }
  if (tries == 1) return discard(on, true);
  events_.after(repair_time - repair_step, event_kind::repair_due, on, 1);
}

void pool_model::start_connects(std::size_t at_least) {
  const std::size_t wanted = std::max(waiters_.size(), at_least);
  while (connecting_ < wanted && open_ + connecting_ < options_.size &&
         (!options_.paced || pacer_.may_start(now(), connecting_))) {
    pacer_.started(now());
    records_.connect_began(process_, node_, events_.now());
    ++connecting_;
    static_cast<void>(servers_.start_connect(process_, node_, options_.connect_timeout));
  }
}

void pool_model::connect_answered(std::uint32_t on, const answer& outcome) {
  --connecting_;
  if (outcome.kind == answer_kind::ok) {
    ++open_;
    pacer_.succeeded(now());
    role_ = outcome.from_standby ? node_role::replica : node_role::primary;
    servers_.at(on).idle_since = events_.now();
    hand_out(on);
    start_connects(0);
    listener_.opened(process_, node_);
    return;
  }
  servers_.hang_up(on);
  pacer_.failed(now(), chance_.unit());
  records_.trouble(process_, node_, events_.now());
  last_failure_ = connect_error(outcome);
  if (open_ == 0 && connecting_ == 0) role_ = node_role::unknown;
  serve_waiters();
}

void pool_model::serve_waiters() {
  if (waiters_.empty()) return;
  start_connects(0);
  if (open_ == 0 && connecting_ == 0 && pacer_.failures() > 0) {
    auto all = waiters_.clear();
    const error why = *last_failure_;
    while (auto* const each = all.pop_oldest()) {
      listener_.turned_away(static_cast<waiting_client&>(*each).client, why);
    }
    return;
  }
  wake_when_paced();
}

void pool_model::wake_when_paced() {
  if (connecting_ != 0 || open_ >= options_.size) return;
  const instant next = instant_of(pacer_.next_start(now()));
  if (next <= events_.now() || next == wakes_at_) return;
  wakes_at_ = next;
  events_.at(next, event_kind::pool_due, static_cast<std::uint32_t>(process_ * node_count + node_));
}

bool pool_model::look_for_life() {
  while (!idle_.empty()) {
    const std::uint32_t on = idle_.back();
    const link& l = servers_.at(on);
    if (!l.goodbye && servers_.is_silent(on)) return false;
    if (!l.goodbye && l.session_open) return true;
    idle_.pop_back();
    discard(on, true);
  }
  open_first();
  return false;
}

void pool_model::open_first() { start_connects(open_ == 0 ? 1 : 0); }

void pool_model::maintain() { start_connects(0); }

}  // namespace breakwater::sim
