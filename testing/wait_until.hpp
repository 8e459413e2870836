#pragma once

#include <breakwater/core/deadline.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace breakwater::testing::detail {

/// Asks until the answer is yes or the deadline passes, less often as time goes by. The last
/// question is asked after the deadline, so that a late wake-up does not turn a yes into a no.
template <class Predicate>
[[nodiscard]] bool wait_until(deadline until, Predicate&& is_so) {
  constexpr deadline::clock::duration longest_pause = std::chrono::milliseconds(20);
  deadline::clock::duration pause = std::chrono::milliseconds(1);
  for (;;) {
    const bool last = until.expired(deadline::clock::now());
    if (is_so()) return true;
    if (last) return false;
    std::this_thread::sleep_for(std::min(pause, until.remaining(deadline::clock::now())));
    pause = std::min(pause * 2, longest_pause);
  }
}

}  // namespace breakwater::testing::detail
