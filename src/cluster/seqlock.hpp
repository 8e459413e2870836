#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace breakwater::routing {

/// A small value that one thread writes and any number read, none of whom ever waits for a lock.
///
///     seqlock<replay_mark> mark;
///     mark.store(found);                       // by the one writer
///     const replay_mark seen = mark.load();    // by anybody: all of one `store`, never parts of two
///
/// A counter is odd while the value is being written; who reads meanwhile reads again (Boehm, "Can seqlocks get along with
/// programming language memory models?", MSPC 2012). The words are atomics, so that there is no data race to argue about.
/// A load is one read of the counter on either side of the words: a few nanoseconds.
template <class Value>
class seqlock {
  static_assert(std::is_trivially_copyable_v<Value> && std::is_default_constructible_v<Value>);

 public:
  seqlock() noexcept { store(Value{}); }
  seqlock(const seqlock&) = delete;
  seqlock& operator=(const seqlock&) = delete;
  ~seqlock() = default;

  [[nodiscard]] Value load() const noexcept {
    std::array<std::uint64_t, words> copy{};
    for (;;) {
      const std::uint64_t before = count_.load(std::memory_order_acquire);
      // Acquire: none of them moves behind the second look at the counter.
      for (std::size_t i = 0; i < words; ++i) copy[i] = words_[i].load(std::memory_order_acquire);
      if (before % 2 == 0 && count_.load(std::memory_order_relaxed) == before) break;
    }
    Value value;
    std::memcpy(static_cast<void*>(&value), copy.data(), sizeof(Value));
    return value;
  }

  /// REQUIRES that no other thread stores at the same time.
  void store(const Value& value) noexcept {
    std::array<std::uint64_t, words> copy{};
    std::memcpy(copy.data(), static_cast<const void*>(&value), sizeof(Value));
    const std::uint64_t before = count_.load(std::memory_order_relaxed);
    count_.store(before + 1, std::memory_order_relaxed);
    // Release: whoever sees one of them sees the odd counter too.
    for (std::size_t i = 0; i < words; ++i) words_[i].store(copy[i], std::memory_order_release);
    count_.store(before + 2, std::memory_order_release);
  }

 private:
  static constexpr std::size_t words = (sizeof(Value) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);

  std::atomic<std::uint64_t> count_{0};
  std::array<std::atomic<std::uint64_t>, words> words_{};
};

}  // namespace breakwater::routing
