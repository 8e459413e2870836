#include "core/task_runner.hpp"

#include <system_error>
#include <utility>

namespace breakwater {

task_runner::task_runner(std::size_t max_threads, std::chrono::milliseconds keep_alive)
    : max_threads_(max_threads), keep_alive_(keep_alive) {}

task_runner::~task_runner() { stop(); }

void task_runner::post(std::function<void()> task) {
  thread_list finished;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      task();
      return;
    }
    queue_.push_back(std::move(task));
    finished.swap(ended_);
    if (queue_.size() <= idle_ || running_.size() >= max_threads_ || !start_thread()) work_arrived_.notify_one();
  }
  for (std::thread& thread : finished) thread.join();  // they have left their loop
}

bool task_runner::start_thread() {
  running_.emplace_front();
  try {
    running_.front() = std::thread(&task_runner::work, this, running_.begin());
    return true;
  } catch (const std::system_error&) {
    // The system has no thread to give. The task waits for a running one, for the next post or for the end.
    running_.pop_front();
    return false;
  }
}

void task_runner::stop() {
  thread_list finished;
  std::deque<std::function<void()>> left;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    work_arrived_.notify_all();
    thread_ended_.wait(lock, [this] { return running_.empty(); });
    finished.swap(ended_);
    left.swap(queue_);
  }
  for (std::thread& thread : finished) thread.join();
  for (const auto& task : left) task();
}

void task_runner::work(thread_list::iterator self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_arrived_.wait_for(lock, keep_alive_, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) break;  // stopping, or nothing to do for a while
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }  // destroyed without the lock: what it owns may be slow to go, such as a connection
    lock.lock();
  }
  ended_.splice(ended_.begin(), running_, self);
  thread_ended_.notify_all();
}

}  // namespace breakwater
