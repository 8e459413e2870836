#include "support.hpp"

#include "../cluster_or_exit.hpp"

#include <libpq-fe.h>

namespace tests {

bw::testing::cluster& shared_cluster() {
  static bw::testing::cluster shared = [] {
    auto made = cluster_or_exit({.replicas = 1});
    EXPECT_OK(made.execute("create table notes (who text not null); grant all on notes to app"));
    EXPECT_OK(made.execute(bw::outcome_guard_ddl()));
    EXPECT_OK(
        made.execute("grant usage on schema breakwater to app; grant select, insert, update, delete on "
                     "breakwater.outcomes to app"));
    return made;
  }();
  return shared;
}

std::string truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

std::unique_ptr<bouncer> bouncer_before_primary(const bouncer_options& options) {
  auto started = bouncer::start(shared_cluster(), shared_cluster().primary(), options);
  EXPECT_OK(started);
  return started ? std::make_unique<bouncer>(std::move(started).value()) : nullptr;
}

bw::config config_through(const bouncer& between) {
  bw::config settings;
  settings.nodes = {between.dsn()};
  settings.pool.size = 4;
  settings.operation_timeout = 15s;
  return settings;
}

std::optional<bw::database> open(const bw::config& settings) {
  auto opened = bw::database::open(settings);
  EXPECT_OK(opened);
  if (!opened) return std::nullopt;
  return std::move(opened).value();
}

stranger::stranger(const bouncer& between) : handle_(PQconnectdb(between.dsn().c_str())) {
  EXPECT_EQ(PQstatus(handle_), CONNECTION_OK) << PQerrorMessage(handle_);
}

stranger::~stranger() { PQfinish(handle_); }

std::string stranger::run(const std::string& sql) {
  PGresult* const answer = PQexec(handle_, sql.c_str());
  const auto status = PQresultStatus(answer);
  std::string value;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) value = PQresultErrorMessage(answer);
  if (status == PGRES_TUPLES_OK && PQntuples(answer) > 0) value = PQgetvalue(answer, 0, 0);
  PQclear(answer);
  return value;
}

std::string stranger::session_state() {
  return run(
      "select concat_ws(' ', pg_backend_pid(), string_agg(name || '=' || setting, ' ' order by name)) from pg_settings "
      "where name in ('DateStyle', 'IntervalStyle', 'bytea_output', 'extra_float_digits', "
      "'standard_conforming_strings', 'client_min_messages', 'statement_timeout', "
      "'idle_in_transaction_session_timeout', 'transaction_read_only', 'default_transaction_read_only', 'TimeZone', "
      "'search_path', 'lock_timeout', 'synchronous_commit', 'tcp_keepalives_idle', 'tcp_user_timeout', "
      "'client_connection_check_interval')");
}

}  // namespace tests
