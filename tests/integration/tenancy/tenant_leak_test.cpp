// Whatever happens to a tenant's statement, the next borrower of its connection finds nothing of the tenant.

#include "support.hpp"

#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <thread>

namespace tests {
namespace {

class tenant_traces : public tenancy_test {
 protected:
  bw::database db = [this] {
    SetUp();
    return open();
  }();
  bw::session acme(bw::session_options options = {}) {
    options.tenant = "acme";
    return db.session(std::move(options));
  }
  /// The pool has one connection, and it is the same as before.
  std::string process() {
    return db.session({.across_tenants = true}).query("select pg_backend_pid()::text").one<std::string>().value();
  }
};

TEST_F(tenant_traces, are_not_left_by_statements_that_succeed) {
  const std::string before = process();
  ASSERT_OK(acme().execute("insert into documents (body) values ('x')"));
  EXPECT_EQ(traces(db), no_traces);
  ASSERT_OK(acme().query("select count(*) from documents").read_only().one<std::int64_t>());
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_EQ(process(), before);  // else nothing is proved
}

TEST_F(tenant_traces, are_not_left_by_statements_that_fail) {
  const std::string before = process();
  EXPECT_ERROR(acme().execute("select 1/0"), errc::data_error);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_ERROR(acme().execute("select * from nowhere"), errc::invalid_statement);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_ERROR(acme().execute("select * from pg_authid"), errc::insufficient_privilege);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_EQ(process(), before);
}

TEST_F(tenant_traces, are_not_left_where_the_commit_fails) {
  const std::string before = process();
  ASSERT_OK(acme().execute("insert into documents (body) values ('x')"));
  const auto twice = acme().execute("insert into documents (body) values ('x')");  // deferred: noticed by COMMIT
  EXPECT_ERROR(twice, errc::unique_violation);
  EXPECT_EQ(twice.error().applied(), bw::applied::no);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_EQ(process(), before);
}

TEST_F(tenant_traces, are_not_left_by_transactions_however_they_end) {
  bw::session session = acme();
  const auto insert = [](bw::transaction& tx) { return tx.execute("insert into documents (body) values ('y')"); };
  EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(insert(tx));
    return bw::success();
  }));
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_ERROR(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("select 1"));
    return bw::error(errc::not_found, "on purpose");
  }),
               errc::not_found);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("select 1"));
    throw std::runtime_error("on purpose");
  }),
               std::runtime_error);
  EXPECT_EQ(traces(db), no_traces);
  EXPECT_ERROR(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("select 1/0"));
    return bw::success();
  }),
               errc::data_error);
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenant_traces, are_not_left_by_statements_that_are_late_or_cancelled) {
  EXPECT_ERROR(acme({.operation_timeout = 200ms}).execute("select pg_sleep(60)"), errc::deadline_exceeded);
  EXPECT_EQ(traces(db), no_traces);
  std::stop_source stop;
  std::jthread stopper([&] {
    (void)eventually([] {
      return shared_cluster()
                 .query_value("select count(*) from pg_stat_activity where wait_event = 'PgSleep'")
                 .value() == "1";
    });
    stop.request_stop();
  });
  EXPECT_ERROR(acme({.operation_timeout = 60s, .cancel = stop.get_token()}).execute("select pg_sleep(60)"),
               errc::cancelled);
  stopper.join();
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenant_traces, are_not_left_by_copies_and_streams_that_are_given_up) {
  const std::vector<document> rows{{.body = "a"}, {.body = "b"}, {.body = "c"}};
  // The server does not COPY into a table with policies.
  EXPECT_ERROR(acme().repository<document>().copy_in(rows), errc::invalid_statement);
  EXPECT_EQ(traces(db), no_traces);
  ASSERT_OK(acme().repository<document>().insert_many(rows));
  EXPECT_EQ(traces(db), no_traces);
  {
    bw::session session = acme();
    auto stream = session.repository<document>().query().stream();
    ASSERT_OK(stream);
    ASSERT_OK(stream.value().next());
  }
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenant_traces, are_not_left_where_many_tenants_share_few_connections) {
  config.pool.size = 3;
  bw::database busy = open();
  std::atomic<int> wrong{0};
  std::vector<std::jthread> people;
  for (int person = 0; person < 8; ++person) {
    people.emplace_back([&, person] {
      const std::string name = "tenant-" + std::to_string(person);
      for (int i = 0; i < 100; ++i) {
        bw::session session = busy.session({.operation_timeout = 30s, .tenant = name});
        const auto seen =
            session.query("select current_setting('app.tenant') || current_user").read_only().one<std::string>();
        if (!seen || seen.value() != name + "shop_tenant") ++wrong;
        if (i % 3 == 0 && session.execute("select 1/0").has_value()) ++wrong;
        if (i % 10 == 0 && traces(busy) != no_traces) ++wrong;
      }
    });
  }
  people.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tests
