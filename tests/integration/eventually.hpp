#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace tests {

/// Asks until the answer is yes; false after half a minute.
[[nodiscard]] inline bool eventually(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace tests
