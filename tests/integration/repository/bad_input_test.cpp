// What goes wrong between a program and its database, and how it is told.

#include "support.hpp"

#include <stop_token>
#include <thread>

namespace tests {
namespace {

using elapsed = std::chrono::steady_clock;

bw::config one_node(std::string dsn) {
  bw::config config;
  config.nodes = {std::move(dsn)};
  config.connect_timeout = 2s;
  return config;
}

class opening : public ::testing::Test {
 protected:
  static bw::result<bw::database> open_with(std::string_view keyword, std::string value) {
    const auto given = bw::dsn::parse(way_to_shared_cluster().dsn()).value();
    std::string text;
    for (const std::string_view each : {"host", "port", "user", "password", "dbname"}) {
      text.append(each).append("='").append(each == keyword ? value : given.get(each).value_or("")).append("' ");
    }
    return bw::database::open(one_node(text));
  }
};

TEST_F(opening, without_nodes_or_with_an_empty_dsn_names_the_field) {
  const auto none = bw::database::open({});
  EXPECT_ERROR(none, errc::invalid_argument);
  EXPECT_NE(none.error().message().find("nodes"), std::string::npos);
  EXPECT_ERROR(bw::database::open(one_node("")), errc::invalid_argument);
  const auto malformed = bw::database::open(one_node("postgresql://app:s3cr3t@host:notaport/x"));
  EXPECT_ERROR(malformed, errc::invalid_argument);
  EXPECT_EQ(malformed.error().message().find("s3cr3t"), std::string::npos) << malformed.error().message();
}

TEST_F(opening, with_a_pool_of_size_zero_says_what_is_allowed) {
  bw::config config = one_node(way_to_shared_cluster().dsn());
  config.pool.size = 0;
  const auto refused = bw::database::open(config);
  EXPECT_ERROR(refused, errc::invalid_argument);
  EXPECT_NE(refused.error().message().find("pool.size"), std::string::npos);
}

TEST_F(opening, an_unreachable_host_is_told_at_once) {
  const auto started = elapsed::now();
  const auto refused = open_with("port", "1");
  EXPECT_ERROR(refused, errc::connection_failed);
  EXPECT_EQ(refused.error().node(), "127.0.0.1:1");
  EXPECT_LT(elapsed::now() - started, 1s);
}

TEST_F(opening, a_wrong_password_is_an_authentication_failure_without_the_password) {
  const auto refused = open_with("password", "s3cr3t-but-wrong");
  EXPECT_ERROR(refused, errc::authentication_failed);
  EXPECT_EQ(refused.error().sqlstate(), "28P01");
  EXPECT_EQ(refused.error().message().find("s3cr3t"), std::string::npos);
}

TEST_F(opening, a_wrong_database_is_told_by_its_sqlstate) {
  const auto refused = open_with("dbname", "no_such_database");
  EXPECT_ERROR(refused, errc::authentication_failed);
  EXPECT_EQ(refused.error().sqlstate(), "3D000");
}

TEST_F(opening, an_empty_application_name_or_password_changes_nothing_else) {
  bw::config config = one_node(way_to_shared_cluster().dsn());
  config.application_name = "";
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  EXPECT_EQ(opened.value().session().query("select current_database()").one<std::string>().value(), "app");
}

// ---- a mapping that does not fit ------------------------------------------------------------------------------------

struct misfit {
  std::string name{};
  std::int32_t number{};
};

}  // namespace
}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::misfit> = bw::table(
    "misfits", bw::column<&tests::misfit::name>("name", bw::primary_key), bw::column<&tests::misfit::number>("number"));

namespace tests {
namespace {

class misfits : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<misfit> misfit_rows = session.repository<misfit>();

  void table(std::string_view columns) {
    ASSERT_OK(session.execute("drop table if exists misfits"));
    ASSERT_OK(session.execute("create table misfits (name text primary key, " + std::string(columns) + ")"));
  }
  void TearDown() override { (void)session.execute("drop table if exists misfits"); }
  [[nodiscard]] bool is_usable() const { return session.query("select 1").one<int>().has_value(); }
};

TEST_F(misfits, a_missing_table_is_a_mapping_mismatch) {
  const auto found = misfit_rows.find("x");
  EXPECT_ERROR(found, errc::mapping_mismatch);
  EXPECT_EQ(found.error().sqlstate(), "42P01");
  EXPECT_TRUE(found.error().is_callers_mistake());
  EXPECT_TRUE(is_usable());
}

TEST_F(misfits, a_missing_column_is_a_mapping_mismatch) {
  table("other int");
  EXPECT_ERROR(misfit_rows.query().all(), errc::mapping_mismatch);
  EXPECT_ERROR(misfit_rows.insert({.name = "x"}), errc::mapping_mismatch);
  EXPECT_TRUE(is_usable());
}

TEST_F(misfits, a_wrong_type_is_a_mapping_mismatch_naming_the_column) {
  table("number timestamptz not null default now()");
  ASSERT_OK(session.execute("insert into misfits (name) values ('x')"));
  const auto found = misfit_rows.get("x");
  EXPECT_ERROR(found, errc::mapping_mismatch);
  EXPECT_EQ(found.error().column(), "number");
  EXPECT_TRUE(is_usable());
}

TEST_F(misfits, a_null_for_a_member_that_is_not_optional_names_the_column) {
  table("number int");
  ASSERT_OK(session.execute("insert into misfits (name) values ('x')"));
  const auto found = misfit_rows.get("x");
  EXPECT_ERROR(found, errc::mapping_mismatch);
  EXPECT_EQ(found.error().column(), "number");
  EXPECT_NE(found.error().message().find("NULL"), std::string::npos);
}

TEST_F(misfits, a_value_beyond_the_members_range_is_a_data_error) {
  table("number bigint not null");
  ASSERT_OK(session.execute("insert into misfits values ('x', 5000000000)"));
  const auto found = misfit_rows.get("x");
  EXPECT_ERROR(found, errc::data_error);
  EXPECT_EQ(found.error().column(), "number");
}

TEST_F(misfits, verify_lists_every_difference) {
  table("other int, \"NUMBER\" text");
  const auto report = db().verify<misfit, account>();
  EXPECT_ERROR(report, errc::mapping_mismatch);
  EXPECT_NE(report.error().message().find("number: mapped, but the table has no such column"), std::string::npos)
      << report.error().message();
  EXPECT_EQ(report.error().message().find("accounts"), std::string::npos);
  table("number text");
  const auto wrong = db().verify<misfit>();
  EXPECT_NE(wrong.error().message().find("is text, but the member is a integer"), std::string::npos)
      << wrong.error().message();
  EXPECT_NE(wrong.error().message().find("can be NULL"), std::string::npos);
  table("number int not null");
  ASSERT_OK(db().verify<misfit>());
  ASSERT_OK((db().verify<account, line, ticket, tag>()));
}

// ---- time -----------------------------------------------------------------------------------------------------------

class time_limits : public repository_test {};

TEST_F(time_limits, a_deadline_in_the_past_is_told_at_once_and_sends_nothing) {
  const auto started = elapsed::now();
  for (const auto timeout : {0ms, -1000ms}) {
    const bw::session late = db().session({.timeout = timeout});
    EXPECT_ERROR(late.repository<account>().count(), errc::deadline_exceeded);
    EXPECT_ERROR(late.repository<account>().insert({.owner = "x"}), errc::deadline_exceeded);
    bw::session transacting = late;
    EXPECT_ERROR(transacting.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }),
                 errc::deadline_exceeded);
  }
  EXPECT_LT(elapsed::now() - started, 500ms);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(time_limits, fifty_milliseconds_end_a_slow_statement_at_fifty_and_the_server_stops_too) {
  for (const bool read_only : {false, true}) {
    const bw::session hurried = db().session({.timeout = 50ms, .consistency = bw::consistency::primary});
    auto slow = hurried.query("select pg_sleep(0.2)::text /* slow */");
    if (read_only) slow = slow.read_only();
    const auto started = elapsed::now();
    const auto ended = slow.execute();
    const auto took = elapsed::now() - started;
    EXPECT_ERROR(ended, errc::deadline_exceeded);
    EXPECT_EQ(ended.error().applied(), bw::applied::no);
    EXPECT_GE(took, 40ms);
    EXPECT_LT(took, 150ms);
    const auto until = elapsed::now() + 5s;
    const char* still_running =
        "select count(*) from pg_stat_activity where state = 'active' and query like '%/* slow */%' "
        "and pid <> pg_backend_pid()";
    while (truth(still_running) != "0" && elapsed::now() < until) std::this_thread::yield();
    EXPECT_EQ(truth(still_running), "0");
  }
  ASSERT_OK(on_primary().repository<account>().count());
}

TEST_F(time_limits, a_longer_operation_timeout_than_the_configurations_is_honoured) {
  bw::config config = one_node(way_to_shared_cluster().dsn());
  config.operation_timeout = 100ms;
  const auto quick = bw::database::open(config);
  ASSERT_OK(quick);
  EXPECT_ERROR(quick.value().session().execute("select pg_sleep(0.3)"), errc::deadline_exceeded);
  ASSERT_OK(quick.value().session({.operation_timeout = 5s}).execute("select pg_sleep(0.3)"));
  ASSERT_OK(quick.value().session({.operation_timeout = 5s}).query("select pg_sleep(0.3)").read_only().execute());
}

TEST_F(time_limits, a_stop_token_ends_what_the_session_does) {
  std::stop_source source;
  const bw::session session = db().session({.cancel = source.get_token()});
  std::jthread canceller([&] {
    const auto until = elapsed::now() + 5s;
    const char* running =
        "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' "
        "and pid <> pg_backend_pid()";
    while (truth(running) == "0" && elapsed::now() < until) std::this_thread::yield();
    source.request_stop();
  });
  const auto started = elapsed::now();
  EXPECT_ERROR(session.execute("select pg_sleep(30)"), errc::cancelled);
  EXPECT_LT(elapsed::now() - started, 10s);
  EXPECT_ERROR(session.execute("select 1"), errc::cancelled);
}

TEST_F(time_limits, a_shutdown_refuses_new_work_and_waits_for_the_old) {
  auto closing = bw::database::open(one_node(way_to_shared_cluster().dsn()));
  ASSERT_OK(closing);
  bw::database database = std::move(closing).value();
  bw::result<std::size_t> running;
  std::jthread worker([&] { running = database.session().execute("select pg_sleep(0.2) /* at shutdown */"); });
  const auto until = elapsed::now() + 5s;
  while (truth("select count(*) from pg_stat_activity where query like '%/* at shutdown */%' and state = 'active' and "
               "pid <> pg_backend_pid()") == "0" &&
         elapsed::now() < until) {
    std::this_thread::yield();
  }
  ASSERT_OK(database.shutdown(5s));
  worker.join();
  ASSERT_OK(running);
  EXPECT_ERROR(database.session().execute("select 1"), errc::cancelled);
}

}  // namespace
}  // namespace tests
