#pragma once

#include <breakwater/core/deadline.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>

extern "C" {
struct pg_conn;
}

namespace breakwater::postgres {

/// What a server wants to see before it cancels what one of its processes runs.
struct cancel_key {
  std::int32_t process = 0;
  std::int32_t secret = 0;
};

/// Reads the cancel key of a connection while it is being made.
///
/// libpq keeps the key to itself and offers PQcancel, which blocks without a limit on a peer that went silent; from
/// version 17 on it can also cancel without blocking, but Debian 12 has 15. Its documented protocol trace shows the
/// key, and no password. Listens from its construction until `key`.
class handshake_listener {
 public:
  explicit handshake_listener(pg_conn* connecting) noexcept;
  ~handshake_listener();
  handshake_listener(const handshake_listener&) = delete;
  handshake_listener& operator=(const handshake_listener&) = delete;

  /// Nothing where the server gave none, as some proxies do.
  [[nodiscard]] std::optional<cancel_key> key();

 private:
  void end() noexcept;

  pg_conn* connecting_;
  std::FILE* trace_ = nullptr;
  char* text_ = nullptr;
  std::size_t size_ = 0;
};

/// Asks the server at the other end of `socket`, on a connection of its own, to cancel what the process runs.
///
/// True when the server has acted on it, so that it can not hit a later statement. False otherwise: it may still be on
/// its way, and the connection must not be used again. Never waits past `until`.
[[nodiscard]] bool request_cancel(int socket, const cancel_key& key, deadline until);

}  // namespace breakwater::postgres
