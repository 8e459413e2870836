#include "postgres/socket_wait.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::postgres::is_readable_now;
using breakwater::postgres::readiness;
using breakwater::postgres::stop_signal;
using breakwater::postgres::wait_for_socket;
using breakwater::postgres::wait_result;
using clock_type = deadline::clock;

class socket_wait : public ::testing::Test {
 protected:
  socket_wait() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    here = ends[0];
    there = ends[1];
  }
  ~socket_wait() override {
    ::close(here);
    if (there >= 0) ::close(there);
  }
  void peer_sends() const { EXPECT_EQ(::write(there, "x", 1), 1); }
  void peer_closes() {
    ::close(there);
    there = -1;
  }
  void fill() const {
    const std::string block(65536, 'x');
    while (::send(here, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  }

  int here = -1;
  int there = -1;
  const stop_signal no_stop{nullptr};
};

TEST_F(socket_wait, ends_at_the_deadline_and_not_before) {
  const auto started = clock_type::now();
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::after(30ms), no_stop), wait_result::timed_out);
  const auto waited = clock_type::now() - started;
  EXPECT_GE(waited, 30ms);
  EXPECT_LT(waited, 5s);
}

TEST_F(socket_wait, a_deadline_in_the_past_still_sees_what_is_there) {
  peer_sends();
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::after(-1s), no_stop), wait_result::ready);
}

TEST_F(socket_wait, a_deadline_in_the_past_does_not_wait) {
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::after(-1s), no_stop), wait_result::timed_out);
}

TEST_F(socket_wait, is_ready_when_data_arrives) {
  std::thread peer([this] { peer_sends(); });
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::never(), no_stop), wait_result::ready);
  peer.join();
}

TEST_F(socket_wait, the_peers_end_counts_as_ready) {
  std::thread peer([this] { peer_closes(); });
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::never(), no_stop), wait_result::ready);
  peer.join();
}

TEST_F(socket_wait, waits_for_writing_only_where_asked_to) {
  EXPECT_EQ(wait_for_socket(here, readiness::writable, deadline::never(), no_stop), wait_result::ready);
  fill();
  peer_sends();
  EXPECT_EQ(wait_for_socket(here, readiness::writable, deadline::after(10ms), no_stop), wait_result::timed_out)
      << "readable is not what was waited for";
  EXPECT_EQ(wait_for_socket(here, readiness::readable_or_writable, deadline::never(), no_stop), wait_result::ready);
}

TEST_F(socket_wait, is_ended_by_a_stop_from_another_thread) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const stop_signal stop(&token);
  std::thread other([&source] { source.request_stop(); });
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::never(), stop), wait_result::cancelled);
  other.join();
}

TEST_F(socket_wait, a_stop_that_was_asked_for_earlier_counts) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  const stop_signal stop(&token);
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::never(), stop), wait_result::cancelled);
  }
}

TEST_F(socket_wait, an_answer_that_is_there_wins_over_a_stop) {
  peer_sends();
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  const stop_signal stop(&token);
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::never(), stop), wait_result::ready);
}

TEST_F(socket_wait, goes_on_after_a_signal) {
  struct sigaction ignore_it {};
  ignore_it.sa_handler = [](int) {};  // without SA_RESTART: the system call ends with EINTR
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &ignore_it, &before), 0);
  const auto self = ::pthread_self();
  std::thread other([self] { ::pthread_kill(self, SIGUSR1); });
  EXPECT_EQ(wait_for_socket(here, readiness::readable, deadline::after(30ms), no_stop), wait_result::timed_out);
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(stop_signal, costs_no_descriptor_where_it_can_not_fire) {
  EXPECT_EQ(stop_signal(nullptr).descriptor(), -1);
  const std::stop_token empty;
  EXPECT_EQ(stop_signal(&empty).descriptor(), -1);
}

TEST(stop_signal, outlives_neither_its_callback_nor_its_descriptor) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  int descriptor = -1;
  {
    const stop_signal stop(&token);
    descriptor = stop.descriptor();
    ASSERT_GE(descriptor, 0);
  }
  EXPECT_TRUE(source.request_stop()) << "must not write to the closed descriptor";
  EXPECT_EQ(::close(descriptor), -1) << "the descriptor leaked";
}

TEST_F(socket_wait, readable_now_tells_without_waiting) {
  EXPECT_FALSE(is_readable_now(here));
  peer_sends();
  EXPECT_TRUE(is_readable_now(here));
  char c = 0;
  EXPECT_EQ(::read(here, &c, 1), 1);
  EXPECT_FALSE(is_readable_now(here));
  peer_closes();
  EXPECT_TRUE(is_readable_now(here));
}

}  // namespace
