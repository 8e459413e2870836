// Who gets a connection when there are not enough: see admission_queue.hpp for the rules.

#include "support.hpp"
#include <breakwater/core/priority.hpp>

#include <array>
#include <atomic>
#include <thread>

namespace breakwater::postgres::test {
namespace {

/// Remembers who was refused.
class shed_recorder final : public observer {
 public:
  void on_shed(const shed_event& event) noexcept override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    events_.back().node = {};
    // Called outside the pool's lock: asking the pool does not block.
    if (const pool* const of = asked) (void)of->counts();
  }
  [[nodiscard]] std::vector<shed_event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::atomic<pool*> asked = nullptr;

 private:
  mutable std::mutex mutex_;
  std::vector<shed_event> events_;
};

/// A pool of one connection.
class narrow {
 public:
  explicit narrow(std::size_t max_waiters = 100, std::size_t size = 1)
      : connections({.size = size, .max_waiters = max_waiters},
                    std::make_shared<connection_settings>(settings_for(server().dsn())), background, &events) {
    events.asked = &connections;
  }
  ~narrow() {
    connections.close(deadline::after(patience));
    background.stop();
  }
  narrow(const narrow&) = delete;
  narrow& operator=(const narrow&) = delete;

  result<lease> borrow(priority importance = priority::normal, deadline until = deadline::after(patience)) {
    return connections.acquire(until, nullptr, source_location::current(), importance);
  }
  /// Holds the only connection for `length`, often enough that the pool knows how long it takes.
  void teach(std::chrono::milliseconds length) {
    constexpr int samples = 9;
    auto held = borrow();
    ASSERT_TRUE(held);
    for (int i = 0; i < samples; ++i) {
      // Only what others wait for is measured, so the next one waits already.
      std::jthread next([&, mine = std::move(held).value()]() mutable {
        ASSERT_TRUE(eventually([&] { return connections.counts().waiting == 1; }));
        (void)run_on(*mine,
                     read("select pg_sleep(" + std::to_string(static_cast<double>(length.count()) / 1000) + ")"));
        mine.give_back();
      });
      held = borrow();
      ASSERT_TRUE(held);
    }
  }
  [[nodiscard]] bool waits(std::size_t callers) const {
    return eventually([&] { return connections.counts().waiting == callers; });
  }

  shed_recorder events;
  task_runner background{4};
  pool connections;
};

TEST(admission, a_caller_whose_turn_would_come_too_late_is_refused_at_once) {
  narrow app;
  app.teach(100ms);
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::jthread ahead([&] { EXPECT_TRUE(succeeds(app.borrow())); });
  ASSERT_TRUE(app.waits(1));
  const deadline soon = deadline::after(50ms);
  const error refused = error_of(app.borrow(priority::normal, soon));
  EXPECT_EQ(refused.code(), errc::overloaded) << refused.message();
  EXPECT_TRUE(refused.is_transient());
  EXPECT_EQ(refused.applied(), applied::no);
  EXPECT_NE(refused.message().find("estimated wait: "), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find("pool.size = 1"), std::string::npos) << refused.message();
  ASSERT_EQ(app.events.events().size(), 1U);
  EXPECT_EQ(app.events.events()[0].reason, shed_reason::too_late);
  EXPECT_EQ(app.connections.counts().waiting, 1U);
  held.value().give_back();
}

TEST(admission, a_caller_with_time_enough_waits) {
  narrow app;
  app.teach(20ms);
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::jthread ahead([&] { EXPECT_TRUE(succeeds(app.borrow())); });
  ASSERT_TRUE(app.waits(1));
  std::jthread behind([&] { EXPECT_TRUE(succeeds(app.borrow())); });
  ASSERT_TRUE(app.waits(2));
  held.value().give_back();
}

TEST(admission, the_critical_overtake_the_sheddable) {
  narrow app;
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::mutex mutex;
  std::vector<priority> order;
  const auto wait_as = [&](priority importance) {
    auto mine = app.borrow(importance);
    ASSERT_TRUE(succeeds(mine));
    const std::lock_guard lock(mutex);
    order.push_back(importance);
  };
  std::vector<std::jthread> callers;
  for (const auto importance : {priority::sheddable, priority::normal, priority::critical}) {
    callers.emplace_back(wait_as, importance);
    ASSERT_TRUE(app.waits(callers.size()));
  }
  held.value().give_back();
  callers.clear();
  EXPECT_EQ(order, (std::vector{priority::critical, priority::normal, priority::sheddable}));
  EXPECT_TRUE(app.events.events().empty());
}

TEST(admission, a_displaced_caller_is_told_that_the_database_is_overloaded) {
  narrow app(1);
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::jthread report([&] {
    const error refused = error_of(app.borrow(priority::sheddable));
    EXPECT_EQ(refused.code(), errc::overloaded);
    EXPECT_NE(refused.message().find("more important"), std::string::npos) << refused.message();
  });
  ASSERT_TRUE(app.waits(1));
  std::jthread payment([&] { EXPECT_TRUE(succeeds(app.borrow(priority::critical))); });
  report.join();
  ASSERT_EQ(app.events.events().size(), 1U);
  EXPECT_EQ(app.events.events()[0].reason, shed_reason::displaced);
  EXPECT_EQ(app.events.events()[0].priority, priority::sheddable);
  EXPECT_EQ(error_of(app.borrow(priority::sheddable)).code(), errc::overloaded);
  ASSERT_EQ(app.events.events().size(), 2U);
  EXPECT_EQ(app.events.events()[1].reason, shed_reason::queue_full);
  held.value().give_back();
}

TEST(admission, closing_wakes_all_who_wait) {
  narrow app;
  auto held = app.borrow();
  ASSERT_TRUE(held);
  std::vector<std::jthread> callers;
  for (const auto importance : {priority::sheddable, priority::normal, priority::critical}) {
    callers.emplace_back([&, importance] { EXPECT_EQ(error_of(app.borrow(importance)).code(), errc::cancelled); });
  }
  ASSERT_TRUE(app.waits(3));
  std::jthread closing([&] { EXPECT_TRUE(app.connections.close(deadline::after(patience))); });
  callers.clear();
  held.value().give_back();
}

TEST(admission, a_crowd_of_all_priorities_and_deadlines_leaves_nothing_behind) {
  constexpr std::size_t size = 2;
  narrow app(5, size);
  std::array<std::atomic<int>, 4> outcomes{};  // served, overloaded, deadline, else
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 12; ++t) {
      crowd.emplace_back([&, t] {
        for (int i = 0; i < 60; ++i) {
          const auto until = deadline::after(std::chrono::milliseconds(1 + (t * 7 + i * 3) % 20));
          auto mine = app.borrow(static_cast<priority>(t % 3), until);
          if (mine) (void)run_on(*mine.value(), read("select pg_sleep(0.001)"));
          const std::size_t which = mine                                             ? 0
                                    : mine.error().code() == errc::overloaded        ? 1
                                    : mine.error().code() == errc::deadline_exceeded ? 2
                                                                                     : 3;
          ++outcomes.at(which);
        }
      });
    }
  }
  EXPECT_GT(outcomes[0], 0);
  EXPECT_GT(outcomes[1], 0);
  EXPECT_EQ(outcomes[3], 0);
  EXPECT_TRUE(eventually([&] {
    const auto now = app.connections.counts();
    return now.waiting == 0 && now.connecting == 0 && now.open == now.idle && now.open <= size;
  }));
  EXPECT_TRUE(succeeds(app.borrow(priority::sheddable)));
}

}  // namespace
}  // namespace breakwater::postgres::test
