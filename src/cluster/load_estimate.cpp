#include "cluster/load_estimate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace breakwater::routing {
namespace {

using std::chrono::nanoseconds;

/// Finer steps would only make more threads write to the same word.
constexpr std::int64_t tick = 1'000'000;

/// Threads look at the clock before they come here, so one may come with a time before that of another. What lies further
/// back than this is no such time but one from after the counter began anew.
constexpr std::uint32_t most_late = 60'000;

/// No server answers faster. An estimate that has eased to less knows nothing.
constexpr double least_latency = 1'000;

/// Enough calls to warm caches, few enough to do no harm where the node is still ill.
constexpr double first_share = 0.1;

std::int64_t count_of(deadline::clock::time_point at) noexcept {
  return std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count();
}

std::uint32_t ticks_between(std::uint32_t from, std::uint32_t to) noexcept {
  const std::uint32_t passed = to - from;
  return passed > UINT32_MAX - most_late ? 0 : passed;
}

}  // namespace

load_estimate::load_estimate(nanoseconds decay, time_point origin) noexcept
    : origin_(count_of(origin)),
      decay_(static_cast<std::uint32_t>(std::clamp<std::int64_t>(decay.count() / tick, 1, INT32_MAX))) {}

std::uint64_t load_estimate::pack(moment value) noexcept {
  return std::uint64_t{std::bit_cast<std::uint32_t>(value.latency)} << 32U | value.moved_at;
}

load_estimate::moment load_estimate::unpack(std::uint64_t word) noexcept {
  return {.latency = std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32U)),
          .moved_at = static_cast<std::uint32_t>(word)};
}

std::uint32_t load_estimate::tick_of(time_point now) const noexcept {
  return static_cast<std::uint32_t>((count_of(now) - origin_) / tick);
}

double load_estimate::weight_after(std::uint32_t ticks) const noexcept {
  return ticks == 0 ? 1 : std::exp(-static_cast<double>(ticks) / decay_);
}

void load_estimate::end_answered(nanoseconds took, time_point now) noexcept {
  observe(took, now, true);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

void load_estimate::end_failed(nanoseconds waited, time_point now) noexcept {
  observe(waited, now, false);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

void load_estimate::observe(nanoseconds latency, time_point now, bool may_lower) noexcept {
  const double seen = std::max(static_cast<double>(latency.count()), least_latency);
  const std::uint32_t at = tick_of(now);
  std::uint64_t word = latency_.load(std::memory_order_relaxed);
  for (;;) {
    const moment last = unpack(word);
    const bool unknown = last.latency < least_latency;
    const std::uint32_t passed = ticks_between(last.moved_at, at);
    const double weight = weight_after(passed);
    double next = seen;
    if (!may_lower && (unknown || seen <= last.latency * weight)) return;
    if (!unknown && seen <= last.latency) {
      if (passed == 0) return;
      next = last.latency * weight + seen * (1 - weight);
    }
    const moment changed{.latency = static_cast<float>(next), .moved_at = passed == 0 && !unknown ? last.moved_at : at};
    if (latency_.compare_exchange_weak(word, pack(changed), std::memory_order_relaxed)) return;
  }
}

load_reading load_estimate::read(time_point now) const noexcept {
  const moment last = unpack(latency_.load(std::memory_order_relaxed));
  load_reading out{.in_flight = in_flight_.load(std::memory_order_relaxed)};
  const std::uint32_t passed = ticks_between(last.moved_at, tick_of(now));
  const double eased = last.latency * weight_after(passed);
  if (eased < least_latency) return out;
  out.latency = eased;
  out.recent = passed <= decay_;
  return out;
}

double slow_start::share(time_point now, time_point back_at) const noexcept {
  const auto began = std::max(time_point(time_point::duration(began_.load(std::memory_order_relaxed))), back_at);
  if (duration_ <= nanoseconds(0) || began == time_point::min()) return 1;
  if (now <= began) return first_share;
  return std::clamp(static_cast<double>((now - began).count()) / static_cast<double>(duration_.count()), first_share,
                    1.0);
}

}  // namespace breakwater::routing
