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

}  // namespace breakwater::resilience
