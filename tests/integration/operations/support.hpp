#pragma once

#include "../assertions.hpp"
#include "../eventually.hpp"
#include <breakwater/breakwater.hpp>
#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace tests {

using namespace std::chrono_literals;
using bw::errc;

/// The server that all tests of this program share.
[[nodiscard]] bw::testing::cluster& shared_cluster();

/// The one value that a query answers, asked as the superuser over a connection of its own.
[[nodiscard]] std::string truth(std::string_view sql);

}  // namespace tests
