// Goodput of a pool under more load than it can bear: callers come at their own pace, whether or not others were
// served, as users do. Prints the peak and what is left of it at several times the load; the target is 90 % at five
// times.
//
//     bench_overload [seconds per step]
//
// A statement sleeps in the server, so that what is measured is the queue and not this machine's cores.

#include <breakwater/breakwater.hpp>
#include <breakwater/core/random.hpp>
#include <breakwater/testing/cluster.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t connections = 4;
/// Of one statement, spread like waiting times: mean 10 ms, at most 100 ms.
constexpr auto work = "select 1 from pg_sleep(least(-0.01 * ln(1 - random()), 0.1))";
constexpr auto patience = 100ms;
/// More callers than can be in the queue within their patience at the highest load.
constexpr std::size_t callers = 400;

struct tally {
  std::atomic<std::size_t> in_time{0};
  std::atomic<std::size_t> refused{0};
  std::atomic<std::size_t> late{0};
  std::atomic<std::size_t> failed{0};
  std::array<std::atomic<std::size_t>, bw::priority_count> served{};
};

bw::priority drawn_priority() {
  const double rank = bw::random_unit();
  return rank < 0.1 ? bw::priority::critical : rank < 0.7 ? bw::priority::normal : bw::priority::sheddable;
}

void call(const bw::database& db, tally& seen) {
  const auto importance = drawn_priority();
  const auto until = clock_type::now() + patience;
  const auto answer = db.session({.timeout = patience, .consistency = bw::consistency::primary, .priority = importance})
                          .query(work)
                          .read_only()
                          .one<int>();
  if (answer && clock_type::now() <= until) {
    ++seen.in_time;
    ++seen.served.at(static_cast<std::size_t>(importance));
  } else if (!answer && answer.error() == bw::errc::overloaded) {
    ++seen.refused;
  } else if (answer || answer.error() == bw::errc::deadline_exceeded) {
    ++seen.late;
  } else {
    ++seen.failed;
  }
}

/// `per_second` calls, for so long. Returns those answered in time, per second.
double run(const bw::database& db, double per_second, std::chrono::seconds time) {
  tally seen;
  const auto begin = clock_type::now() + 100ms;
  const auto end = begin + time;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i) {
      threads.emplace_back([&] {
        const double mean = static_cast<double>(callers) / per_second;
        auto next = begin;
        for (;;) {
          next += std::chrono::duration_cast<clock_type::duration>(
              std::chrono::duration<double>(-std::log(1 - bw::random_unit()) * mean));
          if (next >= end) return;
          std::this_thread::sleep_until(next);
          call(db, seen);
        }
      });
    }
  }
  const double seconds = std::chrono::duration<double>(time).count();
  const double offered = static_cast<double>(seen.in_time + seen.refused + seen.late + seen.failed) / seconds;
  const double goodput = static_cast<double>(seen.in_time) / seconds;
  std::printf(
      "%8.0f/s offered %8.0f/s in time  %6zu refused  %5zu late  %3zu failed  served: %zu critical, %zu normal, "
      "%zu sheddable\n",
      offered, goodput, seen.refused.load(), seen.late.load(), seen.failed.load(), seen.served[0].load(),
      seen.served[1].load(), seen.served[2].load());
  return goodput;
}

}  // namespace

int main(int count, char** arguments) {
  const std::chrono::seconds time(count > 1 ? std::max(1, std::atoi(arguments[1])) : 5);
  auto cluster = bw::testing::cluster::start({});
  if (!cluster) {
    std::printf("no cluster: %s\n", cluster.error().message().c_str());
    return EXIT_FAILURE;
  }
  bw::config config;
  config.nodes = {cluster.value().dsn()};
  config.pool.size = connections;
  config.pool.min_idle = connections;
  auto db = bw::database::open(config);
  if (!db) {
    std::printf("no database: %s\n", db.error().message().c_str());
    return EXIT_FAILURE;
  }

  const double capacity = static_cast<double>(connections) / 0.01;
  (void)run(db.value(), capacity / 2, 1s);  // warms up
  double peak = 0;
  for (const double load : {0.6, 0.8, 0.9, 1.0, 1.2}) peak = std::max(peak, run(db.value(), load * capacity, time));
  bool met = true;
  for (const double load : {2.0, 5.0, 10.0}) {
    const double part = run(db.value(), load * peak, time) / peak;
    std::printf("         at %.0f times the peak: %.0f %% of it\n", load, part * 100);
    if (load == 5.0) met = part >= 0.9;
  }
  std::printf("goodput at five times the peak: %s\n", met ? "met (at least 90 %)" : "NOT met (less than 90 %)");
  return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
