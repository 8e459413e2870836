#pragma once

#include <cstdint>
#include <string_view>

namespace breakwater {

/// How fresh a read must be, and so which nodes may serve it. Writes always go to the primary.
enum class consistency : std::uint8_t {
  primary,           ///< the primary only
  read_your_writes,  ///< a replica until the session has written, from then on the primary
  eventual           ///< a replica, however far behind, as long as one answers
};

/// The value's name as written in the source and in configuration: "primary" and so on.
[[nodiscard]] constexpr std::string_view to_string(consistency value) noexcept {
  switch (value) {
    case consistency::primary: return "primary";
    case consistency::read_your_writes: return "read_your_writes";
    case consistency::eventual: return "eventual";
  }
  return "unknown";
}

}  // namespace breakwater
