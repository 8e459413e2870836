#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace breakwater::postgres::test {

/// Stands between a client and a server: counts round trips, and can fall silent as a broken network does.
class proxy {
 public:
  /// To a server on 127.0.0.1.
  explicit proxy(std::uint16_t server_port);
  ~proxy();
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// How often the server has answered what the client had sent, over all connections.
  [[nodiscard]] int round_trips() const noexcept { return round_trips_; }
  /// From now on nothing passes in either direction, and nobody is told.
  void fall_silent() noexcept { silent_ = true; }
  /// The same for the connections that there are now; later ones work.
  void silence_present_connections() noexcept { present_silenced_ = true; }
  /// From now on the server's answers are lost; what the client sends still arrives.
  void lose_answers() noexcept { answers_lost_ = true; }
  /// From now on the client does not see that the server closed its connection, but all that was said before.
  void hide_ends() noexcept { ends_hidden_ = true; }

 private:
  struct link {
    int client = -1;
    int server = -1;
    bool client_spoke = false;
    bool server_ended = false;
    bool silenced = false;
  };
  void work();
  void accept_one();
  /// False when the connection has ended.
  [[nodiscard]] bool pass_on(link& through);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  const std::uint16_t server_port_;
  std::vector<link> links_;  // for the thread alone
  std::atomic<int> round_trips_{0};
  std::atomic<bool> silent_{false};
  std::atomic<bool> present_silenced_{false};
  std::atomic<bool> answers_lost_{false};
  std::atomic<bool> ends_hidden_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace breakwater::postgres::test
