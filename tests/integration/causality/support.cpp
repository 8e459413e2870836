#include "support.hpp"

#include <utility>

namespace causality {

void fixture::start(unsigned replicas, bool may_see_receivers) {
  auto started = bw::testing::cluster::start({.replicas = replicas});
  ASSERT_OK(started);
  cluster.emplace(std::move(started).value());
  ASSERT_OK(
      cluster->execute("create table counters (id int primary key, value bigint not null);"
                       "insert into counters select i, 0 from generate_series(1, 64) i;"
                       "grant all on counters to app"));
  if (!may_see_receivers) {
    ASSERT_OK(cluster->execute("revoke pg_read_all_stats from app"));
  }
  config.nodes = cluster->dsns();
  auto opened = open(watcher);
  ASSERT_OK(opened);
  db.emplace(std::move(opened).value());
  settle();
}

bw::result<bw::database> fixture::open(std::shared_ptr<bw::observer> with) const {
  bw::config settings = config;
  settings.observer = std::move(with);
  return bw::database::open(settings);
}

void fixture::put(const bw::session& in, std::int64_t value) {
  ASSERT_OK(in.execute("update counters set value = ? where id = 1", value));
}

std::int64_t fixture::get(const bw::session& in) {
  const auto found = in.query("select value from counters where id = 1").read_only().one<std::int64_t>();
  EXPECT_OK(found);
  return found ? found.value() : -1;
}

void fixture::settle() {
  const auto nodes = cluster->nodes();
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) ASSERT_OK(cluster->wait_for_replay(cluster->replica(i)));
}

}  // namespace causality
