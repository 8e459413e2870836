#pragma once

// What the tests of tenants share: a cluster with a replica, and a database whose tables belong to tenants in each of the
// three ways.

#include "../assertions.hpp"
#include "../eventually.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

using namespace std::chrono_literals;
using bw::errc;

/// The cluster that all tests of this program share: a primary and a replica.
[[nodiscard]] bw::testing::cluster& shared_cluster();

struct document {
  std::int64_t id{};
  std::string body{};
};

struct note {
  std::string body{};
};

/// Fresh tables before every test:
/// - `documents`, by row-level security of the role `shop_tenant`, by the variable `app.tenant`;
/// - schemas `t_acme` and `t_globex`, each with a table `notes`, and `shared` with `rates`;
/// - databases `d_acme` and `d_globex`, each with a table `notes` (made once).
class tenancy_test : public ::testing::Test {
 protected:
  void SetUp() override;

  bw::config config;
  [[nodiscard]] bw::database open() const;
  /// What a session without a tenant finds on the connection of a pool of one: role, search_path and variable.
  [[nodiscard]] static std::string traces(const bw::database& db);
};

/// As `traces` says where nothing was left behind.
inline constexpr std::string_view no_traces = "app|\"$user\", public|";

}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::document> =
    bw::table("documents", bw::column<&tests::document::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::document::body>("body"));
template <>
inline constexpr auto breakwater::mapping<tests::note> =
    bw::table("notes", bw::column<&tests::note::body>("body", bw::primary_key));
