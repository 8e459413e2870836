// The adaptive limiter in front of a simulated server, in virtual time.

#include "simulation.hpp"
#include <breakwater/resilience/adaptive_limiter.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using breakwater::limit_algorithm;
using breakwater::resilience::adaptive_limiter;
using breakwater::resilience::call_outcome;
using breakwater::resilience::limiter_tuning;
using breakwater::resilience::simulation::clock;
using breakwater::resilience::simulation::randomness;
using breakwater::resilience::simulation::timeline;

/// Bears so many calls at once, the others queue inside it. Twice as many come as it bears; those that the limiter
/// refuses go away.
class limited_server {
 public:
  limited_server(limit_algorithm algorithm, std::size_t capacity, std::uint64_t seed, limiter_tuning tuning = {})
      : capacity_(capacity), random_(seed), limiter_(breakwater::limiter_options{.algorithm = algorithm}, tuning) {
    arrive();
  }

  void set_capacity(std::size_t capacity) {
    capacity_ = capacity;
    start_what_fits();
  }
  void set_service_time(clock::duration mean) { service_ = mean; }
  void set_load(double load) { load_ = load; }
  /// That part of the calls is said to have been dropped, whatever became of them.
  void set_dropped(double part) { dropped_ = part; }

  void run_for(clock::duration time) { time_.run_until(time_.now() + time); }
  /// The mean limit over that time, divided by the capacity.
  double mean_limit(clock::duration time) {
    double sum = 0;
    constexpr int parts = 200;
    for (int i = 0; i < parts; ++i) {
      run_for(time / parts);
      sum += static_cast<double>(limiter_.limit());
    }
    return sum / parts / static_cast<double>(capacity_);
  }
  std::size_t take_answered() { return std::exchange(answered_, 0); }

 private:
  struct call {
    adaptive_limiter::permit permit;
    clock::time_point began;
  };

  void arrive() {
    const double per_second = load_ * static_cast<double>(capacity_) / std::chrono::duration<double>(service_).count();
    const auto interval = std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(1 / per_second));
    time_.after(random_.exponential(interval), [this] { arrive(); });
    auto permit = limiter_.try_acquire();
    if (!permit) return;
    queued_.push_back(std::make_shared<call>(call{std::move(permit), time_.now()}));
    start_what_fits();
  }

  void start_what_fits() {
    while (busy_ < capacity_ && !queued_.empty()) {
      ++busy_;
      auto next = queued_.front();
      queued_.pop_front();
      time_.after(random_.exponential(service_), [this, next] {
        --busy_;
        ++answered_;
        const bool dropped = dropped_ > 0 && random_.unit() < dropped_;
        next->permit.release(time_.now() - next->began, dropped ? call_outcome::dropped : call_outcome::success);
        start_what_fits();
      });
    }
  }

  std::size_t capacity_;
  clock::duration service_ = 10ms;
  double load_ = 2;
  double dropped_ = 0;
  randomness random_;
  timeline time_;
  adaptive_limiter limiter_;
  std::deque<std::shared_ptr<call>> queued_;
  std::size_t busy_ = 0;
  std::size_t answered_ = 0;
};

void expect_near_capacity(limited_server& server, const std::string& when) {
  const double ratio = server.mean_limit(20s);
  EXPECT_GT(ratio, 0.8) << when;
  EXPECT_LT(ratio, 1.2) << when;
}

class convergence : public testing::TestWithParam<limit_algorithm> {};

TEST_P(convergence, settles_within_a_fifth_of_the_capacity_and_follows_its_changes) {
  for (const std::uint64_t seed : {1U, 2U}) {
    limited_server server(GetParam(), 60, seed);
    server.run_for(20s);
    expect_near_capacity(server, "at first");
    server.set_capacity(150);
    server.run_for(20s);
    expect_near_capacity(server, "when it has grown");
    server.set_capacity(60);
    server.run_for(20s);
    expect_near_capacity(server, "when it has shrunk again");
  }
}

TEST_P(convergence, does_not_drift_under_lasting_load) {
  limited_server server(GetParam(), 100, 4);
  server.run_for(5min);
  expect_near_capacity(server, "after five minutes");
}

TEST_P(convergence, follows_a_server_that_became_slower_for_good) {
  limited_server server(GetParam(), 100, 5);
  server.run_for(20s);
  server.set_service_time(30ms);
  server.run_for(120s);
  expect_near_capacity(server, "slower");
  server.set_service_time(10ms);
  server.run_for(60s);
  expect_near_capacity(server, "as fast as before");
}

TEST_P(convergence, is_not_disturbed_by_a_hundredth_of_dropped_calls) {
  limited_server server(GetParam(), 100, 7);
  server.set_dropped(0.01);
  server.run_for(60s);
  expect_near_capacity(server, "with deadlines that pass for reasons of their own");
}

TEST_P(convergence, yields_to_a_fifth_of_dropped_calls) {
  limited_server server(GetParam(), 100, 8);
  server.run_for(60s);
  server.set_dropped(0.2);
  server.run_for(20s);
  EXPECT_LT(server.mean_limit(20s), 0.3);
}

INSTANTIATE_TEST_SUITE_P(algorithms, convergence, testing::Values(limit_algorithm::gradient2, limit_algorithm::aimd),
                         [](const auto& of) { return std::string(to_string(of.param)); });

// Why the tolerance is not the published one.
TEST(gradient2_settling, with_the_published_tolerance_half_as_many_again_wait) {
  limited_server server(limit_algorithm::gradient2, 100, 6, {.tolerance = 1.5});
  server.run_for(60s);
  EXPECT_GT(server.mean_limit(20s), 1.4);
}

}  // namespace
