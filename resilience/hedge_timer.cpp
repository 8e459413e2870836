#include <breakwater/resilience/hedge.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <queue>
#include <system_error>
#include <thread>
#include <utility>

namespace breakwater::resilience {
namespace {

/// What the thread works with. It owns a share, so that it can outlive the timer, see `~timer_thread`.
class due_calls {
 public:
  void add(deadline::clock::time_point when, std::weak_ptr<detail::hedged_call> what) {
    const std::lock_guard lock(mutex_);
    const bool first = waiting_.empty() || when < waiting_.top().when;
    waiting_.push({when, std::move(what)});
    // Calls that have ended stay in the queue until their time, so that under load the thread is seldom woken.
    if (first) wake_.notify_one();
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
      const std::weak_ptr<detail::hedged_call> what = waiting_.top().what;
      waiting_.pop();
      lock.unlock();
      tell(what);
      lock.lock();
    }
  }

 private:
  struct entry {
    deadline::clock::time_point when;
    std::weak_ptr<detail::hedged_call> what;
    bool operator<(const entry& other) const noexcept { return when > other.when; }
  };

  /// Without the lock: this may be the last to hold the call, and whatever its callable owns goes with it.
  static void tell(const std::weak_ptr<detail::hedged_call>& what) noexcept {
    if (const auto call = what.lock()) call->due();
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::priority_queue<entry> waiting_;
};

class timer_thread final : public hedge_timer {
 public:
  timer_thread() = default;
  timer_thread(const timer_thread&) = delete;
  timer_thread& operator=(const timer_thread&) = delete;
  /// On the thread itself where a call that it was the last to hold owned the timer: then it can not be waited for, and
  /// ends by itself.
  ~timer_thread() override {
    if (thread_.get_id() != std::this_thread::get_id()) return;
    thread_.request_stop();
    thread_.detach();
  }

  void at(deadline::clock::time_point when, std::weak_ptr<detail::hedged_call> what) override {
    if (has_thread()) calls_->add(when, std::move(what));
  }

 private:
  /// Without a thread there are no second copies, and the calls go on.
  [[nodiscard]] bool has_thread() noexcept {
    if (started_.load(std::memory_order_acquire)) return true;
    const std::lock_guard lock(starting_);
    if (thread_.joinable()) return true;
    try {
      thread_ = std::jthread([calls = calls_](const std::stop_token& stop) { calls->work(stop); });
      started_.store(true, std::memory_order_release);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  const std::shared_ptr<due_calls> calls_ = std::make_shared<due_calls>();
  std::atomic<bool> started_{false};
  std::mutex starting_;
  std::jthread thread_;
};

}  // namespace

std::shared_ptr<hedge_timer> make_hedge_timer() { return std::make_shared<timer_thread>(); }

}  // namespace breakwater::resilience
