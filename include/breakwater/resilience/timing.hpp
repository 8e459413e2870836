#pragma once

#include <breakwater/core/deadline.hpp>

#include <stop_token>

namespace breakwater::resilience {

/// Time and chance, as the outermost wrappers (`retry`, `policy`) see them: the real ones, or a test's.
///
///     const timing& real = system_timing();
///     real.wait_until(real.now() + 20ms, &token);
///
/// Implementations are thread-safe.
class timing {
 public:
  using time_point = deadline::clock::time_point;

  timing() = default;
  timing(const timing&) = delete;
  timing& operator=(const timing&) = delete;
  virtual ~timing() = default;

  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// A random number in [0, 1).
  [[nodiscard]] virtual double unit() const noexcept = 0;
  /// False when `cancel` (which may be null) was asked to stop before `until` came.
  [[nodiscard]] virtual bool wait_until(time_point until, const std::stop_token* cancel) const = 0;
};

/// The monotonic clock, `random_unit()`, and a sleep that a stop token ends.
[[nodiscard]] const timing& system_timing() noexcept;

}  // namespace breakwater::resilience
