#include "support.hpp"

#include "../cluster_or_exit.hpp"

#include <cstdlib>
#include <iostream>

namespace tests {
namespace {

/// Sequences are not rolled back, so they count what was.
constexpr std::string_view schema[] = {
    "drop table if exists items",
    "drop sequence if exists calls",
    "create table items (id int primary key, note text not null)",
    "create sequence calls minvalue 0 start 0",
    ("create or replace function fail_times(times int, code text) returns bigint language plpgsql as $$ "
     "declare n bigint := nextval('calls') + 1; begin "
     "if n <= times then raise exception 'as told' using errcode = code; end if; return n; end $$"),
    ("create or replace function kill_times(times int) returns bigint language plpgsql as $$ "
     "declare n bigint := nextval('calls') + 1; begin "
     "if n <= times then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); end if; "
     "return n; end $$"),
};

}  // namespace

bw::testing::cluster& shared_cluster() {
  static bw::testing::cluster shared = cluster_or_exit({.replicas = 1});
  return shared;
}

held_lock::held_lock(int key) : key_(key) {
  std::promise<void> begun;
  auto is_held = begun.get_future();
  holder_ = std::async(std::launch::async, [key, end = end_.get_future(), begun = std::move(begun)]() mutable {
    auto held = std::move(begun);  // broken where this ends without the lock: nobody waits in vain
    bw::config config;
    config.nodes = shared_cluster().dsns();
    auto opened = bw::database::open(config);
    ASSERT_OK(opened);
    bw::session session = opened.value().session({.operation_timeout = 5min});
    const auto body = [&](bw::transaction&) -> bw::result<void> {
      held.set_value();
      end.wait();
      return bw::success();
    };
    EXPECT_OK(session.with_advisory_lock(key, body, {.max_attempts = 1}));
  });
  is_held.wait();
}

bool held_lock::is_waited_for() const {
  const std::string waiting =
      "select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = " + std::to_string(key_);
  return eventually([&] {
    const auto count = shared_cluster().query_value(waiting);
    return count && count.value() == "1";
  });
}

void held_lock::let_go() {
  if (!holder_.valid()) return;
  end_.set_value();
  holder_.get();
}

void recorder::on_retry(const bw::retry_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  retries_.push_back({.statement = std::string(event.statement),
                      .node = std::string(event.node),
                      .sqlstate = std::string(event.cause->sqlstate()),
                      .attempt = event.attempt,
                      .refused_by_budget = event.refused_by_budget});
}
void recorder::on_circuit_change(const bw::circuit_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  circuits_.push_back({.node = std::string(event.node),
                       .of = event.of,
                       .before = event.before,
                       .now = event.now,
                       .forced = event.forced});
}
void recorder::on_circuit_rejected(const bw::circuit_rejected_event& /*event*/) noexcept {
  const std::lock_guard lock(mutex_);
  ++rejected_;
}
std::vector<recorder::retry> recorder::retries() const {
  const std::lock_guard lock(mutex_);
  return retries_;
}
std::vector<recorder::circuit> recorder::circuits() const {
  const std::lock_guard lock(mutex_);
  return circuits_;
}
int recorder::rejected() const {
  const std::lock_guard lock(mutex_);
  return rejected_;
}

void resilience_test::SetUp() {
  for (const std::string_view statement : schema) ASSERT_OK(shared_cluster().execute(statement));
  ASSERT_OK(shared_cluster().execute("grant all on items, calls to public"));
  ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
  config.nodes = shared_cluster().dsns();
  config.observer = events;
}

bw::database resilience_test::open() {
  auto opened = bw::database::open(config);
  if (!opened) {
    std::cerr << "no database: " << opened.error().message() << '\n';
    std::exit(1);
  }
  return std::move(opened).value();
}

int resilience_test::calls() {
  return std::stoi(truth("select case when is_called then last_value + 1 else 0 end from calls"));
}

std::string resilience_test::truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

std::string resilience_test::primary_name() { return "127.0.0.1:" + std::to_string(shared_cluster().primary().port()); }
std::string resilience_test::replica_name() {
  return "127.0.0.1:" + std::to_string(shared_cluster().replica(0).port());
}

}  // namespace tests
