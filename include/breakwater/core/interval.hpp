#pragma once

#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/detail/interval_text.hpp>
#include <breakwater/core/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace breakwater {

namespace detail {

// Named for the compiler's message: they are reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_an_interval_such_as_1_day_02_30_00();
[[noreturn]] void this_interval_is_out_of_range();

}  // namespace detail

/// A span on the calendar: months, days and a time, kept apart, the `interval` type of Postgres.
///
///     constexpr bw::interval notice{"3 months 1 day"};                // checked by the compiler
///     bw::result<bw::interval> given = bw::interval::parse(text);     // checked when it runs
///     auto rent = bw::interval(std::chrono::months(1)) + bw::interval(12h);
///
/// A month is not a number of days, nor a day always 24 hours, so that an interval has no length of its own, and no
/// order here: two are equal when their months, days and times are. The database's comparisons count 30 days a month
/// and 24 hours a day. Infinities exist in PostgreSQL from version 17 on; older servers refuse them (`data_error`).
/// A plain value of 16 bytes; distinct objects may be used by distinct threads.
class interval {
 public:
  /// Text that the compiler has read. (The constructors of `interval` itself are not consteval: clang 14 crashes on
  /// arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : parts_(from_literal(text)) {}

   private:
    friend class interval;
    detail::interval_parts parts_;
  };

  /// Longest text form: "-178956969 years -11 mons -2147483648 days -2562047788:00:54.775808".
  static constexpr std::size_t max_text_size = 68;

  /// No time at all.
  constexpr interval() noexcept = default;
  /// From a literal, as in `interval{"1 day 02:30:00"}`; what is not an interval does not compile.
  constexpr explicit interval(literal text) noexcept : parts_(text.parts_) {}
  /// \name From one of its parts. More than 2147483647 months or days become the infinity on their side.
  /// @{
  constexpr explicit interval(std::chrono::microseconds time) noexcept : parts_{.microseconds = time.count()} {}
  constexpr explicit interval(std::chrono::days days) noexcept : interval(0, days.count()) {}
  constexpr explicit interval(std::chrono::weeks weeks) noexcept : interval(0, scaled(weeks.count(), 7)) {}
  constexpr explicit interval(std::chrono::months months) noexcept : interval(months.count(), 0) {}
  constexpr explicit interval(std::chrono::years years) noexcept : interval(scaled(years.count(), 12), 0) {}
  /// @}

  /// From Postgres's own representation.
  [[nodiscard]] static constexpr interval from_parts(std::int32_t months, std::int32_t days,
                                                     std::int64_t microseconds) noexcept {
    interval made;
    made.parts_ = {.months = months, .days = days, .microseconds = microseconds};
    return made;
  }
  [[nodiscard]] static constexpr interval infinity() noexcept {
    return from_parts(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max(),
                      std::numeric_limits<std::int64_t>::max());
  }
  [[nodiscard]] static constexpr interval negative_infinity() noexcept {
    return from_parts(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::min(),
                      std::numeric_limits<std::int64_t>::min());
  }

  /// Reads what Postgres writes with IntervalStyle postgres, "1 year 2 mons -3 days +04:05:06.789", and its words as
  /// people write them: year, month (mon), week, day, hour, minute (min), second (sec), with or without an s, each at
  /// most once, a fraction only of seconds; "infinity" and "-infinity". Error: `errc::data_error`.
  [[nodiscard]] static result<interval> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, interval& out) noexcept;

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return *this == infinity() || *this == negative_infinity();
  }
  [[nodiscard]] constexpr std::chrono::months months() const noexcept { return std::chrono::months(parts_.months); }
  [[nodiscard]] constexpr std::chrono::days days() const noexcept { return std::chrono::days(parts_.days); }
  /// The part below a day, as it was given: it may be more than 24 hours.
  [[nodiscard]] constexpr std::chrono::microseconds time() const noexcept {
    return std::chrono::microseconds(parts_.microseconds);
  }
  /// The time, where it is all there is. Error: `errc::data_error` when there are months or days, whose length the
  /// calendar decides.
  [[nodiscard]] result<std::chrono::microseconds> to_duration() const;

  /// The text Postgres writes with IntervalStyle postgres, such as "1 mon -2 days +03:00:00".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  /// Part by part. An infinity stays what it is (the left one's sign, where both are); a part beyond its range makes
  /// the whole infinite on its side.
  [[nodiscard]] friend constexpr interval operator+(const interval& a, const interval& b) noexcept {
    if (a.is_infinite()) return a;
    if (b.is_infinite()) return b;
    interval sum;
    if (__builtin_add_overflow(a.parts_.months, b.parts_.months, &sum.parts_.months)) return beyond(b.parts_.months);
    if (__builtin_add_overflow(a.parts_.days, b.parts_.days, &sum.parts_.days)) return beyond(b.parts_.days);
    if (__builtin_add_overflow(a.parts_.microseconds, b.parts_.microseconds, &sum.parts_.microseconds)) {
      return beyond(b.parts_.microseconds);
    }
    return sum;
  }
  /// Every part with the other sign; one that has no counterpart, the least of its range, makes the whole infinite.
  [[nodiscard]] constexpr interval operator-() const noexcept {
    if (*this == infinity()) return negative_infinity();
    if (*this == negative_infinity()) return infinity();
    interval negated;
    if (__builtin_sub_overflow(0, parts_.months, &negated.parts_.months) ||
        __builtin_sub_overflow(0, parts_.days, &negated.parts_.days) ||
        __builtin_sub_overflow(std::int64_t{0}, parts_.microseconds, &negated.parts_.microseconds)) {
      return infinity();
    }
    return negated;
  }
  [[nodiscard]] friend constexpr interval operator-(const interval& a, const interval& b) noexcept { return a + -b; }
  constexpr interval& operator+=(const interval& other) noexcept { return *this = *this + other; }
  constexpr interval& operator-=(const interval& other) noexcept { return *this = *this - other; }

  /// Of the parts: 1 day is not 24:00:00.
  friend constexpr bool operator==(const interval& a, const interval& b) noexcept {
    return a.parts_.months == b.parts_.months && a.parts_.days == b.parts_.days &&
           a.parts_.microseconds == b.parts_.microseconds;
  }

 private:
  constexpr interval(std::int64_t months, std::int64_t days) noexcept {
    if (!narrow(months, parts_.months)) {
      *this = beyond(months);
    } else if (!narrow(days, parts_.days)) {
      *this = beyond(days);
    }
  }

  static constexpr interval beyond(std::int64_t sign) noexcept { return sign < 0 ? negative_infinity() : infinity(); }
  static constexpr bool narrow(std::int64_t from, std::int32_t& to) noexcept {
    to = static_cast<std::int32_t>(from);
    return to == from;
  }
  static constexpr std::int64_t scaled(std::int64_t count, std::int64_t factor) noexcept {
    std::int64_t product = 0;
    return __builtin_mul_overflow(count, factor, &product) ? count : product;
  }

  static constexpr detail::interval_fault read(std::string_view text, interval& out) noexcept {
    if (const int sign = detail::read_infinity(text); sign != 0) {
      out = sign > 0 ? infinity() : negative_infinity();
      return detail::interval_fault::none;
    }
    return detail::interval_reader(text).read(out.parts_);
  }
  static consteval detail::interval_parts from_literal(std::string_view literal) {
    interval value;
    const auto fault = read(literal, value);
    if (fault == detail::interval_fault::malformed) detail::this_is_not_an_interval_such_as_1_day_02_30_00();
    if (fault == detail::interval_fault::out_of_range) detail::this_interval_is_out_of_range();
    return value.parts_;
  }

  detail::interval_parts parts_;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::interval> {
  [[nodiscard]] std::size_t operator()(const breakwater::interval& value) const noexcept;
};
