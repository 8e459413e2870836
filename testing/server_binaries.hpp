#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <string>

namespace breakwater::testing::detail {

/// The folder of `initdb`, `postgres` and `pg_basebackup`, without symbolic links. `wanted` is the
/// caller's choice or empty; `cluster_options::binaries` says where else they are looked for.
/// Errors: `errc::invalid_argument`, with the command that installs them;
/// `errc::deadline_exceeded`.
[[nodiscard]] result<std::string> find_server_binaries(const std::string& wanted, deadline until);

}  // namespace breakwater::testing::detail
