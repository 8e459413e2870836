#include "cluster/two_choices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <queue>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::routing::candidate_load;
using breakwater::routing::load_estimate;
using breakwater::routing::load_reading;
using breakwater::routing::relative_cost;
using breakwater::routing::replica_choice;
using breakwater::routing::slow_start;
using breakwater::routing::standing;
using breakwater::routing::two_of_many;

using time_point = load_estimate::time_point;
using nanoseconds = std::chrono::nanoseconds;

constexpr int many = 100'000;

/// Random numbers that are the same in every run.
class dice {
 public:
  double operator()() { return std::uniform_real_distribution<>()(generator_); }
  /// A time between events that come independently of each other.
  nanoseconds interval(nanoseconds mean) {
    return nanoseconds(static_cast<nanoseconds::rep>(-std::log1p(-(*this)()) * static_cast<double>(mean.count())));
  }

 private:
  std::mt19937_64 generator_{20'240'229};  // NOLINT(cert-msc51-cpp): the same in every run
};

/// Replicas with their service times, and reads that arrive by chance. Every replica serves all its calls at once.
class simulation {
 public:
  struct replica {
    nanoseconds takes{};
    standing as = standing::near;
    bool usable = true;
    int chosen = 0;
    load_estimate load{10s, time_point{}};
    slow_start warm_up{10s};
  };

  explicit simulation(const std::vector<nanoseconds>& service_times) {
    for (const auto takes : service_times) {
      replicas_.push_back(std::make_unique<replica>());
      replicas_.back()->takes = takes;
    }
  }

  [[nodiscard]] replica& at(std::size_t i) { return *replicas_[i]; }
  [[nodiscard]] time_point now() const { return now_; }

  /// So many reads, that far apart on average.
  void run(int reads, nanoseconds apart) {
    for (auto& each : replicas_) each->chosen = 0;
    for (int i = 0; i < reads; ++i) {
      now_ += random_.interval(apart);
      end_calls();
      replica_choice choice;
      for (std::size_t n = 0; n < replicas_.size(); ++n) {
        if (replicas_[n]->usable) choice.offer(n, replicas_[n]->as, random_);
      }
      const auto to = choice.choose(
          [this](std::size_t n) {
            return candidate_load{.seen = replicas_[n]->load.read(now_), .share = replicas_[n]->warm_up.share(now_)};
          },
          random_);
      ASSERT_TRUE(to);
      replica& on = *replicas_[*to];
      ++on.chosen;
      on.load.begin();
      // Service times vary by chance, as real ones do.
      const auto took = on.takes / 2 + random_.interval(on.takes / 2);
      in_flight_.push({now_ + took, took, &on});
    }
  }

  [[nodiscard]] double part_of(std::size_t i) const {
    const int all = std::accumulate(replicas_.begin(), replicas_.end(), 0,
                                    [](int sum, const auto& each) { return sum + each->chosen; });
    return static_cast<double>(replicas_[i]->chosen) / all;
  }

 private:
  struct call {
    time_point ends;
    nanoseconds took;
    replica* on;
    bool operator<(const call& other) const { return ends > other.ends; }
  };

  void end_calls() {
    for (; !in_flight_.empty() && in_flight_.top().ends <= now_; in_flight_.pop()) {
      in_flight_.top().on->load.end_answered(in_flight_.top().took, in_flight_.top().ends);
    }
  }

  dice random_;
  time_point now_{1h};
  std::vector<std::unique_ptr<replica>> replicas_;
  std::priority_queue<call> in_flight_;
};

// The sample of two

TEST(two_of_many, every_pair_is_as_likely_as_any_other) {
  dice random;
  constexpr std::size_t number = 5;
  std::map<std::pair<std::size_t, std::size_t>, int> pairs;
  for (int i = 0; i < many; ++i) {
    two_of_many sample;
    for (std::size_t n = 0; n < number; ++n) sample.offer(n, random);
    std::vector<std::size_t> asked;
    (void)sample.choose(
        [&](std::size_t n) {
          asked.push_back(n);
          return candidate_load{};
        },
        random);
    ASSERT_EQ(asked.size(), 2U);
    ASSERT_NE(asked[0], asked[1]);
    ++pairs[std::minmax(asked[0], asked[1])];
  }
  EXPECT_EQ(pairs.size(), 10U);
  for (const auto& [pair, count] : pairs) EXPECT_NEAR(count, many / 10.0, many / 200.0) << pair.first << pair.second;
}

TEST(two_of_many, one_candidate_is_taken_unseen_and_none_is_none) {
  dice random;
  const auto never = [](std::size_t) -> candidate_load {
    ADD_FAILURE() << "there was nothing to compare";
    return {};
  };
  two_of_many sample;
  EXPECT_EQ(sample.choose(never, random), std::nullopt);
  sample.offer(7, random);
  EXPECT_EQ(sample.choose(never, random), 7U);
}

TEST(two_of_many, chance_decides_between_equals) {
  dice random;
  int first = 0;
  for (int i = 0; i < many; ++i) {
    two_of_many sample;
    sample.offer(0, random);
    sample.offer(1, random);
    first += sample.choose([](std::size_t) { return candidate_load{}; }, random) == 0U ? 1 : 0;
  }
  EXPECT_NEAR(first, many / 2.0, many / 100.0);
}

// The cost

TEST(relative_cost, is_latency_times_calls_in_flight) {
  const load_reading a{.latency = 2e6, .recent = true, .in_flight = 4};
  const load_reading b{.latency = 1e6, .recent = true, .in_flight = 1};
  EXPECT_DOUBLE_EQ(relative_cost(a, b), 2 * 5 / 2.0);
  EXPECT_DOUBLE_EQ(relative_cost(b, a), 2 / (2 * 5.0));
}

TEST(relative_cost, unknown_node_is_taken_to_be_as_fast_as_the_other) {
  const load_reading unknown{.latency = 0, .recent = false, .in_flight = 1};
  const load_reading known{.latency = 1e6, .recent = true, .in_flight = 1};
  EXPECT_DOUBLE_EQ(relative_cost(unknown, known), 1);
  EXPECT_DOUBLE_EQ(relative_cost(known, unknown), 1);
  EXPECT_DOUBLE_EQ(relative_cost(unknown, unknown), 1);
}

TEST(relative_cost, estimate_that_only_eased_is_no_reason_to_take_a_node_for_fast) {
  const load_reading eased{.latency = 2e3, .recent = false, .in_flight = 0};
  const load_reading known{.latency = 1e6, .recent = true, .in_flight = 0};
  EXPECT_DOUBLE_EQ(relative_cost(eased, known), 1);
  EXPECT_DOUBLE_EQ(relative_cost(known, eased), 1);
  const load_reading slow{.latency = 9e6, .recent = false, .in_flight = 0};
  EXPECT_DOUBLE_EQ(relative_cost(slow, known), 9) << "but is one to take it for slow";
  EXPECT_DOUBLE_EQ(relative_cost(slow, eased), 4500) << "of two guesses both count";
}

// The choice, over many

TEST(two_choices, slow_replica_gets_only_a_small_part) {
  for (const nanoseconds apart : {20us, 200us, 2000us}) {
    simulation reads({1ms, 1ms, 10ms});
    reads.run(many, apart);
    EXPECT_LT(reads.part_of(2), 0.05) << apart.count();
    EXPECT_GT(reads.part_of(2), 0) << "it is tried again now and then";
  }
}

TEST(two_choices, replica_that_became_slow_is_left_and_returned_to) {
  simulation reads({1ms, 1ms});
  reads.run(many, 100us);
  reads.at(1).takes = 50ms;
  reads.run(many, 100us);
  EXPECT_LT(reads.part_of(1), 0.05);
  reads.at(1).takes = 1ms;
  reads.run(10 * many, 100us);  // a hundred seconds: ten times the decay
  reads.run(many, 100us);
  EXPECT_NEAR(reads.part_of(1), 0.5, 0.05);
}

TEST(two_choices, equal_replicas_share_evenly) {
  for (const std::size_t number : {2U, 3U, 7U}) {
    simulation reads(std::vector<nanoseconds>(number, 1ms));
    reads.run(10 * many, 50us);  // several times the decay: a slow answer that came by chance is remembered for so long
    for (std::size_t i = 0; i < number; ++i) {
      EXPECT_NEAR(reads.part_of(i) * static_cast<double>(number), 1, 0.05) << i << " of " << number;
    }
  }
}

TEST(two_choices, calls_in_flight_are_balanced_where_latency_is_unknown) {
  simulation reads(std::vector<nanoseconds>(5, 24h));  // nothing is answered
  reads.run(many / 10, 1us);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(reads.at(i).load.read(reads.now()).in_flight, many / 50.0, 10) << i;
  }
}

TEST(two_choices, load_returns_gradually_to_a_replica_that_is_back) {
  for (const nanoseconds apart : {100us, 5000us}) {  // many in flight, and hardly ever one
    simulation reads({1ms, 1ms, 1ms});
    reads.at(2).usable = false;
    reads.run(1000, apart);
    reads.at(2).usable = true;
    reads.at(2).warm_up.begin(reads.now());
    double before = 0;
    for (int second = 0; second < 10; second += 2) {
      reads.run(static_cast<int>(2s / apart), apart);
      const double part = reads.part_of(2);
      EXPECT_GT(part, 0) << second;
      // Two seconds are a fifth of the way to a third; what chance adds is little.
      EXPECT_LT(part, (second + 2) / 10.0 / 3 + 0.12) << second;
      EXPECT_GT(part, before - 0.1) << second;
      before = part;
    }
    reads.run(static_cast<int>(50s / apart), apart);
    EXPECT_NEAR(reads.part_of(2), 1 / 3.0, 0.05);
  }
}

TEST(two_choices, replicas_that_are_all_new_share_as_old_ones_do) {
  simulation reads({1ms, 1ms});
  for (const std::size_t i : {0U, 1U}) reads.at(i).warm_up.begin(reads.now());
  reads.run(many / 10, 100us);
  EXPECT_NEAR(reads.part_of(0), 0.5, 0.05);
}

TEST(two_choices, replica_left_out_serves_only_where_there_is_no_other) {
  simulation reads({1ms, 1ms, 1ms});
  reads.at(0).as = standing::left_out;
  reads.run(1000, 100us);
  EXPECT_EQ(reads.at(0).chosen, 0);
  reads.at(1).usable = false;
  reads.at(2).as = standing::left_out;
  reads.run(1000, 100us);
  EXPECT_GT(reads.at(0).chosen, 0);
  EXPECT_GT(reads.at(2).chosen, 0);
}

// Zones

TEST(two_choices, replica_of_our_zone_serves_while_it_is_not_overloaded) {
  simulation reads({1ms, 1ms, 1ms});
  reads.at(1).as = reads.at(2).as = standing::far;
  reads.run(many, 5ms);
  EXPECT_GT(reads.part_of(0), 0.8);
}

TEST(two_choices, zone_that_is_overloaded_sends_reads_elsewhere) {
  simulation slow({20ms, 1ms, 1ms});
  slow.at(1).as = slow.at(2).as = standing::far;
  slow.run(many, 200us);
  EXPECT_LT(slow.part_of(0), 0.2) << "it is slow";

  simulation busy({1ms, 1ms, 1ms});
  busy.at(1).as = busy.at(2).as = standing::far;
  for (int i = 0; i < 1000; ++i) busy.at(0).load.begin();  // those of others, which do not end
  busy.run(1000, 1ms);
  EXPECT_EQ(busy.at(0).chosen, 0) << "it has much to do";
}

TEST(two_choices, zone_without_a_usable_replica_reads_elsewhere) {
  simulation reads({1ms, 1ms});
  reads.at(0).as = standing::left_out;
  reads.at(1).as = standing::far;
  reads.run(1000, 1ms);
  EXPECT_EQ(reads.at(1).chosen, 1000);
}

}  // namespace
