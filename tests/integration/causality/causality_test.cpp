// Reading what was written, when something is in the way.

#include "support.hpp"

#include <array>
#include <thread>

namespace causality {
namespace {

using token = bw::causality_token;

class reading_writes : public fixture {};

TEST_F(reading_writes, every_kind_of_write_has_a_position) {
  start(1);
  const auto expect_placed = [](const bw::session& session) { EXPECT_TRUE(session.token().knows_position()); };
  {
    const bw::session session = db->session();
    put(session, 1);
    expect_placed(session);
  }
  {
    bw::session session = db->session();
    ASSERT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("update counters set value = 2 where id = 1"));
      return bw::success();
    }));
    expect_placed(session);
    EXPECT_EQ(get(session), 2);
  }
  {
    const bw::session session = db->session({.outcome_guard = true});
    put(session, 3);
    expect_placed(session);
    EXPECT_EQ(get(session), 3);
  }
  {
    const bw::session session = db->session();
    bw::batch batch = session.batch();
    batch.add(session.query("update counters set value = 4 where id = 1"));
    batch.add(session.query("update counters set value = 4 where id = 2"));
    ASSERT_OK(batch.run());
    expect_placed(session);
    EXPECT_EQ(get(session), 4);
  }
  {
    const bw::session session = db->session();
    ASSERT_OK(session.execute("do $$begin update counters set value = 5 where id = 1; end$$"));
    EXPECT_FALSE(session.token().empty());
    EXPECT_FALSE(session.token().knows_position());
    EXPECT_EQ(get(session), 5);
    EXPECT_EQ(watcher->role(), primary) << "where it is only the primary knows";
  }
  {
    bw::session session = db->session();
    ASSERT_OK(session.transact(
        [](bw::transaction& tx) -> bw::result<void> {
          BOOST_OUTCOME_TRY(tx.query("select 1").as<int>());
          return bw::success();
        },
        {.read_only = true}));
    EXPECT_TRUE(session.token().empty()) << "nothing was written";
  }
}

TEST_F(reading_writes, failed_write_is_nothing_to_be_seen) {
  start(1);
  const bw::session session = db->session();
  EXPECT_ERROR(session.execute("insert into counters values (1, 1)"), errc::unique_violation);
  EXPECT_TRUE(session.token().empty());
  (void)get(session);
  EXPECT_EQ(watcher->role(), replica);
}

TEST_F(reading_writes, waiting_costs_no_attempt_and_lets_a_replica_serve_that_is_nearly_there) {
  config.routing.replica_wait = 20s;
  start(1);
  const bw::session session = db->session();
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  put(session, 5);
  std::jthread later([&] { EXPECT_OK(cluster->resume_replay(cluster->replica(0))); });
  EXPECT_EQ(get(session), 5);
  EXPECT_EQ(watcher->role(), replica);
  EXPECT_EQ(watcher->attempts(), 1U);
}

TEST_F(reading_writes, read_that_no_replica_can_serve_is_one_attempt) {
  start(2);
  const bw::session session = db->session();
  for (std::size_t i = 0; i < 2; ++i) ASSERT_OK(cluster->pause_replay(cluster->replica(i)));
  put(session, 5);
  EXPECT_EQ(get(session), 5);
  EXPECT_EQ(watcher->role(), primary);
  EXPECT_EQ(watcher->attempts(), 1U);
  ASSERT_OK(cluster->resume_replay(cluster->replica(1)));
  ASSERT_OK(cluster->wait_for_replay(cluster->replica(1)));
  EXPECT_TRUE(eventually([&] { return get(session) == 5 && watcher->role() == replica; }));
}

TEST_F(reading_writes, table_that_a_replica_does_not_know_yet_is_read_on_the_primary) {
  start(1);
  ASSERT_OK(db->session().execute("create table later (n int)"));
  settle();
  const bw::session session = db->session();
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  ASSERT_OK(db->session().execute("create table fresh (n int)"));
  ASSERT_OK(session.execute("insert into later values (1)"));
  EXPECT_OK(session.query("select count(*) from fresh").read_only().one<std::int64_t>());
  EXPECT_EQ(watcher->role(), primary);
  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
}

TEST_F(reading_writes, streams_and_copies_see_what_was_written) {
  start(1);
  const bw::session session = db->session();
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  put(session, 6);
  const auto seen =
      session.query("select value from counters where id = 1").read_only().stream<std::int64_t>([](std::int64_t value) {
        EXPECT_EQ(value, 6);
      });
  ASSERT_OK(seen);
  EXPECT_EQ(seen.value(), 1U);
  EXPECT_EQ(watcher->role(), primary);
  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
}

TEST_F(reading_writes, forged_and_foreign_tokens_lead_to_the_primary_and_no_further) {
  start(1);
  const bw::session writer = db->session();
  put(writer, 3);
  settle();
  const token real = writer.token();
  const token foreign = token::at(real.system() + 1, real.timeline(), real.position());
  const token future = token::at(real.system(), real.timeline(), ~0ULL);
  const token another_time = token::at(real.system(), real.timeline() + 7, 1);
  for (const token& each : {foreign, another_time}) {
    const bw::session reader = db->session({.after = each});
    EXPECT_EQ(get(reader), 3);
    EXPECT_EQ(watcher->role(), primary);
    EXPECT_EQ(reader.causality(), bw::causality::not_vouched);
    EXPECT_ERROR(db->session({.after = each, .strict_causality = true})
                     .query("select value from counters where id = 1")
                     .read_only()
                     .one<std::int64_t>(),
                 errc::no_primary);
  }
  EXPECT_EQ(get(db->session({.after = future})), 3);
  EXPECT_EQ(watcher->role(), primary);
  EXPECT_EQ(get(db->session({.after = token::position_unknown()})), 3);
  EXPECT_EQ(watcher->role(), primary);
}

TEST_F(reading_writes, restarted_replica_is_asked_again) {
  start(1);
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  const bw::session session = db->session();
  put(session, 4);
  EXPECT_EQ(get(session), 4);
  ASSERT_OK(cluster->restart(cluster->replica(0)));  // which ends the pause, too
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  const bw::session other = db->session();
  put(other, 5);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(other), 5);
  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
  EXPECT_TRUE(eventually([&] { return get(other) == 5 && watcher->role() == replica; }));
}

TEST_F(reading_writes, role_that_may_not_see_receivers_reads_from_the_primary) {
  start(1, false);
  const bw::session session = db->session();
  put(session, 8);
  settle();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(get(session), 8);
    EXPECT_EQ(watcher->role(), primary);
  }
  EXPECT_EQ(session.causality(), bw::causality::kept);
}

TEST_F(reading_writes, role_with_another_isolation_is_not_served_an_older_view) {
  start(1);
  ASSERT_OK(cluster->execute("alter role app set default_transaction_isolation = 'repeatable read'"));
  settle();
  auto opened = open(watcher);
  ASSERT_OK(opened);
  const bw::session session = opened.value().session();
  for (int i = 1; i < 50; ++i) {
    put(session, i);
    ASSERT_EQ(get(session), i);
  }
}

TEST_F(reading_writes, after_a_promotion_the_new_primary_does_not_vouch_for_what_the_old_one_wrote) {
  start(1);
  const bw::session before = db->session();
  put(before, 11);
  settle();
  const token old = before.token();
  ASSERT_OK(cluster->kill(cluster->primary()));
  ASSERT_OK(cluster->promote(cluster->replica(0)));
  auto fresh = open(watcher);  // which knows nothing of before
  ASSERT_OK(fresh);
  EXPECT_TRUE(eventually([&] {
    return fresh.value().session({.timeout = 1s}).execute("update counters set value = 1 where id = 2").has_value();
  }));
  const bw::session reader = fresh.value().session({.after = old});
  EXPECT_EQ(get(reader), 11);
  EXPECT_EQ(watcher->role(), primary);
  EXPECT_EQ(reader.causality(), bw::causality::not_vouched);
  const bw::session writer = fresh.value().session();
  put(writer, 12);
  EXPECT_EQ(writer.token().timeline(), old.timeline() + 1);
  EXPECT_EQ(get(writer), 12);
  EXPECT_EQ(writer.causality(), bw::causality::kept);
  const bw::session joined = fresh.value().session({.after = old});
  put(joined, 13);
  EXPECT_EQ(joined.causality(), bw::causality::not_vouched) << "the write is there, what came before may not be";
}

TEST_F(reading_writes, lag_can_be_bounded) {
  start(1);
  // The monitor has seen the replica replay all that there is.
  EXPECT_TRUE(eventually([&] {
    (void)get(db->session({.consistency = bw::consistency::bounded(10s)}));
    return watcher->role() == replica;
  }));
  ASSERT_OK(cluster->pause_replay(cluster->replica(0)));
  put(db->session(), 21);
  EXPECT_TRUE(eventually([&] { return get(db->session({.consistency = bw::consistency::bounded(100ms)})) == 21; }));
  EXPECT_EQ(watcher->role(), primary);
  (void)get(db->session({.consistency = bw::consistency::bounded(1h)}));
  EXPECT_EQ(watcher->role(), replica) << "an hour behind will do";
  (void)get(db->session({.consistency = bw::consistency::bounded(0ms)}));
  EXPECT_EQ(watcher->role(), primary);
  ASSERT_OK(cluster->resume_replay(cluster->replica(0)));
}

TEST_F(reading_writes, single_node_has_nothing_to_ask) {
  start(1);
  config.nodes = {cluster->dsn()};
  auto alone = open(watcher);
  ASSERT_OK(alone);
  const bw::session session = alone.value().session();
  put(session, 2);
  EXPECT_EQ(session.token(), token::position_unknown());
  EXPECT_EQ(get(session), 2);
  EXPECT_EQ(session.causality(), bw::causality::none);
  EXPECT_EQ(get(db->session({.after = session.token()})), 2);
  EXPECT_EQ(watcher->role(), primary);
}

}  // namespace
}  // namespace causality
