// Open-loop load on an admission queue in virtual time: callers come whether or not others were served.

#include "simulation.hpp"
#include <breakwater/resilience/admission_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::priority;
using breakwater::resilience::admission_queue;
using breakwater::resilience::simulation::clock;
using breakwater::resilience::simulation::randomness;
using breakwater::resilience::simulation::timeline;

enum class spread : std::uint8_t { none, exponential, heavy };

struct service {
  clock::duration mean;
  clock::duration patience;  // how long callers allow
  spread of;
};

constexpr std::size_t servers = 8;
constexpr auto simulated_time = 20s;

struct caller : admission_queue::entry {
  using entry::entry;
  clock::duration work{};
  bool waits = false;
};

/// Callers of a pool. A server works on to the end of a call whose caller has left: the worst case.
class pool_under_load {
 public:
  pool_under_load(service what, double load, std::uint64_t seed)
      : service_(what),
        interval_(clock::duration(static_cast<clock::rep>(static_cast<double>(what.mean.count()) / servers / load))),
        random_(seed) {}

  /// Calls answered in time, per second.
  double goodput() {
    arrive();
    const auto end = time_.now() + simulated_time;
    time_.run_until(end);
    return static_cast<double>(in_time_) / std::chrono::duration<double>(simulated_time).count();
  }
  [[nodiscard]] const std::array<std::size_t, breakwater::priority_count>& answered() const { return answered_; }

 private:
  clock::duration draw() {
    switch (service_.of) {
      case spread::none: return service_.mean;
      case spread::exponential: return random_.exponential(service_.mean);
      case spread::heavy: break;
    }
    // One in ten takes 55 % of the time.
    return random_.unit() < 0.1 ? random_.exponential(service_.mean * 11 / 2) : random_.exponential(service_.mean / 2);
  }

  void arrive() {
    time_.after(random_.exponential(interval_), [this] { arrive(); });
    const double rank = random_.unit();
    auto self = std::make_shared<caller>(rank < 0.1   ? priority::critical
                                         : rank < 0.7 ? priority::normal
                                                      : priority::sheddable,
                                         deadline(time_.now() + service_.patience));
    self->work = draw();
    if (busy_ < servers) {
      ++busy_;
      serve(self, time_.now());
      return;
    }
    const auto admitted = queue_.join(*self, time_.now());
    if (admitted.displaced != nullptr) forget(*admitted.displaced);
    if (admitted.refused) return;
    waiting_.emplace_back(self);
    self->waits = true;
    time_.at(self->until().at(), [this, self] {
      if (!self->waits) return;
      queue_.leave(*self);
      forget(*self);
    });
  }

  void serve(const std::shared_ptr<caller>& who, clock::time_point since) {
    time_.after(who->work, [this, who, since] {
      if (!who->until().expired(time_.now())) {
        ++in_time_;
        ++answered_.at(static_cast<std::size_t>(who->importance()));
      }
      queue_.note_held(time_.now() - since, time_.now());
      auto turn = queue_.next(time_.now());
      while (auto* const gone = turn.expired.pop_oldest()) forget(*gone);
      if (turn.next == nullptr) {
        --busy_;
        return;
      }
      serve(forget(*turn.next), time_.now());
    });
  }

  std::shared_ptr<caller> forget(admission_queue::entry& entry) {
    const auto found = std::ranges::find(waiting_, &entry, [](const auto& each) { return each.get(); });
    auto self = *found;
    self->waits = false;
    waiting_.erase(found);
    return self;
  }

  const service service_;
  const clock::duration interval_;
  randomness random_;
  timeline time_;
  admission_queue queue_{{.servers = servers, .max_waiters = 1000}};
  std::vector<std::shared_ptr<caller>> waiting_;
  std::size_t busy_ = 0;
  std::size_t in_time_ = 0;
  std::array<std::size_t, breakwater::priority_count> answered_{};
};

class overload : public testing::TestWithParam<service> {};

TEST_P(overload, five_times_the_load_leaves_goodput_within_a_tenth_of_the_peak) {
  double peak = 0;
  for (const double load : {0.7, 0.8, 0.9, 1.0, 1.1, 1.2}) {
    peak = std::max(peak, pool_under_load(GetParam(), load, 7).goodput());
  }
  for (const double load : {2.0, 5.0, 20.0}) {
    const double goodput = pool_under_load(GetParam(), load, 11).goodput();
    EXPECT_GE(goodput, 0.9 * peak) << "at " << load << " times the capacity";
  }
}

INSTANTIATE_TEST_SUITE_P(services, overload,
                         testing::Values(service{10ms, 50ms, spread::none}, service{10ms, 50ms, spread::exponential},
                                         service{10ms, 200ms, spread::exponential},
                                         service{10ms, 1s, spread::exponential},
                                         service{10ms, 20ms, spread::exponential}, service{10ms, 100ms, spread::heavy},
                                         service{10ms, 1s, spread::heavy}, service{1ms, 200ms, spread::heavy}));

TEST(overload_by_priority, the_critical_are_served_while_the_sheddable_starve) {
  pool_under_load pool({10ms, 100ms, spread::exponential}, 5.0, 13);
  const double goodput = pool.goodput();
  EXPECT_GT(goodput, 0);
  // A tenth of five times the capacity is critical: half of what can be served.
  const double critical = static_cast<double>(pool.answered()[0]) / (0.1 * 5.0 * 800 * 20);
  EXPECT_GT(critical, 0.95);
  const auto all = static_cast<double>(pool.answered()[0] + pool.answered()[1] + pool.answered()[2]);
  EXPECT_LT(static_cast<double>(pool.answered()[2]), 0.02 * all);
}

}  // namespace
