// Which node a statement runs on.

#include "support.hpp"

#include <cstdio>

namespace tests {
namespace {

class routing : public repository_test {
 protected:
  static constexpr auto primary = bw::node_role::primary;
  static constexpr auto replica = bw::node_role::replica;

  void SetUp() override {
    repository_test::SetUp();
    ASSERT_OK(on_primary().repository<account>().insert({.owner = "ada"}));
    wait_for_replica();
    watcher().clear();
  }
  static void wait_for_replica() { ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0))); }
  static bw::node_role last_role() { return watcher().last().role; }
};

TEST_F(routing, single_reads_reach_a_replica) {
  const bw::session session = db().session();
  const auto accounts = session.repository<account>();
  ASSERT_OK(accounts.query().all());
  EXPECT_EQ(last_role(), replica);
  ASSERT_OK(accounts.find(1));
  EXPECT_EQ(last_role(), replica);
  ASSERT_OK(accounts.count());
  EXPECT_EQ(last_role(), replica);
  EXPECT_EQ(session.query("select pg_is_in_recovery()").read_only().one<bool>().value(), true);
  EXPECT_EQ(last_role(), replica);
}

TEST_F(routing, writes_returning_and_raw_sql_reach_the_primary) {
  const auto accounts = db().session().repository<account>();
  ASSERT_OK(accounts.insert({.owner = "bob"}));
  EXPECT_EQ(last_role(), primary);
  const bw::session session = db().session();
  EXPECT_EQ(session.query("select pg_is_in_recovery()").one<bool>().value(), false);
  EXPECT_EQ(last_role(), primary) << "raw SQL may write whatever it looks like";
  ASSERT_OK(db().session()
                .query("with gone as (delete from accounts where owner = 'bob' returning id) select id from gone")
                .as<std::int64_t>());
  EXPECT_EQ(last_role(), primary);
}

TEST_F(routing, a_session_reads_what_it_wrote) {
  const bw::session session = db().session();
  const auto accounts = session.repository<account>();
  ASSERT_OK(shared_cluster().pause_replay(shared_cluster().replica(0)));
  const auto bob = accounts.insert({.owner = "bob"});
  ASSERT_OK(bob);
  EXPECT_EQ(accounts.get(bob.value().id).value().owner, "bob");
  EXPECT_EQ(last_role(), primary);
  EXPECT_ERROR(db().session({.consistency = bw::consistency::eventual}).repository<account>().get(bob.value().id),
               errc::not_found)
      << "who asks for no more than eventual consistency gets the replica";
  EXPECT_EQ(last_role(), replica);
  ASSERT_OK(shared_cluster().resume_replay(shared_cluster().replica(0)));
}

TEST_F(routing, consistency_primary_forces_the_primary) {
  ASSERT_OK(on_primary().repository<account>().query().all());
  EXPECT_EQ(last_role(), primary);
}

TEST_F(routing, a_transaction_stays_on_the_primary_reads_and_all) {
  bw::session session = db().session();
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<account>().query().all());
    EXPECT_EQ(last_role(), primary);
    return bw::success();
  }));
}

TEST_F(routing, a_statement_declared_read_only_can_not_write_wherever_it_runs) {
  const auto sneak = [](const bw::session& session) {
    return session
        .query("with sneaked as (insert into tags values ('sneaked') returning name) select name from sneaked")
        .read_only()
        .as<std::string>();
  };
  EXPECT_ERROR(sneak(db().session()), errc::read_only);
  EXPECT_EQ(last_role(), replica);
  EXPECT_ERROR(sneak(on_primary()), errc::read_only);
  EXPECT_EQ(last_role(), primary);
  EXPECT_EQ(truth("select count(*) from tags"), "0");
  ASSERT_OK(on_primary().repository<tag>().insert({.name = "written"})) << "the next statement is free again";
}

TEST_F(routing, health_and_stats_tell_the_roles) {
  const auto health = db().health();
  EXPECT_TRUE(health.can_read && health.can_write);
  ASSERT_EQ(health.nodes.size(), 2U);
  for (const auto& node : health.nodes) EXPECT_FALSE(node.failure) << node.failure->message();
  EXPECT_EQ(health.nodes[0].role, primary);
  EXPECT_EQ(health.nodes[1].role, replica);
  EXPECT_EQ(db().stats()[1].role, replica);
}

/// Tests that stop servers have a cluster of their own.
class node_loss : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = bw::testing::cluster::start({.replicas = 1});
    ASSERT_OK(started);
    cluster.emplace(std::move(started).value());
    bw::config config;
    way.emplace(*cluster);
    way->lead(config);
    config.observer = watcher;
    auto opened = bw::database::open(config);
    ASSERT_OK(opened);
    db.emplace(std::move(opened).value());
    ASSERT_OK(db->session().execute("create table tags (name text primary key)"));
    ASSERT_OK(cluster->wait_for_replay(cluster->replica(0)));
  }
  void TearDown() override { db.reset(); }

  std::optional<bw::testing::cluster> cluster;
  std::optional<way_to> way;
  std::shared_ptr<recorder> watcher = std::make_shared<recorder>();
  std::optional<bw::database> db;
};

TEST_F(node_loss, reads_go_on_when_the_replica_dies) {
  ASSERT_OK(db->session().repository<tag>().count());
  EXPECT_EQ(watcher->last().role, bw::node_role::replica);
  ASSERT_OK(cluster->kill(cluster->replica(0)));
  for (int i = 0; i < 20; ++i) ASSERT_OK(db->session().repository<tag>().count());
  EXPECT_EQ(watcher->last().role, bw::node_role::primary);
}

TEST_F(node_loss, reads_go_on_and_writes_say_why_not_when_the_primary_dies) {
  ASSERT_OK(cluster->kill(cluster->primary()));
  for (int i = 0; i < 20; ++i) ASSERT_OK(db->session().repository<tag>().count());
  const auto started = std::chrono::steady_clock::now();
  const auto refused = db->session({.timeout = 1s}).repository<tag>().insert({.name = "x"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().applied(), bw::applied::no) << refused.error().message();
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
}

TEST_F(node_loss, writes_go_on_after_a_promotion_without_a_restart) {
  ASSERT_OK(cluster->kill(cluster->primary()));
  ASSERT_OK(cluster->promote(cluster->replica(0)));
  const auto until = std::chrono::steady_clock::now() + 10s;
  bw::result<tag> written = bw::errc::internal;
  while (!written && std::chrono::steady_clock::now() < until) {
    written = db->session({.timeout = 500ms}).repository<tag>().insert({.name = "x"});
    if (!written) {
      ASSERT_EQ(written.error().applied(), bw::applied::no) << written.error().message();
    }
  }
  ASSERT_OK(written);
  EXPECT_EQ(watcher->last().role, bw::node_role::primary);
}

}  // namespace
}  // namespace tests
