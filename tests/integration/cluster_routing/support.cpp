#include "support.hpp"

#include <algorithm>

namespace tests {

void topology_recorder::on_topology_change(const bw::topology_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  changes_.push_back({.before = std::string(event.before),
                      .now = std::string(event.now),
                      .reason = std::string(event.reason),
                      .timeline = event.timeline});
}

std::vector<topology_recorder::change> topology_recorder::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void cluster_test::start(const bw::testing::cluster_options& options) {
  auto started = bw::testing::cluster::start(options);
  ASSERT_OK(started);
  servers.emplace(std::move(started).value());
  ASSERT_OK(servers->execute("create table items (id int primary key); grant all on items to public"));
  for (std::size_t i = 0; i + 1 < servers->nodes().size(); ++i) {
    ASSERT_OK(servers->wait_for_replay(servers->replica(i)));
  }
  config.nodes = servers->dsns();
  config.observer = events;
}

void cluster_test::open() {
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  db.emplace(std::move(opened).value());
}

bw::result<std::size_t> cluster_test::write(int id, std::chrono::milliseconds timeout) const {
  BOOST_OUTCOME_TRY(db->session({.timeout = timeout}).execute("insert into items values (?)", id));
  return std::size_t{1};
}

bw::result<std::int64_t> cluster_test::count(bw::consistency where, std::chrono::milliseconds timeout) const {
  return db->session({.timeout = timeout, .consistency = where})
      .query("select count(*) from items")
      .read_only()
      .one<std::int64_t>();
}

std::string cluster_test::rows_at(bw::testing::node at) {
  const auto answer = servers->query_value(at, "select count(*) from items");
  return answer ? answer.value() : answer.error().message();
}

bool cluster_test::is_confirmed(bw::testing::node at) const {
  return std::ranges::any_of(db->stats(),
                             [&](const bw::node_stats& each) { return each.confirmed && each.node == name_of(at); });
}

bool cluster_test::none_is_confirmed() const { return std::ranges::none_of(db->stats(), &bw::node_stats::confirmed); }

}  // namespace tests
