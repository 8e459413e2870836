#include "admin_connection.hpp"

#include "server_settings.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

namespace breakwater::testing::detail {
namespace {

std::int64_t milliseconds_left(deadline until) {
  using std::chrono::milliseconds;
  const auto left = until.remaining(deadline::clock::now());
  return std::chrono::ceil<milliseconds>(std::min<deadline::clock::duration>(left, milliseconds(INT_MAX / 2))).count();
}

/// Waits for the connection's socket; false if the deadline came first.
bool wait_for_socket(PGconn* connection, short events, deadline until) {
  pollfd waiting{.fd = PQsocket(connection), .events = events, .revents = 0};
  for (;;) {
    const int ready = ::poll(&waiting, 1, static_cast<int>(milliseconds_left(until)));
    if (ready > 0) return true;
    if (ready == 0 && until.expired(deadline::clock::now())) return false;
    if (ready < 0 && errno != EINTR) return true;  // libpq finds out what it is
  }
}

std::string without_newline(const char* message) {
  std::string text = message ? message : "";
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

/// The little of SQLSTATE that tests ask about.
errc classify(std::string_view state) {
  if (state == "57014") return errc::deadline_exceeded;  // by our own statement_timeout
  if (state == "25006") return errc::read_only;
  if (state == "42501") return errc::insufficient_privilege;
  if (state == "23505") return errc::unique_violation;
  if (state == "40001") return errc::serialization_failure;
  if (state == "40P01") return errc::deadlock;
  if (state == "55P03") return errc::lock_not_available;
  const auto family = state.substr(0, 2);
  if (family == "42" || family == "3F" || family == "3D") return errc::invalid_statement;
  if (family == "22") return errc::data_error;
  if (family == "53") return errc::resource_exhausted;
  if (family == "08" || family == "57") return errc::connection_failed;
  if (family == "55") return errc::invalid_argument;
  return errc::internal;
}

}  // namespace

result<admin_connection> admin_connection::open(const target& to, deadline until) {
  const std::string port = std::to_string(to.port);
  // So that a statement does not go on after we gave up; commits wait for replicas only if the
  // caller asks.
  const std::string settings =
      "-c statement_timeout=" + std::to_string(std::max<std::int64_t>(1, milliseconds_left(until)));
  // Everything the program's PG* variables could otherwise say.
  const std::array<const char*, 14> keywords = {"host",
                                                "hostaddr",
                                                "port",
                                                "user",
                                                "password",
                                                "dbname",
                                                "sslmode",
                                                "options",
                                                "gssencmode",
                                                "channel_binding",
                                                "application_name",
                                                "client_encoding",
                                                "target_session_attrs",
                                                nullptr};
  const std::array<const char*, 14> values = {
      loopback.data(), loopback.data(),  port.c_str(), superuser.data(), to.password.c_str(),  to.database.c_str(),
      "disable",       settings.c_str(), "disable",    "disable",        "breakwater-testing", "UTF8",
      "any",           nullptr};
  admin_connection made(PQconnectStartParams(keywords.data(), values.data(), 0), to.node, until);
  if (!made.connection_) return error(errc::internal, "out of memory for a connection");
  PQsetNoticeProcessor(
      made.connection_.get(), [](void*, const char*) {}, nullptr);
  BOOST_OUTCOME_TRY(made.connect());
  return made;
}

result<void> admin_connection::connect() {
  // libpq: as if PQconnectPoll had said "writing".
  auto state = PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) {
      return lost(applied::no);
    }
    const auto events = static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (!wait_for_socket(connection_.get(), events, until_)) return late("connecting", applied::no);
    state = PQconnectPoll(connection_.get());
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) return lost(applied::no);
  return success();
}

result<void> admin_connection::execute(const std::string& sql) {
  BOOST_OUTCOME_TRY(run(sql));
  return success();
}

result<std::string> admin_connection::value(const std::string& sql) {
  BOOST_OUTCOME_TRY(auto rows, run(sql));
  if (PQnfields(rows.get()) != 1) {
    return error(errc::data_error, "the query does not return exactly one column: " + sql).with_node(node_);
  }
  if (PQntuples(rows.get()) == 0) {
    return error(errc::not_found, "the query returned no row: " + sql).with_node(node_);
  }
  if (PQntuples(rows.get()) > 1) {
    return error(errc::too_many_rows, "the query returned more than one row: " + sql).with_node(node_);
  }
  if (PQgetisnull(rows.get(), 0, 0)) {
    return error(errc::data_error, "the value is NULL (use coalesce): " + sql).with_node(node_);
  }
  return std::string(PQgetvalue(rows.get(), 0, 0));
}

result<void> admin_connection::send(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return lost(applied::no);
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return success();
    if (left < 0) return lost(applied::unknown);
    if (!wait_for_socket(connection_.get(), POLLIN | POLLOUT, until_)) {
      return late("sending", applied::unknown);
    }
    // The server may be unable to read on before we have read.
    if (PQconsumeInput(connection_.get()) == 0) return lost(applied::unknown);
  }
}

/// The next answer of the statements sent; empty after the last.
result<admin_connection::answer> admin_connection::next_answer() {
  while (PQisBusy(connection_.get()) != 0) {
    if (!wait_for_socket(connection_.get(), POLLIN, until_)) {
      return late("executing", applied::unknown);
    }
    if (PQconsumeInput(connection_.get()) == 0) return lost(applied::unknown);
  }
  return answer(PQgetResult(connection_.get()));
}

result<admin_connection::answer> admin_connection::run(const std::string& sql) {
  BOOST_OUTCOME_TRY(send(sql));
  answer last;
  for (;;) {
    BOOST_OUTCOME_TRY(auto next, next_answer());
    if (!next) break;
    switch (PQresultStatus(next.get())) {
      case PGRES_EMPTY_QUERY:
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: last = std::move(next); break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        return error(errc::invalid_argument, "COPY to or from the client is not for this helper").with_node(node_);
      default:
        // What ran before the statement that failed may have been committed by a COMMIT in the
        // text.
        return refused(next.get(), last ? applied::unknown : applied::no);
    }
  }
  if (!last) return lost(applied::unknown);
  return last;
}

error admin_connection::lost(applied fate) const {
  error result(errc::connection_failed, without_newline(PQerrorMessage(connection_.get())));
  return result.with_node(node_).with_applied(fate);
}

error admin_connection::late(std::string_view doing, applied fate) const {
  error result(errc::deadline_exceeded, "the deadline came while " + std::string(doing));
  return result.with_node(node_).with_applied(fate);
}

error admin_connection::refused(const PGresult* why, applied fate) const {
  const char* const state = PQresultErrorField(why, PG_DIAG_SQLSTATE);
  if (!state || std::string_view(state).size() != 5) return lost(applied::unknown);
  // A server that goes down ends the connection with class 57; whether it had committed is not
  // said.
  const errc code = classify(state);
  error result(code, without_newline(PQresultErrorField(why, PG_DIAG_MESSAGE_PRIMARY)));
  result.with_node(node_).with_sqlstate(state);
  return result.with_applied(code == errc::connection_failed ? applied::unknown : fate);
}

}  // namespace breakwater::testing::detail
