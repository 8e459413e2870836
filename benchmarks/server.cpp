#include "benchmarks/server.hpp"

#include "benchmarks/measuring.hpp"
#include <breakwater/core/source_location.hpp>

#include <utility>
#include <vector>

namespace breakwater::benchmarks {
namespace {

constexpr std::chrono::seconds start_time{20};

testing::cluster started() {
  const pinned there(server_cpus());
  return testing::cluster::start().value();
}

}  // namespace

testing::cluster& server() {
  static testing::cluster one = started();
  return one;
}

config settings_for_server() {
  config settings = config::from_dsn(server().dsn()).value();
  settings.application_name = "benchmarks";
  return settings;
}

std::unique_ptr<routing::router> open_router(const config& settings, std::size_t connections) {
  const pinned there(server_cpus());
  auto router = routing::router::open(settings).value();
  // All at once, so that none of them can be had twice.
  const deadline until = deadline::after(start_time);
  std::vector<postgres::lease> held;
  for (std::size_t i = 0; i < connections; ++i) {
    held.push_back(router->nodes().front()->connections().acquire(until, nullptr, source_location::current()).value());
  }
  return router;
}

}  // namespace breakwater::benchmarks
