// Every operation ends by its deadline, whatever the server and the network do, and says what became of a write.

#include "proxy.hpp"
#include "support.hpp"

#include <thread>

namespace breakwater::postgres::test {
namespace {

/// How much later than its deadline an operation may end: promised are 10 ms, and this machine may be busy.
constexpr auto lateness = 150ms;

class deadlines : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { arrange("create table things (id int primary key); grant all on things to app"); }
  static void TearDownTestSuite() { arrange("drop table things"); }
  void TearDown() override { arrange("truncate things"); }

  /// Opens the connection and prepares what can be, so that what is measured is the statement.
  void warm_up(client& with) { ASSERT_TRUE(succeeds(with.run(read("select 1")))); }
};

connection_settings through(const proxy& between) {
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  settings.connect_timeout = 500ms;
  return settings;
}

TEST_F(deadlines, a_read_ends_at_its_deadline_and_the_server_stops_working_on_it) {
  client app({.size = 1});
  int backend = 0;
  {
    auto borrowed = app.borrow();
    ASSERT_TRUE(borrowed);
    backend = backend_of(*borrowed.value());
  }
  const auto started = clock_type::now();
  const error overdue = error_of(app.run(read("select pg_sleep(60)"), deadline::after(50ms)));
  const auto took = since(started);
  EXPECT_EQ(overdue.code(), errc::deadline_exceeded);
  EXPECT_EQ(overdue.applied(), applied::no);
  EXPECT_GE(took, 49ms);
  EXPECT_LT(took, 50ms + lateness);
  EXPECT_TRUE(eventually([backend] { return !is_working(backend); }));
  EXPECT_LT(since(started), 5s) << "it was cancelled, not left to its 30 s timeout";
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
}

TEST_F(deadlines, a_read_that_was_given_up_costs_no_connection) {
  client app({.size = 1});
  warm_up(app);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(error_of(app.run(read("select pg_sleep(60)"), deadline::after(20ms))).code(), errc::deadline_exceeded);
    EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
  }
  EXPECT_EQ(app.events.opened(), 1) << "it was cancelled and kept";
}

TEST_F(deadlines, a_write_is_ended_by_the_server_at_its_deadline_so_that_its_fate_is_known) {
  client app({.size = 1});
  warm_up(app);
  const auto started = clock_type::now();
  const error overdue =
      error_of(app.run(write("insert into things select 1 from pg_sleep(60)"), deadline::after(50ms)));
  const auto took = since(started);
  EXPECT_EQ(overdue.code(), errc::deadline_exceeded) << overdue.message();
  EXPECT_EQ(overdue.applied(), applied::no);
  EXPECT_EQ(overdue.sqlstate(), "57014") << "the server's own answer";
  EXPECT_FALSE(overdue.poisons_connection());
  EXPECT_GE(took, 45ms);
  EXPECT_LT(took, 50ms + lateness);
  EXPECT_EQ(ask("select count(*) from things"), "0");
  EXPECT_EQ(value_of(app.run(read("show statement_timeout"))), "30s") << "it held for one statement";
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(deadlines, a_deadline_in_the_past_sends_nothing) {
  client app({.size = 1});
  warm_up(app);
  const error late = error_of(app.run(write("insert into things values (1)"), deadline::after(-1s)));
  EXPECT_EQ(late.code(), errc::deadline_exceeded);
  EXPECT_EQ(late.applied(), applied::no);
  EXPECT_EQ(ask("select count(*) from things"), "0");
  EXPECT_EQ(app.events.opened(), 1) << "the connection is as good as before";
}

TEST_F(deadlines, a_longer_deadline_than_the_connections_own_timeout_is_granted) {
  auto settings = settings_for(server().dsn());
  settings.statement_timeout = 50ms;
  client app({.size = 1}, settings);
  EXPECT_TRUE(succeeds(app.run(read("select pg_sleep(0.2)"), deadline::after(10s))));
  EXPECT_TRUE(succeeds(app.run(write("select pg_sleep(0.2)"), deadline::after(10s))));
  EXPECT_TRUE(succeeds(app.run(write("select pg_sleep(0.2)"), deadline::never())));
}

TEST_F(deadlines, a_stop_ends_a_read_at_once) {
  client app({.size = 1});
  warm_up(app);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread other([&source] {
    EXPECT_TRUE(
        eventually([] { return ask("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"; }));
    source.request_stop();
  });
  const error stopped = error_of(app.run(read("select pg_sleep(60)"), deadline::after(patience), &token));
  other.join();
  EXPECT_EQ(stopped.code(), errc::cancelled);
  EXPECT_EQ(stopped.applied(), applied::no);
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
}

TEST_F(deadlines, a_stopped_write_is_cancelled_on_the_server_and_known_not_to_be_applied) {
  client app({.size = 1});
  warm_up(app);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread other([&source] {
    EXPECT_TRUE(
        eventually([] { return ask("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"; }));
    source.request_stop();
  });
  const auto answer =
      app.run(write("insert into things select 1 from pg_sleep(60)"), deadline::after(patience), &token);
  other.join();
  const error stopped = error_of(answer);
  EXPECT_EQ(stopped.code(), errc::cancelled) << stopped.message();
  EXPECT_EQ(stopped.applied(), applied::no);
  EXPECT_EQ(stopped.sqlstate(), "57014");
  EXPECT_EQ(ask("select count(*) from things"), "0");
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(deadlines, a_late_cancel_request_never_hits_the_next_borrower) {
  // A write whose answer comes while it is being cancelled; whoever gets the connection next must not be hit.
  client app({.size = 1});
  warm_up(app);
  for (int i = 0; i < 30; ++i) {
    std::stop_source source;
    source.request_stop();  // so the cancel request races with a statement that takes no time
    const std::stop_token token = source.get_token();
    (void)app.run(write("select 1"), deadline::after(patience), &token);
    EXPECT_EQ(value_of(app.run(read("select pg_sleep(0.01)::text"))), "");
  }
}

TEST_F(deadlines, a_write_whose_connection_dies_is_unknown) {
  client app({.size = 2});
  auto holder = connect();
  ASSERT_TRUE(succeeds(run_on(*holder, write("begin"))));
  ASSERT_TRUE(succeeds(run_on(*holder, write("insert into things values (1)"))));
  std::thread killer([] {
    std::string victim;
    EXPECT_TRUE(eventually([&victim] {
      victim =
          ask("select coalesce((select pid::text from pg_stat_activity where wait_event_type = "
              "'Lock'), '')");
      return !victim.empty();
    }));
    terminate(std::stoi(victim));
  });
  const error lost = error_of(app.run(write("insert into things values (1)")));
  killer.join();
  EXPECT_EQ(lost.code(), errc::commit_unknown);
  EXPECT_EQ(lost.applied(), applied::unknown);
  EXPECT_EQ(lost.sqlstate(), "57P01") << "the first error, not libpq's echo of it";
  EXPECT_TRUE(lost.poisons_connection());
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
}

TEST_F(deadlines, a_read_whose_connection_dies_is_a_failed_connection) {
  client app({.size = 2});
  warm_up(app);
  std::thread killer([] {
    std::string victim;
    EXPECT_TRUE(eventually([&victim] {
      victim =
          ask("select coalesce((select pid::text from pg_stat_activity where wait_event = "
              "'PgSleep'), '')");
      return !victim.empty();
    }));
    terminate(std::stoi(victim));
  });
  const error lost = error_of(app.run(read("select pg_sleep(60)")));
  killer.join();
  EXPECT_EQ(lost.code(), errc::connection_failed);
  EXPECT_EQ(lost.sqlstate(), "57P01");
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
}

// --- a peer that went silent ---------------------------------------------------------------------------------

TEST_F(deadlines, hold_for_reads_and_writes_when_the_server_process_is_frozen) {
  client app({.size = 1});
  for (const auto kind : {statement_class::read, statement_class::write}) {
    auto borrowed = app.borrow();
    ASSERT_TRUE(borrowed);
    const int backend = backend_of(*borrowed.value());
    borrowed.value().give_back();
    const frozen peer(backend);
    statement what = write("select 1 from things");
    what.kind = kind;
    const auto started = clock_type::now();
    const error overdue = error_of(app.run(what, deadline::after(50ms)));
    EXPECT_LT(since(started), 50ms + lateness);
    EXPECT_EQ(overdue.code(), kind == statement_class::read ? errc::deadline_exceeded : errc::commit_unknown);
    EXPECT_EQ(overdue.applied(), kind == statement_class::read ? applied::no : applied::unknown);
  }
  EXPECT_TRUE(eventually([&app] { return app.is_quiet(); }));
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
}

TEST_F(deadlines, hold_when_the_whole_server_is_frozen_and_it_serves_again_afterwards) {
  client app({.size = 4});
  warm_up(app);
  const int postmaster = std::stoi(ask("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
  auto borrowed = app.borrow();
  ASSERT_TRUE(borrowed);
  const int backend = backend_of(*borrowed.value());
  borrowed.value().give_back();
  {
    const frozen main_process(postmaster);
    const frozen process(backend);
    for (int i = 0; i < 12; ++i) {  // more than there are background threads
      const auto started = clock_type::now();
      const error overdue = error_of(app.run(read("select 1"), deadline::after(50ms)));
      EXPECT_LT(since(started), 50ms + lateness);
      EXPECT_TRUE(overdue.is_transient()) << overdue.message();
    }
  }
  EXPECT_TRUE(eventually([&app] { return app.run(read("select 1"), deadline::after(1s)).has_value(); }));
}

TEST_F(deadlines, hold_when_the_network_goes_silent_and_nothing_keeps_the_background_from_ending) {
  proxy between(server().primary().port());
  const auto started_all = clock_type::now();
  {
    client app({.size = 2, .validate_after_idle = 0ms}, through(between));
    warm_up(app);
    auto held = app.borrow();
    ASSERT_TRUE(held);
    warm_up(app);  // the second connection
    between.fall_silent();
    for (const auto kind : {statement_class::read, statement_class::write}) {
      statement what = write("select 1 from things");
      what.kind = kind;
      const auto started = clock_type::now();
      const error overdue = error_of(app.run(what, deadline::after(80ms)));
      EXPECT_LT(since(started), 80ms + lateness);
      EXPECT_TRUE(overdue.is_transient() || overdue.code() == errc::commit_unknown) << overdue.message();
    }
    {
      // Inside a lease: a statement on the silent connection itself.
      const auto started = clock_type::now();
      const error overdue = error_of(run_on(*held.value(), read("select 1"), {}, deadline::after(50ms)));
      EXPECT_EQ(overdue.code(), errc::deadline_exceeded);
      EXPECT_LT(since(started), 50ms + lateness);
    }
    held.value().give_back();
  }  // ends the pool and its background
  EXPECT_LT(since(started_all), 8s) << "no cancel request may hang on a silent peer";
}

TEST_F(deadlines, a_write_whose_answer_is_lost_on_the_way_is_unknown_though_it_was_applied) {
  proxy between(server().primary().port());
  client app({.size = 1}, through(between));
  warm_up(app);
  between.lose_answers();
  const error unknown = error_of(app.run(write("insert into things values (42)"), deadline::after(100ms)));
  EXPECT_EQ(unknown.code(), errc::commit_unknown);
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_EQ(ask("select count(*) from things"), "1") << "which is why it must not say 'not applied'";
}

TEST_F(deadlines, a_write_that_was_given_up_never_arrives_later) {
  // A megabyte fits into the kernel's buffers, but not into those of the frozen server: a connection that is closed
  // politely would go on delivering it, long after its caller has read "unknown" and looked for it.
  arrange("create table blobs (what text); grant all on blobs to app");
  client app({.size = 1});
  const int backend = std::stoi(value_of(app.run(read("select pg_backend_pid()"))));
  parameters values;
  values.add_text(std::string(1'000'000, 'x'));
  {
    const frozen peer(backend);
    EXPECT_EQ(error_of(app.run(write("insert into blobs values ($1)"), values, deadline::after(100ms))).applied(),
              applied::unknown);
    ASSERT_TRUE(eventually([&app] { return app.events.closed().size() == 1; }));
    // Closing is the background's last task for it; its thread being free again says that it is done.
    ASSERT_TRUE(succeeds(app.run(read("select 1"))));
  }
  ASSERT_TRUE(eventually([backend] { return is_gone(backend); }));
  EXPECT_EQ(ask("select count(*) from blobs"), "0");
  arrange("drop table blobs");
}

TEST_F(deadlines, waiting_for_a_connection_counts) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  const auto started = clock_type::now();
  const error overdue = error_of(app.run(read("select 1"), deadline::after(50ms)));
  EXPECT_EQ(overdue.code(), errc::deadline_exceeded);
  EXPECT_GE(since(started), 50ms);
  EXPECT_LT(since(started), 50ms + lateness);
  EXPECT_NE(overdue.message().find("pool.size = 1"), std::string::npos) << overdue.message();
  EXPECT_EQ(app.events.waits_timed_out(), 1);
}

}  // namespace
}  // namespace breakwater::postgres::test
