// The life of pooled connections; see the table in pool.hpp.

#include "proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <thread>

namespace breakwater::postgres::test {
namespace {

std::string pid_of(lease& held) { return std::to_string(backend_of(*held)); }

TEST(pool, opens_a_connection_when_it_is_needed_and_keeps_it) {
  client app({.size = 3});
  EXPECT_EQ(app.connections.counts().open, 0U);
  EXPECT_EQ(app.connections.role(), node_role::unknown);
  const auto first = value_of(app.run(read("select pg_backend_pid()")));
  EXPECT_EQ(value_of(app.run(read("select pg_backend_pid()"))), first);
  EXPECT_EQ(app.connections.counts().open, 1U);
  EXPECT_EQ(app.connections.counts().idle, 1U);
  EXPECT_EQ(app.connections.role(), node_role::primary);
  EXPECT_EQ(app.events.roles(), std::vector{node_role::primary});
}

TEST(pool, opens_the_first_one_early_when_asked_to) {
  client app({.size = 3});
  app.connections.open_first();
  app.connections.open_first();
  EXPECT_TRUE(eventually([&app] { return app.connections.counts().idle == 1; }));
  EXPECT_EQ(app.events.opened(), 1);
}

TEST(pool, lends_the_most_recently_used_connection_first) {
  client app({.size = 2});
  auto first = app.borrow();
  auto second = app.borrow();
  ASSERT_TRUE(first && second);
  const auto last_used = pid_of(second.value());
  first.value().give_back();
  second.value().give_back();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(value_of(app.run(read("select pg_backend_pid()"))), last_used);
}

TEST(pool, never_has_more_connections_than_its_size_under_a_crowd) {
  auto settings = settings_for(server().dsn());
  settings.application_name = "crowd";
  client app({.size = 3, .validate_after_idle = 0ms}, settings);
  std::atomic<int> failures{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 12; ++t) {
    crowd.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (!app.run(read("select pg_sleep(0.002)"))) ++failures;
      }
    });
  }
  const auto most = ask("select count(*) from pg_stat_activity where application_name = 'crowd'");
  for (auto& each : crowd) each.join();
  EXPECT_EQ(failures, 0);
  EXPECT_LE(std::stoi(most), 3);
  EXPECT_LE(app.events.opened(), 3);
  EXPECT_LE(app.connections.counts().open, 3U);
}

TEST(pool, serves_waiters_in_the_order_of_their_arrival) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.emplace_back([&, i] {
      auto mine = app.borrow();
      ASSERT_TRUE(mine);
      const std::lock_guard lock(mutex);
      order.push_back(i);
    });
    ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == static_cast<std::size_t>(i) + 1; }));
  }
  held.value().give_back();
  for (auto& each : waiters) each.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST(pool, refuses_more_waiters_than_allowed_at_once) {
  client app({.size = 1, .max_waiters = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::thread waiter([&] { EXPECT_TRUE(succeeds(app.borrow())); });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
  const auto started = clock_type::now();
  const error refused = error_of(app.borrow());
  EXPECT_EQ(refused.code(), errc::overloaded);
  EXPECT_TRUE(refused.is_transient());
  EXPECT_NE(refused.message().find("pool.max_waiters = 1"), std::string::npos);
  EXPECT_LT(since(started), 1s);
  held.value().give_back();
  waiter.join();
}

TEST(pool, a_waiter_can_be_stopped) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread other([&] {
    EXPECT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
    source.request_stop();
  });
  EXPECT_EQ(error_of(app.borrow(deadline::after(patience), &token)).code(), errc::cancelled);
  other.join();
  EXPECT_EQ(app.connections.counts().waiting, 0U);
}

TEST(pool, a_waiter_that_gave_up_does_not_take_a_connection_from_the_next) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  EXPECT_FALSE(app.borrow(deadline::after(20ms)));
  std::thread waiter([&] { EXPECT_TRUE(succeeds(app.borrow())); });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
  held.value().give_back();
  waiter.join();
  EXPECT_EQ(app.connections.counts().idle, 1U);
}

// --- what is given back ---------------------------------------------------------------------------------------

TEST(pool, rolls_back_what_is_given_back_inside_a_transaction) {
  arrange("create table left_open (id int); grant all on left_open to app");
  client app({.size = 1});
  std::string pid;
  {
    auto held = app.borrow();
    ASSERT_TRUE(held);
    pid = pid_of(held.value());
    ASSERT_TRUE(succeeds(run_on(*held.value(), write("begin"))));
    ASSERT_TRUE(succeeds(run_on(*held.value(), write("insert into left_open values (1)"))));
  }
  EXPECT_EQ(value_of(app.run(read("select count(*) from left_open"))), "0");
  EXPECT_EQ(value_of(app.run(read("select pg_backend_pid()"))), pid) << "it was repaired, not replaced";
  EXPECT_EQ(ask("select count(*) from pg_locks where relation = 'left_open'::regclass"), "0");
  arrange("drop table left_open");
}

TEST(pool, ends_what_still_runs_on_a_connection_that_is_given_back) {
  client app({.size = 1});
  std::string pid;
  {
    auto held = app.borrow();
    ASSERT_TRUE(held);
    pid = pid_of(held.value());
    (void)run_on(*held.value(), read("select pg_sleep(60)"), {}, deadline::after(20ms));
  }
  EXPECT_EQ(value_of(app.run(read("select pg_backend_pid()"))), pid);
}

TEST(pool, replaces_what_can_not_be_repaired) {
  client app({.size = 1});
  std::optional<frozen> peer;
  std::string pid;
  {
    auto held = app.borrow();
    ASSERT_TRUE(held);
    pid = pid_of(held.value());
    peer.emplace(std::stoi(pid));
    (void)run_on(*held.value(), read("select 1"), {}, deadline::after(20ms));
  }
  const auto next = value_of(app.run(read("select pg_backend_pid()")));
  EXPECT_NE(next, pid);
  EXPECT_EQ(app.events.closed(), std::vector{close_reason::broken});
  peer.reset();
  EXPECT_TRUE(eventually([&] { return is_gone(std::stoi(pid)); }));
}

TEST(pool, notices_before_use_that_a_resting_connection_was_ended) {
  client app({.size = 2});
  arrange("create table written_once (id int); grant all on written_once to app");
  for (int i = 0; i < 10; ++i) {
    const auto pid = value_of(app.run(read("select pg_backend_pid()")));
    terminate(std::stoi(pid));
    ASSERT_TRUE(eventually([&] { return ask("select count(*) from pg_stat_activity where pid = " + pid) == "0"; }));
    // A write would be commit_unknown if it were sent.
    EXPECT_TRUE(succeeds(app.run(write("insert into written_once values (1)"))));
  }
  EXPECT_EQ(ask("select count(*) from written_once"), "10");
  arrange("drop table written_once");
}

TEST(pool, takes_the_servers_goodbye_for_its_end_even_before_the_socket_ends) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  auto link = connect(settings);
  const int backend = backend_of(*link);
  EXPECT_TRUE(link->consume_pending());
  between.hide_ends();
  terminate(backend);
  ASSERT_TRUE(eventually([&link] { return !link->consume_pending(); }));
  EXPECT_TRUE(link->is_broken());
  const error refused = error_of(run_on(*link, write("select 1")));
  EXPECT_EQ(refused.code(), errc::connection_failed);
  EXPECT_EQ(refused.applied(), applied::no) << "nothing was sent";
}

TEST(pool, a_connection_that_fails_its_check_makes_room_for_who_waits) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  client app({.size = 1, .max_waiters = 1, .validate_after_idle = 0ms}, settings);
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  between.silence_present_connections();
  std::thread checker([&] { (void)app.run(read("select 1"), deadline::after(1s)); });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().idle == 0; }));
  // Nobody else comes by to start a connect for this one: the checker finds the queue full.
  EXPECT_TRUE(succeeds(app.run(read("select 1"), deadline::after(10s))));
  checker.join();
}

TEST(pool, asks_a_connection_that_rested_whether_it_lives) {
  proxy between(server().primary().port());
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  client app({.size = 1, .validate_after_idle = 0ms}, settings);
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  const int before = between.round_trips();
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  EXPECT_EQ(between.round_trips() - before, 2);

  client trusting({.size = 1, .validate_after_idle = 1h}, settings);
  EXPECT_TRUE(succeeds(trusting.run(read("select 1"))));
  const int then = between.round_trips();
  EXPECT_TRUE(succeeds(trusting.run(read("select 1"))));
  EXPECT_EQ(between.round_trips() - then, 1);
}

TEST(pool, a_caller_without_time_for_the_check_does_not_cost_the_connection) {
  client app({.size = 1, .validate_after_idle = 0ms});
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(error_of(app.borrow(deadline::after(-1ms))).code(), errc::deadline_exceeded);
  }
  EXPECT_EQ(app.connections.counts().open, 1U);
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  EXPECT_EQ(app.events.opened(), 1);
}

// --- maintenance ----------------------------------------------------------------------------------------------

TEST(pool_maintenance, closes_connections_that_nobody_needs_down_to_the_minimum) {
  client app({.size = 3, .min_idle = 1, .idle_timeout = 10min});
  {
    auto a = app.borrow();
    auto b = app.borrow();
    auto c = app.borrow();
    ASSERT_TRUE(a && b && c);
  }
  ASSERT_TRUE(eventually([&] { return app.connections.counts().idle == 3; }));
  app.connections.maintain(clock_type::now() + 9min);
  EXPECT_EQ(app.connections.counts().idle, 3U);
  app.connections.maintain(clock_type::now() + 11min);
  EXPECT_EQ(app.connections.counts().idle, 1U);
  EXPECT_EQ(app.events.closed(), (std::vector{close_reason::idle, close_reason::idle}));
}

TEST(pool_maintenance, closes_a_resting_connection_at_the_end_of_its_lifetime_and_says_why) {
  client app({.size = 1, .max_lifetime = 10min, .lifetime_jitter = 0.5, .idle_timeout = 1h});
  EXPECT_TRUE(succeeds(app.run(read("select 1"))));
  app.connections.maintain(clock_type::now() + 4min);
  EXPECT_EQ(app.connections.counts().open, 1U) << "younger than half of it, which is the least";
  app.connections.maintain(clock_type::now() + 10min);
  EXPECT_EQ(app.connections.counts().open, 0U);
  EXPECT_EQ(app.events.closed(), std::vector{close_reason::expired});
}

TEST(pool_maintenance, lifetimes_are_spread_and_never_longer_than_allowed) {
  client app({.size = 8, .max_lifetime = 10min, .lifetime_jitter = 0.5, .idle_timeout = 1h});
  {
    std::vector<result<lease>> all;
    for (int i = 0; i < 8; ++i) all.push_back(app.borrow());
  }
  ASSERT_TRUE(eventually([&] { return app.connections.counts().idle == 8; }));
  const auto now = clock_type::now();
  std::vector<std::size_t> left;
  for (auto age = 5min; age <= 10min; age += 1min) {
    app.connections.maintain(now + age);
    left.push_back(app.connections.counts().open);
  }
  EXPECT_EQ(left.back(), 0U);
  EXPECT_EQ(left.front(), 8U);
  // That all eight end within the same minute has a chance of one in 70,000.
  EXPECT_GT(std::ranges::count_if(left, [](std::size_t n) { return n > 0 && n < 8; }), 0);
  for (const auto reason : app.events.closed()) EXPECT_EQ(reason, close_reason::expired);
}

TEST(pool_maintenance, a_connection_in_use_past_its_lifetime_is_closed_when_it_comes_back) {
  client app({.size = 1, .max_lifetime = 1ms, .lifetime_jitter = 0.0});
  {
    auto held = app.borrow();
    ASSERT_TRUE(held);
    app.connections.maintain(clock_type::now() + 1h);
    EXPECT_EQ(app.connections.counts().open, 1U) << "never while it is in use";
    EXPECT_EQ(value_of(run_on(*held.value(), read("select pg_sleep(0.02)::text"))), "");
  }
  EXPECT_EQ(app.connections.counts().open, 0U);
  EXPECT_EQ(app.events.closed(), std::vector{close_reason::expired});
}

TEST(pool_maintenance, keeps_the_minimum_open_although_nobody_asks) {
  client app({.size = 4, .min_idle = 2});
  app.connections.maintain(clock_type::now());
  EXPECT_TRUE(eventually([&] {
    app.connections.maintain(clock_type::now());
    return app.connections.counts().idle == 2;
  }));
}

TEST(pool_maintenance, reports_a_lease_held_too_long_once_with_the_line_that_took_it) {
  client app({.size = 1, .leak_warning_after = 30s});
  const auto here = source_location::current();
  auto held = app.borrow(deadline::after(patience), nullptr, here);
  ASSERT_TRUE(held);
  app.connections.maintain(clock_type::now() + 29s);
  EXPECT_EQ(app.events.leaks().size(), 0U);
  app.connections.maintain(clock_type::now() + 31s);
  app.connections.maintain(clock_type::now() + 32s);
  const auto leaks = app.events.leaks();
  ASSERT_EQ(leaks.size(), 1U);
  EXPECT_GE(leaks[0].held, 30s);
  EXPECT_EQ(leaks[0].borrower.line(), here.line());
  EXPECT_STREQ(leaks[0].borrower.file_name(), here.file_name());
  held.value().give_back();
  auto again = app.borrow(deadline::after(patience), nullptr, here);
  ASSERT_TRUE(again);
  app.connections.maintain(clock_type::now() + 31s);
  EXPECT_EQ(app.events.leaks().size(), 2U) << "the next borrower is another leak";
}

TEST(pool_maintenance, names_the_borrower_also_of_a_lease_that_had_to_wait) {
  client app({.size = 1, .leak_warning_after = 30s});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  const auto here = source_location::current();
  std::thread waiter([&] {
    auto mine = app.borrow(deadline::after(patience), nullptr, here);
    ASSERT_TRUE(mine);
    app.connections.maintain(clock_type::now() + 31s);
  });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
  held.value().give_back();
  waiter.join();
  ASSERT_EQ(app.events.leaks().size(), 1U);
  EXPECT_EQ(app.events.leaks()[0].borrower.line(), here.line());
}

// --- a server that is down ------------------------------------------------------------------------------------

/// A port of this machine at which nobody listens.
connection_settings nobody_there() {
  std::uint16_t port = 0;
  {
    const proxy gone(1);
    port = gone.port();
  }
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(port)).value();
  return settings;
}

TEST(pool_outage, connects_at_most_ten_times_a_second_however_many_callers_there_are) {
  client app({.size = 10}, nobody_there());
  const auto started = clock_type::now();
  std::atomic<int> answered{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 8; ++t) {
    crowd.emplace_back([&] {
      while (since(started) < 1s) {
        const error refused = error_of(app.run(read("select 1"), deadline::after(1s)));
        EXPECT_EQ(refused.code(), errc::connection_failed) << refused.message();
        ++answered;
        std::this_thread::yield();
      }
    });
  }
  for (auto& each : crowd) each.join();
  const auto attempts = app.events.failed_at();
  EXPECT_GE(attempts.size(), 1U);
  EXPECT_LE(attempts.size(), 11U);
  for (std::size_t i = 1; i < attempts.size(); ++i)
    EXPECT_GE(attempts[i] - attempts[i - 1], 95ms) << "not even two of them follow faster";
  EXPECT_GT(answered, 100) << "callers are refused at once, not made to wait";
}

TEST(pool_outage, refuses_callers_at_once_with_the_reason_while_it_pauses) {
  client app({.size = 2}, nobody_there());
  const error first = error_of(app.run(read("select 1")));
  EXPECT_EQ(first.code(), errc::connection_failed);
  const auto started = clock_type::now();
  const error second = error_of(app.run(read("select 1")));
  EXPECT_LT(since(started), 90ms);
  EXPECT_EQ(second.code(), errc::connection_failed);
  EXPECT_NE(second.message().find("refused"), std::string::npos) << second.message();
}

TEST(pool_outage, tries_again_by_itself_after_the_pause) {
  client app({.size = 2, .min_idle = 1}, nobody_there());
  EXPECT_FALSE(app.run(read("select 1")));
  EXPECT_TRUE(eventually([&] {
    app.connections.maintain(clock_type::now());
    return app.events.failed_at().size() >= 3;
  }));
}

TEST(pool_outage, a_server_restart_is_survived) {
  client app({.size = 3});
  {
    auto a = app.borrow();
    auto b = app.borrow();
    ASSERT_TRUE(a && b);
  }
  ASSERT_TRUE(succeeds(server().restart(server().primary())));
  // Both resting connections are dead, and no caller is shown either of them.
  EXPECT_TRUE(succeeds(app.run(write("select 1"))));
  EXPECT_TRUE(succeeds(app.run(write("select 1"))));
}

TEST(pool_outage, one_look_for_life_goes_through_all_that_died_while_they_rested) {
  client app({.size = 3});
  {
    auto a = app.borrow();
    auto b = app.borrow();
    auto c = app.borrow();
    ASSERT_TRUE(a && b && c);
    for (auto* each : {&a, &b, &c}) {
      const int backend = backend_of(*each->value());
      terminate(backend);
      ASSERT_TRUE(eventually([&] { return is_gone(backend); }));
    }
  }
  app.connections.look_for_life();
  EXPECT_TRUE(eventually([&] { return app.events.opened() == 4; }));
}

TEST(pool_outage, callers_that_hold_dead_connections_make_room_for_new_ones) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  const int backend = backend_of(*held.value());
  std::thread waiter([&] { EXPECT_EQ(value_of(app.run(read("select 1"))), "1"); });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
  terminate(backend);
  (void)run_on(*held.value(), read("select 1"));
  held.value().give_back();
  waiter.join();
}

// --- the end --------------------------------------------------------------------------------------------------

TEST(pool_close, refuses_new_callers_and_wakes_those_who_wait) {
  client app({.size = 1});
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::thread waiter([&] { EXPECT_EQ(error_of(app.borrow()).code(), errc::cancelled); });
  ASSERT_TRUE(eventually([&] { return app.connections.counts().waiting == 1; }));
  std::thread closer([&] { EXPECT_TRUE(app.connections.close(deadline::after(patience))); });
  waiter.join();
  EXPECT_EQ(error_of(app.borrow()).code(), errc::cancelled);
  EXPECT_EQ(value_of(run_on(*held.value(), read("select 'still mine'"))), "still mine");
  held.value().give_back();
  closer.join();
  EXPECT_EQ(app.connections.counts().open, 0U);
}

TEST(pool_close, cuts_off_what_does_not_come_back_in_time) {
  client app({.size = 1});
  std::atomic<bool> sleeping{false};
  error ended = errc::internal;
  std::thread sleeper([&] {
    auto held = app.borrow();
    ASSERT_TRUE(held);
    sleeping = true;
    ended = error_of(run_on(*held.value(), read("select pg_sleep(60)")));
  });
  ASSERT_TRUE(eventually([&] { return sleeping.load(); }));
  const auto started = clock_type::now();
  EXPECT_FALSE(app.connections.close(deadline::after(50ms)));
  sleeper.join();
  EXPECT_EQ(ended.code(), errc::connection_failed);
  EXPECT_LT(since(started), 5s);
  EXPECT_EQ(app.connections.counts().open, 0U);
}

TEST(pool_close, ends_idle_sessions_on_the_server) {
  std::string pid;
  {
    client app({.size = 1});
    pid = value_of(app.run(read("select pg_backend_pid()")));
  }
  EXPECT_TRUE(eventually([&] { return is_gone(std::stoi(pid)); }));
}

TEST(pool_close, does_not_wait_for_a_connect_that_hangs) {
  proxy between(server().primary().port());
  between.fall_silent();
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  settings.connect_timeout = 60s;
  const auto started = clock_type::now();
  {
    client app({.size = 2}, settings);
    EXPECT_FALSE(app.run(read("select 1"), deadline::after(20ms)));
  }
  EXPECT_LT(since(started), 5s);
}

TEST(pool_close, many_callers_at_the_same_time_end_in_order) {
  for (int round = 0; round < 5; ++round) {
    client app({.size = 3, .validate_after_idle = 0ms});
    std::vector<std::thread> crowd;
    std::atomic<bool> stop{false};
    for (int t = 0; t < 6; ++t) {
      crowd.emplace_back([&] {
        while (!stop) (void)app.run(read("select 1"), deadline::after(1s));
      });
    }
    EXPECT_TRUE(eventually([&] { return app.connections.counts().open == 3; }));
    EXPECT_TRUE(app.connections.close(deadline::after(5s)));
    stop = true;
    for (auto& each : crowd) each.join();
    EXPECT_EQ(app.connections.counts().open, 0U);
  }
}

}  // namespace
}  // namespace breakwater::postgres::test
