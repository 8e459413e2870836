#pragma once

#include <breakwater/core/deadline.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <utility>

namespace breakwater::resilience::simulation {

using clock = deadline::clock;

/// Events in virtual time, in their order.
class timeline {
 public:
  [[nodiscard]] clock::time_point now() const noexcept { return now_; }
  void at(clock::time_point when, std::function<void()> what) { events_.push({when, count_++, std::move(what)}); }
  void after(clock::duration pause, std::function<void()> what) { at(now_ + pause, std::move(what)); }
  void run_until(clock::time_point end) {
    while (!events_.empty() && events_.top().when <= end) {
      const event next = events_.top();
      events_.pop();
      now_ = next.when;
      next.what();
    }
    now_ = end;
  }

 private:
  struct event {
    clock::time_point when;
    std::size_t number;
    std::function<void()> what;
    bool operator<(const event& other) const noexcept {
      return when != other.when ? when > other.when : number > other.number;
    }
  };
  std::priority_queue<event> events_;
  clock::time_point now_{std::chrono::hours(1)};
  std::size_t count_ = 0;
};

/// Random durations that are the same on every machine: the standard leaves the algorithms of its distributions open.
class randomness {
 public:
  explicit randomness(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] double unit() {
    return static_cast<double>(engine_() >> 11) * 0x1.0p-53;  // 53 bits, as many as a double holds
  }
  [[nodiscard]] clock::duration exponential(clock::duration mean) {
    const double drawn = -std::log(1.0 - unit()) * static_cast<double>(mean.count());
    return clock::duration(static_cast<clock::rep>(drawn));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace breakwater::resilience::simulation
