#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater {

/// How much a request matters when not all can be served: the last ones are shed first.
enum class priority : std::uint8_t {
  critical,  ///< what must work on the worst day: payments, logins
  normal,    ///< what a user waits for
  sheddable  ///< what can be done later or left out: prefetching, reports, suggestions
};

inline constexpr std::size_t priority_count = 3;

/// The value's name as written in the source: "critical", "normal" or "sheddable".
[[nodiscard]] constexpr std::string_view to_string(priority value) noexcept {
  switch (value) {
    case priority::critical: return "critical";
    case priority::normal: return "normal";
    case priority::sheddable: return "sheddable";
  }
  return "unknown";
}

}  // namespace breakwater
