#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/core/result.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <thread>

namespace breakwater::routing {
class router;
}  // namespace breakwater::routing

namespace breakwater::detail {

/// Deletes old rows of the outcome guard's table.
///
/// In the background, on a thread of its own that starts when something was guarded for the first time, about once in
/// `sweep_interval`. What hinders it, the next sweep finds again. Thread-safe.
class outcome_sweeper {
 public:
  /// `nodes` outlives it.
  outcome_sweeper(routing::router& nodes, const outcome_guard_options& options) noexcept
      : nodes_(nodes), options_(options) {}
  outcome_sweeper(const outcome_sweeper&) = delete;
  outcome_sweeper& operator=(const outcome_sweeper&) = delete;
  ~outcome_sweeper() = default;

  /// Something is guarded: from now on there is something to sweep.
  void start();
  /// Deletes what is older than `retention`, a batch at a time, until nothing is left or `until` has come. Returns how many
  /// rows; those of batches before an error are deleted all the same.
  [[nodiscard]] result<std::size_t> sweep(deadline until, const std::stop_token* cancel);

 private:
  void work(const std::stop_token& stop);

  routing::router& nodes_;
  const outcome_guard_options options_;
  std::once_flag started_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace breakwater::detail
