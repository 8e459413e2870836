#pragma once

#include "cluster/router.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/testing/cluster.hpp>

#include <memory>

namespace breakwater::benchmarks {

/// The server of all benchmarks that need nothing special of it; started by the first, on the servers' CPUs.
[[nodiscard]] testing::cluster& server();

/// The defaults, for that server.
[[nodiscard]] config settings_for_server();

/// Opens a router whose primary has `connections` idle connections. What it starts runs on the servers' CPUs. Throws
/// where that fails, as what follows would measure something else.
[[nodiscard]] std::unique_ptr<routing::router> open_router(const config& settings, std::size_t connections);

}  // namespace breakwater::benchmarks
