// How a connection is made: the non-blocking handshake, the session's settings, the server's notices.

#include "core/secret_cache.hpp"
#include "postgres/connection.hpp"
#include "postgres/native.hpp"
#include "postgres/server_error.hpp"
#include "postgres/socket_wait.hpp"
#include "postgres/transaction_prologue.hpp"
#include <breakwater/core/random.hpp>

#include <fcntl.h>
#include <libpq-fe.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace breakwater::postgres {
namespace {

/// Settings of ours that a DSN may override, and those that it may not.
dsn::connect_parameters with_defaults(dsn::connect_parameters given, const connection_settings& settings,
                                      const credentials* secret, std::array<std::string, 4>& numbers) {
  const tcp_options& tcp = settings.tcp;
  numbers = {std::to_string(tcp.keepalives_idle.count()), std::to_string(tcp.keepalives_interval.count()),
             std::to_string(tcp.keepalives_count), std::to_string(tcp.user_timeout.count())};
  dsn::connect_parameters all;
  const auto add = [&all](const char* keyword, const char* value) {
    all.keywords.push_back(keyword);
    all.values.push_back(value);
  };
  // libpq takes the last of two, so what stands first is a default.
  add("keepalives_idle", numbers[0].c_str());
  add("keepalives_interval", numbers[1].c_str());
  add("keepalives_count", numbers[2].c_str());
  add("tcp_user_timeout", numbers[3].c_str());
  if (!settings.application_name.empty()) add("application_name", settings.application_name.c_str());
  for (std::size_t i = 0; given.keywords[i] != nullptr; ++i) add(given.keywords[i], given.values[i]);
  if (secret != nullptr) {
    if (!secret->user.empty()) add("user", secret->user.c_str());
    add("password", secret->password.c_str());
  }
  add("client_encoding", "UTF8");  // what every codec and the statement text assume
  add(nullptr, nullptr);
  return all;
}

constexpr std::size_t sqlstate_length = 5;

/// A synchronous standby's answer was no longer awaited: the commit is local only.
bool is_replication_warning(const pg_result* notice) noexcept {
  const char* const state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
  const char* const function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (state == nullptr) return false;
  const std::string_view code = state;
  if (code != "01000" && code != "57P01") return false;
  // 01000 is also what RAISE WARNING sends; without a function's name it can not be told apart, and then the
  // careful answer is the right one.
  return function == nullptr || std::string_view(function) == "SyncRepWaitForLSN";
}

}  // namespace

result<std::unique_ptr<connection>> connection::open(std::shared_ptr<const connection_settings> settings,
                                                     deadline until, const std::stop_token* cancel) {
  if (!settings->secrets) return open_with(settings, nullptr, until, cancel);
  secret_cache& secrets = *settings->secrets;
  auto secret = secrets.current(until);
  if (!secret) return std::move(secret).error().with_node(settings->node);
  auto made = open_with(settings, &secret.assume_value()->what, until, cancel);
  constexpr std::string_view invalid_password = "28P01";
  if (!made && made.error().sqlstate() == invalid_password) {
    auto other = secrets.renew_refused(secret.assume_value()->version, until);
    if (!other) return std::move(other).error().with_node(settings->node);
    if (other.assume_value() == nullptr) {
      error refused = std::move(made).error();
      return refused.with_text(refused.text() + " (it is from " + secrets.source() + ", which has no other one)");
    }
    secret = std::move(other);
    made = open_with(settings, &secret.assume_value()->what, until, cancel);
  }
  if (made) made.assume_value()->secret_version_ = secret.assume_value()->version;
  return made;
}

result<std::unique_ptr<connection>> connection::open_with(const std::shared_ptr<const connection_settings>& settings,
                                                          const credentials* secret, deadline until,
                                                          const std::stop_token* cancel) {
  std::unique_ptr<connection> made(new connection(settings));
  if (auto done = made->establish(secret, until, cancel); !done) return done.error().with_node(made->node());
  if (auto done = made->set_up_session(until, cancel); !done) return done.error().with_node(made->node());
  return made;
}

result<void> connection::establish(const credentials* secret, deadline until, const std::stop_token* cancel) {
  std::array<std::string, 4> numbers;
  const auto given = settings_->address.keywords_and_values();
  const auto parameters = with_defaults(given, *settings_, secret, numbers);
  handle_ = PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), 0);
  if (handle_ == nullptr) return error(errc::resource_exhausted, "out of memory while connecting");
  // The only way to learn the SQLSTATE of a refusal: libpq shows it in place of the text.
  PQsetErrorVerbosity(handle_, PQERRORS_SQLSTATE);
  handshake_listener listener(handle_);
  install_notice_receiver();  // libpq's own prints to stderr what a server says that ends us meanwhile

  const stop_signal stop(cancel);
  auto wanted = readiness::writable;
  while (PQstatus(handle_) != CONNECTION_BAD) {
    const auto waited = wait_for_socket(PQsocket(handle_), wanted, until, stop);
    if (waited == wait_result::cancelled) return error(errc::cancelled, "cancelled while connecting");
    if (waited == wait_result::timed_out) {
      return error(errc::connection_failed, "no connection within the connect timeout; is the host reachable?");
    }
    const auto state = PQconnectPoll(handle_);
    if (state == PGRES_POLLING_OK) {
      PQsetErrorVerbosity(handle_, PQERRORS_DEFAULT);
      cancel_key_ = listener.key();
      native_.reset(seize(handle_));
      abort_socket_ = ::fcntl(PQsocket(handle_), F_DUPFD_CLOEXEC, 0);
      opened_at_ = clock::now();
      was_replica_ = is_replica();
      install_notice_receiver();
      return success();
    }
    if (state == PGRES_POLLING_FAILED) break;
    wanted = state == PGRES_POLLING_READING ? readiness::readable : readiness::writable;
  }
  return read_connect_error(handle_);
}

void connection::install_notice_receiver() {
  PQsetNoticeReceiver(
      handle_,
      [](void* self, const pg_result* notice) {
        auto& link = *static_cast<connection*>(self);
        ++link.notices_;
        if (is_replication_warning(notice)) link.unreplicated_commit_ = true;
        if (ends_session(notice)) {  // to a connection that had asked nothing, this comes as a notice
          link.dismissed_ = true;
          const char* const state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
          if (state != nullptr && std::strlen(state) == sqlstate_length) link.dismissal_ = state;
        }
      },
      this);
}

result<void> connection::set_up_session(deadline until, const std::stop_token* cancel) {
  if (settings_->pooler != pooler::transaction) {
    BOOST_OUTCOME_TRY(const bool direct, set_up_direct(until, cancel));
    if (direct) return success();
  }
  return set_up_behind_pooler(until, cancel);
}

result<void> connection::set_up_behind_pooler(deadline until, const std::stop_token* cancel) {
  // One that mixes sessions up must not run what another one has prepared under the same name.
  constexpr double many_names = 1e15;
  const bool prepares = settings_->pooler_prepares && settings_->statement_cache_size > 0;
  cache_ = statement_cache(prepares ? settings_->statement_cache_size : 0,
                           "bw_" + std::to_string(static_cast<std::uint64_t>(random_unit() * many_names)) + "_");
  process_ = {.changes = true};
  prologue_ = std::make_unique<transaction_prologue>(settings_->statement_timeout,
                                                     settings_->idle_in_transaction_timeout, prepares);
  // Brings the prologue's own answer.
  constexpr statement greeting{.sql = "select 1",
                               .name = "session setup",
                               .operation = "SELECT",
                               .kind = statement_class::read,
                               .prepare = false};
  const parameters none;
  const std::array commands{command{&greeting, &none}};
  BOOST_OUTCOME_TRY(run({.commands = commands, .until = until, .cancel = cancel}));
  was_replica_ = told_replica_;
  return success();
}

result<bool> connection::set_up_direct(deadline until, const std::stop_token* cancel) {
  constexpr int first_with_client_check = 140000;
  session_extras wanted{.client_check = PQserverVersion(handle_) >= first_with_client_check,
                        .role = reported_role() == nullptr,
                        .only_direct = settings_->pooler == pooler::automatic};
  for (;;) {
    auto done = send_settings(wanted, until, cancel);
    if (done) {
      const rows& answer = done.assume_value();
      if (answer.empty()) return false;
      if (wanted.process) note_process(answer);
      if (wanted.role) {
        was_replica_ = told_replica_ = answer.at(0, answer.columns() - 1).text == "t";
        role_known_ = false;
      }
      return true;
    }
    // Not every system that a server runs on can tell it whether its client is still there; it then refuses the setting.
    constexpr std::string_view invalid_parameter_value = "22023";
    // Somebody has kept the view of server processes from the role.
    constexpr std::string_view insufficient_privilege = "42501";
    if (wanted.client_check && done.error().sqlstate() == invalid_parameter_value) {
      wanted.client_check = false;
    } else if (wanted.process && done.error().sqlstate() == insufficient_privilege) {
      wanted.process = false;
    } else {
      return std::move(done).error();
    }
  }
}

void connection::note_process(const rows& answer) {
  if (answer.empty() || answer.columns() < 2) return;
  const std::string_view number = answer.at(0, 0).text;
  const std::string_view start = answer.at(0, 1).text;
  // A proxy hands out keys of its own, and may run the next transaction in another process.
  if (number != std::to_string(PQbackendPID(handle_))) process_ = {.changes = true};
  if (start.empty() || process_.changes) return;
  process_ = {.number = std::string(number), .start = std::string(start), .is_direct = true};
}

result<rows> connection::send_settings(session_extras with, deadline until, const std::stop_token* cancel) {
  // The text forms that the codecs read, the warnings by which a COMMIT tells that it was not replicated, and the bounds
  // that free a server process whose client is gone. A role's or database's own settings must not change them.
  //
  // No one of those bounds suffices alone: keepalives and the user timeout let the server's kernel notice that the link
  // is dead, the client check lets the server ask its kernel while it runs or waits, and a process that waits for a
  // statement of a client that lives but says nothing is ended by the last. (Over a Unix socket the server ignores
  // tcp_*.)
  //
  // The process is asked for here, once on a connection, because the server looks through all of its processes for its
  // start. (That is written as text when all settings are made.)
  std::string sql = "select ";
  if (with.process) {
    sql.append("pg_catalog.pg_backend_pid(), ")
        .append("(select a.backend_start from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a), ");
  }
  sql.append(R"(pg_catalog.set_config('DateStyle', 'ISO', false),
pg_catalog.set_config('IntervalStyle', 'postgres', false),
pg_catalog.set_config('bytea_output', 'hex', false),
pg_catalog.set_config('extra_float_digits', '1', false),
pg_catalog.set_config('standard_conforming_strings', 'on', false),
pg_catalog.set_config('client_min_messages', 'warning', false),
pg_catalog.set_config('statement_timeout', $1, false),
pg_catalog.set_config('idle_in_transaction_session_timeout', $2, false),
pg_catalog.set_config('tcp_keepalives_idle', $3, false),
pg_catalog.set_config('tcp_keepalives_interval', $4, false),
pg_catalog.set_config('tcp_keepalives_count', $5, false),
pg_catalog.set_config('tcp_user_timeout', $6, false))");
  parameters values;
  values.add_text(std::to_string(settings_->statement_timeout.count()));
  values.add_text(std::to_string(settings_->idle_in_transaction_timeout.count()));
  values.add_text(std::to_string(settings_->tcp.keepalives_idle.count()));
  values.add_text(std::to_string(settings_->tcp.keepalives_interval.count()));
  values.add_text(std::to_string(settings_->tcp.keepalives_count));
  values.add_text(std::to_string(settings_->tcp.user_timeout.count()));
  if (with.client_check) {
    sql.append(", pg_catalog.set_config('client_connection_check_interval', $7, false)");
    values.add_text(std::to_string(settings_->tcp.client_connection_check_interval.count()));
  }
  // Should the replica be promoted under this connection, nothing sent as a read can write.
  if (was_replica_) sql.append(", pg_catalog.set_config('default_transaction_read_only', 'on', false)");
  if (with.role) {
    sql.append(
        ", case when pg_catalog.pg_is_in_recovery() then "
        "pg_catalog.set_config('default_transaction_read_only', 'on', false) end, pg_catalog.pg_is_in_recovery()");
  }
  if (with.only_direct) {
    // A pooler hands out keys of its own. What was set through it would stay on a connection that others use next.
    values.add_text(std::to_string(PQbackendPID(handle_)), oid::int4);
    sql.append(" where pg_catalog.pg_backend_pid() operator(pg_catalog.=) $").append(std::to_string(values.size()));
  }

  const statement setup{
      .sql = sql, .name = "session setup", .operation = "SELECT", .kind = statement_class::read, .prepare = false};
  const std::array commands{command{&setup, &values}};
  return run({.commands = commands, .until = until, .cancel = cancel});
}

}  // namespace breakwater::postgres
