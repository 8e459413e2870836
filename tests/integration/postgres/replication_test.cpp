// Commits that wait for a standby, and nodes that change their role.

#include "postgres/transaction_channel.hpp"
#include "support.hpp"

#include <optional>
#include <thread>

namespace breakwater::postgres::test {
namespace {

/// A primary that waits for its one standby, which is down.
class commits_without_their_standby : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = testing::cluster::start({.replicas = 1, .synchronous_replicas = 1});
    ASSERT_TRUE(succeeds(started));
    cluster = std::move(started).value();
    ASSERT_TRUE(succeeds(cluster->execute("create table promises (id int); grant all on promises to app")));
    ASSERT_TRUE(succeeds(cluster->kill(cluster->replica(0))));
  }
  static void TearDownTestSuite() { cluster.reset(); }

  static std::string ask_here(const std::string& sql) {
    const auto answer = cluster->query_value(sql);
    return answer ? answer.value() : "error: " + answer.error().message();
  }
  /// Ends or cancels ("pg_terminate_backend", "pg_cancel_backend") a server process once it waits for the standby.
  static std::thread once_it_waits(const std::string& pid, const std::string& how) {
    return std::thread([pid, how] {
      EXPECT_TRUE(eventually([&pid, &how] {
        return ask_here("select coalesce(bool_or(" + how +
                        "(pid)), false) from pg_stat_activity where wait_event = 'SyncRep' and pid = " + pid) == "t";
      }));
    });
  }
  std::string backend() { return value_of(app.run(read("select pg_backend_pid()"))); }

  static inline std::optional<testing::cluster> cluster;
  client app{{.size = 1}, settings_for(cluster->dsn())};
};

TEST_F(commits_without_their_standby, are_unknown_at_the_deadline) {
  const std::string pid = backend();
  const auto started = clock_type::now();
  const error unknown = error_of(app.run(write("insert into promises values (1)"), deadline::after(200ms)));
  EXPECT_EQ(unknown.code(), errc::commit_unknown) << unknown.message();
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_LT(since(started), 500ms);
  once_it_waits(pid, "pg_cancel_backend").join();
  EXPECT_TRUE(eventually([] { return ask_here("select count(*) from promises where id = 1") == "1"; }))
      << "it was committed here, whatever was said";
}

TEST_F(commits_without_their_standby, of_a_transaction_are_unknown_at_the_deadline) {
  auto held = app.borrow();
  ASSERT_TRUE(held);
  transaction_channel tx(std::move(held).value(), {}, deadline::after(300ms));
  const statement insert = write("insert into promises values (2)");
  const parameters none;
  ASSERT_TRUE(succeeds(tx.run({.what = insert, .values = none, .until = deadline::never()})));
  const auto started = clock_type::now();
  const error unknown = error_of(tx.commit());
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_LT(since(started), 700ms);
}

TEST_F(commits_without_their_standby, are_unknown_when_an_operator_ends_the_wait) {
  // Answered with success and a mere warning: committed locally, perhaps not replicated.
  auto canceller = once_it_waits(backend(), "pg_cancel_backend");
  const error unknown = error_of(app.run(write("insert into promises values (3)")));
  canceller.join();
  EXPECT_EQ(unknown.code(), errc::commit_unknown) << unknown.message();
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_NE(unknown.message().find("standby"), std::string::npos) << unknown.message();
}

TEST_F(commits_without_their_standby, of_a_transaction_are_unknown_when_an_operator_ends_the_wait) {
  const std::string pid = backend();
  auto held = app.borrow();
  ASSERT_TRUE(held);
  transaction_channel tx(std::move(held).value(), {}, deadline::after(patience));
  const statement insert = write("insert into promises values (4)");
  const parameters none;
  ASSERT_TRUE(succeeds(tx.run({.what = insert, .values = none, .until = deadline::never()})));
  auto canceller = once_it_waits(pid, "pg_cancel_backend");
  const error unknown = error_of(tx.commit());
  canceller.join();
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
}

TEST_F(commits_without_their_standby, are_unknown_when_the_server_process_is_ended) {
  auto killer = once_it_waits(backend(), "pg_terminate_backend");
  const error unknown = error_of(app.run(write("insert into promises values (5)")));
  killer.join();
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_TRUE(unknown.poisons_connection() || unknown.sqlstate().empty());
}

TEST_F(commits_without_their_standby, do_not_concern_reads) {
  EXPECT_TRUE(succeeds(app.run(read("select count(*) from promises"), deadline::after(5s))));
}

TEST(roles, of_a_replica_are_seen_and_its_sessions_can_not_write_even_after_its_promotion) {
  auto started = testing::cluster::start({.replicas = 1});
  ASSERT_TRUE(succeeds(started));
  testing::cluster cluster = std::move(started).value();
  ASSERT_TRUE(succeeds(cluster.execute("create table t (id int); grant all on t to app")));
  ASSERT_TRUE(succeeds(cluster.wait_for_replay(cluster.replica(0))));

  client app({.size = 2}, settings_for(cluster.dsn(cluster.replica(0))));
  auto held = app.borrow();
  ASSERT_TRUE(held);
  EXPECT_EQ(app.connections.role(), node_role::replica);
  EXPECT_TRUE(held.value()->was_replica());
  const error refused = error_of(run_on(*held.value(), write("insert into t values (1)")));
  EXPECT_EQ(refused.code(), errc::read_only);
  EXPECT_EQ(refused.sqlstate(), "25006");

  ASSERT_TRUE(succeeds(cluster.kill(cluster.primary())));
  ASSERT_TRUE(succeeds(cluster.promote(cluster.replica(0))));
  EXPECT_EQ(error_of(run_on(*held.value(), write("insert into t values (1)"))).code(), errc::read_only)
      << "this session was promised to be a reader's";
  EXPECT_TRUE(eventually([&] {
    (void)run_on(*held.value(), read("select 1"));
    return !held.value()->is_replica();
  }));
  held.value().give_back();
  EXPECT_EQ(app.events.closed(), std::vector{close_reason::role_changed});
  EXPECT_EQ(app.connections.role(), node_role::primary);
  EXPECT_EQ(app.events.roles(), (std::vector{node_role::replica, node_role::primary}));
  EXPECT_TRUE(succeeds(app.run(write("insert into t values (2)"))));
}

}  // namespace
}  // namespace breakwater::postgres::test
