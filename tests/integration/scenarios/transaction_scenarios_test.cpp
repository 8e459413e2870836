// Transactions from end to end: what stays, what goes, and who may look when.

#include "bank.hpp"

#include <atomic>
#include <barrier>
#include <cstdint>
#include <stdexcept>
#include <thread>

namespace scenarios {
namespace {

class scenarios_transaction : public scenario {
 protected:
  static void SetUpTestSuite() {
    open(bank_schema());
    const bw::session session = on_primary();
    for (const char* sql : {"drop table if exists duties, singles",
                            "create table duties (round int, doctor int, on_call boolean not null,"
                            " primary key (round, doctor))",
                            "create table singles (n int unique deferrable initially deferred)"}) {
      ASSERT_OK(session.execute(sql));
    }
  }
  void SetUp() override {
    behind_the_back(empty_bank);
    behind_the_back("truncate duties, singles");
    script = {};
  }

  static bw::result<void> add(bw::transaction& tx, std::int32_t number) {
    BOOST_OUTCOME_TRY(tx.repository<Entry>().insert({.account_id = 1, .number = number, .amount = number}));
    return bw::success();
  }
  /// The numbers of the entries that are committed.
  static std::string committed() {
    return truth("select coalesce(string_agg(number::text, ' ' order by number), '') from entries");
  }
  /// Neither the library nor the server holds a transaction open.
  static void expect_released() {
    for (const auto& node : db().stats()) EXPECT_EQ(node.idle, node.connections);
    EXPECT_EQ(truth("select count(*) from pg_stat_activity where state like 'idle in transaction%'"), "0");
  }

  bw::session session = on_primary();
};

// ---- 26: what is inside stays inside --------------------------------------------------------------------------------

TEST_F(scenarios_transaction, s26_rollback_leaves_nothing_and_commit_is_visible) {
  const auto refused = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, 1));
    return errc::validation_failed;
  });
  EXPECT_ERROR(refused, errc::validation_failed);
  EXPECT_EQ(committed(), "");
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, 2));
    EXPECT_EQ(committed(), "") << "not before the commit";
    return bw::success();
  }));
  EXPECT_EQ(committed(), "2");
}

TEST_F(scenarios_transaction, s26_repositories_raw_queries_batches_and_copy_stay_inside) {
  const auto everything = [&](bool keep) {
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      auto entries = tx.repository<Entry>();
      BOOST_OUTCOME_TRY(const auto backend, tx.query("select pg_backend_pid()").one<std::int32_t>());
      BOOST_OUTCOME_TRY(entries.insert({.account_id = 1, .number = 1}));
      BOOST_OUTCOME_TRY(entries.insert_many({{.account_id = 1, .number = 2}, {.account_id = 1, .number = 3}}));
      BOOST_OUTCOME_TRY(entries.upsert({.account_id = 1, .number = 3, .note = "upserted"}));
      BOOST_OUTCOME_TRY(tx.execute("insert into entries values (1, ?, 0)", 4));
      bw::batch batch = tx.batch();
      batch.add(tx.query("insert into entries values (1, ?, 0)", 5));
      const auto counted = batch.one<std::int64_t>(tx.query("select count(*) from entries"));
      const auto ran_on = batch.one<std::int32_t>(tx.query("select pg_backend_pid()"));
      BOOST_OUTCOME_TRY(const auto answers, batch.run());
      EXPECT_EQ(answers.get(counted).value(), 5);
      EXPECT_EQ(answers.get(ran_on).value(), backend) << "one connection";
      BOOST_OUTCOME_TRY(const auto copied,
                        entries.copy_in({Entry{.account_id = 1, .number = 6}, Entry{.account_id = 1, .number = 7}}));
      EXPECT_EQ(copied, 2U);
      BOOST_OUTCOME_TRY(tx.repository<Payment>().insert({.payee = "ada", .amount = 1}));

      BOOST_OUTCOME_TRY(const auto by_repository, entries.count());
      BOOST_OUTCOME_TRY(const auto by_sql, tx.query("select count(*) from entries").one<std::int64_t>());
      std::size_t by_copy = 0;
      BOOST_OUTCOME_TRY(entries.copy_out([&by_copy](const Entry&) { ++by_copy; }));
      std::size_t by_stream = 0;
      BOOST_OUTCOME_TRY(entries.query().stream([&by_stream](const Entry&) { ++by_stream; }));
      EXPECT_EQ(by_repository, 7) << "all of them see all of it";
      EXPECT_EQ(by_sql, 7);
      EXPECT_EQ(by_copy, 7U);
      EXPECT_EQ(by_stream, 7U);
      EXPECT_EQ(committed(), "") << "nobody else does";
      EXPECT_EQ(truth("select (select count(*) from payments) + (select count(*) from journal)"), "0");
      return keep ? bw::result<void>(bw::success()) : bw::result<void>(errc::validation_failed);
    });
  };
  EXPECT_ERROR(everything(false), errc::validation_failed);
  EXPECT_EQ(committed(), "");
  EXPECT_EQ(truth("select (select count(*) from payments) + (select count(*) from journal)"), "0");
  ASSERT_OK(everything(true));
  EXPECT_EQ(committed(), "1 2 3 4 5 6 7");
  EXPECT_EQ(truth("select count(distinct made_by) from (select made_by from entries union all select made_by from "
                  "payments union all select made_by from journal) t"),
            "1")
      << "one transaction";
}

// ---- 27: options, savepoints, ends ----------------------------------------------------------------------------------

TEST_F(scenarios_transaction, s27_isolation_level_read_only_and_deferrable_reach_the_server) {
  const auto shown = [&](const bw::transaction_options& options) {
    const auto settings = session.transact(
        [](bw::transaction& tx) {
          return tx
              .query(
                  "select concat_ws('/', current_setting('transaction_isolation'), "
                  "current_setting('transaction_read_only'), current_setting('transaction_deferrable'))")
              .one<std::string>();
        },
        options);
    return settings ? settings.value() : settings.error().message();
  };
  EXPECT_EQ(shown({}), "read committed/off/off");
  EXPECT_EQ(shown({.isolation = bw::isolation::repeatable_read}), "repeatable read/off/off");
  EXPECT_EQ(shown({.isolation = bw::isolation::serializable}), "serializable/off/off");
  EXPECT_EQ(shown({.read_only = true}), "read committed/on/off");
  EXPECT_EQ(shown({.isolation = bw::isolation::serializable, .read_only = true, .deferrable = true}),
            "serializable/on/on");
}

TEST_F(scenarios_transaction, s27_isolation_and_read_only_do_what_they_say) {
  const auto counts = [&](bw::isolation level) {
    std::string seen;
    EXPECT_OK(session.transact(
        [&](bw::transaction& tx) -> bw::result<void> {
          for (int i = 0; i < 2; ++i) {
            BOOST_OUTCOME_TRY(const auto count, tx.repository<Entry>().count());
            seen += std::to_string(count);
            behind_the_back("insert into entries select 1, count(*), 0 from entries");
          }
          return bw::success();
        },
        {.isolation = level}));
    return seen;
  };
  EXPECT_EQ(counts(bw::isolation::read_committed), "01");
  EXPECT_EQ(counts(bw::isolation::repeatable_read), "22");
  EXPECT_ERROR(session.transact([](bw::transaction& tx) { return add(tx, 99); }, {.read_only = true}), errc::read_only);
  EXPECT_EQ(committed(), "0 1 2 3");
}

TEST_F(scenarios_transaction, s27_savepoints_undo_what_was_done_inside_and_no_more) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, 1));
    EXPECT_ERROR(tx.transact([&](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(inner, 2));
      return errc::validation_failed;
    }),
                 errc::validation_failed);
    EXPECT_ERROR(tx.transact([&](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(inner, 3));
      return add(inner, 1);
    }),
                 errc::unique_violation)
        << "a failed statement too";
    EXPECT_THROW((void)tx.transact([&](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(inner, 4));
      throw std::logic_error("inside");
    }),
                 std::logic_error);
    BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(inner, 5));
      EXPECT_ERROR(inner.transact([&](bw::transaction& innermost) -> bw::result<void> {
        BOOST_OUTCOME_TRY(add(innermost, 6));
        return errc::validation_failed;
      }),
                   errc::validation_failed);
      return bw::success();
    }));
    return add(tx, 7);
  }));
  EXPECT_EQ(committed(), "1 5 7");
  expect_released();
}

TEST_F(scenarios_transaction, s27_a_thrown_exception_rolls_back_and_releases) {
  for (int i = 0; i < 30; ++i) {  // more often than there are connections
    EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(tx, 1));
      throw std::runtime_error("the caller's own");
    }),
                 std::runtime_error);
  }
  EXPECT_EQ(committed(), "");
  expect_released();
  ASSERT_OK(session.repository<Entry>().insert({.account_id = 1, .number = 2}));
}

TEST_F(scenarios_transaction, s27_an_error_result_rolls_back_and_releases) {
  for (int i = 0; i < 30; ++i) {
    const auto refused = session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(tx, 1));
      return i % 2 == 0 ? bw::result<void>(errc::validation_failed) : add(tx, 1);
    });
    EXPECT_ERROR(refused, i % 2 == 0 ? errc::validation_failed : errc::unique_violation);
  }
  EXPECT_EQ(committed(), "");
  expect_released();
  ASSERT_OK(session.repository<Entry>().insert({.account_id = 1, .number = 2}));
}

// ---- 28: write skew -------------------------------------------------------------------------------------------------

TEST_F(scenarios_transaction, s28_serializable_write_skew_is_retried_and_the_invariant_holds_after_1000_runs) {
  constexpr int rounds = 1000;
  behind_the_back("insert into duties select r, d, true from generate_series(1, 1000) r, generate_series(1, 2) d");
  // Each of two doctors goes home when the other one stays. Both look before either goes: without the serializable
  // level both would go.
  std::barrier both_have_looked(2);
  std::atomic<int> runs{0};
  std::atomic<int> second_looks{0};
  std::atomic<int> failures{0};
  const auto doctor = [&](int self) {
    bw::session own = on_primary();
    for (int round = 1; round <= rounds; ++round) {
      bool looked = false;
      const auto done = own.transact(
          [&](bw::transaction& tx) -> bw::result<void> {
            ++runs;
            BOOST_OUTCOME_TRY(
                const auto on_call,
                tx.query("select count(*) from duties where round = ? and on_call", round).one<std::int64_t>());
            if (!looked) {
              looked = true;
              both_have_looked.arrive_and_wait();
            } else if (on_call == 1) {
              ++second_looks;  // the whole closure ran again, and saw what the other one did
            }
            if (on_call < 2) return bw::success();
            BOOST_OUTCOME_TRY(
                tx.execute("update duties set on_call = false where round = ? and doctor = ?", round, self));
            return bw::success();
          },
          {.isolation = bw::isolation::serializable, .max_attempts = 20});
      if (!looked) both_have_looked.arrive_and_wait();  // never begun: do not keep the other one waiting
      if (!done) {
        ++failures;
        ADD_FAILURE() << "round " << round << ": " << done.error().message();
      }
    }
  };
  {
    const std::jthread one(doctor, 1);
    const std::jthread two(doctor, 2);
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(truth("select count(*) || ' ' || min(there) || ' ' || max(there) from (select count(*) filter (where "
                  "on_call) there from duties group by round) t"),
            "1000 1 1")
      << "in each round exactly one stayed";
  EXPECT_EQ(second_looks, rounds) << "each round was a conflict, and its loser looked again";
  EXPECT_GE(runs, 3 * rounds);
  expect_released();
}

// ---- 29: on_commit --------------------------------------------------------------------------------------------------

TEST_F(scenarios_transaction, s29_on_commit_runs_after_the_commit) {
  std::string told;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit([&] { told += "first sees " + committed() + "; "; });
    BOOST_OUTCOME_TRY(add(tx, 1));
    tx.on_commit([&] { told += "second"; });
    EXPECT_EQ(told, "") << "not before";
    return bw::success();
  }));
  EXPECT_EQ(told, "first sees 1; second");
}

TEST_F(scenarios_transaction, s29_on_commit_does_not_run_without_a_commit) {
  int called = 0;
  const auto count = [&called] { ++called; };
  EXPECT_FALSE(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(count);
    BOOST_OUTCOME_TRY(add(tx, 1));
    return errc::validation_failed;
  }));
  EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(count);
    throw std::runtime_error("the caller's own");
  }),
               std::runtime_error);
  const auto refused_at_commit = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    tx.on_commit(count);
    BOOST_OUTCOME_TRY(tx.execute("insert into singles values (1), (1)"));
    return bw::success();
  });
  EXPECT_ERROR(refused_at_commit, errc::unique_violation);
  EXPECT_EQ(called, 0);
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_FALSE(tx.transact([&](bw::transaction& inner) -> bw::result<void> {
      inner.on_commit(count);
      return errc::validation_failed;
    }));
    return add(tx, 2);
  }));
  EXPECT_EQ(called, 0) << "of a savepoint that was undone neither";
  EXPECT_EQ(committed(), "2");
}

TEST_F(scenarios_transaction, s29_on_commit_runs_once_when_the_closure_ran_more_often) {
  int called = 0;
  unsigned attempts = 0;
  ASSERT_OK(session.transact(
      [&](bw::transaction& tx) -> bw::result<void> {
        attempts = tx.attempt();
        tx.on_commit([&] { ++called; });
        BOOST_OUTCOME_TRY(const auto count, tx.repository<Entry>().count());
        if (tx.attempt() == 1) behind_the_back("insert into entries values (1, 1, 0)");
        BOOST_OUTCOME_TRY(tx.repository<Entry>().upsert({.account_id = 1, .number = 1, .amount = count}));
        return bw::success();
      },
      {.isolation = bw::isolation::repeatable_read}));
  EXPECT_EQ(attempts, 2U);
  EXPECT_EQ(called, 1);
  EXPECT_EQ(truth("select amount::int from entries"), "1");
}

}  // namespace
}  // namespace scenarios
