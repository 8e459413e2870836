// P9: what a lease costs when a connection is free, against the least that anything thread-safe costs.

#include "benchmarks/harness.hpp"
#include "benchmarks/server.hpp"
#include "postgres/pool.hpp"

#include <mutex>
#include <string>

namespace breakwater::benchmarks {
namespace {

constexpr double at_most_times_a_mutex = 3.0;
constexpr unsigned several = 4;

void measure(runner& with) {
  config settings = settings_for_server();
  settings.pool.size = several;
  settings.pool.min_idle = several;
  const auto router = open_router(settings, several);
  postgres::pool& connections = router->nodes().front()->connections();
  const deadline until = deadline::never();
  const auto here = source_location::current();
  std::mutex mutex;

  const auto lease = [&](unsigned /*thread*/) {
    const auto held = connections.acquire(until, nullptr, here);
    keep(held);
  };
  const auto lock = [&](unsigned /*thread*/) {
    const std::lock_guard held(mutex);
    keep(held);
  };
  for (const unsigned threads : {1U, several}) {
    with.compare(
        {.id = "P9",
         .name = "pool: acquire and release, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
         .ours = nanoseconds_per_call(threads, lease),
         .reference_name = "std::mutex lock and unlock",
         .reference = nanoseconds_per_call(threads, lock),
         .target = threads == 1 ? std::optional(times_reference(at_most_times_a_mutex)) : std::nullopt});
  }
}

const suite registered("P9", &measure);

}  // namespace
}  // namespace breakwater::benchmarks
