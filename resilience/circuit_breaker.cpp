#include "own_shard.hpp"
#include <breakwater/core/random.hpp>
#include <breakwater/resilience/circuit_breaker.hpp>

#include <algorithm>
#include <limits>

namespace breakwater::resilience {
namespace {

constexpr std::uint64_t state_mask = 0b011;
constexpr std::uint64_t forced_flag = 0b100;
constexpr std::uint64_t one_generation = 0b1000;
constexpr std::uint64_t flags_mask = state_mask | forced_flag;

/// A node that opens connections and fails every call must not be probed as often as it opens one.
constexpr int share_of_pause_despite_hints = 5;

/// No bucket has this number, so the first call makes one.
constexpr std::int64_t no_epoch = std::numeric_limits<std::int64_t>::min() / 2;

constexpr circuit_state state_of(std::uint64_t control) noexcept {
  return static_cast<circuit_state>(control & state_mask);
}

}  // namespace

void circuit_permit::succeeded(time_point now) noexcept {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->settle_success(*this, now);
}

void circuit_permit::failed(time_point now) noexcept {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->settle_failure(*this, now);
}

void circuit_permit::ignored(time_point /*now*/) noexcept {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->settle_answered(*this);
}

circuit_breaker::circuit_breaker(const circuit_breaker_options& options, unit_source unit, change_callback on_change)
    : options_(options),
      width_(std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds(options.window) / bucket_count,
                                                std::chrono::nanoseconds(1))),
      unit_(unit ? std::move(unit) : unit_source(&random_unit)),
      on_change_(std::move(on_change)),
      epoch_(no_epoch) {}

circuit_permit circuit_breaker::try_acquire(time_point now) noexcept {
  const std::uint64_t control = control_.load(std::memory_order_acquire);
  if (state_of(control) != circuit_state::closed) return acquire_slowly(now);
  const bool counts = options_.enabled && (control & forced_flag) == 0;
  return {counts ? this : nullptr, now, control, 0};
}

circuit_permit circuit_breaker::acquire_slowly(time_point now) noexcept {
  lock_type lock(mutex_);
  const std::uint64_t control = control_.load(std::memory_order_relaxed);
  if (state_of(control) == circuit_state::closed) {
    lock.unlock();
    return try_acquire(now);
  }
  if ((control & forced_flag) != 0) return {};
  if (state_of(control) == circuit_state::open) {
    if (now < opened_at_) {  // the clock went back: the wait is counted from here
      next_probe_ -= opened_at_ - now;
      opened_at_ = now;
    }
    if (now < next_probe_) return {};
    become(circuit_state::half_open);
  } else if (probe_out_) {
    probe_started_ = std::min(probe_started_, now);
    if (now - probe_started_ < options_.open_for) return {};
  }
  probe_out_ = true;
  probe_started_ = now;
  if (++probe_ == 0) ++probe_;
  circuit_permit granted{this, now, control_.load(std::memory_order_relaxed), probe_};
  announce(lock);
  return granted;
}

bool circuit_breaker::is_current(const circuit_permit& settled) const noexcept {
  return settled.control_ == control_.load(std::memory_order_acquire);
}

void circuit_breaker::settle_success(const circuit_permit& settled, time_point now) noexcept {
  if (!is_current(settled)) return;
  const bool slow = options_.slow_threshold.count() > 0 && now - settled.started_ > options_.slow_threshold;
  if (settled.probe_ == 0 && !slow) {
    count_success(now);
    return;
  }
  lock_type lock(mutex_);
  if (!is_current(settled)) return;
  if (settled.probe_ == 0) {
    count_bad(false, now);
  } else if (!slow) {
    become(circuit_state::closed);
  } else if (settled.probe_ == probe_) {
    open(now);
  }
  announce(lock);
}

void circuit_breaker::settle_failure(const circuit_permit& settled, time_point now) noexcept {
  lock_type lock(mutex_);
  if (!is_current(settled)) return;
  if (settled.probe_ == 0) {
    count_bad(true, now);
  } else if (settled.probe_ == probe_) {
    open(now);
  }
  announce(lock);
}

void circuit_breaker::settle_answered(const circuit_permit& settled) noexcept {
  if (settled.probe_ == 0) return;
  lock_type lock(mutex_);
  if (!is_current(settled)) return;
  become(circuit_state::closed);
  announce(lock);
}

void circuit_breaker::settle_abandoned(const circuit_permit& settled) noexcept {
  const lock_type lock(mutex_);
  if (is_current(settled) && settled.probe_ == probe_) probe_out_ = false;
}

void circuit_breaker::count_success(time_point now) noexcept {
  const std::int64_t epoch = epoch_.load(std::memory_order_relaxed);
  std::size_t bucket = static_cast<std::size_t>(epoch) % bucket_count;
  if (epoch == no_epoch || !is_within(now, epoch)) {
    const lock_type lock(mutex_);
    bucket = bucket_for(now);
  }
  // A thread put to sleep here may add to a bucket that was emptied meanwhile: a call too many in a window, no more.
  shards_[own_shard(shard_count)].succeeded[bucket].fetch_add(1, std::memory_order_relaxed);
}

bool circuit_breaker::is_within(time_point now, std::int64_t epoch) const noexcept {
  const auto since = now.time_since_epoch() - epoch * width_;
  return since < width_ && since > -width_ * (static_cast<std::int64_t>(bucket_count) - 1);
}

std::size_t circuit_breaker::bucket_for(time_point now) noexcept {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch());
  const std::int64_t number = since_epoch / width_;
  const std::int64_t epoch = epoch_.load(std::memory_order_relaxed);
  // A clock that goes back a little counts in the newest bucket; one that goes back by a window starts afresh.
  const bool went_back = number < epoch && epoch - number < static_cast<std::int64_t>(bucket_count);
  if (number == epoch || went_back) return static_cast<std::size_t>(epoch) % bucket_count;
  if (number < epoch || number - epoch >= static_cast<std::int64_t>(bucket_count)) {
    forget_calls();
  } else {
    for (std::int64_t each = epoch + 1; each <= number; ++each) {
      const std::size_t entered = static_cast<std::size_t>(each) % bucket_count;
      bad_[entered] = {};
      for (shard& part : shards_) part.succeeded[entered].store(0, std::memory_order_relaxed);
    }
  }
  epoch_.store(number, std::memory_order_relaxed);
  return static_cast<std::size_t>(number) % bucket_count;
}

void circuit_breaker::count_bad(bool failure, time_point now) noexcept {
  bad_calls& bucket = bad_[bucket_for(now)];
  ++(failure ? bucket.failures : bucket.slow);
  const circuit_snapshot seen = counted();
  if (seen.calls < options_.min_calls) return;
  const auto calls = static_cast<double>(seen.calls);
  const bool failing = static_cast<double>(seen.failures) >= options_.failure_ratio * calls;
  const bool slow = seen.slow > 0 && static_cast<double>(seen.slow) >= options_.slow_ratio * calls;
  if ((failing && seen.failures > 0) || slow) open(now);
}

circuit_snapshot circuit_breaker::counted() const noexcept {
  circuit_snapshot sums;
  for (const bad_calls& bucket : bad_) {
    sums.failures += bucket.failures;
    sums.slow += bucket.slow;
  }
  sums.calls = sums.failures + sums.slow;
  for (const shard& part : shards_) {
    for (const auto& bucket : part.succeeded) sums.calls += bucket.load(std::memory_order_relaxed);
  }
  return sums;
}

void circuit_breaker::open(time_point now) noexcept {
  const double off_centre = 2.0 * std::clamp(unit_(), 0.0, 1.0) - 1.0;
  const auto pause =
      std::chrono::duration<double, std::milli>(options_.open_for) * (1.0 + options_.open_jitter * off_centre);
  opened_at_ = now;
  next_probe_ = now + std::chrono::duration_cast<deadline::clock::duration>(pause);
  become(circuit_state::open);
}

void circuit_breaker::become(circuit_state next, bool forced) noexcept {
  const std::uint64_t control = control_.load(std::memory_order_relaxed);
  const circuit_state before = state_of(control);
  const bool was_forced = (control & forced_flag) != 0;
  const std::uint64_t generation = (control & ~flags_mask) + one_generation;
  probe_out_ = false;
  if (next == circuit_state::closed) forget_calls();
  if (next == circuit_state::open && before != next) ++times_opened_;
  control_.store(generation | static_cast<std::uint64_t>(next) | (forced ? forced_flag : 0), std::memory_order_release);
  if (!on_change_ || (before == next && was_forced == forced)) return;
  if (pending_count_ == most_pending) {
    pending_.back().now = next;
    pending_.back().forced = forced;
  } else {
    pending_[pending_count_++] = {.before = before, .now = next, .forced = forced};
  }
}

void circuit_breaker::forget_calls() noexcept {
  bad_ = {};
  for (shard& part : shards_) {
    for (auto& bucket : part.succeeded) bucket.store(0, std::memory_order_relaxed);
  }
}

void circuit_breaker::announce(lock_type& lock) noexcept {
  if (announcing_) return;  // whoever does tells of ours as well, after those before it
  announcing_ = true;
  while (pending_count_ > 0) {
    const change first = pending_.front();
    std::move(pending_.begin() + 1, pending_.begin() + static_cast<std::ptrdiff_t>(pending_count_), pending_.begin());
    --pending_count_;
    lock.unlock();
    on_change_(first.before, first.now, first.forced);
    lock.lock();
  }
  announcing_ = false;
}

void circuit_breaker::hint_recovered(time_point now) noexcept {
  if (state() != circuit_state::open) return;
  const lock_type lock(mutex_);
  if (state() != circuit_state::open || is_forced()) return;
  const time_point earliest = opened_at_ + std::chrono::nanoseconds(options_.open_for) / share_of_pause_despite_hints;
  next_probe_ = std::min(next_probe_, std::max(now, earliest));
}

void circuit_breaker::force_open() noexcept {
  lock_type lock(mutex_);
  become(circuit_state::open, true);
  announce(lock);
}

void circuit_breaker::force_closed() noexcept {
  lock_type lock(mutex_);
  become(circuit_state::closed, true);
  announce(lock);
}

void circuit_breaker::found_well() noexcept {
  if (state() == circuit_state::closed) return;
  lock_type lock(mutex_);
  if (state() == circuit_state::closed || is_forced()) return;
  become(circuit_state::closed);
  announce(lock);
}

void circuit_breaker::reset() noexcept {
  lock_type lock(mutex_);
  become(circuit_state::closed);
  announce(lock);
}

circuit_state circuit_breaker::state() const noexcept { return state_of(control_.load(std::memory_order_acquire)); }

bool circuit_breaker::is_forced() const noexcept {
  return (control_.load(std::memory_order_acquire) & forced_flag) != 0;
}

circuit_snapshot circuit_breaker::snapshot(time_point now) noexcept {
  const lock_type lock(mutex_);
  static_cast<void>(bucket_for(now));  // forgets what is too old
  circuit_snapshot seen = counted();
  seen.state = state();
  seen.forced = is_forced();
  if (seen.state == circuit_state::open && !seen.forced) seen.next_probe = next_probe_;
  seen.times_opened = times_opened_;
  return seen;
}

}  // namespace breakwater::resilience
