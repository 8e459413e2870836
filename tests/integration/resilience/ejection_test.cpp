// Reads among two replicas of which one fails: it is left out for a while, and callers see nothing of it.

#include "../postgres/proxy.hpp"
#include "support.hpp"

#include <algorithm>
#include <optional>

namespace tests {
namespace {

using breakwater::postgres::test::proxy;

class ejections final : public bw::observer {
 public:
  struct seen {
    std::string node;
    std::chrono::nanoseconds duration{};
    bw::ejection_reason reason{};
  };
  void on_ejection(const bw::ejection_event& event) noexcept override {
    const std::lock_guard lock(mutex_);
    all_.push_back({std::string(event.node), event.duration, event.reason});
  }
  [[nodiscard]] std::vector<seen> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<seen> all_;
};

/// A primary, and two replicas behind proxies that can cut a read's connection.
class ejection : public ::testing::Test {
 protected:
  static constexpr int always = 1'000'000;

  void SetUp() override {
    auto started = bw::testing::cluster::start({.replicas = 2});
    ASSERT_OK(started);
    cluster_.emplace(std::move(started).value());
    config.nodes = {cluster_->dsn()};
    for (const std::size_t i : {0U, 1U}) {
      links.push_back(std::make_unique<proxy>(cluster_->replica(i).port()));
      std::string dsn = cluster_->dsn(cluster_->replica(i));
      const std::string port = ":" + std::to_string(cluster_->replica(i).port());
      dsn.replace(dsn.find(port), port.size(), ":" + std::to_string(links[i]->port()));
      config.nodes.push_back(std::move(dsn));
    }
    config.retry_budget.per_second = 100'000;  // more fail here in a second than in a day
    config.statement_cache.enabled = false;    // so that every read's text passes through the proxy
    config.observer = events;
  }

  void open() {
    auto opened = bw::database::open(config);
    ASSERT_OK(opened);
    db_.emplace(std::move(opened).value());
    EXPECT_TRUE(eventually([&] {
      const auto all = db_->stats();
      return std::ranges::count(all, bw::node_role::replica, &bw::node_stats::role) == 2;
    }));
  }

  /// The port of the server that answered; none where the read failed.
  [[nodiscard]] std::optional<int> read() const {
    const auto answer = db_->session({.consistency = bw::consistency::eventual})
                            .query("select inet_server_port(), 'to be cut'")
                            .read_only()
                            .rows();
    EXPECT_OK(answer);
    if (!answer) return std::nullopt;
    return std::stoi(std::string(answer.value().at(0, 0).text));
  }
  void cut_reads(std::size_t replica) { links[replica]->on_message("to be cut", proxy::fault::cut_before, always); }
  void mend(std::size_t replica) { links[replica]->on_message("to be cut", proxy::fault::none, 0); }

  [[nodiscard]] bw::testing::cluster& cluster() { return *cluster_; }
  [[nodiscard]] std::string name_of(std::size_t replica) const {
    return "127.0.0.1:" + std::to_string(links[replica]->port());
  }
  [[nodiscard]] int port_of(std::size_t replica) const { return cluster_->replica(replica).port(); }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> ejected(std::size_t replica) const {
    for (const bw::node_stats& each : db_->stats()) {
      if (each.node == name_of(replica)) return each.ejected;
    }
    ADD_FAILURE() << "no such node";
    return std::nullopt;
  }

  std::vector<std::unique_ptr<proxy>> links;
  bw::config config;
  std::shared_ptr<ejections> events = std::make_shared<ejections>();

 private:
  std::optional<bw::testing::cluster> cluster_;
  std::optional<bw::database> db_;
};

TEST_F(ejection, replica_that_fails_five_reads_in_a_row_gets_no_more_and_no_caller_sees_an_error) {
  config.ejection.base = 1h;
  config.ejection.cap = 1h;
  open();
  cut_reads(0);
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(read(), port_of(1));
    return !events->all().empty();
  }));
  ASSERT_EQ(events->all().size(), 1U);
  EXPECT_EQ(events->all().front().node, name_of(0));
  EXPECT_EQ(events->all().front().duration, 1h);
  EXPECT_EQ(events->all().front().reason, bw::ejection_reason::consecutive_failures);
  EXPECT_EQ(links[0]->faults(), 5);
  const auto left = ejected(0);
  ASSERT_TRUE(left);
  EXPECT_LE(*left, 1h);
  EXPECT_EQ(ejected(1), std::nullopt);

  for (int i = 0; i < 200; ++i) EXPECT_EQ(read(), port_of(1));
  EXPECT_EQ(links[0]->faults(), 5) << "it got another read";
}

TEST_F(ejection, replica_comes_back_and_begins_with_a_small_share) {
  config.ejection.base = 100ms;
  config.routing.slow_start = 1h;  // so that it has not ended while this looks
  open();
  cut_reads(0);
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(read(), port_of(1));
    return !events->all().empty();
  }));
  mend(0);
  EXPECT_TRUE(eventually([&] { return read() == port_of(0); }));
  EXPECT_EQ(ejected(0), std::nullopt);
  int to_it = 0;
  for (int i = 0; i < 500; ++i) to_it += read() == port_of(0) ? 1 : 0;
  EXPECT_LT(to_it, 150) << "a tenth of what it would get otherwise";
}

TEST_F(ejection, last_usable_replica_is_never_left_out) {
  config.ejection.base = 1h;
  config.ejection.cap = 1h;
  config.breaker.enabled = false;
  open();
  cut_reads(0);
  cut_reads(1);
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(read()) << "the primary answers";
    EXPECT_FALSE(ejected(0) && ejected(1));
  }
  EXPECT_FALSE(events->all().empty());
}

TEST_F(ejection, replica_that_is_left_out_serves_when_the_other_is_gone) {
  config.ejection.base = 1h;
  config.ejection.cap = 1h;
  open();
  cut_reads(0);
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(read());
    return !events->all().empty();
  }));
  mend(0);
  ASSERT_OK(cluster().kill(cluster().replica(1)));
  EXPECT_TRUE(eventually([&] { return read() == port_of(0); }));
}

}  // namespace
}  // namespace tests
