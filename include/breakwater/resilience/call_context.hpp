#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/resilience/timing.hpp>

#include <stop_token>

namespace breakwater::resilience {

/// What the layers around a call, and the call itself, know of it. A value; what it points to outlives the call.
struct call_context {
  /// Covers the waiting, all attempts and the pauses between them.
  deadline until{};
  breakwater::priority priority = breakwater::priority::normal;
  /// Ends waiting early; may be null.
  const std::stop_token* cancel = nullptr;
  /// The number of this attempt, from 1.
  unsigned attempt = 1;
  const timing* clock = &system_timing();
};

}  // namespace breakwater::resilience
