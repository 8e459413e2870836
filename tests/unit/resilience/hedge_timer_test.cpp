// The thread that says when second copies are due: what it keeps alive, and what may end on it.

#include <breakwater/resilience/hedge.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <utility>

namespace {

using namespace std::chrono_literals;
using breakwater::deadline;
using breakwater::resilience::hedge_timer;
using breakwater::resilience::make_hedge_timer;
using breakwater::resilience::detail::hedge_core;
using breakwater::resilience::detail::hedged_call;

/// Longer than any test takes on a busy machine.
constexpr auto patience = 30s;

/// Has leave for second copies, which `executor` is given.
std::shared_ptr<hedge_core> core_with(std::function<void(std::function<void()>)> executor) {
  auto core =
      std::make_shared<hedge_core>(breakwater::hedge_options{.enabled = true, .max_extra = 1.0}, std::move(executor));
  core->budget.deposit();
  return core;
}

/// A call that owns what it is given.
template <class Owned>
class owning_call final : public hedged_call {
 public:
  owning_call(std::shared_ptr<hedge_core> core, Owned owned) : hedged_call(std::move(core)), owned_(std::move(owned)) {}

 private:
  bool run_second(std::stop_token /*stop*/) override { return true; }
  Owned owned_;
};

TEST(hedge_timer, tells_the_calls_that_are_due_in_their_order) {
  std::promise<void> late_told;
  std::promise<void> soon_told;
  const auto timer = make_hedge_timer();  // after what its thread uses
  const auto tells = [](std::promise<void>& whom) {
    return core_with([&whom](const std::function<void()>&) { whom.set_value(); });
  };
  const auto late = std::make_shared<owning_call<int>>(tells(late_told), 0);
  const auto soon = std::make_shared<owning_call<int>>(tells(soon_told), 0);
  const auto now = deadline::clock::now();
  timer->at(now + 1h, late);
  timer->at(now, soon);
  EXPECT_EQ(soon_told.get_future().wait_for(patience), std::future_status::ready);
  EXPECT_EQ(late_told.get_future().wait_for(0s), std::future_status::timeout);
}

TEST(hedge_timer, does_not_keep_a_call_that_has_ended) {
  const auto timer = make_hedge_timer();
  auto call = std::make_shared<owning_call<int>>(core_with({}), 0);
  const std::weak_ptr<hedged_call> seen = call;
  timer->at(deadline::clock::now() + 1h, call);
  call.reset();
  EXPECT_TRUE(seen.expired());
}

/// Given to the timer, a call whose last owner is the timer's thread: its caller lets go of it while it is told.
class last_owner {
 public:
  /// Makes the call that owns `what` and has the timer tell it.
  template <class Owned>
  void is_the_timer(hedge_timer& timer, Owned what) {
    const auto core = core_with([this](const std::function<void()>&) {
      let_go_.get_future().wait();
      callers_.reset();
    });
    callers_ = std::make_shared<owning_call<Owned>>(core, std::move(what));
    timer.at(deadline::clock::now(), callers_);
  }
  void let_go() { let_go_.set_value(); }

 private:
  std::promise<void> let_go_;
  std::shared_ptr<hedged_call> callers_;
};

TEST(hedge_timer, call_that_ends_on_its_thread_may_use_it) {
  std::promise<void> gone;
  last_owner owner;
  const auto timer = make_hedge_timer();
  // As where a second call, made at the end of the first, is hedged.
  const std::weak_ptr<hedge_timer> again = timer;
  owner.is_the_timer(*timer, std::shared_ptr<void>(nullptr, [&gone, again](void* /*nothing*/) {
    if (const auto same = again.lock()) same->at(deadline::clock::now(), {});
    gone.set_value();
  }));
  owner.let_go();
  EXPECT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
}

TEST(hedge_timer, may_be_owned_by_a_call_that_ends_on_its_thread) {
  struct owned {
    std::shared_ptr<void> last;  // goes after the timer, as members do in reverse
    std::shared_ptr<hedge_timer> timer;
  };
  // Shared, because the thread that fulfils it is not waited for.
  const auto gone = std::make_shared<std::promise<void>>();
  auto timer = make_hedge_timer();
  last_owner owner;
  std::shared_ptr<void> last(nullptr, [gone](void* /*nothing*/) { gone->set_value(); });
  owner.is_the_timer(*timer, owned{.last = std::move(last), .timer = timer});
  timer.reset();
  owner.let_go();
  EXPECT_EQ(gone->get_future().wait_for(patience), std::future_status::ready);
}

}  // namespace
