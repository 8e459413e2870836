// COPY on a connection: what is known of it when the connection or the server fails on the way.

#include "postgres/lease_channel.hpp"
#include "proxy.hpp"
#include "support.hpp"
#include <breakwater/postgres/copy.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace breakwater::postgres::test {
namespace {

/// Numbers from 1 up, in buffers of about the usual size.
class numbers final : public copy_source {
 public:
  explicit numbers(int count) : left_(count) {}
  [[nodiscard]] std::span<const std::string_view> columns() const noexcept override { return column_names; }
  [[nodiscard]] result<bool> fill(std::string& to, std::string_view clock) override {
    seen_clock = clock;
    for (; left_ > 0 && to.size() < copy_buffer_bytes; --left_) to.append(std::to_string(++next_)).append("\n");
    if (before_end && left_ == 0) before_end();
    return left_ > 0;
  }
  [[nodiscard]] bool sent() override {
    ++buffers;
    if (after_first && buffers == 1) after_first();
    if (after_last && left_ == 0) after_last();
    return true;
  }

  std::function<void()> after_first, before_end, after_last;
  std::string seen_clock;
  int buffers = 0;

 private:
  static constexpr std::string_view column_names[] = {"id"};
  int left_;
  int next_ = 0;
};

class counting_sink final : public copy_sink {
 public:
  [[nodiscard]] result<void> begin(const rows& shape) override {
    columns = shape.columns();
    return success();
  }
  [[nodiscard]] result<bool> take(std::string_view /*line*/) override {
    ++taken;
    if (each) each();
    return taken < most;
  }
  std::function<void()> each;
  std::size_t columns = 0;
  int taken = 0;
  int most = 1'000'000'000;
};

constexpr statement copy_things(std::string_view sql, statement_class kind) noexcept {
  return {.sql = sql,
          .name = "things.copy",
          .operation = "COPY",
          .table = "things",
          .kind = kind,
          .mapped = true,
          .prepare = false};
}
constexpr statement into_things = copy_things("copy things (id) from stdin", statement_class::write);
constexpr statement out_of_things = copy_things("copy (select id from things) to stdout", statement_class::read);
constexpr std::string_view shape = "select id from things limit 0";

class copying : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { arrange("create table things (id int primary key); grant all on things to app"); }
  static void TearDownTestSuite() { arrange("drop table things"); }
  void TearDown() override { arrange("truncate things"); }

  static result<std::size_t> into(client& app, copy_source& from, deadline until = deadline::after(patience),
                                  const std::stop_token* cancel = nullptr) {
    return copy_in(app.connections, {.what = into_things, .values = none, .until = until, .cancel = cancel}, from);
  }
  static result<std::size_t> out_of(client& app, copy_sink& to, deadline until = deadline::after(patience)) {
    return copy_out(app.connections, {.what = out_of_things, .values = none, .until = until}, shape, to);
  }
  static int backend(client& app) {
    auto borrowed = app.borrow();
    return borrowed ? backend_of(*borrowed.value()) : 0;
  }
  static std::string count() { return ask("select count(*) from things"); }
  static inline const parameters none;
};

connection_settings through(const proxy& between) {
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  settings.connect_timeout = 500ms;
  return settings;
}

TEST_F(copying, in_takes_two_round_trips_and_gives_the_connection_back) {
  proxy between(server().primary().port());
  client app({.size = 1}, through(between));
  ASSERT_TRUE(succeeds(app.run(read("select 1"))));
  const int before = between.round_trips();
  numbers few(100);
  const auto copied = into(app, few);
  ASSERT_TRUE(succeeds(copied));
  EXPECT_EQ(copied.value(), 100U);
  EXPECT_EQ(between.round_trips() - before, 2) << "until it is ready for rows, and until it has them";
  EXPECT_FALSE(few.seen_clock.empty());
  EXPECT_EQ(value_of(app.run(read("show statement_timeout"))), "30s");
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(copying, in_that_loses_its_connection_before_its_end_is_known_not_to_be_applied) {
  client app({.size = 2});
  const int backend = copying::backend(app);
  numbers many(100'000);
  many.after_first = [backend] {
    terminate(backend);
    EXPECT_TRUE(eventually([backend] { return is_gone(backend); }));
  };
  const error lost = error_of(into(app, many));
  EXPECT_EQ(lost.code(), errc::connection_failed) << lost.message();
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_TRUE(lost.poisons_connection());
  EXPECT_EQ(lost.statement(), "things.copy");
  EXPECT_EQ(count(), "0");
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
}

TEST_F(copying, in_that_loses_its_connection_between_the_last_row_and_its_end_is_known_not_to_be_applied) {
  client app({.size = 2});
  const int backend = copying::backend(app);
  numbers few(10);
  few.before_end = [backend] {
    terminate(backend);
    EXPECT_TRUE(eventually([backend] { return is_gone(backend); }));
  };
  const error lost = error_of(into(app, few));
  EXPECT_EQ(lost.code(), errc::connection_failed) << lost.message();
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_EQ(count(), "0");
}

TEST_F(copying, in_whose_answer_is_lost_is_unknown) {
  proxy between(server().primary().port());
  client app({.size = 1}, through(between));
  numbers few(100);
  few.after_last = [&between] { between.lose_answers(); };
  const error unknown = error_of(into(app, few, deadline::after(300ms)));
  EXPECT_EQ(unknown.code(), errc::commit_unknown) << unknown.message();
  EXPECT_EQ(unknown.applied(), applied::unknown);
  EXPECT_TRUE(eventually([] { return count() == "100"; })) << "and it was applied";
}

TEST_F(copying, in_to_a_server_that_fell_silent_ends_at_its_deadline) {
  proxy between(server().primary().port());
  client app({.size = 1}, through(between));
  numbers endless(1'000'000'000);
  endless.after_first = [&between] { between.fall_silent(); };
  const auto started = clock_type::now();
  const error late = error_of(into(app, endless, deadline::after(200ms)));
  EXPECT_EQ(late.code(), errc::deadline_exceeded) << late.message();
  EXPECT_EQ(late.applied(), applied::no);
  EXPECT_LT(since(started), 1s);
  EXPECT_LT(endless.buffers, 1000) << "rows wait until the socket takes them";
}

TEST_F(copying, in_is_stopped_while_the_server_waits_for_a_lock) {
  arrange("insert into things values (5)");
  client app({.size = 2});
  auto other = connect();
  ASSERT_TRUE(succeeds(run_on(*other, write("begin"))));
  ASSERT_TRUE(succeeds(run_on(*other, write("delete from things where id = 5"))));
  const int backend = [&] {
    auto borrowed = app.borrow();
    return backend_of(*borrowed.value());
  }();
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread stopper([&] {
    EXPECT_TRUE(eventually([backend] { return is_waiting_for(backend, "Lock"); }));
    source.request_stop();
  });
  numbers few(10);
  const error stopped = error_of(into(app, few, deadline::after(patience), &token));
  stopper.join();
  EXPECT_EQ(stopped.code(), errc::cancelled) << stopped.message();
  EXPECT_EQ(stopped.applied(), applied::no) << "the server's own answer";
  EXPECT_EQ(stopped.sqlstate(), "57014");
  EXPECT_FALSE(is_working(backend));
  ASSERT_TRUE(succeeds(run_on(*other, write("rollback"))));
  EXPECT_EQ(count(), "1");
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
  EXPECT_EQ(app.events.opened(), 1) << "it was cancelled and kept";
}

TEST_F(copying, in_that_ended_at_its_deadline_is_cleaned_up_behind_it) {
  client app({.size = 1});
  const int backend = copying::backend(app);
  numbers endless(2'000'000'000);
  EXPECT_EQ(error_of(into(app, endless, deadline::after(100ms))).code(), errc::deadline_exceeded);
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
  EXPECT_EQ(copying::backend(app), backend) << "the connection was put in order and kept";
  EXPECT_EQ(count(), "0");
}

TEST_F(copying, in_whose_source_throws_while_the_server_is_busy_is_cleaned_up_behind_it) {
  arrange("insert into things values (5)");
  client app({.size = 1});
  auto other = connect();
  ASSERT_TRUE(succeeds(run_on(*other, write("begin"))));
  ASSERT_TRUE(succeeds(run_on(*other, write("delete from things where id = 5"))));
  const int backend = copying::backend(app);
  numbers many(100'000);
  many.after_first = [backend] {
    EXPECT_TRUE(eventually([backend] { return is_waiting_for(backend, "Lock"); }));
    throw std::runtime_error("the source is gone");
  };
  EXPECT_THROW((void)into(app, many), std::runtime_error);
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
  EXPECT_EQ(app.events.opened(), 1) << "it was cancelled and kept";
  ASSERT_TRUE(succeeds(run_on(*other, write("rollback"))));
  EXPECT_EQ(count(), "1");
}

TEST_F(copying, in_goes_on_when_the_server_warns) {
  arrange(
      "create or replace function warn() returns trigger language plpgsql as $$ begin if new.id % 1000 = 1 then raise "
      "warning 'seen %', new.id; end if; return new; end $$");
  arrange("create trigger warned before insert on things for each row execute function warn()");
  client app({.size = 1});
  const int backend = copying::backend(app);
  numbers many(100'000);
  many.after_first = [backend] {
    // It has read all that was sent, and so has warned.
    EXPECT_TRUE(eventually([backend] { return is_waiting_for(backend, "ClientRead"); }));
  };
  const auto copied = into(app, many);
  EXPECT_TRUE(succeeds(copied));
  EXPECT_EQ(count(), "100000");
  EXPECT_GT(many.buffers, 5);
  arrange("drop trigger warned on things");
}

TEST_F(copying, a_deadline_in_the_past_and_a_stop_send_nothing) {
  client app({.size = 1});
  ASSERT_TRUE(succeeds(app.run(read("select 1"))));
  numbers few(10);
  EXPECT_EQ(error_of(into(app, few, deadline::after(-1s))).code(), errc::deadline_exceeded);
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  EXPECT_EQ(error_of(into(app, few, deadline::after(patience), &token)).code(), errc::cancelled);
  EXPECT_EQ(few.buffers, 0);
  EXPECT_EQ(app.events.opened(), 1);
}

TEST_F(copying, out_hands_rows_over_and_ends_early_without_costing_the_connection) {
  arrange("insert into things select generate_series(1, 100000)");
  client app({.size = 1});
  const int backend = copying::backend(app);
  counting_sink all;
  EXPECT_EQ(out_of(app, all).value(), 100'000U);
  EXPECT_EQ(all.taken, 100'000);
  EXPECT_EQ(all.columns, 1U);
  counting_sink few;
  few.most = 3;
  EXPECT_EQ(out_of(app, few).value(), 3U);
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
  EXPECT_EQ(copying::backend(app), backend);
}

TEST_F(copying, out_of_a_server_that_fell_silent_ends_at_its_deadline) {
  arrange("insert into things select generate_series(1, 1000000)");
  proxy between(server().primary().port());
  client app({.size = 1}, through(between));
  counting_sink sink;
  sink.each = [&] {
    if (sink.taken == 1000) between.fall_silent();
  };
  const auto started = clock_type::now();
  const error late = error_of(out_of(app, sink, deadline::after(300ms)));
  EXPECT_EQ(late.code(), errc::deadline_exceeded) << late.message();
  EXPECT_EQ(late.applied(), applied::no);
  EXPECT_LT(since(started), 2s);
}

TEST_F(copying, out_that_loses_its_connection_says_so) {
  arrange("insert into things select generate_series(1, 1000000)");
  client app({.size = 2});
  const int backend = copying::backend(app);
  counting_sink sink;
  sink.each = [&] {
    if (sink.taken == 1000) terminate(backend);
  };
  const error lost = error_of(out_of(app, sink));
  EXPECT_EQ(lost.code(), errc::connection_failed) << lost.message();
  EXPECT_EQ(lost.applied(), applied::no);
  EXPECT_GE(sink.taken, 1000);
}

TEST_F(copying, what_is_no_copy_is_refused_without_hanging) {
  client app({.size = 1});
  numbers few(10);
  constexpr statement no_copy = copy_things("select 1", statement_class::write);
  const error refused =
      error_of(copy_in(app.connections, {.what = no_copy, .values = none, .until = deadline::after(patience)}, few));
  EXPECT_EQ(refused.code(), errc::protocol_error) << refused.message();
  const error backwards = error_of(
      copy_in(app.connections, {.what = out_of_things, .values = none, .until = deadline::after(patience)}, few));
  EXPECT_EQ(backwards.code(), errc::internal) << backwards.message();
  EXPECT_EQ(value_of(app.run(read("select 'next'"))), "next");
}

}  // namespace
}  // namespace breakwater::postgres::test
