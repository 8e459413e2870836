// What is called at the end of a transaction, advisory locks, and runs that conflict.

#include "support.hpp"

#include <atomic>
#include <barrier>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tests {
namespace {

class transaction_end : public repository_test {
 protected:
  bw::session session = on_primary();
  std::string log{};

  auto note(const char* what) {
    return [this, what] { log.append(log.empty() ? "" : " ").append(what); };
  }
  static bw::result<void> add(bw::transaction& tx, const char* name) {
    BOOST_OUTCOME_TRY(tx.repository<tag>().insert({.name = name}));
    return bw::success();
  }
  static std::string tags() { return truth("select coalesce(string_agg(name, ',' order by name), '') from tags"); }
};

// ---- callbacks ----------------------------------------------------------------------------------

TEST_F(transaction_end, on_commit_is_called_after_the_commit_in_order_and_may_use_the_session) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit([&] {
      EXPECT_EQ(tags(), "a") << "committed";
      EXPECT_EQ(db().stats()[0].idle, db().stats()[0].connections) << "the connection went back";
      ASSERT_OK(session.repository<tag>().insert({.name = "b"}));
      ASSERT_OK(session.transact([](bw::transaction& next) { return add(next, "c"); }));
    });
    tx.on_rollback(note("never"));
    tx.on_commit(note("second"));
    tx.on_commit([this, owned = std::make_unique<int>(3)] { log.append(" ").append(std::to_string(*owned)); });
    EXPECT_EQ(log, "");
    return add(tx, "a");
  }));
  EXPECT_EQ(log, "second 3");
  EXPECT_EQ(tags(), "a,b,c");
}

TEST_F(transaction_end, on_rollback_is_called_after_an_error_and_after_an_exception) {
  EXPECT_ERROR(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note("never"));
    tx.on_rollback([&] {
      EXPECT_EQ(tags(), "");
      ASSERT_OK(session.repository<tag>().count());
      log = "undone";
    });
    BOOST_OUTCOME_TRY(add(tx, "a"));
    return add(tx, "a");
  }),
               errc::unique_violation);
  EXPECT_EQ(log, "undone");

  EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note("never"));
    tx.on_rollback(note("thrown"));
    tx.on_rollback([] { throw std::logic_error("dropped: there is one on its way"); });
    BOOST_OUTCOME_TRY(add(tx, "a"));
    throw std::runtime_error("the closure's");
  }),
               std::runtime_error);
  EXPECT_EQ(log, "undone thrown");
}

TEST_F(transaction_end, a_commit_that_fails_is_a_rollback) {
  ASSERT_OK(session.execute("drop table if exists later"));
  ASSERT_OK(session.execute("create table later (n int unique deferrable initially deferred)"));
  EXPECT_ERROR(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note("never"));
    tx.on_rollback(note("undone"));
    BOOST_OUTCOME_TRY(tx.execute("insert into later values (1), (1)"));
    return bw::success();
  }),
               errc::unique_violation);
  EXPECT_EQ(log, "undone");
}

TEST_F(transaction_end, neither_is_called_where_the_fate_is_not_known) {
  const auto unknown = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note("committed"));
    tx.on_rollback(note("undone"));
    BOOST_OUTCOME_TRY(add(tx, "a"));
    BOOST_OUTCOME_TRY(tx.execute("commit"));
    return bw::success();
  });
  EXPECT_EQ(unknown.error().applied(), bw::applied::unknown);
  EXPECT_EQ(log, "");
}

TEST_F(transaction_end, a_savepoint_takes_its_callbacks_with_it) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note("outer"));
    EXPECT_ERROR(tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      sub.on_commit(note("never"));
      sub.on_rollback(note("undone"));
      EXPECT_FALSE(sub.transact([&](bw::transaction& deeper) -> bw::result<void> {
                        deeper.on_rollback(note("deeper"));
                        return bw::errc::validation_failed;
                      })
                       .has_value());
      BOOST_OUTCOME_TRY(sub.transact([&](bw::transaction& kept) -> bw::result<void> {
        kept.on_commit(note("never"));
        return bw::success();
      }));
      return bw::errc::validation_failed;
    }),
                 errc::validation_failed);
    BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      sub.on_commit(note("inner"));
      sub.on_rollback(note("never"));
      return bw::success();
    }));
    EXPECT_FALSE(tx.transact([&](bw::transaction& sub) -> bw::result<void> {
                     sub.on_commit(note("never"));
                     return bw::errc::validation_failed;
                   }).has_value())
        << "a sibling of the one that was kept";
    EXPECT_EQ(log, "") << "nothing before the end";
    return bw::success();
  }));
  EXPECT_EQ(log, "outer undone deeper inner");
}

TEST_F(transaction_end, each_run_of_the_closure_has_its_own) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(note(tx.attempt() == 1 ? "never" : "committed"));
    tx.on_rollback(note(tx.attempt() == 1 ? "undone" : "never"));
    if (tx.attempt() == 1) {
      BOOST_OUTCOME_TRY(tx.execute("do $$ begin raise exception 'lost' using errcode = '40001'; end $$"));
    }
    return add(tx, "a");
  }));
  EXPECT_EQ(log, "undone committed");
}

TEST_F(transaction_end, an_exception_of_on_commit_passes_through_and_the_commit_stands) {
  const auto throwing = [&] {
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      tx.on_commit([] { throw std::runtime_error("first"); });
      tx.on_commit(note("called all the same"));
      tx.on_commit([] { throw std::logic_error("second"); });
      return add(tx, "a");
    });
  };
  EXPECT_THROW((void)throwing(), std::runtime_error);
  EXPECT_EQ(log, "called all the same");
  EXPECT_EQ(tags(), "a");
  ASSERT_OK(session.repository<tag>().insert({.name = "b"}));
}

// ---- advisory locks -----------------------------------------------------------------------------

class advisory_locks : public transaction_end {
 protected:
  /// Runs `body` while another session holds the lock.
  template <class Body>
  static void while_held(const bw::advisory_key& key, bool shared, const Body& body) {
    std::latch held(1);
    std::latch done(1);
    std::jthread holder([&] {
      bw::session other = on_primary();
      ASSERT_OK(other.transact([&](bw::transaction& tx) -> bw::result<void> {
        const auto taken = shared ? tx.advisory_lock_shared(key) : tx.advisory_lock(key);
        EXPECT_TRUE(taken.has_value());
        held.count_down();
        done.wait();
        return bw::success();
      }));
    });
    held.wait();
    body();
    done.count_down();
  }
  static std::string locks() {
    return truth(
        "select coalesce(string_agg(concat_ws('/', classid, objid, objsubid, mode), ' '), '') from pg_locks where "
        "locktype = 'advisory'");
  }
};

TEST_F(advisory_locks, keys_are_numbers_pairs_and_texts) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.advisory_lock(0x100000002));
    EXPECT_EQ(locks(), "1/2/1/ExclusiveLock");
    return bw::success();
  }));
  EXPECT_EQ(locks(), "") << "given back with the transaction";
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.advisory_lock_shared({3, 4}));
    EXPECT_EQ(locks(), "3/4/2/ShareLock");
    return bw::success();
  }));
  // FNV-1a of "foobar" is 0x85944171f73967e8: from the algorithm's own test vectors.
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(const bool taken, tx.try_advisory_lock(std::string("foobar")));
    EXPECT_TRUE(taken);
    EXPECT_EQ(locks(), std::to_string(0x85944171U) + "/" + std::to_string(0xf73967e8U) + "/1/ExclusiveLock");
    return bw::success();
  }));
}

TEST_F(advisory_locks, a_try_does_not_wait) {
  while_held("job", false, [&] {
    ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      EXPECT_FALSE(tx.try_advisory_lock("job").value());
      EXPECT_FALSE(tx.try_advisory_lock_shared("job").value());
      EXPECT_ERROR(tx.advisory_lock("job", {.timeout = 0ms}), errc::lock_not_available);
      EXPECT_TRUE(tx.try_advisory_lock("another").value());
      return add(tx, "a");
    }));
  });
  while_held("job", true, [&] {
    ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      EXPECT_TRUE(tx.try_advisory_lock_shared("job").value());
      EXPECT_FALSE(tx.try_advisory_lock("job").value());
      return bw::success();
    }));
  });
  EXPECT_EQ(tags(), "a");
}

TEST_F(advisory_locks, a_timeout_leaves_nothing_behind) {
  const auto lock_timeout = [](bw::transaction& tx) {
    return tx.query("select current_setting('lock_timeout')").one<std::string>().value();
  };
  while_held(7, false, [&] {
    ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(tx, "before"));
      BOOST_OUTCOME_TRY(tx.execute("set local lock_timeout = '7s'"));
      const auto refused = tx.advisory_lock(7, {.timeout = 30ms});
      EXPECT_ERROR(refused, errc::lock_not_available);
      EXPECT_EQ(refused.error().applied(), bw::applied::no);
      EXPECT_EQ(lock_timeout(tx), "7s");
      BOOST_OUTCOME_TRY(tx.advisory_lock(8, {.timeout = 30ms}));
      EXPECT_EQ(lock_timeout(tx), "7s");
      BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& sub) -> bw::result<void> {
        EXPECT_ERROR(sub.advisory_lock_shared(7, {.timeout = 30ms}), errc::lock_not_available);
        BOOST_OUTCOME_TRY(sub.advisory_lock(9, {.timeout = 30ms}));
        return add(sub, "inside");
      }));
      EXPECT_EQ(truth("select count(*) from pg_locks where locktype = 'advisory' and objid in (8, 9)"), "2");
      return bw::success();
    }));
  });
  EXPECT_EQ(tags(), "before,inside");
}

TEST_F(advisory_locks, in_a_failed_transaction_the_cause_is_reported) {
  const auto failed = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_ERROR(tx.execute("do $$ begin raise exception 'x' using errcode = '55P03'; end $$"),
                 errc::lock_not_available);
    EXPECT_ERROR(tx.advisory_lock(1, {.timeout = 30ms}), errc::lock_not_available);
    return bw::success();
  });
  EXPECT_ERROR(failed, errc::rolled_back);
}

TEST_F(advisory_locks, the_deadline_ends_the_wait_and_the_transaction) {
  while_held({1, 2}, false, [&] {
    bw::session hurried = db().session({.timeout = 150ms});
    const auto started = std::chrono::steady_clock::now();
    const auto late = hurried.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(tx, "a"));
      return tx.advisory_lock({1, 2}, {.timeout = 1min});
    });
    EXPECT_ERROR(late, errc::deadline_exceeded);
    EXPECT_EQ(late.error().applied(), bw::applied::no);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
  });
  EXPECT_EQ(tags(), "");
}

TEST_F(advisory_locks, who_uses_one_key_runs_one_after_the_other) {
  ASSERT_OK(session.execute("insert into tickets (state, priority) values ('counter', 0)"));
  const auto count_up = [] {
    bw::session own = on_primary();
    for (int i = 0; i < 25; ++i) {
      ASSERT_OK(own.with_advisory_lock("counter", [](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(const auto seen, tx.query("select priority from tickets").one<std::int32_t>());
        BOOST_OUTCOME_TRY(tx.execute("update tickets set priority = ?", seen + 1));
        return bw::success();
      }));
    }
  };
  std::jthread other(count_up);
  count_up();
  other.join();
  EXPECT_EQ(truth("select priority from tickets"), "50") << "no update was lost";
}

// ---- conflicts ----------------------------------------------------------------------------------

TEST_F(transaction_end, write_skew_is_run_again_and_the_invariant_holds_after_a_thousand_conflicting_runs) {
  // Two doctors are on call; each may leave as long as one stays. Each run lets both try at once.
  constexpr int rounds = 500;
  ASSERT_OK(session.execute("drop table if exists doctors"));
  ASSERT_OK(session.execute("create table doctors (name text primary key, on_call boolean not null)"));
  ASSERT_OK(session.execute("insert into doctors values ('ada', true), ('bob', true)"));
  int broken = 0;
  int shifts = 0;
  std::atomic<int> reruns{0};
  std::barrier round(2, [&]() noexcept {});
  const auto leave = [&](const char* name, bool referee) {
    bw::session own = db().session({.operation_timeout = 20s, .consistency = bw::consistency::primary});
    for (int i = 0; i < rounds; ++i) {
      round.arrive_and_wait();
      const auto left = own.transact(
          [&](bw::transaction& tx) -> bw::result<void> {
            if (tx.attempt() > 1) ++reruns;
            BOOST_OUTCOME_TRY(const auto there,
                              tx.query("select count(*) from doctors where on_call").one<std::int64_t>());
            if (tx.attempt() == 1) round.arrive_and_wait();  // both have read before either writes
            if (there < 2) return bw::success();
            BOOST_OUTCOME_TRY(tx.execute("update doctors set on_call = false where name = ?", name));
            return bw::success();
          },
          {.isolation = bw::isolation::serializable, .max_attempts = 100});
      EXPECT_TRUE(succeeds(left));
      round.arrive_and_wait();
      if (referee) {
        const auto there = own.query("select count(*) from doctors where on_call").one<std::int64_t>();
        broken += there && there.value() == 1 ? 0 : 1;
        shifts += own.execute("update doctors set on_call = true").has_value() ? 1 : 0;
      }
      round.arrive_and_wait();
    }
  };
  std::jthread other([&] { leave("bob", false); });
  leave("ada", true);
  other.join();
  EXPECT_EQ(broken, 0) << "one stays, always";
  EXPECT_EQ(shifts, rounds);
  EXPECT_GE(reruns.load(), rounds) << "of each two runs one had to be run again";
}

}  // namespace
}  // namespace tests
