#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace breakwater {

/// The sorts of `consistency`, for switches.
enum class consistency_kind : std::uint8_t { primary, read_your_writes, eventual, bounded };

/// How fresh a read must be, and so which nodes may serve it. Writes always go to the primary.
///
///     db.session({.consistency = bw::consistency::eventual});
///     db.session({.consistency = bw::consistency::bounded(5s)});
///     switch (chosen.kind()) { case bw::consistency_kind::bounded: use(chosen.lag()); ... }
///
/// A value of a literal type: constants of it may be used where the compiler wants them.
class consistency {
 public:
  static const consistency primary;           ///< the primary only
  static const consistency read_your_writes;  ///< a replica that has what the session wrote, else the primary
  static const consistency eventual;          ///< a replica, however far behind, as long as one answers
  /// A replica that is known to be no further behind than `lag`, else the primary; 1 ms..1 d, as the configuration takes
  /// it. Known by what the monitor saw last: less than two of its intervals mean the primary nearly always, and what is
  /// not positive always.
  [[nodiscard]] static constexpr consistency bounded(std::chrono::milliseconds lag) noexcept {
    return {consistency_kind::bounded, lag};
  }

  [[nodiscard]] constexpr consistency_kind kind() const noexcept { return kind_; }
  /// Of one that is `bounded`; 0 of the others.
  [[nodiscard]] constexpr std::chrono::milliseconds lag() const noexcept { return lag_; }
  /// Makes `switch` and `case` work on the constants.
  // NOLINTNEXTLINE(google-explicit-constructor,hicpp-explicit-conversions): a value was an enumerator once
  [[nodiscard]] constexpr operator consistency_kind() const noexcept { return kind_; }

  [[nodiscard]] friend constexpr bool operator==(const consistency&, const consistency&) noexcept = default;

 private:
  constexpr consistency(consistency_kind kind, std::chrono::milliseconds lag) noexcept : kind_(kind), lag_(lag) {}

  consistency_kind kind_;
  std::chrono::milliseconds lag_;
};

inline constexpr consistency consistency::primary{consistency_kind::primary, {}};
inline constexpr consistency consistency::read_your_writes{consistency_kind::read_your_writes, {}};
inline constexpr consistency consistency::eventual{consistency_kind::eventual, {}};

/// The largest lag that `consistency::bounded` takes, and the smallest.
inline constexpr std::chrono::milliseconds longest_bounded_lag = std::chrono::hours(24);
inline constexpr std::chrono::milliseconds shortest_bounded_lag{1};

/// The value's name as written in the source and in configuration: "primary" and so on; "bounded" without its lag.
[[nodiscard]] constexpr std::string_view to_string(consistency_kind value) noexcept {
  switch (value) {
    case consistency_kind::primary: return "primary";
    case consistency_kind::read_your_writes: return "read_your_writes";
    case consistency_kind::eventual: return "eventual";
    case consistency_kind::bounded: return "bounded";
  }
  return "unknown";
}
[[nodiscard]] constexpr std::string_view to_string(consistency value) noexcept { return to_string(value.kind()); }

}  // namespace breakwater
