// Many sessions that read what they wrote, while replicas stop and go on as they like.

#include "support.hpp"

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace causality {
namespace {

constexpr int writers = 4;
constexpr int rounds = 5'000;       // each writes once
constexpr int reads_per_round = 5;  // three in the same session, two in another that was given the token

class counting final : public bw::observer {
 public:
  void on_operation(const bw::operation_event& event) noexcept override {
    if (event.operation == "SELECT" || event.operation == "SQL") {
      (event.role == bw::node_role::replica ? by_replica : by_primary).fetch_add(1, std::memory_order_relaxed);
    }
  }
  std::atomic<int> by_replica{0};
  std::atomic<int> by_primary{0};
};

class random_causality : public fixture {
 protected:
  static std::int64_t read(const bw::session& in, int id) {
    const auto found = in.query("select value from counters where id = ?", id).read_only().one<std::int64_t>();
    return found ? found.value() : -1;
  }

  /// Pauses and resumes until it is told to end.
  void disturb(const std::stop_token& stop) {
    std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    while (!stop.stop_requested()) {
      const auto which = cluster->replica(random() % 2);
      EXPECT_OK(random() % 2 == 0 ? cluster->pause_replay(which) : cluster->resume_replay(which));
    }
    for (std::size_t i = 0; i < 2; ++i) EXPECT_OK(cluster->resume_replay(cluster->replica(i)));
  }
};

TEST_F(random_causality, no_read_is_stale_and_replicas_serve_many) {
  config.routing.replica_wait = 2ms;
  config.operation_timeout = 30s;
  start(2);
  const auto counter = std::make_shared<counting>();
  auto opened = open(counter);
  ASSERT_OK(opened);
  const bw::database& shared = opened.value();
  std::atomic<int> stale{0};
  std::atomic<int> failed{0};
  std::atomic<int> checks{0};
  {
    const std::jthread disturber([&](const std::stop_token& stop) { disturb(stop); });
    std::vector<std::jthread> all;
    for (int id = 1; id <= writers; ++id) {
      all.emplace_back([&, id] {
        const auto check = [&](const bw::session& in, std::int64_t least) {
          const std::int64_t found = read(in, id);
          if (found < 0) ++failed;
          if (found >= 0 && found < least) ++stale;
          ++checks;
        };
        for (std::int64_t round = 1; round <= rounds; ++round) {
          const bw::session own = shared.session();
          if (!own.execute("update counters set value = ? where id = ?", round, id)) ++failed;
          for (int i = 0; i < reads_per_round - 2; ++i) check(own, round);
          const auto token = bw::causality_token::parse(own.token().to_string());
          const bw::session other = shared.session({.after = token ? token.value() : bw::causality_token{}});
          for (int i = 0; i < 2; ++i) check(other, round);
        }
      });
    }
    all.clear();
  }
  EXPECT_EQ(checks, writers * rounds * reads_per_round);
  EXPECT_EQ(stale, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_GT(counter->by_replica, 0);
  EXPECT_GT(counter->by_primary, 0);
  RecordProperty("by_replica", counter->by_replica);
  RecordProperty("by_primary", counter->by_primary);
}

}  // namespace
}  // namespace causality
