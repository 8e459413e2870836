#include <breakwater/resilience/backoff.hpp>

#include <algorithm>

namespace breakwater::resilience {

std::chrono::nanoseconds backoff_ceiling(const backoff_options& options, unsigned retry) noexcept {
  const std::chrono::nanoseconds cap = options.cap;
  std::chrono::nanoseconds ceiling = std::min<std::chrono::nanoseconds>(options.base, cap);
  for (unsigned i = 0; i < retry && ceiling < cap; ++i) ceiling = ceiling > cap / 2 ? cap : ceiling * 2;
  return ceiling;
}

std::chrono::nanoseconds full_jitter(const backoff_options& options, unsigned retry, double unit) noexcept {
  const auto ceiling = static_cast<double>(backoff_ceiling(options, retry).count());
  return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(ceiling * std::clamp(unit, 0.0, 1.0)));
}

std::chrono::nanoseconds decorrelated_jitter(const backoff_options& options, std::chrono::nanoseconds previous,
                                             double unit) noexcept {
  const std::chrono::nanoseconds cap = options.cap;
  const std::chrono::nanoseconds lowest = std::min<std::chrono::nanoseconds>(options.base, cap);
  // U(base, 3 * previous) is empty before the first wait and after a shortened one: then it is the base.
  const std::chrono::nanoseconds highest = std::max(lowest, previous > cap / 3 ? cap : previous * 3);
  const auto spread = static_cast<double>((highest - lowest).count()) * std::clamp(unit, 0.0, 1.0);
  return lowest + std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(spread));
}

}  // namespace breakwater::resilience
