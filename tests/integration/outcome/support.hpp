#pragma once

#include "../assertions.hpp"
#include "../eventually.hpp"
#include "../postgres/proxy.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

using namespace std::chrono_literals;
using breakwater::postgres::test::proxy;
using bw::commit_resolution;
using bw::errc;

/// Long enough for a loaded machine; reached only when a test fails.
inline constexpr std::chrono::seconds patience{20};

/// How a COMMIT begins on the wire: with the NUL behind it that "read committed" does not have.
inline const std::string commit_message{"commit\0", 7};

/// Remembers what became of unknown commits. Thread-safe.
class outcome_recorder final : public bw::observer {
 public:
  void on_commit_unknown(const bw::commit_unknown_event& event) noexcept override;
  [[nodiscard]] std::vector<commit_resolution> seen() const;
  [[nodiscard]] std::size_t count(commit_resolution what) const;

 private:
  mutable std::mutex mutex_;
  std::vector<commit_resolution> seen_;
};

/// One server with a ledger: each line is written by one call, and says which.
class ledger_server {
 public:
  explicit ledger_server(const bw::testing::cluster_options& options = {});
  [[nodiscard]] bw::testing::cluster& cluster() noexcept { return *cluster_; }
  /// One value, asked for as superuser over a connection of its own.
  [[nodiscard]] std::string truth(std::string_view sql);
  /// Done as superuser; fails the test when it fails.
  void arrange(std::string_view sql);
  /// Empties the ledger, and drops the guard's table, unless it is to be there.
  void reset(bool with_table = true);
  [[nodiscard]] std::string dsn_through(const proxy& between);

 private:
  std::optional<bw::testing::cluster> cluster_;
};

/// A database whose connections go through a proxy, unless they are to be direct.
struct watched_database {
  explicit watched_database(ledger_server& server, bw::config settings = guarded_settings(), bool direct = false);
  [[nodiscard]] static bw::config guarded_settings();

  proxy between;
  std::shared_ptr<outcome_recorder> watcher = std::make_shared<outcome_recorder>();
  std::optional<bw::database> db{};
};

/// Writes one line.
[[nodiscard]] bw::result<void> write_line(bw::transaction& tx, std::string_view who);
[[nodiscard]] bw::result<int> write_line_in(bw::session& session, std::string_view who, int* runs = nullptr,
                                            const bw::transaction_options& options = {});

}  // namespace tests
