#include "proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::postgres::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool send_all(int socket, const char* data, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// Reads what is there: its size, 0 at the end, be it a reset, -1 when there is nothing.
ssize_t receive(int socket, std::string& buffer) {
  buffer.resize(65536);
  const auto got = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got < 0 && errno != EAGAIN && errno != EINTR ? 0 : got;
}

/// Changes the process's number in BackendKeyData, if it is there.
void change_key(std::string& said) {
  constexpr std::string_view key_follows("K\0\0\0\x0c", 5);
  const auto at = said.find(key_follows);
  if (at != std::string::npos && at + key_follows.size() < said.size()) said[at + key_follows.size()] = '\x40';
}

}  // namespace

proxy::proxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { work(); });
}

proxy::~proxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
  for (const link& each : links_) {
    ::close(each.client);
    ::close(each.server);
  }
}

void proxy::work() {
  while (!ending_) {
    if (present_silenced_.exchange(false)) {
      for (link& each : links_) each.silenced = true;
    }
    std::vector<pollfd> wanted{{.fd = listener_, .events = POLLIN, .revents = 0}};
    if (!silent_) {
      for (const link& each : links_) {
        if (each.silenced) continue;
        if (!each.client_ended) wanted.push_back({.fd = each.client, .events = POLLIN, .revents = 0});
        if (!each.server_ended) wanted.push_back({.fd = each.server, .events = POLLIN, .revents = 0});
      }
    }
    ::poll(wanted.data(), wanted.size(), 5);
    if (silent_) continue;
    if (wanted[0].revents != 0) accept_one();
    std::erase_if(links_, [this](link& each) {
      if (each.silenced || pass_on(each)) return false;
      ::close(each.client);
      ::close(each.server);
      return true;
    });
  }
}

void proxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(server);
    ::close(client);
    return;
  }
  links_.push_back({.client = client, .server = server});
}

void proxy::on_message(std::string text, fault what, int times) {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  rules_.push_back({.text = std::move(text), .what = what, .times = times});
}

void proxy::then_on_message(std::string text, fault what, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({.text = std::move(text), .what = what, .times = times});
}

proxy::fault proxy::fault_of(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (rules_.empty() || message.find(rules_.front().text) == std::string_view::npos) return fault::none;
  ++faults_;
  const fault what = rules_.front().what;
  if (--rules_.front().times <= 0) rules_.erase(rules_.begin());
  return what;
}

/// On a connection that nobody shall be told of: what is held waits, answers are lost.
bool proxy::pass_on_faulty(link& through) {
  if (through.present == fault::mute_after && released_) return false;
  if (clients_dropped_ && !through.client_ended) {
    ::shutdown(through.client, SHUT_RDWR);
    through.client_ended = true;
  }
  std::string buffer;
  if (!through.client_ended) {
    if (const auto got = receive(through.client, buffer); got == 0) {
      through.client_ended = true;
    } else if (got > 0) {
      through.held.append(buffer, 0, static_cast<std::size_t>(got));
    }
  }
  if (through.present != fault::hold || released_) {
    const bool lost = through.present == fault::dead_after && std::exchange(through.delivered, true);
    if (!lost && !send_all(through.server, through.held.data(), through.held.size())) return false;
    through.held.clear();
  }
  if (through.server_ended) return true;
  const auto got = receive(through.server, buffer);
  if (got > 0 && through.present == fault::cut_after) return false;
  if (got == 0) through.server_ended = true;
  return true;
}

bool proxy::pass_on(link& through) {
  if (through.present != fault::none) return pass_on_faulty(through);
  std::string buffer;
  if (const auto got = receive(through.client, buffer); got == 0) {
    return false;
  } else if (got > 0) {
    through.client_spoke = true;
    through.present = fault_of({buffer.data(), static_cast<std::size_t>(got)});
    if (through.present == fault::cut_before) return false;
    if (through.present != fault::none) {
      through.held.assign(buffer, 0, static_cast<std::size_t>(got));
      return true;
    }
    if (!through.server_ended && !send_all(through.server, buffer.data(), static_cast<std::size_t>(got))) return false;
  }
  if (through.server_ended) return true;
  if (const auto got = receive(through.server, buffer); got == 0) {
    through.server_ended = ends_hidden_;
    return through.server_ended;
  } else if (got > 0) {
    // Counted before it is passed on, so that who has the answer sees it counted.
    if (std::exchange(through.client_spoke, false)) ++round_trips_;
    if (own_keys_) change_key(buffer);
    if (!answers_lost_ && !send_all(through.client, buffer.data(), static_cast<std::size_t>(got))) return false;
  }
  return true;
}

}  // namespace breakwater::postgres::test
