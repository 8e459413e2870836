#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace breakwater {

/// Runs tasks that may block, off their callers' threads: connecting (host names are resolved by a blocking call),
/// sending cancel requests, closing. Threads are started when there is work and end when there has been none for
/// a while, so that an idle program has none of them.
///
/// Thread-safe. Tasks must not throw, and must not destroy the runner.
class task_runner {
 public:
  /// At most `max_threads` tasks run at once, the others queue. A thread without work ends after `keep_alive`.
  explicit task_runner(std::size_t max_threads, std::chrono::milliseconds keep_alive = std::chrono::seconds(5));
  task_runner(const task_runner&) = delete;
  task_runner& operator=(const task_runner&) = delete;
  /// As `stop()`.
  ~task_runner();

  /// Runs `task` soon. After `stop()` it is run at once, on the caller's own thread.
  void post(std::function<void()> task);
  /// Runs what is queued and waits for its end. Called once at the end of the runner's life.
  void stop();

 private:
  using thread_list = std::list<std::thread>;
  [[nodiscard]] bool start_thread();
  void work(thread_list::iterator self);

  const std::size_t max_threads_;
  const std::chrono::milliseconds keep_alive_;
  std::mutex mutex_;
  std::condition_variable work_arrived_;
  std::condition_variable thread_ended_;
  std::deque<std::function<void()>> queue_;
  thread_list running_;
  thread_list ended_;  // to be joined
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace breakwater
