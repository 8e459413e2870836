// Transactions by closures: what stays, what goes, and that nothing escapes.

#include "support.hpp"

#include <pqxx/dbtransaction>
#include <pqxx/except>
#include <pqxx/result>
#include <pqxx/stream_to>

#include <barrier>
#include <stdexcept>
#include <stop_token>
#include <thread>

namespace tests {
namespace {

class transactions : public repository_test {
 protected:
  bw::session session = on_primary();

  static std::string owners() {
    return truth("select coalesce(string_agg(owner, ',' order by owner), '') from accounts");
  }
  static bw::result<void> add(bw::transaction& tx, const char* owner) {
    BOOST_OUTCOME_TRY(tx.repository<account>().insert({.owner = owner}));
    return bw::success();
  }
};

TEST_F(transactions, success_commits_everything) {
  const auto done = session.transact([&](bw::transaction& tx) -> bw::result<int> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    BOOST_OUTCOME_TRY(add(tx, "bob"));
    EXPECT_EQ(owners(), "") << "not before the commit";
    return 7;
  });
  ASSERT_OK(done);
  EXPECT_EQ(done.value(), 7);
  EXPECT_EQ(owners(), "ada,bob");
}

TEST_F(transactions, an_error_rolls_everything_back_and_is_returned) {
  const auto failed = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    return bw::success();
  });
  EXPECT_ERROR(failed, errc::unique_violation);
  EXPECT_EQ(failed.error().applied(), bw::applied::no);
  EXPECT_EQ(owners(), "");
  EXPECT_EQ(db().stats()[0].idle, db().stats()[0].connections) << "the connection went back";
}

TEST_F(transactions, an_exception_rolls_back_and_passes_through) {
  const auto throwing = [&] {
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(tx, "ada"));
      throw std::runtime_error("the caller's own");
    });
  };
  EXPECT_THROW((void)throwing(), std::runtime_error);
  EXPECT_EQ(owners(), "");
  ASSERT_OK(session.repository<account>().insert({.owner = "bob"}));
}

TEST_F(transactions, business_errors_flow_through) {
  struct refusal {
    explicit refusal(std::string why) : reason(std::move(why)) {}
    explicit refusal(const bw::error& cause) : reason(cause.message()) {}
    std::string reason;
  };
  using answer = boost::outcome_v2::basic_result<int, refusal, boost::outcome_v2::policy::all_narrow>;
  const auto refused = session.transact([&](bw::transaction& tx) -> answer {
    if (auto added = add(tx, "ada"); !added) return refusal(added.error());
    return refusal("no funds");
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.assume_error().reason, "no funds");
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, everything_made_from_it_runs_on_its_one_connection) {
  std::string backends;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    for (int i = 0; i < 3; ++i) {
      BOOST_OUTCOME_TRY(const auto pid, tx.query("select pg_backend_pid()").one<std::int32_t>());
      backends.append(std::to_string(pid)).append(" ");
      BOOST_OUTCOME_TRY(const auto count, tx.repository<account>().count());
      EXPECT_EQ(count, i) << "it sees what it wrote";
      BOOST_OUTCOME_TRY(add(tx, std::to_string(i).c_str()));
    }
    return bw::success();
  }));
  const std::string first = backends.substr(0, backends.find(' ') + 1);
  EXPECT_EQ(backends, first + first + first);
}

TEST_F(transactions, nothing_can_run_beside_it_by_a_captured_name) {
  auto captured = session.repository<account>();
  const bw::session copy = session;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_ERROR(captured.insert({.owner = "escaped"}), errc::unsafe_operation);
    EXPECT_ERROR(captured.query().all(), errc::unsafe_operation);
    EXPECT_ERROR(copy.execute("select 1"), errc::unsafe_operation);
    EXPECT_ERROR(session.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }),
                 errc::unsafe_operation);
    return add(tx, "ada");
  }));
  EXPECT_EQ(owners(), "ada");
  ASSERT_OK(captured.insert({.owner = "bob"}));
}

TEST_F(transactions, what_outlives_it_refuses) {
  std::optional<bw::repository<account>> kept;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    kept = tx.repository<account>();
    return bw::success();
  }));
  EXPECT_ERROR(kept->insert({.owner = "late"}), errc::unsafe_operation);
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, a_failed_statement_passed_over_is_not_reported_as_success) {
  const auto pretended = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    EXPECT_ERROR(add(tx, "ada"), errc::unique_violation);
    EXPECT_ERROR(add(tx, "bob"), errc::unique_violation) << "the cause, not 'current transaction is aborted'";
    return bw::success();
  });
  EXPECT_ERROR(pretended, errc::rolled_back);
  EXPECT_EQ(pretended.error().applied(), bw::applied::no);
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, an_inner_closure_is_a_savepoint) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    const auto inner = tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(sub, "eve"));
      return add(sub, "ada");
    });
    EXPECT_ERROR(inner, errc::unique_violation);
    EXPECT_THROW((void)tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(sub, "mallory"));
      throw std::logic_error("inside");
    }),
                 std::logic_error);
    BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& sub) { return add(sub, "bob"); }));
    return bw::success();
  }));
  EXPECT_EQ(owners(), "ada,bob");
}

TEST_F(transactions, isolation_read_only_and_deferrable_reach_the_server) {
  const auto show = [&](bw::transaction_options options) {
    return session.transact(
        [](bw::transaction& tx) {
          return tx
              .query(
                  "select concat_ws(' ', current_setting('transaction_isolation'), "
                  "current_setting('transaction_read_only'), current_setting('transaction_deferrable'))")
              .one<std::string>();
        },
        options);
  };
  EXPECT_EQ(show({}).value(), "read committed off off");
  EXPECT_EQ(show({.isolation = bw::isolation::repeatable_read}).value(), "repeatable read off off");
  EXPECT_EQ(show({.isolation = bw::isolation::serializable, .read_only = true, .deferrable = true}).value(),
            "serializable on on");
  EXPECT_ERROR(session.transact([](bw::transaction& tx) { return add(tx, "ada"); }, {.read_only = true}),
               errc::read_only);
}

TEST_F(transactions, a_serialization_conflict_runs_the_closure_again) {
  ASSERT_OK(session.repository<account>().insert({.owner = "counter"}));
  std::barrier both_have_read(2);
  const auto increment = [&](unsigned& attempts) {
    bw::session own = db().session();
    return own.transact(
        [&](bw::transaction& tx) -> bw::result<void> {
          attempts = tx.attempt();
          BOOST_OUTCOME_TRY(const auto balance,
                            tx.query("select balance from accounts where owner = 'counter'").one<bw::numeric>());
          if (tx.attempt() == 1) both_have_read.arrive_and_wait();
          BOOST_OUTCOME_TRY(tx.execute("update accounts set balance = ? where owner = 'counter'", balance + 1));
          return bw::success();
        },
        {.isolation = bw::isolation::serializable});
  };
  unsigned first_attempts = 0;
  unsigned second_attempts = 0;
  bw::result<void> second;
  std::jthread other([&] { second = increment(second_attempts); });
  const auto first = increment(first_attempts);
  other.join();
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_EQ(first_attempts + second_attempts, 3U) << "one of them had to run twice";
  EXPECT_EQ(truth("select balance::int from accounts"), "2");
}

TEST_F(transactions, a_transaction_without_statements_talks_to_no_server) {
  watcher().clear();
  ASSERT_OK(session.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }));
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(transactions, libpqxx_works_inside_and_can_not_end_it) {
  const auto mixed = session.transact([&](bw::transaction& tx) -> bw::result<std::int64_t> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    const pqxx::result seen = tx.native().exec("select count(*) from accounts");
    EXPECT_EQ(seen[0][0].as<int>(), 1);
    tx.native().exec("insert into tags values ('by libpqxx')");
    EXPECT_THROW(tx.native().commit(), pqxx::usage_error);
    BOOST_OUTCOME_TRY(add(tx, "bob"));
    return tx.repository<account>().count();
  });
  ASSERT_OK(mixed);
  EXPECT_EQ(mixed.value(), 2);
  EXPECT_EQ(truth("select name from tags"), "by libpqxx");
  EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "eve"));
    tx.native().exec("select no_such_column");
    return bw::success();
  }),
               pqxx::sql_error);
  EXPECT_EQ(owners(), "ada,bob");
}

TEST_F(transactions, a_copy_through_libpqxx_is_kept_and_what_follows_it_works) {
  const auto copied = session.transact([&](bw::transaction& tx) -> bw::result<std::int64_t> {
    auto stream = pqxx::stream_to::table(tx.native(), {"tags"}, {"name"});
    stream.write_values("one");
    stream.write_values("two");
    stream.complete();
    return tx.repository<tag>().count();
  });
  ASSERT_OK(copied);
  EXPECT_EQ(copied.value(), 2);
  EXPECT_EQ(truth("select count(*) from tags"), "2");
}

TEST_F(transactions, a_conflict_undone_with_its_savepoint_does_not_run_the_closure_again) {
  ASSERT_OK(session.repository<tag>().insert({.name = "locked"}));
  unsigned runs = 0;
  const auto refused = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    ++runs;
    // Stands in for a deadlock: the server reports it just so.
    const auto inner = tx.transact([](bw::transaction& sub) -> bw::result<void> {
      BOOST_OUTCOME_TRY(sub.execute("do $$ begin raise exception 'victim' using errcode = '40P01'; end $$"));
      return bw::success();
    });
    EXPECT_ERROR(inner, errc::deadlock);
    return bw::errc::validation_failed;
  });
  EXPECT_ERROR(refused, errc::validation_failed);
  EXPECT_EQ(runs, 1U);
}

TEST_F(transactions, a_savepoint_is_undone_although_its_caller_was_cancelled_meanwhile) {
  std::stop_source source;
  bw::session own = db().session({.cancel = source.get_token()});
  const auto done = own.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    const auto inner = tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(sub, "eve"));
      source.request_stop();
      return bw::errc::validation_failed;
    });
    EXPECT_ERROR(inner, errc::validation_failed);
    return bw::success();
  });
  ASSERT_OK(done);
  EXPECT_EQ(owners(), "ada");
}

TEST_F(transactions, an_inner_failure_passed_over_undoes_the_inside_and_no_more) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    const auto inner = tx.transact([&](bw::transaction& sub) -> bw::result<void> {
      BOOST_OUTCOME_TRY(add(sub, "eve"));
      EXPECT_ERROR(add(sub, "ada"), errc::unique_violation);
      return bw::success();
    });
    EXPECT_FALSE(inner.has_value());
    return add(tx, "bob");
  }));
  EXPECT_EQ(owners(), "ada,bob");
}

TEST_F(transactions, a_rollback_through_libpqxx_is_not_reported_as_a_commit) {
  const auto pretended = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    tx.native().exec("rollback");
    return bw::success();
  });
  EXPECT_ERROR(pretended, errc::unsafe_operation);
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, a_raw_commit_that_fails_is_not_followed_by_success) {
  ASSERT_OK(session.execute("drop table if exists later"));
  ASSERT_OK(session.execute("create table later (n int unique deferrable initially deferred)"));
  const auto pretended = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("insert into later values (1), (1)"));
    EXPECT_ERROR(tx.execute("commit"), errc::unique_violation);
    return bw::success();
  });
  EXPECT_FALSE(pretended.has_value());
  EXPECT_EQ(pretended.error().applied(), bw::applied::no) << pretended.error().message();
  EXPECT_EQ(truth("select count(*) from later"), "0");
}

TEST_F(transactions, a_chained_rollback_is_noticed) {
  const auto pretended = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    (void)tx.execute("rollback and chain");
    return bw::success();
  });
  EXPECT_ERROR(pretended, errc::unsafe_operation);
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, a_setting_made_inside_does_not_reach_the_next_one) {
  ASSERT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("set application_name = 'left behind'"));
    return bw::success();
  }));
  EXPECT_NE(session.query("select current_setting('application_name')").one<std::string>().value(), "left behind");
}

TEST_F(transactions, a_commit_is_an_event_of_its_own) {
  watcher().clear();
  ASSERT_OK(session.transact([](bw::transaction& tx) { return add(tx, "ada"); }));
  ASSERT_EQ(watcher().operations().size(), 2U);
  EXPECT_EQ(watcher().last().statement, "commit");
  EXPECT_FALSE(watcher().last().failed);
}

TEST_F(transactions, the_deadline_ends_it_and_nothing_is_applied) {
  const bw::session hurried = db().session({.timeout = 100ms});
  bw::session own = hurried;
  const auto started = std::chrono::steady_clock::now();
  const auto late = own.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    BOOST_OUTCOME_TRY(tx.execute("select pg_sleep(5)"));
    return bw::success();
  });
  EXPECT_ERROR(late, errc::deadline_exceeded);
  EXPECT_EQ(late.error().applied(), bw::applied::no);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
  EXPECT_EQ(owners(), "");
}

TEST_F(transactions, a_statement_that_ends_it_by_itself_is_refused) {
  const auto cheat = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(add(tx, "ada"));
    BOOST_OUTCOME_TRY(tx.execute("commit"));
    return bw::success();
  });
  EXPECT_ERROR(cheat, errc::unsafe_operation);
  EXPECT_EQ(cheat.error().applied(), bw::applied::unknown) << "it may well be committed, and that is what is said";
}

}  // namespace
}  // namespace tests
