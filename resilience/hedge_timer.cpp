#include <breakwater/resilience/hedge.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <queue>
#include <system_error>
#include <thread>
#include <vector>

namespace breakwater::resilience {
namespace {

class timer_thread final : public hedge_timer {
 public:
  void at(deadline::clock::time_point when, std::shared_ptr<detail::hedged_call> what) override {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable() && !start()) return;
    const bool first = waiting_.empty() || when < waiting_.top().when;
    waiting_.push({when, std::move(what)});
    // Calls that have ended stay in the queue until their time, so that under load the thread is seldom woken.
    if (first) wake_.notify_one();
  }

 private:
  struct entry {
    deadline::clock::time_point when;
    std::shared_ptr<detail::hedged_call> what;
    bool operator<(const entry& other) const noexcept { return when > other.when; }
  };

  /// Without a thread there are no second copies, and the calls go on.
  [[nodiscard]] bool start() noexcept {
    try {
      thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (waiting_.empty()) {
        wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
        continue;
      }
      const auto next = waiting_.top().when;
      if (deadline::clock::now() < next) {
        wake_.wait_until(lock, stop, next, [this, next] { return waiting_.top().when < next; });
        continue;
      }
      const auto what = waiting_.top().what;
      waiting_.pop();
      lock.unlock();
      what->due();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::priority_queue<entry> waiting_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace

std::shared_ptr<hedge_timer> make_hedge_timer() { return std::make_shared<timer_thread>(); }

}  // namespace breakwater::resilience
