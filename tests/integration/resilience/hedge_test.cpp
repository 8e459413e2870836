// A read that takes long on one replica is answered by another.

#include "support.hpp"

#include <atomic>
#include <future>

namespace tests {
namespace {

class hedges final : public bw::observer {
 public:
  void on_hedge(const bw::hedge_event& event) noexcept override {
    if (event.result == bw::hedge_result::won) ++won;
    if (event.result == bw::hedge_result::lost) ++lost;
  }
  void on_operation(const bw::operation_event& event) noexcept override {
    if (event.statement == "where.it.ran") ++operations;
  }
  std::atomic<int> won{0};
  std::atomic<int> lost{0};
  std::atomic<int> operations{0};
};

TEST(hedged_read, is_answered_by_the_replica_that_is_not_stuck) {
  auto started = bw::testing::cluster::start({.replicas = 2});
  ASSERT_OK(started);
  bw::testing::cluster cluster = std::move(started).value();
  bw::config config;
  config.nodes = cluster.dsns();
  config.hedge = {.enabled = true, .quantile = 0.95, .max_extra = 1.0};
  const auto events = std::make_shared<hedges>();
  config.observer = events;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();

  // What makes a read sleep on one of the replicas only.
  ASSERT_OK(cluster.execute("create table slow_on (port int); grant all on slow_on to public"));
  ASSERT_OK(cluster.execute("insert into slow_on values (" + std::to_string(cluster.replica(0).port()) + ")"));
  for (const std::size_t i : {0U, 1U}) ASSERT_OK(cluster.wait_for_replay(cluster.replica(i)));
  const auto read = [&](int patience) {
    return db.session({.timeout = 30s, .consistency = bw::consistency::eventual})
        .query(
            "select case when inet_server_port() in (select port from slow_on) and ? > 0 "
            "then pg_sleep(?)::text end, inet_server_port()",
            patience, patience)
        .read_only()
        .named("where.it.ran")
        .rows();
  };
  // Until the latencies are known.
  int reads = 0;
  for (; reads < 200; ++reads) ASSERT_OK(read(0));

  // Until one of them has gone to the replica that is stuck, and would have been there for longer than this lasts.
  EXPECT_TRUE(eventually([&] {
    const auto answer = read(60);
    ++reads;
    EXPECT_OK(answer);
    EXPECT_TRUE(!answer || answer.value().at(0, 1).text == std::to_string(cluster.replica(1).port()));
    return events->won > 0;
  }));
  EXPECT_EQ(events->operations, reads) << "a second copy is no operation of its own";
  // The stuck copies were cancelled, on the server too.
  EXPECT_TRUE(eventually([&] {
    const auto stuck =
        cluster.query_value(cluster.replica(0), "select count(*) from pg_stat_activity where wait_event = 'PgSleep'");
    return stuck && stuck.value() == "0";
  }));
}

}  // namespace
}  // namespace tests
