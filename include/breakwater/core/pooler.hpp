#pragma once

#include <cstdint>
#include <string_view>

namespace breakwater {

/// What stands between the library and the servers, and lends the servers' connections out: PgBouncer or its like.
enum class pooler : std::uint8_t {
  automatic,   ///< found out with each connection; one that is there is taken to pool transactions
  none,        ///< nothing, or a proxy that passes each connection on as it is
  session,     ///< a connection to the server belongs to one client for as long as that is connected
  transaction  ///< the next transaction may run on another connection, and the one before on that of somebody else
};

/// The value's name as written in the source and in configuration: "automatic" and so on.
[[nodiscard]] constexpr std::string_view to_string(pooler value) noexcept {
  switch (value) {
    case pooler::automatic: return "automatic";
    case pooler::none: return "none";
    case pooler::session: return "session";
    case pooler::transaction: return "transaction";
  }
  return "unknown";
}

}  // namespace breakwater
