// Which node a statement reaches, and reading what was written.

#include "../causality/support.hpp"

namespace causality {
namespace {

class scenarios_causality : public fixture {
 protected:
  void SetUp() override { start(1); }
};

// ---- 30: where statements go

TEST_F(scenarios_causality, s30_reads_reach_a_replica_and_everything_else_the_primary) {
  const auto run = [&](std::string_view sql) {
    const auto session = db->session();
    EXPECT_OK(session.query(sql).as<std::int64_t>()) << sql;
    return watcher->role();
  };
  EXPECT_EQ(get(db->session()), 0);
  EXPECT_EQ(watcher->role(), replica);
  EXPECT_EQ(run("update counters set value = 1 where id = 2 returning value"), primary);
  EXPECT_EQ(run("select value from counters where id = 2 for update"), primary);
  EXPECT_EQ(
      run("with changed as (update counters set value = 2 where id = 2 returning value) select value from changed"),
      primary);
  (void)get(db->session({.consistency = bw::consistency::primary}));
  EXPECT_EQ(watcher->role(), primary) << "forced";
}

TEST_F(scenarios_causality, s30_without_a_replica_the_primary_serves_all) {
  ASSERT_OK(cluster->kill(cluster->replica(0)));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get(db->session()), 0);
  EXPECT_EQ(watcher->role(), primary);
}

// ---- 31: reading your write

TEST_F(scenarios_causality, s31_a_write_is_read_at_once_and_by_the_replica_when_that_has_it) {
  const bw::session session = db->session();
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  put(session, 7);
  EXPECT_EQ(get(session), 7);
  EXPECT_EQ(watcher->role(), primary);
  EXPECT_EQ(session.causality(), bw::causality::kept);
  EXPECT_EQ(get(db->session()), 0) << "who has written nothing may read from the replica";
  EXPECT_EQ(watcher->role(), replica);

  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
  settle();
  EXPECT_EQ(get(session), 7);
  EXPECT_EQ(watcher->role(), replica);
  EXPECT_EQ(session.causality(), bw::causality::kept);
}

// ---- 32: a token carried elsewhere

TEST_F(scenarios_causality, s32_a_token_gives_another_session_the_same_guarantee) {
  std::string cookie;
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  {
    const bw::session writer = db->session();
    EXPECT_TRUE(writer.token().empty());
    put(writer, 9);
    EXPECT_TRUE(writer.token().knows_position());
    cookie = writer.token().to_string();
  }
  const auto token = bw::causality_token::parse(cookie);
  ASSERT_OK(token);
  auto elsewhere = open(watcher);  // as another process would
  ASSERT_OK(elsewhere);
  for (const bw::database* on : {&*db, &elsewhere.value()}) {
    const bw::session reader = on->session({.after = token.value()});
    EXPECT_EQ(get(reader), 9);
    EXPECT_EQ(watcher->role(), primary);
    EXPECT_EQ(reader.token(), token.value()) << "passed on, although it wrote nothing";
  }
  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
  settle();
  for (const bw::database* on : {&*db, &elsewhere.value()}) {
    const bw::session reader = on->session({.after = token.value()});
    EXPECT_EQ(get(reader), 9);
    EXPECT_EQ(watcher->role(), replica);
    EXPECT_EQ(reader.causality(), bw::causality::kept);
  }
}

}  // namespace
}  // namespace causality
