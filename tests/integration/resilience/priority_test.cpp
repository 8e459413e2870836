// Priorities of sessions where connections are scarce.

#include "support.hpp"

#include <optional>
#include <thread>

namespace tests {
namespace {

using bw::priority;
using bw::shed_reason;

class shed_recorder final : public bw::observer {
 public:
  void on_shed(const bw::shed_event& event) noexcept override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    events_.back().node = {};
  }
  [[nodiscard]] std::vector<bw::shed_event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<bw::shed_event> events_;
};

class priorities : public resilience_test {
 protected:
  void SetUp() override {
    resilience_test::SetUp();
    config.pool.size = 1;
    config.pool.max_waiters = 1;
    config.observer = shed;
    db.emplace(bw::database::open(config).value());
  }
  [[nodiscard]] bw::session as(priority importance) const {
    return db->session({.timeout = 30s, .consistency = bw::consistency::primary, .priority = importance});
  }
  /// Runs `then` while the primary's only connection is in use and a critical caller waits for it.
  void when_full(const std::function<void()>& then) {
    std::jthread waiting;
    ASSERT_OK(as(priority::normal).transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("select 1"));
      waiting = std::jthread([&] { EXPECT_OK(as(priority::critical).execute("select 1")); });
      // A sheddable caller either waits until it is displaced, or is refused: then the critical one waits.
      EXPECT_TRUE(eventually([&] {
        return as(priority::sheddable).execute("select 1").has_error() &&
               shed->events().back().reason == shed_reason::queue_full;
      }));
      then();
      return bw::success();
    }));
  }

  std::shared_ptr<shed_recorder> shed = std::make_shared<shed_recorder>();
  std::optional<bw::database> db;
};

TEST_F(priorities, a_sessions_priority_is_that_of_all_it_does) {
  when_full([&] {
    const auto before = shed->events().size();
    EXPECT_ERROR(as(priority::sheddable).execute("insert into items values (1, 'x')"), errc::overloaded);
    EXPECT_ERROR(as(priority::sheddable).query("select 1").read_only().one<int>(), errc::overloaded);
    EXPECT_ERROR(as(priority::sheddable).query("select 1").read_only().stream<int>([](int) {}), errc::overloaded);
    EXPECT_ERROR(as(priority::sheddable).transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }),
                 errc::overloaded);
    const auto refused = shed->events();
    ASSERT_EQ(refused.size(), before + 4);
    for (std::size_t i = before; i < refused.size(); ++i) {
      EXPECT_EQ(refused[i].priority, priority::sheddable);
      EXPECT_EQ(refused[i].reason, shed_reason::queue_full);
    }
  });
}

TEST_F(priorities, refused_calls_were_not_attempted_and_are_not_tried_again) {
  when_full([&] {
    const auto before = shed->events().size();
    const auto refused = as(priority::sheddable).execute("insert into items values (1, 'x')");
    ASSERT_TRUE(fails_with(refused, errc::overloaded));
    EXPECT_EQ(refused.error().attempts(), 0U);
    EXPECT_EQ(refused.error().applied(), bw::applied::no);
    EXPECT_EQ(shed->events().size(), before + 1);
  });
}

/// Runs `then` with as many transactions under way as there are left.
void within_transactions(const bw::database& db, int left, const std::function<void()>& then) {
  if (left == 0) return then();
  bw::session session = db.session({.timeout = 30s});
  EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("select 1"));
    within_transactions(db, left - 1, then);
    return bw::success();
  }));
}

TEST_F(resilience_test, a_limiter_keeps_its_last_places_for_the_more_important) {
  const auto shed = std::make_shared<shed_recorder>();
  config.observer = shed;
  config.limiter = {.algorithm = bw::limit_algorithm::aimd, .min = 4, .max = 4};
  const bw::database db = open();
  const auto write_as = [&](priority importance) {
    return db.session({.timeout = 30s, .priority = importance}).execute("select 1");
  };
  within_transactions(db, 3, [&] {
    const auto refused = write_as(priority::sheddable);
    EXPECT_ERROR(refused, errc::overloaded);
    EXPECT_EQ(refused.error().applied(), bw::applied::no);
    EXPECT_EQ(refused.error().attempts(), 0U);
    EXPECT_OK(write_as(priority::normal));
  });
  within_transactions(db, 4, [&] { EXPECT_ERROR(write_as(priority::critical), errc::overloaded); });
  EXPECT_OK(write_as(priority::sheddable)) << "all places were given back";
  ASSERT_EQ(shed->events().size(), 2U);
  EXPECT_EQ(shed->events()[0].reason, shed_reason::limiter);
  EXPECT_EQ(shed->events()[0].priority, priority::sheddable);
}

}  // namespace
}  // namespace tests
