// What callers see when the primary is gone and a replica is promoted, and when a server only refuses to write.

#include "support.hpp"

#include <future>
#include <optional>

namespace tests {
namespace {

bw::testing::cluster start_pair() {
  auto started = bw::testing::cluster::start({.replicas = 1});
  EXPECT_OK(started);
  return std::move(started).value();
}

/// As many connections to the replica as there are readers at once.
void read_together(const bw::database& db, int readers) {
  std::vector<std::future<bw::result<bool>>> all;
  for (int i = 0; i < readers; ++i) {
    all.push_back(std::async(std::launch::async, [&] {
      return db.session({.consistency = bw::consistency::eventual})
          .query("select pg_is_in_recovery() from pg_sleep(0.2)")
          .read_only()
          .one<bool>();
    }));
  }
  for (auto& each : all) {
    const auto answer = each.get();
    EXPECT_OK(answer);
  }
}

TEST(failover, is_survived_by_the_next_write_and_none_is_refused_as_read_only) {
  bw::testing::cluster cluster = start_pair();
  bw::config config;
  config.nodes = cluster.dsns();
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();
  ASSERT_OK(db.session().execute("create table items (id int primary key)"));
  ASSERT_OK(cluster.wait_for_replay(cluster.replica(0)));
  read_together(db, 4);

  ASSERT_OK(cluster.kill(cluster.primary()));
  ASSERT_OK(cluster.promote(cluster.replica(0)));
  for (int i = 0; i < 8; ++i) {
    const auto written = db.session({.timeout = 20s}).execute("insert into items values (?)", i);
    EXPECT_OK(written);
  }
  bw::session session = db.session();
  EXPECT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into items values (100)"));
    return bw::success();
  }));
  const auto count = db.session({.consistency = bw::consistency::primary}).query("select count(*) from items");
  EXPECT_EQ(count.one<std::int64_t>().value(), 9);
}

TEST(failover, is_not_what_a_read_only_database_is_taken_for) {
  auto started = bw::testing::cluster::start({});
  ASSERT_OK(started);
  bw::testing::cluster cluster = std::move(started).value();
  bw::config config;
  config.nodes = cluster.dsns();
  auto events = std::make_shared<recorder>();
  config.observer = events;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database db = std::move(opened).value();
  ASSERT_OK(db.session().execute("create table items (id int primary key)"));
  const auto pid = [&] { return db.session().query("select pg_backend_pid()").one<int>().value(); };
  const int before = pid();
  const auto refused = db.session().query("insert into items values (1)").read_only().execute();
  EXPECT_ERROR(refused, errc::read_only);
  EXPECT_EQ(refused.error().attempts(), 1U);
  EXPECT_TRUE(events->retries().empty());
  EXPECT_EQ(pid(), before) << "the pool is as it was";
}

}  // namespace
}  // namespace tests
