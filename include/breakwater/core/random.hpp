#pragma once

namespace breakwater {

/// A random number, evenly spread over [0, 1): for jitter and for choosing among equals, not for secrets.
/// Thread-safe: every thread has its own generator, seeded from the system.
[[nodiscard]] double random_unit() noexcept;

}  // namespace breakwater
