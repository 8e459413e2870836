#pragma once

#include <breakwater/core/result.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

/// What a reader must see: a place in a database's write-ahead log, at and before which its writes are.
///
///     std::string cookie = session.token().to_string();                     // in the request that wrote
///     auto seen = bw::causality_token::parse(cookie);                       // in the next one, on any machine
///     auto next = db.session({.after = seen ? seen.value() : bw::causality_token{}});
///
/// Empty, or a known position, or "position unknown": something was written, and only the primary surely has it. The
/// checksum of its text finds mistakes, not forgers: who makes one up changes how fresh his own reads are, and whether
/// they load the primary. A plain value; distinct objects may be used by distinct threads.
class causality_token {
 public:
  /// Empty: nothing was written.
  constexpr causality_token() noexcept = default;
  /// `system` is the database system's identifier, `timeline` the number of its history, `position` the place in its log.
  /// REQUIRES that `timeline` is not 0.
  [[nodiscard]] static constexpr causality_token at(std::uint64_t system, std::uint32_t timeline,
                                                    std::uint64_t position) noexcept {
    return {kind::known, system, timeline, position};
  }
  /// Something was written, it is not known where in the log. `system` and `timeline` are 0 where they are not known
  /// either.
  [[nodiscard]] static constexpr causality_token position_unknown(std::uint64_t system = 0,
                                                                  std::uint32_t timeline = 0) noexcept {
    return {kind::unknown, system, timeline, 0};
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return kind_ == kind::empty; }
  [[nodiscard]] constexpr bool knows_position() const noexcept { return kind_ == kind::known; }
  /// On which history of which system it was written.
  [[nodiscard]] constexpr bool knows_timeline() const noexcept { return timeline_ != 0; }
  [[nodiscard]] constexpr std::uint64_t system() const noexcept { return system_; }
  [[nodiscard]] constexpr std::uint32_t timeline() const noexcept { return timeline_; }
  [[nodiscard]] constexpr std::uint64_t position() const noexcept { return position_; }

  /// Both speak of one history of one system, as far as they know it.
  [[nodiscard]] constexpr bool is_on_history_of(const causality_token& other) const noexcept {
    if (empty() || other.empty() || !knows_timeline() || !other.knows_timeline()) return true;
    return system_ == other.system_ && timeline_ == other.timeline_;
  }
  /// What sees this has seen both, where they are on one history. Else it is `newer` alone, of which nothing tells
  /// whether it has kept the other.
  [[nodiscard]] constexpr causality_token joined_with(const causality_token& newer) const noexcept {
    if (newer.empty()) return *this;
    if (empty() || !is_on_history_of(newer)) return newer;
    const causality_token& placed = newer.knows_timeline() ? newer : *this;
    if (knows_position() && newer.knows_position()) {
      return at(system_, timeline_, std::max(position_, newer.position_));
    }
    return position_unknown(placed.system_, placed.timeline_);
  }

  /// 34 letters, digits, '-' and '_', fit for a header, a cookie and a URL; of an empty one no text at all.
  [[nodiscard]] std::string to_string() const;
  /// Reads what `to_string` wrote. Errors: `invalid_argument` for anything else. Throws nothing and allocates nothing but
  /// the error's text.
  [[nodiscard]] static result<causality_token> parse(std::string_view text);

  [[nodiscard]] friend constexpr bool operator==(const causality_token&, const causality_token&) noexcept = default;

 private:
  enum class kind : std::uint8_t { empty, known, unknown };
  constexpr causality_token(kind of, std::uint64_t system, std::uint32_t timeline, std::uint64_t position) noexcept
      : system_(system), position_(position), timeline_(timeline), kind_(of) {}

  std::uint64_t system_ = 0;
  std::uint64_t position_ = 0;
  std::uint32_t timeline_ = 0;
  kind kind_ = kind::empty;
};

}  // namespace breakwater
