#pragma once

#include "entities.hpp"
#include "text.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace chinook {

using bw::errc;

/// The names of the statements that the library ran.
class recorder final : public bw::observer {
 public:
  void on_operation(const bw::operation_event& event) noexcept override;
  /// Those since the last call, with spaces between.
  [[nodiscard]] std::string taken();

 private:
  std::mutex mutex_;
  std::string names_;
};

/// A server with the sample database, made once for all tests of the program; and two ways to it: the library, and plain
/// SQL over a connection of libpq's own, which says what is true.
class shop {
 public:
  /// Starts the server and runs the script, which is psql's: its head is for another program.
  [[nodiscard]] static bw::result<std::unique_ptr<shop>> open(const std::string& script_path);

  [[nodiscard]] const bw::database& db() const noexcept { return *db_; }
  [[nodiscard]] recorder& watcher() noexcept { return *watcher_; }
  /// What SQL answers, in the form of text.hpp; of an error, its message.
  [[nodiscard]] lines plain_sql(const std::string& sql);

 private:
  struct connection;
  struct closer {
    void operator()(connection* open) const noexcept;
  };
  explicit shop(bw::testing::cluster&& cluster) noexcept : cluster_(std::move(cluster)) {}

  bw::testing::cluster cluster_;  // the last to go
  std::unique_ptr<connection, closer> plain_;
  std::shared_ptr<recorder> watcher_ = std::make_shared<recorder>();
  std::unique_ptr<bw::database> db_;
};

/// Opens the shop before the first test, and closes it behind the last.
class shop_environment final : public ::testing::Environment {
 public:
  explicit shop_environment(std::string script_path) : script_path_(std::move(script_path)) {}
  void SetUp() override;
  void TearDown() override;

 private:
  std::string script_path_;
};

/// The tests change nothing that stays: they share the data.
class chinook_test : public ::testing::Test {
 protected:
  [[nodiscard]] static shop& the_shop();
  [[nodiscard]] static lines plain_sql(const std::string& sql) { return the_shop().plain_sql(sql); }
  /// The names of the statements since the last look.
  [[nodiscard]] static std::string statements() { return the_shop().watcher().taken(); }
  void SetUp() override { (void)statements(); }

  template <class E>
  [[nodiscard]] bw::repository<E> all_of() const {
    return session.repository<E>();
  }

  bw::session session = the_shop().db().session();
};

/// Passes when `found` is what SQL answers, row by row and in its order, and that is at least one row; says where the
/// two part otherwise.
[[nodiscard]] ::testing::AssertionResult same(const lines& found, const lines& expected);

template <class R>
[[nodiscard]] ::testing::AssertionResult succeeds(const R& outcome) {
  if (outcome.has_value()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().message();
}
template <class R>
[[nodiscard]] ::testing::AssertionResult fails_with(const R& outcome, bw::errc expected) {
  if (outcome.has_value()) return ::testing::AssertionFailure() << "succeeded";
  if (outcome.error().code() == expected) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().message();
}

}  // namespace chinook
