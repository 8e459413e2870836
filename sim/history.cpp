#include "sim/history.hpp"

#include "sim/database.hpp"

#include <algorithm>

namespace breakwater::sim {
namespace {

/// What callers are promised at most.
constexpr instant lateness = 10 * ms;
/// The bound on connects, stated here a second time so that a mistake in the pacer does not hide itself.
constexpr std::size_t connects_per_second = 10;
constexpr instant calm = 10 * second;
/// What the guard needs on a healthy primary: a claim that waits, the end of the twin, another claim, the rerun; and
/// connections, which are still being opened one by one.
constexpr instant time_to_resolve = 1500 * ms;

void forget_before(std::deque<instant>& times, instant from) {
  while (!times.empty() && times.front() <= from) times.pop_front();
}

}  // namespace

std::string_view to_string(invariant value) noexcept {
  switch (value) {
    case invariant::no_lost_write: return "no lost write";
    case invariant::no_doubled_write: return "no doubled write";
    case invariant::no_false_denial: return "no write told not applied that is";
    case invariant::guard_resolves: return "guarded writes are resolved";
    case invariant::retries_within_budget: return "retries within the budget";
    case invariant::connects_paced: return "connects within ten a second";
    case invariant::throughput_returns: return "throughput back within 5 s";
    case invariant::ends_at_deadline: return "ends at its deadline";
    case invariant::breaker_closes: return "no breaker sticks";
  }
  return "unknown";
}

history::history(std::size_t processes, std::size_t nodes, retry_budget_options budget)
    : nodes_(nodes), budget_(budget), attempts_(processes), connects_to_(processes * nodes) {
  operations_.reserve(16384);
}

std::uint32_t history::begin(std::size_t process, write_form form, instant until) {
  operations_.push_back({.until = until, .process = static_cast<std::uint32_t>(process), .form = form});
  return static_cast<std::uint32_t>(operations_.size() - 1);
}

void history::end(std::uint32_t operation, instant now, bool succeeded, applied told) {
  operation_record& record = operations_[operation];
  record.ended_at = now;
  record.succeeded = succeeded;
  record.told = told;
  record.ended = true;
  if (now > record.until + lateness) break_rule(invariant::ends_at_deadline, now, operation);
}

void history::first_attempt(std::size_t process, instant now) { attempts_[process].first.push_back(now); }

void history::retried(std::size_t process, instant now) {
  ++retries_;
  attempts_of& all = attempts_[process];
  all.again.push_back(now);
  const instant from = now - std::chrono::nanoseconds(budget_.window).count();
  forget_before(all.first, from);
  forget_before(all.again, from);
  const double allowed =
      budget_.ratio * static_cast<double>(all.first.size()) +
      static_cast<double>(budget_.per_second) * std::chrono::duration<double>(budget_.window).count();
  if (static_cast<double>(all.again.size()) > allowed + 1e-6) {
    break_rule(invariant::retries_within_budget, now, static_cast<std::uint32_t>(process));
  }
}

void history::connect_began(std::size_t process, std::size_t node, instant now) {
  ++connects_;
  connects_of& to = connects_to_[process * nodes_ + node];
  if (now >= to.trouble_until) return;
  forget_before(to.recent, now - second);
  to.recent.push_back(now);
  if (to.recent.size() > connects_per_second) {
    break_rule(invariant::connects_paced, now, static_cast<std::uint32_t>(process));
  }
}

void history::trouble(std::size_t process, std::size_t node, instant now) {
  connects_of& to = connects_to_[process * nodes_ + node];
  if (now >= to.trouble_until) to.recent.clear();
  to.trouble_until = now + calm;
}

void history::check_against(const database& truth) {
  for (std::uint32_t id = 0; id < operations_.size(); ++id) {
    const operation_record& each = operations_[id];
    if (!each.ended) {
      break_rule(invariant::ends_at_deadline, each.until, id);
      continue;
    }
    if (each.form == write_form::read) continue;
    const unsigned times = truth.applied(id);
    if (each.told == applied::yes && times == 0) break_rule(invariant::no_lost_write, each.ended_at, id);
    if (each.told == applied::no && times > 0) break_rule(invariant::no_false_denial, each.ended_at, id);
    if (each.form != write_form::idempotent && times > 1) break_rule(invariant::no_doubled_write, each.ended_at, id);
    if (each.form == write_form::guarded && each.told == applied::unknown) {
      const instant could_begin = std::max(each.doubt_since, healthy_since_);
      if (each.until - could_begin >= time_to_resolve || each.ended_at < each.until) {
        break_rule(invariant::guard_resolves, each.ended_at, id);
      }
    }
  }
}

std::size_t history::successes_between(instant from, instant to, std::size_t process) const {
  return static_cast<std::size_t>(std::ranges::count_if(operations_, [&](const operation_record& each) {
    return each.succeeded && each.process == process && each.ended_at >= from && each.ended_at < to;
  }));
}

}  // namespace breakwater::sim
