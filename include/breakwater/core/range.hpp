#pragma once

#include <breakwater/core/date.hpp>
#include <breakwater/core/detail/range_text.hpp>
#include <breakwater/core/numeric.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/timestamp.hpp>
#include <breakwater/core/timestamptz.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater {

/// Which of a range's bounds belong to it, in Postgres's notation.
enum class range_bounds : std::uint8_t {
  closed_open,  ///< [a,b)
  closed,       ///< [a,b]
  open,         ///< (a,b)
  open_closed   ///< (a,b]
};

namespace detail {

template <class T>
inline constexpr bool is_range_bound =
    std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> || std::same_as<T, long long> ||
    std::same_as<T, numeric> || std::same_as<T, date> || std::same_as<T, timestamp> || std::same_as<T, timestamptz>;

/// Ranges of these have a canonical form, [a,b): between two neighbours there is nothing.
template <class T>
inline constexpr bool is_discrete = std::integral<T> || std::same_as<T, date>;

/// The next value, where there is one.
template <class T>
[[nodiscard]] constexpr std::optional<T> following(const T& value) noexcept {
  if constexpr (std::integral<T>) {
    if (value == std::numeric_limits<T>::max()) return std::nullopt;
    return static_cast<T>(value + 1);
  } else {
    if (value.is_infinite()) return std::nullopt;
    return value + std::chrono::days(1);
  }
}

}  // namespace detail

/// The values between two bounds, either of which may be absent: the range types of Postgres.
///
///     bw::range<bw::date> june{bw::date{"2026-06-01"}, bw::date{"2026-07-01"}};    // the upper bound is not in it
///     bw::range<bw::timestamptz> since{from, std::nullopt};                        // no end
///     if (june.contains(day)) ...
///
/// T is std::int32_t, std::int64_t, bw::numeric, bw::date, bw::timestamp or bw::timestamptz: int4range, int8range,
/// numrange, daterange, tsrange, tstzrange. Two ranges are equal when they hold the same values: of integers and days
/// [1,3] is [1,4), the form in which the server gives it back. A value; distinct objects may be used by distinct threads.
template <class T>
class range {
  static_assert(detail::is_range_bound<T>,
                "breakwater: a range is of std::int32_t, std::int64_t, bw::numeric, bw::date, bw::timestamp or "
                "bw::timestamptz");

 public:
  using value_type = T;

  /// The empty range.
  constexpr range() noexcept = default;
  /// An absent bound is no bound. What holds no value, such as [a,a), is the empty range. A lower bound above the
  /// upper one is kept, holds nothing, and is refused when it is sent (`errc::data_error`).
  constexpr range(std::optional<T> lower, std::optional<T> upper, range_bounds bounds = range_bounds::closed_open)
      : lower_(std::move(lower)),
        upper_(std::move(upper)),
        lower_inclusive_(lower_ && (bounds == range_bounds::closed_open || bounds == range_bounds::closed)),
        upper_inclusive_(upper_ && (bounds == range_bounds::open_closed || bounds == range_bounds::closed)),
        empty_(false) {
    if (holds_nothing()) clear();
  }

  /// Without bounds: all values.
  [[nodiscard]] static constexpr range all() { return range(std::nullopt, std::nullopt); }

  /// Reads what Postgres writes: "[1,10)", "(,\"2026-11-20 10:00:00+00\"]", "empty". Error: `errc::data_error`, also
  /// for a lower bound above the upper one.
  [[nodiscard]] static result<range> parse(std::string_view text) {
    range value;
    if (parse_into(text, value)) return value;
    return error(errc::data_error,
                 "not a range of this type: allowed are two bounds in brackets such as [a,b) with a <= b, and empty");
  }
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, range& out) {
    range value;
    if (!value.take_from(text)) return false;
    detail::skip_range_spaces(text);
    if (!text.empty()) return false;
    out = std::move(value);
    return true;
  }

  [[nodiscard]] constexpr bool is_empty() const noexcept { return empty_; }
  /// Absent when there is no bound, and of the empty range.
  [[nodiscard]] constexpr const std::optional<T>& lower() const noexcept { return lower_; }
  [[nodiscard]] constexpr const std::optional<T>& upper() const noexcept { return upper_; }
  [[nodiscard]] constexpr bool lower_inclusive() const noexcept { return lower_inclusive_; }
  [[nodiscard]] constexpr bool upper_inclusive() const noexcept { return upper_inclusive_; }
  /// The lower bound is above the upper one: no range of Postgres.
  [[nodiscard]] constexpr bool is_inverted() const noexcept { return lower_ && upper_ && *upper_ < *lower_; }

  [[nodiscard]] constexpr bool contains(const T& value) const noexcept {
    if (empty_) return false;
    if (lower_ && (lower_inclusive_ ? value < *lower_ : !(*lower_ < value))) return false;
    return !upper_ || (upper_inclusive_ ? !(*upper_ < value) : value < *upper_);
  }

  /// The text Postgres writes, such as "[1,10)"; bounds as they were given.
  [[nodiscard]] std::string to_string() const {
    std::string text;
    append_to(text);
    return text;
  }
  /// Appends that text.
  void append_to(std::string& out) const {
    detail::range_text text{.empty = empty_,
                            .has_lower = lower_.has_value(),
                            .has_upper = upper_.has_value(),
                            .lower_inclusive = lower_inclusive_,
                            .upper_inclusive = upper_inclusive_};
    if (lower_) detail::append_bound(text.lower, *lower_);
    if (upper_) detail::append_bound(text.upper, *upper_);
    detail::append_range(out, text);
  }
  /// Cuts a range off the front of `text`; for the library's own use.
  [[nodiscard]] bool take_from(std::string_view& text) {
    detail::range_text parts;
    if (!detail::take_range(text, parts)) return false;
    if (parts.empty) {
      clear();
      return true;
    }
    std::optional<T> lower;
    std::optional<T> upper;
    if (parts.has_lower && !detail::read_bound(parts.lower, lower.emplace())) return false;
    if (parts.has_upper && !detail::read_bound(parts.upper, upper.emplace())) return false;
    const auto bounds = parts.lower_inclusive
                            ? (parts.upper_inclusive ? range_bounds::closed : range_bounds::closed_open)
                            : (parts.upper_inclusive ? range_bounds::open_closed : range_bounds::open);
    *this = range(std::move(lower), std::move(upper), bounds);
    return !is_inverted();
  }

  /// Do both hold the same values?
  friend constexpr bool operator==(const range& a, const range& b) noexcept {
    if (a.empty_ || b.empty_) return a.empty_ == b.empty_;
    return a.canonical_lower() == b.canonical_lower() && a.canonical_upper() == b.canonical_upper();
  }

 private:
  struct bound {
    std::optional<T> value;
    bool inclusive;
    friend constexpr bool operator==(const bound&, const bound&) = default;
  };

  constexpr void clear() noexcept {
    lower_.reset();
    upper_.reset();
    lower_inclusive_ = upper_inclusive_ = false;
    empty_ = true;
  }
  [[nodiscard]] constexpr bound canonical_lower() const noexcept {
    if constexpr (detail::is_discrete<T>) {
      if (lower_ && !lower_inclusive_) {
        if (auto next = detail::following(*lower_)) return {next, true};
      }
    }
    return {lower_, lower_inclusive_};
  }
  [[nodiscard]] constexpr bound canonical_upper() const noexcept {
    if constexpr (detail::is_discrete<T>) {
      if (upper_ && upper_inclusive_) {
        if (auto next = detail::following(*upper_)) return {next, false};
      }
    }
    return {upper_, upper_inclusive_};
  }
  [[nodiscard]] constexpr bool holds_nothing() const noexcept {
    if (!lower_ || !upper_ || (lower_inclusive_ && upper_inclusive_) || is_inverted()) return false;
    if (*lower_ == *upper_) return true;
    const bound from = canonical_lower();
    const bound to = canonical_upper();
    return detail::is_discrete<T> && from.inclusive && !to.inclusive && from.value == to.value;
  }

  std::optional<T> lower_{};
  std::optional<T> upper_{};
  bool lower_inclusive_ = false;
  bool upper_inclusive_ = false;
  bool empty_ = true;
};

/// Several ranges: the multirange types of PostgreSQL 14 and later.
///
///     bw::multirange<bw::date> holidays{{easter, whitsun}};
///
/// The server sorts them, joins those that meet, and leaves out the empty ones, and so gives them back: compared here are
/// the ranges as they stand. A value; distinct objects may be used by distinct threads.
template <class T>
class multirange {
 public:
  using value_type = range<T>;

  multirange() noexcept = default;
  explicit multirange(std::vector<range<T>> ranges) noexcept : ranges_(std::move(ranges)) {}
  multirange(std::initializer_list<range<T>> ranges) : ranges_(ranges) {}

  /// Reads what Postgres writes: "{[1,3),[5,9)}". Error: `errc::data_error`.
  [[nodiscard]] static result<multirange> parse(std::string_view text) {
    multirange value;
    if (parse_into(text, value)) return value;
    return error(errc::data_error, "not a multirange of this type: allowed are ranges such as [a,b) in braces");
  }
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, multirange& out) {
    const auto take = [&text](char wanted) {
      detail::skip_range_spaces(text);
      if (!text.starts_with(wanted)) return false;
      text.remove_prefix(1);
      return true;
    };
    std::vector<range<T>> ranges;
    if (!take('{')) return false;
    if (!take('}')) {
      do {
        if (!ranges.emplace_back().take_from(text)) return false;
      } while (take(','));
      if (!take('}')) return false;
    }
    detail::skip_range_spaces(text);
    if (!text.empty()) return false;
    out.ranges_ = std::move(ranges);
    return true;
  }

  [[nodiscard]] const std::vector<range<T>>& ranges() const noexcept { return ranges_; }
  [[nodiscard]] bool contains(const T& value) const noexcept {
    for (const range<T>& each : ranges_) {
      if (each.contains(value)) return true;
    }
    return false;
  }

  /// The text Postgres writes, such as "{[1,3),[5,9)}"; ranges as they were given.
  [[nodiscard]] std::string to_string() const {
    std::string text = "{";
    for (const range<T>& each : ranges_) {
      if (text.size() > 1) text.push_back(',');
      each.append_to(text);
    }
    text.push_back('}');
    return text;
  }

  /// Range by range, in their order.
  friend bool operator==(const multirange&, const multirange&) = default;

 private:
  std::vector<range<T>> ranges_;
};

}  // namespace breakwater
