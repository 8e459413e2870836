#pragma once

// What the tests of the Postgres layer share: one server for all of them, a client with a pool, an observer that
// remembers, and waiting for conditions.

#include "core/task_runner.hpp"
#include "postgres/connection.hpp"
#include "postgres/lease_channel.hpp"
#include "postgres/pool.hpp"
#include <breakwater/core/observer.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::postgres::test {

using namespace std::chrono_literals;
using clock_type = deadline::clock;

/// Long enough for a loaded machine; reached only when a test fails.
inline constexpr std::chrono::seconds patience{20};

/// The server of all tests that need nothing special of it; started by the first.
testing::cluster& server();

/// Asks until the answer is yes; false after `patience`.
[[nodiscard]] bool eventually(const std::function<bool()>& is_so);

/// One value, asked for as superuser on a connection of its own.
std::string ask(std::string_view sql);
/// Statements run as superuser on a connection of their own; fails the test when they fail.
void arrange(std::string_view sql);

[[nodiscard]] statement read(std::string_view sql) noexcept;
[[nodiscard]] statement write(std::string_view sql) noexcept;

/// The error of a result that must be one.
template <class T>
error error_of(const result<T>& outcome, source_location where = source_location::current()) {
  EXPECT_TRUE(outcome.has_error()) << "an error was expected at line " << where.line();
  return outcome ? error(errc::internal, "there was no error") : outcome.error();
}

/// Passes when it is a success; prints the error when not.
template <class T>
::testing::AssertionResult succeeds(const result<T>& outcome) {
  if (outcome) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().message();
}

/// The first value of an answer.
std::string value_of(const result<rows>& answer);

std::chrono::milliseconds since(clock_type::time_point started);

/// Remembers what it is told. Thread-safe.
class recorder final : public observer {
 public:
  struct closed_connection {
    close_reason reason;
  };
  struct leak {
    std::chrono::nanoseconds held;
    source_location borrower;
  };

  void on_connection_opened(const connection_event& event) noexcept override;
  void on_connection_closed(const connection_event& event) noexcept override;
  void on_lease_wait(const lease_wait_event& event) noexcept override;
  void on_lease_leak(const lease_leak_event& event) noexcept override;
  void on_node_change(const node_event& event) noexcept override;

  [[nodiscard]] int opened() const;
  [[nodiscard]] std::vector<clock_type::time_point> failed_at() const;
  [[nodiscard]] std::vector<close_reason> closed() const;
  [[nodiscard]] std::vector<leak> leaks() const;
  [[nodiscard]] std::vector<node_role> roles() const;
  [[nodiscard]] int waits_timed_out() const;

 private:
  mutable std::mutex mutex_;
  int opened_ = 0;
  int waits_timed_out_ = 0;
  std::vector<clock_type::time_point> failed_at_;
  std::vector<close_reason> closed_;
  std::vector<leak> leaks_;
  std::vector<node_role> roles_;
};

/// Settings for connections to `text`, with a short server-side bound nowhere: tests set their own.
connection_settings settings_for(std::string_view text);

/// A pool with what belongs to it, shut down in order.
class client {
 public:
  explicit client(pool_options options = {.size = 2});
  client(pool_options options, connection_settings settings);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  result<rows> run(const statement& what, deadline until = deadline::after(patience),
                   const std::stop_token* cancel = nullptr);
  result<rows> run(const statement& what, const parameters& values, deadline until = deadline::after(patience),
                   const std::stop_token* cancel = nullptr);
  result<lease> borrow(deadline until = deadline::after(patience), const std::stop_token* cancel = nullptr,
                       source_location where = source_location::current());
  /// No connection is in use, under repair or being opened.
  [[nodiscard]] bool is_quiet() const;

  recorder events;
  task_runner background{8};
  pool connections;
  lease_channel statements{connections};
};

/// A connection without a pool.
std::unique_ptr<connection> connect(connection_settings settings = settings_for(server().dsn()));
/// One statement on it.
result<rows> run_on(connection& on, const statement& what, const parameters& values = {},
                    deadline until = deadline::after(patience), const std::stop_token* cancel = nullptr);
/// The server process behind it.
int backend_of(connection& on);

/// pg_stat_activity says that this server process runs a statement.
bool is_working(int backend);
/// It waits for a lock, or for a standby ("SyncRep").
bool is_waiting_for(int backend, std::string_view event);
bool is_gone(int backend);
void terminate(int backend);

/// A process that gets no time while this object lives: what a frozen server looks like.
class frozen {
 public:
  explicit frozen(pid_t process);
  ~frozen() { thaw(); }
  frozen(const frozen&) = delete;
  frozen& operator=(const frozen&) = delete;
  void thaw();

 private:
  pid_t process_;
};

}  // namespace breakwater::postgres::test
