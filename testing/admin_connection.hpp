#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace breakwater::testing::detail {

/// A superuser's connection that never waits beyond its deadline, even when the server is stopped
/// in its tracks. Not thread-safe.
class admin_connection {
 public:
  struct target {
    std::uint16_t port = 0;
    std::string password = {};
    std::string database = {};
    std::string node = {};  ///< for messages
  };

  /// The deadline is that of everything done with the connection.
  /// Errors: `errc::connection_failed`, `errc::deadline_exceeded`.
  [[nodiscard]] static result<admin_connection> open(const target& to, deadline until);

  /// Errors: those of `cluster::execute`.
  [[nodiscard]] result<void> execute(const std::string& sql);
  /// Errors: those of `cluster::query_value`.
  [[nodiscard]] result<std::string> value(const std::string& sql);

 private:
  struct closer {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    void operator()(PGresult* answer) const noexcept { PQclear(answer); }
  };
  using answer = std::unique_ptr<PGresult, closer>;

  admin_connection(PGconn* connection, std::string node, deadline until)
      : connection_(connection), node_(std::move(node)), until_(until) {}

  [[nodiscard]] result<void> connect();
  [[nodiscard]] result<void> send(const std::string& sql);
  [[nodiscard]] result<answer> run(const std::string& sql);
  [[nodiscard]] result<answer> next_answer();
  [[nodiscard]] error lost(applied fate) const;
  [[nodiscard]] error late(std::string_view doing, applied fate) const;
  [[nodiscard]] error refused(const PGresult* why, applied fate) const;

  std::unique_ptr<PGconn, closer> connection_;
  std::string node_;
  deadline until_;
};

}  // namespace breakwater::testing::detail
