#include <breakwater/resilience/limit_estimator.hpp>

#include <algorithm>
#include <cmath>

namespace breakwater::resilience {
namespace {

/// The mean of 200 latencies is good to 7 % where they are spread like waiting times. Gradient2 smoothes the
/// rest; AIMD, which reacts to each window, needs more.
constexpr std::size_t smallest_window_of_gradient = 200;
constexpr std::size_t smallest_window_of_aimd = 400;
/// More than were in flight when the limit last changed: what they show is the limit that is.
constexpr std::size_t windows_per_limit = 2;
/// A probe decides about a hundred windows, so it is measured more exactly.
constexpr std::size_t smallest_probe = 800;
/// Seldom enough to cost nothing, often enough that `long` takes in little of the queue.
constexpr std::size_t windows_between_probes = 100;
/// Below what the server bears even if the limit has been far too high, as when the server has just lost capacity.
constexpr double probed_part = 0.5;
/// A probe as near as this to `long` is the same latency measured again; further off, the server has changed.
constexpr double same_latency = 0.25;
/// No window shrinks the limit by more than `smoothing` times half.
constexpr double smallest_gradient = 0.5;
/// The first windows count alike, so that not the very first one decides.
constexpr std::size_t warm_up = 10;
/// By so much `long` is eased when it exceeds twice `short`: a time of slowness is over.
constexpr double easing = 0.95;
/// Some calls are always dropped for reasons of their own (a short deadline, a lock); a server with too much to do drops
/// many. So the limit yields when this part of a window was dropped, ...
constexpr double dropped_share = 0.05;
/// ... and never for a single call.
constexpr std::size_t fewest_dropped = 2;

[[nodiscard]] bool drops_many(const limit_window& seen) noexcept {
  const auto samples = static_cast<double>(seen.succeeded + seen.dropped);
  return seen.dropped >= fewest_dropped && static_cast<double>(seen.dropped) >= samples * dropped_share;
}

}  // namespace

limit_estimator::limit_estimator(const limiter_options& options, const limiter_tuning& tuning) noexcept
    : options_(options), tuning_(tuning), limit_(static_cast<double>(options.min)) {}

void limit_estimator::update(const limit_window& seen) noexcept {
  const auto latency = static_cast<double>(seen.latency.count());
  const bool measured = seen.succeeded > 0 && latency > 0;
  switch (phase_) {
    case phase::draining: phase_ = phase::probing; return;
    case phase::probing:
      if (measured) end_probe(latency);
      phase_ = phase::following;
      windows_of_load_ = 0;
      return;
    case phase::following: break;
  }
  const bool loaded = static_cast<double>(seen.most_in_flight) >= limit_ / 2;
  if (measured && !(loaded && is_queued(latency))) average(latency);
  if (loaded) follow(seen, latency);
  if (loaded && ++windows_of_load_ >= windows_between_probes) phase_ = phase::draining;
}

void limit_estimator::follow(const limit_window& seen, double latency) noexcept {
  const bool dropped = drops_many(seen);
  if (!dropped && latency <= 0) return;
  if (options_.algorithm == limit_algorithm::aimd) {
    limit_ = dropped || is_queued(latency) ? limit_ * tuning_.decrease : limit_ + tuning_.increase;
  } else {
    const double gradient =
        dropped ? smallest_gradient : std::clamp(tuning_.tolerance * long_ / latency, smallest_gradient, 1.0);
    limit_ = (1 - tuning_.smoothing) * limit_ + tuning_.smoothing * (gradient * limit_ + tuning_.queue);
  }
  limit_ = std::clamp(limit_, static_cast<double>(options_.min), static_cast<double>(options_.max));
}

bool limit_estimator::is_queued(double latency) const noexcept {
  const bool gradient = options_.algorithm == limit_algorithm::gradient2;
  return averaged_ > 0 && latency > long_ * (gradient ? tuning_.tolerance : tuning_.threshold);
}

void limit_estimator::average(double latency) noexcept {
  ++averaged_;
  const double weight = averaged_ <= warm_up ? 1.0 / static_cast<double>(averaged_) : 2.0 / (tuning_.long_window + 1);
  long_ += (latency - long_) * weight;
  if (long_ > 2 * latency) long_ *= easing;
}

void limit_estimator::end_probe(double latency) noexcept {
  const bool same = std::abs(latency - long_) <= same_latency * long_;
  long_ = same ? (long_ + latency) / 2 : latency;
}

std::size_t limit_estimator::limit() const noexcept {
  const double now = phase_ == phase::following ? limit_ : std::max(1.0, limit_ * probed_part);
  return static_cast<std::size_t>(now);
}

std::size_t limit_estimator::window_size() const noexcept {
  const bool gradient = options_.algorithm == limit_algorithm::gradient2;
  const std::size_t smallest = gradient ? smallest_window_of_gradient : smallest_window_of_aimd;
  const std::size_t usual = std::max(smallest, windows_per_limit * limit());
  return phase_ == phase::probing ? std::max(usual, smallest_probe) : usual;
}

std::chrono::nanoseconds limit_estimator::unhurried_latency() const noexcept {
  return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(long_));
}

}  // namespace breakwater::resilience
