#include "postgres/cancel_request.hpp"

#include "postgres/socket_wait.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace breakwater::postgres {
namespace {

/// CancelRequest in the manual's "Message Formats": its length, this code, the process, the secret.
constexpr std::uint32_t cancel_request_code = 80877102;

/// For a pooler to connect to its server and pass a request on; a server that can be reached takes a few milliseconds.
constexpr std::chrono::milliseconds longest_passing_on{500};

bool connect_to(int socket, const sockaddr_storage& address, socklen_t size, deadline until,
                const stop_signal& no_stop) {
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  // EAGAIN: a Unix socket whose queue is full.
  if (errno != EINPROGRESS && errno != EINTR) return false;
  if (wait_for_socket(socket, readiness::writable, until, no_stop) != wait_result::ready) return false;
  int failure = 0;
  socklen_t failure_size = sizeof failure;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &failure_size) == 0 && failure == 0;
}

}  // namespace

handshake_listener::handshake_listener(pg_conn* connecting) noexcept
    : connecting_(connecting), trace_(::open_memstream(&text_, &size_)) {
  if (trace_ == nullptr) return;
  PQtrace(connecting_, trace_);
  // Timestamps are made with localtime, whose buffer all threads of the program share.
  PQsetTraceFlags(connecting_, PQTRACE_SUPPRESS_TIMESTAMPS);
}

handshake_listener::~handshake_listener() {
  end();
  std::free(text_);  // NOLINT(cppcoreguidelines-no-malloc): open_memstream's
}

void handshake_listener::end() noexcept {
  if (trace_ == nullptr) return;
  PQuntrace(connecting_);
  std::fclose(trace_);
  trace_ = nullptr;
}

std::optional<cancel_key> handshake_listener::key() {
  end();
  const std::string_view text(text_ == nullptr ? "" : text_, text_ == nullptr ? 0 : size_);
  constexpr std::string_view label = "\tBackendKeyData\t ";
  const auto found = text.rfind(label);
  if (found == std::string_view::npos) return std::nullopt;
  const char* const end_of_text = text.data() + text.size();
  cancel_key read;
  const auto process = std::from_chars(text.data() + found + label.size(), end_of_text, read.process);
  if (process.ec != std::errc{} || process.ptr == end_of_text) return std::nullopt;
  const auto secret = std::from_chars(process.ptr + 1, end_of_text, read.secret);
  if (secret.ec != std::errc{} || read.process != PQbackendPID(connecting_)) return std::nullopt;
  return read;
}

owned_socket::~owned_socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void await_answer(const owned_socket& unanswered) {
  if (unanswered.get() < 0) return;
  (void)wait_for_socket(unanswered.get(), readiness::readable, deadline::after(longest_passing_on),
                        stop_signal(nullptr));
}

bool request_cancel(int socket, const cancel_key& key, deadline until, owned_socket& unanswered) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  owned_socket own(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const stop_signal no_stop(nullptr);
  if (own.get() < 0 || !connect_to(own.get(), address, size, until, no_stop)) return false;

  const std::array<std::uint32_t, 4> message{htonl(sizeof message), htonl(cancel_request_code),
                                             htonl(static_cast<std::uint32_t>(key.process)),
                                             htonl(static_cast<std::uint32_t>(key.secret))};
  // Sixteen bytes always fit into the empty buffer of a new socket.
  if (::send(own.get(), message.data(), sizeof message, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof message))
    return false;
  // The server closes the connection when it has acted.
  if (wait_for_socket(own.get(), readiness::readable, until, no_stop) == wait_result::ready) return true;
  unanswered = std::move(own);
  return false;
}

}  // namespace breakwater::postgres
