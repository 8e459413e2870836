#include "cluster/ejection.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace breakwater::routing {
namespace {

using std::chrono::nanoseconds;

/// A replica's calls within a window.
struct window_of_calls {
  std::size_t replica = 0;
  double part_of_successes = 0;
};

/// Below this a part of successes is an outlier's.
double bound_of(const std::vector<window_of_calls>& seen, double deviations) {
  const auto number = static_cast<double>(seen.size());
  double sum = 0;
  for (const auto& each : seen) sum += each.part_of_successes;
  const double mean = sum / number;
  double squares = 0;
  for (const auto& each : seen) squares += (each.part_of_successes - mean) * (each.part_of_successes - mean);
  return mean - std::max(deviations * std::sqrt(squares / number), ejection::least_distance);
}

}  // namespace

ejection::ejection(const ejection_options& options, std::size_t replicas, usable_check is_usable)
    : options_(options),
      is_usable_(std::move(is_usable)),
      counts_calls_(options.enabled && replicas >= least_replicas),
      replicas_(replicas) {}

void ejection::succeeded(std::size_t replica, time_point started) noexcept {
  record& of = replicas_[replica];
  if (says_nothing(of, started)) return;
  // Read first: a word that nobody writes stays in every core's cache.
  if (of.failures_in_a_row.load(std::memory_order_relaxed) != 0) {
    of.failures_in_a_row.store(0, std::memory_order_relaxed);
  }
  if (counts_calls_) of.successes.fetch_add(1, std::memory_order_relaxed);
}

std::optional<ejected_replica> ejection::failed(std::size_t replica, time_point started, time_point now) {
  record& of = replicas_[replica];
  if (!options_.enabled || says_nothing(of, started)) return std::nullopt;
  if (counts_calls_) of.failures.fetch_add(1, std::memory_order_relaxed);
  if (of.failures_in_a_row.fetch_add(1, std::memory_order_relaxed) + 1 < options_.consecutive_failures) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  // Another thread may have put it out, or seen a success, meanwhile.
  if (is_out(replica, now)) return std::nullopt;
  if (of.failures_in_a_row.load(std::memory_order_relaxed) < options_.consecutive_failures) return std::nullopt;
  if (is_another_usable(replica, now)) return put_out(replica, now, ejection_reason::consecutive_failures);
  let_all_in(now);
  return std::nullopt;
}

std::vector<ejected_replica> ejection::look_for_outliers(time_point now) {
  std::vector<ejected_replica> out;
  if (!counts_calls_) return out;
  const std::lock_guard lock(mutex_);
  if (now < window_ends_) return out;
  window_ends_ = now + window;

  std::vector<window_of_calls> seen;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    const std::uint64_t successes = replicas_[i].successes.exchange(0, std::memory_order_relaxed);
    const std::uint64_t all = successes + replicas_[i].failures.exchange(0, std::memory_order_relaxed);
    if (all < least_calls || is_out(i, now)) continue;
    seen.push_back({i, static_cast<double>(successes) / static_cast<double>(all)});
  }
  if (seen.size() < least_replicas) return out;
  const double bound = bound_of(seen, options_.deviations);
  for (const auto& each : seen) {
    if (each.part_of_successes >= bound || !is_another_usable(each.replica, now)) continue;
    out.push_back(put_out(each.replica, now, ejection_reason::success_rate));
  }
  return out;
}

std::optional<nanoseconds> ejection::remaining(std::size_t replica, time_point now) const noexcept {
  const clock_count back_at = replicas_[replica].back_at.load(std::memory_order_relaxed);
  const clock_count at = now.time_since_epoch().count();
  if (back_at <= at) return std::nullopt;
  return nanoseconds(time_point::duration(back_at - at));
}

bool ejection::is_another_usable(std::size_t than, time_point now) const {
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (i != than && !is_out(i, now) && is_usable_(i, now)) return true;
  }
  return false;
}

void ejection::let_all_in(time_point now) noexcept {
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    record& of = replicas_[i];
    of.failures_in_a_row.store(0, std::memory_order_relaxed);
    if (!is_out(i, now)) continue;
    // What all of them have is no fault of its own, and must not make the next time longer.
    if (of.count > 0) --of.count;
    of.back_at.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

nanoseconds ejection::duration_of(std::uint64_t count) const noexcept {
  // Both are at most a day long, and the count ends where the cap is reached: no overflow.
  return std::min<nanoseconds>(options_.base * count, options_.cap);
}

void ejection::forgive(record& of, time_point now) const noexcept {
  const clock_count back_at = of.back_at.load(std::memory_order_relaxed);
  nanoseconds well = of.count == 0 ? nanoseconds(0) : now - time_point(time_point::duration(back_at));
  while (of.count > 0 && well >= duration_of(of.count)) {
    well -= duration_of(of.count);
    --of.count;
  }
}

ejected_replica ejection::put_out(std::size_t replica, time_point now, ejection_reason why) noexcept {
  record& of = replicas_[replica];
  forgive(of, now);
  if (duration_of(of.count) < options_.cap) ++of.count;
  const nanoseconds duration = duration_of(of.count);
  of.failures_in_a_row.store(0, std::memory_order_relaxed);
  of.back_at.store((now + duration).time_since_epoch().count(), std::memory_order_relaxed);
  return {.replica = replica, .duration = duration, .why = why};
}

}  // namespace breakwater::routing
