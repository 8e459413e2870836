#pragma once

#include <breakwater/core/deadline.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

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

/// A socket that closes itself.
class owned_socket {
 public:
  owned_socket() noexcept = default;
  explicit owned_socket(int descriptor) noexcept : descriptor_(descriptor) {}
  owned_socket(owned_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  owned_socket& operator=(owned_socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~owned_socket();
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// Asks the server at the other end of `socket`, on a connection of its own, to cancel what the process runs.
///
/// True when the server has acted on it, so that it can not hit a later statement. False otherwise: it may still be on
/// its way, and the connection must not be used again. Never waits past `until`; where that came while the answer was
/// awaited, the socket is in `unanswered`.
[[nodiscard]] bool request_cancel(int socket, const cancel_key& key, deadline until, owned_socket& unanswered);

/// Waits a little for the answer before the socket is closed. PgBouncer 1.18 dies, with all of its connections, of a
/// cancel request whose client goes away while it is passed on.
void await_answer(const owned_socket& unanswered);

}  // namespace breakwater::postgres
