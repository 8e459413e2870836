#include "own_shard.hpp"
#include <breakwater/resilience/retry_budget.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

// Why no more is ever granted than allowed, whoever runs when:
//
// A bucket's withdrawals change only while it is open, by compare-and-swap of the whole word. Before a later bucket is
// published as the current one, all before it are closed. So who reads the current number, finds that bucket open, sums
// the closed ones before it and then swaps its own word has added up everything that was ever granted in the window: had
// anybody granted, closed or recycled in between, the swap would fail, and it starts again. Deposits may be missed by the
// sum, or land in a later bucket when their thread was put to sleep on the way; the first costs a retry, the second
// means that the deposit took effect when it was made rather than when its caller looked at the clock.

namespace breakwater::resilience {
namespace {

/// Fine enough that forgetting in steps is not seen, coarse enough to be summed in no time.
constexpr std::int64_t buckets_per_window = 10;
constexpr std::int64_t not_started = std::numeric_limits<std::int64_t>::min();
/// A rounding error of the ratio must not cost a whole retry.
constexpr double rounding = 1e-9;

constexpr unsigned number_shift = 32;
constexpr std::uint64_t closed_flag = std::uint64_t{1} << 31U;
constexpr std::uint64_t deposits_mask = (std::uint64_t{1} << number_shift) - 1;
constexpr std::uint64_t withdrawals_mask = closed_flag - 1;

constexpr std::uint64_t numbered(std::int64_t number) noexcept {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(number)) << number_shift;
}
/// How far `word` is behind bucket `number`: 0 it is that bucket, above 0 an older one. Right for differences of up to
/// 2^31 buckets, which are years.
constexpr std::int32_t age(std::uint64_t word, std::int64_t number) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(number) -
                                   static_cast<std::uint32_t>(word >> number_shift));
}

std::int64_t nanoseconds_of(deadline::clock::time_point now) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
}

}  // namespace

retry_budget::retry_budget(const retry_budget_options& options) noexcept
    : ratio_(options.ratio),
      floor_(static_cast<double>(options.per_second) * std::chrono::duration<double>(options.window).count()),
      width_(std::max<std::int64_t>(std::chrono::nanoseconds(options.window).count() / buckets_per_window, 1)),
      origin_(not_started) {}

std::int64_t retry_budget::bucket_of(time_point now) noexcept {
  const std::int64_t at = nanoseconds_of(now);
  std::int64_t origin = origin_.load(std::memory_order_relaxed);
  if (origin == not_started && origin_.compare_exchange_strong(origin, at)) origin = at;
  const std::int64_t current = current_.load();
  const std::int64_t passed = at - origin;
  if (passed < (current + 1) * width_) return current;  // nearly always; also when the clock went back
  const std::int64_t number = passed / width_;
  advance_to(number);
  return current_.load();
}

void retry_budget::prepare(std::int64_t number, bool closed) noexcept {
  const std::size_t place = static_cast<std::size_t>(number) % ring_size;
  for (shard& part : shards_) {
    std::uint64_t word = part.deposits[place].load();
    while (age(word, number) > 0 && !part.deposits[place].compare_exchange_weak(word, numbered(number))) {
    }
  }
  std::uint64_t word = withdrawals_[place].load();
  for (;;) {
    const std::int32_t behind = age(word, number);
    if (behind < 0 || (behind == 0 && (!closed || (word & closed_flag) != 0))) return;
    const std::uint64_t kept = behind == 0 ? word : numbered(number);
    if (withdrawals_[place].compare_exchange_weak(word, closed ? kept | closed_flag : kept)) return;
  }
}

void retry_budget::advance_to(std::int64_t number) noexcept {
  std::int64_t current = current_.load();
  while (current < number) {
    // After a long silence only the buckets that still matter are made ready.
    const std::int64_t oldest = std::max(current, number - static_cast<std::int64_t>(ring_size) + 1);
    if (oldest != current) prepare(current, true);
    for (std::int64_t each = oldest; each < number; ++each) prepare(each, true);
    prepare(number, false);
    if (current_.compare_exchange_weak(current, number)) return;
  }
}

void retry_budget::deposit(time_point now) noexcept {
  const std::int64_t number = bucket_of(now);
  shard& own = shards_[own_shard(shard_count)];
  own.deposits[static_cast<std::size_t>(number) % ring_size].fetch_add(1, std::memory_order_relaxed);
}

double retry_budget::left(std::int64_t number, std::uint64_t own) const noexcept {
  std::uint64_t deposits = 0;
  std::uint64_t withdrawals = own;
  for (std::int64_t back = 0; back <= buckets_per_window; ++back) {
    const std::int64_t each = number - back;
    if (each < 0) break;
    const std::size_t place = static_cast<std::size_t>(each) % ring_size;
    // The oldest bucket lies only partly within the window: its retries count, its first attempts do not.
    for (std::size_t i = 0; i < shard_count && back < buckets_per_window; ++i) {
      const std::uint64_t paid = shards_[i].deposits[place].load();
      if (age(paid, each) == 0) deposits += paid & deposits_mask;
    }
    if (back == 0) continue;
    const std::uint64_t taken = withdrawals_[place].load();
    if (age(taken, each) == 0) withdrawals += taken & withdrawals_mask;
  }
  return ratio_ * static_cast<double>(deposits) + floor_ - static_cast<double>(withdrawals);
}

bool retry_budget::try_withdraw(time_point now) noexcept {
  for (;;) {
    const std::int64_t number = bucket_of(now);
    std::atomic<std::uint64_t>& current = withdrawals_[static_cast<std::size_t>(number) % ring_size];
    std::uint64_t word = current.load();
    if (age(word, number) != 0) continue;  // the window has moved on meanwhile
    if ((word & closed_flag) != 0) {
      advance_to(number + 1);  // somebody is moving it on: help, rather than wait for them
      continue;
    }
    if (left(number, word & withdrawals_mask) + rounding < 1.0) return false;
    if (current.compare_exchange_strong(word, word + 1)) return true;
  }
}

double retry_budget::available(time_point now) noexcept {
  const std::int64_t number = bucket_of(now);
  const std::uint64_t word = withdrawals_[static_cast<std::size_t>(number) % ring_size].load();
  const std::uint64_t own = age(word, number) == 0 ? word & withdrawals_mask : 0;
  return std::max(left(number, own), 0.0);
}

}  // namespace breakwater::resilience
