#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/resilience_options.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace breakwater::resilience {

/// How many retries everybody together may make, so that retries do not finish off a server that is ill already.
///
///     budget.deposit(now);                            // with every first attempt
///     if (!budget.try_withdraw(now)) return failure;  // before every retry
///
/// Whenever a retry is granted, the retries granted within the `window` that ends there, itself included, are at most
/// `ratio` times the first attempts within that window plus `per_second` times its length. Hence over any time T the
/// retries are at most `ratio` times the first attempts plus `per_second * (T + window)`.
///
/// The window slides in ten buckets. What is rounded is rounded against the retry: a first attempt is forgotten up to
/// one bucket early, a retry up to one late. A `now` before one seen already counts as the latest one seen.
///
/// Thread-safe and lock-free: `deposit` is one addition to a counter (a few nanoseconds), `try_withdraw` a sum over the
/// buckets and a compare-and-swap.
class retry_budget {
 public:
  using time_point = deadline::clock::time_point;

  explicit retry_budget(const retry_budget_options& options) noexcept;
  retry_budget(const retry_budget&) = delete;
  retry_budget& operator=(const retry_budget&) = delete;
  ~retry_budget() = default;

  /// A first attempt was made: it pays for `ratio` retries.
  void deposit(time_point now) noexcept;
  /// Whether one retry may be made; if so it is counted.
  [[nodiscard]] bool try_withdraw(time_point now) noexcept;
  /// How many retries could be made now. 0 or more; by the time it is looked at it may have changed.
  [[nodiscard]] double available(time_point now) noexcept;

 private:
  /// Both words carry their bucket's number in the upper half, so that one too old to count is told from one in use.
  struct bucket {
    std::atomic<std::uint64_t> deposits{0};     ///< number:32 count:32
    std::atomic<std::uint64_t> withdrawals{0};  ///< number:32 closed:1 count:31
  };
  /// A power of two above the eleven buckets that a sum looks at, so that a thread that was put to sleep in between
  /// finds its bucket still there.
  static constexpr std::size_t ring_size = 16;

  [[nodiscard]] std::int64_t bucket_of(time_point now) noexcept;
  void advance_to(std::int64_t number) noexcept;
  void prepare(std::int64_t number, bool closed) noexcept;
  /// What may still be granted when `own` are counted in bucket `number` itself.
  [[nodiscard]] double left(std::int64_t number, std::uint64_t own) const noexcept;

  const double ratio_;
  const double floor_;        // retries per window that need no first attempt
  const std::int64_t width_;  // of a bucket, in nanoseconds
  std::atomic<std::int64_t> origin_;
  std::atomic<std::int64_t> current_{0};  // the bucket in use; numbers only grow
  // On cache lines of its own: every first attempt writes to it, and reads what stands around it.
  alignas(64) std::array<bucket, ring_size> ring_;
};

}  // namespace breakwater::resilience
