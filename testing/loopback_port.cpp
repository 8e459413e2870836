#include "loopback_port.hpp"

#include "unique_fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <optional>
#include <random>

namespace breakwater::testing::detail {
namespace {

/// Below are services with fixed ports, whatever the kernel's range says.
constexpr unsigned lowest_port = 10240;
/// Fewer than these are not enough to pick from at random; then bind(0) it is.
constexpr unsigned fewest_ports = 1000;
constexpr int attempts = 100;

/// The port after binding to it (0: any), or nothing if it is taken.
std::optional<std::uint16_t> try_to_bind(std::uint16_t port) {
  const unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return std::nullopt;
  // As the server does: connections in TIME_WAIT do not matter.
  const int on = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  // Listening too: two sockets with SO_REUSEADDR may both be bound, but only one listens.
  if (::bind(socket.get(), generic, size) != 0 || ::listen(socket.get(), 1) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    return std::nullopt;
  }
  return ntohs(address.sin_port);
}

/// The first port the kernel takes for outgoing connections.
unsigned first_outgoing_port() {
  unsigned first = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first;
  return first;
}

}  // namespace

result<std::uint16_t> free_loopback_port() {
  const unsigned end = first_outgoing_port();
  if (end >= lowest_port + fewest_ports) {
    std::random_device random;
    std::uniform_int_distribution<unsigned> any(lowest_port, end - 1);
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (auto port = try_to_bind(static_cast<std::uint16_t>(any(random)))) return *port;
    }
  }
  if (auto port = try_to_bind(0)) return *port;
  return error(errc::resource_exhausted, "no free TCP port was found on 127.0.0.1");
}

}  // namespace breakwater::testing::detail
