#include "support.hpp"

#include "../cluster_or_exit.hpp"

namespace tests {

bw::testing::cluster& shared_cluster() {
  static bw::testing::cluster shared = cluster_or_exit();
  return shared;
}

std::string truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

}  // namespace tests
