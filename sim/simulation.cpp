#include "sim/simulation.hpp"

#include "sim/database.hpp"
#include "sim/events.hpp"
#include "sim/random.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace breakwater::sim {
namespace {

/// The pools are filled and the clients spread by then.
constexpr instant warm = 2 * second;
constexpr instant faults_from = 4 * second;
/// After all is well again: throughput has to be back by then, and is measured for so long.
constexpr instant recovery = 5 * second;
constexpr instant measured = 3 * second;
constexpr double least_throughput = 0.9;
/// A breaker that opened at the last moment lets a probe pass within this.
constexpr instant longest_open = 7 * second;
/// Everything that is still under way when no client begins anything new ends within this.
constexpr instant drained = 30 * second;
constexpr instant repeat_interval = 300 * ms;

/// The defaults, or one that opens sooner: faults of seconds seldom fill half of the default window with failures.
circuit_breaker_options draw_breaker(generator& chance) {
  circuit_breaker_options options;
  constexpr std::array<std::chrono::milliseconds, 3> windows{defaults::breaker_window, std::chrono::seconds(4),
                                                             std::chrono::seconds(1)};
  options.window = windows[static_cast<std::size_t>(chance.between(0, 2))];
  if (chance.chance(0.5)) options.silence = std::chrono::milliseconds(200);
  return options;
}

void schedule(event_queue& events, const std::vector<fault>& plan) {
  for (std::uint32_t i = 0; i < plan.size(); ++i) {
    events.at(plan[i].begins, event_kind::fault_step, i, 0, 0);
    if (repeats(plan[i].kind)) {
      for (instant at = plan[i].begins + repeat_interval; at < plan[i].ends; at += repeat_interval) {
        events.at(at, event_kind::fault_step, i, 0, 1);
      }
    } else {
      events.at(plan[i].goes_on, event_kind::fault_step, i, 0, 1);
    }
    events.at(plan[i].ends, event_kind::fault_step, i, 0, 2);
  }
}

void step(database& servers, fault& what, std::uint32_t which) {
  if (which == 0) servers.begin(what);
  if (which == 1) servers.go_on(what);
  if (which == 2) servers.end(what);
}

double per_second(std::size_t count, instant length) {
  return static_cast<double>(count) * static_cast<double>(second) / static_cast<double>(length);
}

/// Of every process on its own, so that three that are well do not hide one that is not. Before the faults they are all
/// alike, and their mean is less of an accident than what each did in two seconds.
void compare_throughput(report& run, history& records, std::size_t processes, instant well_again) {
  const instant back = well_again + recovery;
  for (std::size_t each = 0; each < processes; ++each) {
    run.throughput_before += per_second(records.successes_between(warm, faults_from, each), faults_from - warm);
  }
  const double before = run.throughput_before / static_cast<double>(processes);
  for (std::size_t each = 0; each < processes; ++each) {
    const double after = per_second(records.successes_between(back, back + measured, each), measured);
    run.throughput_after += after;
    run.lowest_return = std::min(run.lowest_return, after / before);
    if (after >= least_throughput * before) continue;
    records.break_rule(invariant::throughput_returns, back, static_cast<std::uint32_t>(each));
  }
}

void summarise(report& run, const history& records) {
  for (const operation_record& each : records.operations()) {
    ++run.operations;
    run.succeeded += each.succeeded ? 1 : 0;
    run.told_unknown += each.told == applied::unknown ? 1 : 0;
    run.resolved += each.doubt_since != 0 && each.told != applied::unknown ? 1 : 0;
  }
  run.retries = records.retries();
  run.connects = records.connects();
  run.violations = records.violations();
}

/// The longest gap between the times at which the lost packets of a connect are sent again, within the connect timeout.
constexpr instant resent_after = 2 * second;

/// When all was well again for who needs a connection: those begun while a server was silent get through later.
instant connectable_from(const std::vector<fault>& faults, instant well_again) {
  instant from = well_again;
  for (const fault& each : faults) {
    if (each.kind == fault_kind::silent_server) from = std::max(from, each.ends + resent_after);
  }
  return from;
}

}  // namespace

report simulate(std::uint64_t seed, defect planted) {
  report run{.seed = seed};
  generator chance(seed);
  event_queue events;
  run.faults = plan_faults(chance, faults_from);
  instant well_again = 0;
  for (const fault& each : run.faults) well_again = std::max(well_again, each.ends);

  const circuit_breaker_options breaker = draw_breaker(chance);
  application_options options{.breaker = breaker, .stop_at = well_again + recovery + measured, .planted = planted};
  history records(options.processes, node_count, retry_budget_options{});
  database servers(events, chance);
  application programs(events, servers, chance, records, options);
  schedule(events, run.faults);
  records.healthy_from(connectable_from(run.faults, well_again));
  programs.start();

  while (!events.empty() && events.now() < options.stop_at + drained) {
    const event next = events.pop();
    switch (next.kind) {
      case event_kind::request_arrives:
      case event_kind::request_done:
      case event_kind::lock_timeout:
      case event_kind::hangup_arrives: servers.handle(next); break;
      case event_kind::fault_step: step(servers, run.faults[next.who], next.detail); break;
      default: programs.handle(next); break;
    }
  }
  records.check_against(servers);
  compare_throughput(run, records, options.processes, well_again);
  run.breakers_opened = programs.breakers_opened();
  programs.check_breakers(events.now() + longest_open);
  run.events = events.popped();
  run.trace = events.trace();
  summarise(run, records);
  return run;
}

std::string describe(const report& run) {
  const auto seconds = [](instant at) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f s", static_cast<double>(at) / static_cast<double>(second));
    return std::string(text.data());
  };
  std::string text = "seed " + std::to_string(run.seed) + ":";
  for (const fault& each : run.faults) {
    text += " " + std::string(to_string(each.kind)) + (each.on_replica ? " of the replica" : "") + " " +
            seconds(each.begins) + " to " + seconds(each.ends) + ";";
  }
  text += " " + std::to_string(run.operations) + " operations, " + std::to_string(run.succeeded) + " succeeded, " +
          std::to_string(run.told_unknown) + " unknown, " + std::to_string(run.resolved) + " resolved, " +
          std::to_string(run.retries) + " retries, " + std::to_string(run.connects) + " connects, " +
          std::to_string(static_cast<int>(run.throughput_before)) + "/s before and " +
          std::to_string(static_cast<int>(run.throughput_after)) + "/s after\n";
  for (const violation& each : run.violations) {
    text += "  broken: " + std::string(to_string(each.what)) + ", at " + seconds(each.at) + ", number " +
            std::to_string(each.who) + "\n";
  }
  return text;
}

}  // namespace breakwater::sim
