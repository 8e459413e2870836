#pragma once

#include <breakwater/resilience/timing.hpp>

#include <chrono>

namespace breakwater::resilience {

/// Time that passes only where somebody waits, and one number for chance.
class fake_timing final : public timing {
 public:
  time_point now() const noexcept override { return now_; }
  double unit() const noexcept override { return unit_; }
  bool wait_until(time_point until, const std::stop_token* cancel) const override {
    if (cancel != nullptr && cancel->stop_requested()) return false;
    waited_ += until - now_;
    now_ = until;
    return true;
  }
  void pass(std::chrono::nanoseconds time) const { now_ += time; }
  std::chrono::nanoseconds waited() const { return waited_; }

 private:
  mutable time_point now_{std::chrono::hours(100)};
  mutable std::chrono::nanoseconds waited_{0};
  double unit_ = 0.5;
};

}  // namespace breakwater::resilience
