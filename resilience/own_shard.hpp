#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace breakwater::resilience {

/// Which of so many copies of a counter this thread adds to. Threads are dealt out evenly, each for its whole life, so
/// that few of them share one.
[[nodiscard]] inline std::size_t own_shard(std::size_t shards) noexcept {
  static std::atomic<std::uint32_t> next{0};
  static constinit thread_local std::uint32_t mine = 0;
  if (mine == 0) mine = next.fetch_add(1, std::memory_order_relaxed) + 1;
  return mine % shards;
}

}  // namespace breakwater::resilience
