#pragma once

#include "../assertions.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What every scenario stands on: a primary with a replica, a database over both, and a way to ask what is true that
/// owes nothing to the library.
namespace scenarios {

using namespace std::chrono_literals;
using bw::errc;

/// Remembers the name of each statement that the library sent.
class recorder final : public bw::observer {
 public:
  void on_operation(const bw::operation_event& event) noexcept override;
  /// The names since the last look, with a space between two.
  [[nodiscard]] std::string take();

 private:
  std::mutex mutex_;
  std::vector<std::string> names_;
};

class scenario : public ::testing::Test {
 protected:
  /// Opens the database and makes its tables; for a suite's SetUpTestSuite.
  static void open(std::span<const std::string_view> schema);
  static void TearDownTestSuite();

  /// A session that reads from the primary too, so that it sees what was changed behind its back.
  [[nodiscard]] static bw::session on_primary();
  /// The one value of a query, asked over a connection of its own.
  [[nodiscard]] static std::string truth(std::string_view sql);
  /// Changes the database over a connection of its own.
  static void behind_the_back(std::string_view sql);
  /// What the library sent since the last look: "authors.select authors.posts".
  [[nodiscard]] static std::string sent() { return watcher_->take(); }

  [[nodiscard]] static const bw::database& db() { return *db_; }

 private:
  static std::unique_ptr<bw::database> db_;
  static std::shared_ptr<recorder> watcher_;
};

/// What `show` makes of each, with a space between two; of an error its text.
template <class T, class Show>
[[nodiscard]] std::string listed(const std::vector<T>& all, const Show& show) {
  std::string text;
  for (const auto& each : all) text.append(text.empty() ? "" : " ").append(show(each));
  return text;
}
template <class T, class Show>
[[nodiscard]] std::string listed(const bw::result<std::vector<T>>& found, const Show& show) {
  return found ? listed(found.value(), show) : found.error().message();
}

}  // namespace scenarios
