#include "postgres/socket_wait.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>

namespace breakwater::postgres {
namespace {

/// Longer waits are cut to this, so that the arithmetic on timespec can not overflow; the wait is then repeated.
constexpr std::chrono::seconds longest_single_wait{3600};

std::timespec to_timespec(deadline::clock::duration duration) noexcept {
  const auto bounded = std::min<deadline::clock::duration>(duration, longest_single_wait);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(bounded);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(bounded - seconds);
  return {.tv_sec = static_cast<std::time_t>(seconds.count()), .tv_nsec = static_cast<long>(rest.count())};
}

short poll_events(readiness wanted) noexcept {
  switch (wanted) {
    case readiness::readable: return POLLIN;
    case readiness::writable: return POLLOUT;
    case readiness::readable_or_writable: return POLLIN | POLLOUT;
  }
  return POLLIN;
}

}  // namespace

void stop_signal::raise::operator()() const noexcept {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
}

stop_signal::stop_signal(const std::stop_token* token) {
  if (token == nullptr || !token->stop_possible()) return;
  descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor_ >= 0) callback_.emplace(*token, raise{descriptor_});
}

stop_signal::~stop_signal() {
  callback_.reset();  // waits for a running callback, so that the descriptor is not closed under it
  if (descriptor_ >= 0) ::close(descriptor_);
}

wait_result wait_for_socket(int socket, readiness wanted, deadline until, const stop_signal& stop) {
  std::array<pollfd, 2> descriptors{{{.fd = socket, .events = poll_events(wanted), .revents = 0},
                                     {.fd = stop.descriptor(), .events = POLLIN, .revents = 0}}};
  for (;;) {
    const auto remaining = until.remaining(deadline::clock::now());
    const auto timeout = to_timespec(remaining);
    const int ready = ::ppoll(descriptors.data(), descriptors.size(), &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return wait_result::ready;  // let the read or write say what is wrong
    if (ready > 0) {
      // An answer that is there already wins over a cancellation: it is the truth.
      if (descriptors[0].revents != 0) return wait_result::ready;
      return wait_result::cancelled;
    }
    if (until.expired(deadline::clock::now())) return wait_result::timed_out;
  }
}

bool is_readable_now(int socket) noexcept {
  pollfd descriptor{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&descriptor, 1, 0) > 0;
}

}  // namespace breakwater::postgres
