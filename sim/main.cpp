// Runs many seeds of the simulation on all cores, or one of them in detail.
//
//     breakwater_sim [--seeds <n>] [--from <seed>] [--jobs <n>]
//     breakwater_sim --seed <seed>
//
// Ends with 1 when an invariant was broken.

#include "sim/simulation.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using breakwater::sim::describe;
using breakwater::sim::fault_kind;
using breakwater::sim::fault_kind_count;
using breakwater::sim::invariant;
using breakwater::sim::invariant_count;
using breakwater::sim::report;
using breakwater::sim::simulate;
using clock_type = std::chrono::steady_clock;

constexpr std::chrono::seconds between_progress{10};
/// More of the same tells nothing new.
constexpr std::size_t most_described = 10;

struct choices {
  std::uint64_t seeds = 100'000;
  std::uint64_t from = 1;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::uint64_t> only{};
};

/// Sums over many runs.
struct totals {
  std::uint64_t runs = 0, broken = 0, events = 0, operations = 0, succeeded = 0, told_unknown = 0, resolved = 0,
                retries = 0, connects = 0, opened = 0;
  double lowest_return = 1.0;  // of one process: throughput after by throughput before
  std::array<std::uint64_t, fault_kind_count> with_fault{};
  std::array<std::uint64_t, invariant_count> broken_rules{};

  void add(const report& run) {
    ++runs;
    broken += run.holds() ? 0 : 1;
    events += run.events;
    operations += run.operations;
    succeeded += run.succeeded;
    told_unknown += run.told_unknown;
    resolved += run.resolved;
    retries += run.retries;
    connects += run.connects;
    opened += run.breakers_opened;
    lowest_return = std::min(lowest_return, run.lowest_return);
    std::array<bool, fault_kind_count> had{};
    for (const auto& each : run.faults) had[static_cast<std::size_t>(each.kind)] = true;
    for (std::size_t i = 0; i < had.size(); ++i) with_fault[i] += had[i] ? 1 : 0;
    std::array<bool, invariant_count> broke{};
    for (const auto& each : run.violations) broke[static_cast<std::size_t>(each.what)] = true;
    for (std::size_t i = 0; i < broke.size(); ++i) broken_rules[i] += broke[i] ? 1 : 0;
  }
};

double seconds_since(clock_type::time_point began) {
  return std::chrono::duration<double>(clock_type::now() - began).count();
}

unsigned long long number(std::uint64_t value) { return value; }

void print_summary(const totals& all, double took) {
  std::printf("\n%llu seeds in %.0f s: %.0f seeds/s, %.0f events a seed\n", number(all.runs), took,
              static_cast<double>(all.runs) / took, static_cast<double>(all.events) / static_cast<double>(all.runs));
  std::printf(
      "%llu operations, %llu succeeded, %llu told unknown, %llu resolved by the guard, %llu retries, %llu connects, "
      "%llu times a breaker opened\n",
      number(all.operations), number(all.succeeded), number(all.told_unknown), number(all.resolved),
      number(all.retries), number(all.connects), number(all.opened));
  std::printf("lowest throughput of a process after the faults: %.0f %% of the mean before\n\n",
              all.lowest_return * 100);
  std::printf("  %-28s %12s\n", "fault", "seeds");
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    std::printf("  %-28s %12llu\n", std::string(to_string(static_cast<fault_kind>(i))).c_str(),
                number(all.with_fault[i]));
  }
  std::printf("\n  %-36s %12s\n", "invariant", "broken in");
  for (std::size_t i = 0; i < invariant_count; ++i) {
    std::printf("  %-36s %12llu\n", std::string(to_string(static_cast<invariant>(i))).c_str(),
                number(all.broken_rules[i]));
  }
  std::printf("\n%s\n", all.broken == 0 ? "all invariants hold" : "BROKEN");
}

int run_many(const choices& wanted) {
  std::atomic<std::uint64_t> next{wanted.from};
  const std::uint64_t end = wanted.from + wanted.seeds;
  std::mutex mutex;
  totals all;
  const auto began = clock_type::now();
  auto told = began;
  const auto work = [&] {
    for (std::uint64_t seed = next++; seed < end; seed = next++) {
      const report run = simulate(seed);
      const std::lock_guard lock(mutex);
      all.add(run);
      if (!run.holds() && all.broken <= most_described) {
        std::printf("%s  reproduce: make sim SEED=%llu\n", describe(run).c_str(), number(seed));
      }
      if (clock_type::now() - told < between_progress) continue;
      told = clock_type::now();
      std::printf("%llu of %llu seeds, %.0f seeds/s, %llu broken\n", number(all.runs), number(wanted.seeds),
                  static_cast<double>(all.runs) / seconds_since(began), number(all.broken));
      std::fflush(stdout);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < wanted.jobs; ++i) workers.emplace_back(work);
  }
  print_summary(all, seconds_since(began));
  return all.broken == 0 ? 0 : 1;
}

int run_one(std::uint64_t seed) {
  const report run = simulate(seed);
  std::printf("%s  trace %016llx\n%s\n", describe(run).c_str(), number(run.trace),
              run.holds() ? "all invariants hold" : "BROKEN");
  return run.holds() ? 0 : 1;
}

std::optional<choices> read(std::span<char*> arguments) {
  choices read;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    const std::string_view text = arguments[i + 1];
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    if (name == "--seeds" && value > 0) {
      read.seeds = value;
    } else if (name == "--from") {
      read.from = value;
    } else if (name == "--jobs" && value > 0) {
      read.jobs = static_cast<unsigned>(value);
    } else if (name == "--seed") {
      read.only = value;
    } else {
      return std::nullopt;
    }
  }
  return arguments.size() % 2 == 1 ? std::optional(read) : std::nullopt;
}

}  // namespace

int main(int count, char** arguments) {
  const auto wanted = read({arguments, static_cast<std::size_t>(count)});
  if (!wanted) {
    std::fputs("usage: breakwater_sim [--seeds <n>] [--from <seed>] [--jobs <n>] | --seed <seed>\n", stderr);
    return 2;
  }
  return wanted->only ? run_one(*wanted->only) : run_many(*wanted);
}
