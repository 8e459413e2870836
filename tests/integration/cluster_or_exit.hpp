#pragma once

#include <breakwater/testing/cluster.hpp>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace tests {

/// A cluster, or the end of the program: without one there is nothing to test.
[[nodiscard]] inline bw::testing::cluster cluster_or_exit(const bw::testing::cluster_options& options = {}) {
  auto started = bw::testing::cluster::start(options);
  if (!started) {
    std::cerr << "no cluster: " << started.error().message() << '\n';
    std::exit(1);
  }
  return std::move(started).value();
}

}  // namespace tests
