#pragma once

#include <breakwater/core/deadline.hpp>

#include <memory>
#include <optional>
#include <stop_token>

namespace breakwater::postgres {

enum class wait_result { ready, timed_out, cancelled };

/// A descriptor that becomes readable when a stop token is asked to stop, so that a wait on a socket can be
/// ended by it. Without a token, or with one that can not stop, it costs nothing.
class stop_signal {
 public:
  explicit stop_signal(const std::stop_token* token);
  ~stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  /// -1 when it can not fire.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  struct raise {
    int descriptor;
    void operator()() const noexcept;
  };
  int descriptor_ = -1;
  std::optional<std::stop_callback<raise>> callback_;
};

/// What a wait on a socket waits for.
enum class readiness { readable, readable_or_writable, writable };

/// Waits until `socket` is ready, the deadline comes or `stop` fires, whichever is first. An error on the socket
/// counts as ready: the read that follows reports it.
[[nodiscard]] wait_result wait_for_socket(int socket, readiness wanted, deadline until, const stop_signal& stop);

/// True when something (data, or the end of the connection) can be read without waiting.
[[nodiscard]] bool is_readable_now(int socket) noexcept;

}  // namespace breakwater::postgres
