#pragma once

#include "../assertions.hpp"
#include "../eventually.hpp"
#include "bouncer.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

extern "C" {
struct pg_conn;
}

namespace tests {

using namespace std::chrono_literals;
using bw::errc;

/// Long enough for a loaded machine; reached only when a test fails.
inline constexpr std::chrono::seconds patience{20};

/// The cluster that all tests of this program share: a primary and a replica, with a table "notes".
[[nodiscard]] bw::testing::cluster& shared_cluster();
/// One value, asked for as superuser over a direct connection.
[[nodiscard]] std::string truth(std::string_view sql);

/// A PgBouncer before the shared primary. Fails the test where there is none.
[[nodiscard]] std::unique_ptr<bouncer> bouncer_before_primary(const bouncer_options& options);

/// A database through a PgBouncer.
[[nodiscard]] bw::config config_through(const bouncer& between);
[[nodiscard]] std::optional<bw::database> open(const bw::config& settings);

/// Another client of a PgBouncer: plain libpq, which sets and expects nothing.
class stranger {
 public:
  explicit stranger(const bouncer& between);
  stranger(const stranger&) = delete;
  stranger& operator=(const stranger&) = delete;
  ~stranger();

  /// Runs statements in the simple protocol; the first value of the last one, or what went wrong.
  std::string run(const std::string& sql);
  /// The process and the settings of the server's session that it is lent just now.
  std::string session_state();

 private:
  pg_conn* handle_;
};

}  // namespace tests
