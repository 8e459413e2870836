#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
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
  /// What happens to the connection on which a client's message holds a given text.
  enum class fault : std::uint8_t {
    none,
    hold,        ///< the server does not get it, nor what follows, until `release`; nobody is told, whoever closes
    cut_before,  ///< the server does not get it, and both ends are closed
    cut_after,   ///< the server gets it, and when it has answered both are closed; the client gets no answer
    mute_after,  ///< the server gets it; what it answers is lost, and nobody is told, whoever closes
    dead_after   ///< the same, and what the client sends later is lost, too
  };
  /// Of the next `times` messages that hold `text`; the first after that pass.
  void on_message(std::string text, fault what, int times = 1);
  /// The same, once those have come that were asked for before.
  void then_on_message(std::string text, fault what, int times = 1);
  /// How many of them have come.
  [[nodiscard]] int faults() const noexcept { return faults_; }
  /// Lets go to the server what was held, although its client may be gone; the answers are lost. Closes what is mute.
  void release() noexcept { released_ = true; }
  /// Closes the connections that have met a fault to their clients, and tells their servers nothing.
  void drop_clients() noexcept { clients_dropped_ = true; }
  /// From now on clients get keys to cancel with that no server process has, as from a proxy that lends connections out.
  void hand_out_own_keys() noexcept { own_keys_ = true; }
  /// From now on the client does not see that the server closed its connection, but all that was said before.
  void hide_ends() noexcept { ends_hidden_ = true; }

 private:
  struct link {
    int client = -1;
    int server = -1;
    bool client_spoke = false;
    bool server_ended = false;
    bool silenced = false;
    fault present = fault::none;
    std::string held{};
    bool delivered = false;  // what has met the fault
    bool client_ended = false;
  };
  [[nodiscard]] fault fault_of(std::string_view message);
  [[nodiscard]] bool pass_on_faulty(link& through);

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
  std::atomic<bool> own_keys_{false};
  std::atomic<bool> ending_{false};
  std::atomic<bool> released_{false};
  std::atomic<bool> clients_dropped_{false};
  std::atomic<int> faults_{0};
  std::mutex mutex_;  // of the following
  struct rule {
    std::string text;
    fault what;
    int times;
  };
  std::vector<rule> rules_{};  // the first is in force
  std::thread thread_;
};

}  // namespace breakwater::postgres::test
