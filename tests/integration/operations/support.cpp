#include "support.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>

namespace tests {

bw::testing::cluster& shared_cluster() {
  static std::optional<bw::testing::cluster> slot;
  if (!slot) {
    auto started = bw::testing::cluster::start({});
    if (!started) {
      std::cerr << "no cluster: " << started.error().message() << '\n';
      std::exit(1);
    }
    slot.emplace(std::move(started).value());
  }
  return *slot;
}

std::string truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

}  // namespace tests
