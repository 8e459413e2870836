#pragma once

#include <breakwater/core/result.hpp>

#include <cstdint>

namespace breakwater::testing::detail {

/// A TCP port of 127.0.0.1 that nobody listens on right now.
///
/// It lies outside the range the kernel takes for outgoing connections. A port from bind(0) lies
/// inside: while its server is stopped, an outgoing connection may be given it, and then the server
/// can not start again; a client that keeps trying to reach the stopped server may even be given it
/// and connect to itself.
/// Errors: `errc::resource_exhausted`.
[[nodiscard]] result<std::uint16_t> free_loopback_port();

}  // namespace breakwater::testing::detail
