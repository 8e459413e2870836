#pragma once

#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/result.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace breakwater {

namespace detail {

// Named for the compiler's message: they are reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_a_timestamptz_of_the_form_YYYY_MM_DD_HH_MM_SS_offset();
[[noreturn]] void this_timestamptz_needs_an_offset_from_UTC_such_as_plus_00_or_Z();
[[noreturn]] void this_timestamptz_names_a_day_that_does_not_exist();
[[noreturn]] void this_timestamptz_names_a_time_of_day_that_does_not_exist();
[[noreturn]] void this_timestamptz_is_outside_4714_BC_to_294276_AD();

/// Microseconds from 1970-01-01, where std::chrono counts from, to 2000-01-01, where Postgres does.
inline constexpr std::int64_t microseconds_from_1970_to_2000 = 946'684'800'000'000;
inline constexpr std::int64_t microseconds_per_second = 1'000'000;
inline constexpr std::int64_t microseconds_per_day = 86'400 * microseconds_per_second;

/// "HH:MM[:SS[.ffffff]]" as microseconds since midnight. 24:00:00 and a 60th second are allowed, as
/// in Postgres.
constexpr civil_fault take_time_of_day(civil_reader& in, std::int64_t& out) noexcept {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned fraction = 0;
  if (!in.take_number(1, 2, hour) || !in.take(':') || !in.take_number(2, 2, minute)) {
    return civil_fault::malformed;
  }
  if (in.take(':')) {
    if (!in.take_number(2, 2, second)) return civil_fault::malformed;
    if (in.take('.') && !in.take_fraction(fraction)) return civil_fault::malformed;
  }
  out = (std::int64_t{hour} * 3600 + minute * 60 + second) * microseconds_per_second + fraction;
  const bool exists = minute <= 59 && second <= 60 && out <= microseconds_per_day;
  return exists ? civil_fault::none : civil_fault::no_such_time;
}

/// Postgres has time zones up to a week from UTC (`SET TIME ZONE 100`) and then writes three digits
/// of hours.
inline constexpr unsigned max_offset_hours = 167;

/// "Z", "UTC", "GMT" or "+HH[:MM[:SS]]" as seconds east of Greenwich. Four or six digits without a
/// colon are hours and minutes (and seconds); three are hours.
constexpr civil_fault take_offset(civil_reader& in, std::int64_t& seconds) noexcept {
  in.skip_spaces();
  seconds = 0;
  if (in.take_word("z") || in.take_word("utc") || in.take_word("gmt")) return civil_fault::none;
  const bool west = in.take('-');
  if (!west && !in.take('+')) {
    const bool era_or_end = in.at_end() || in.take_word("bc") || in.take_word("ad");
    return era_or_end ? civil_fault::no_offset : civil_fault::malformed;
  }
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  const std::size_t digits = in.count_digits();
  if (digits == 4 || digits == 6) {
    unsigned packed = 0;
    in.take_number(digits, digits, packed);
    if (digits == 4) packed *= 100;
    hour = packed / 10000;
    minute = packed / 100 % 100;
    second = packed % 100;
  } else {
    if (!in.take_number(1, 3, hour)) return civil_fault::malformed;
    if (in.take(':') && !in.take_number(2, 2, minute)) return civil_fault::malformed;
    if (in.take(':') && !in.take_number(2, 2, second)) return civil_fault::malformed;
  }
  if (hour > max_offset_hours || minute > 59 || second > 59) return civil_fault::no_such_time;
  seconds = std::int64_t{hour} * 3600 + minute * 60 + second;
  if (west) seconds = -seconds;
  return civil_fault::none;
}

}  // namespace detail

/// A moment in time, to the microsecond: the `timestamptz` type of Postgres.
///
///     constexpr bw::timestamptz launch{"2026-11-20 10:00:00+00"};          // checked by the
///     compiler bw::result<bw::timestamptz> given = bw::timestamptz::parse(text);    // checked
///     when it runs auto later = bw::timestamptz::now() + 90s;                           //
///     std::chrono's durations
///
/// From 4714-11-24 BC to 294276-12-31 AD, UTC, and the two infinities, which order before and after
/// every moment. Values beyond become infinite. Like Postgres it keeps the moment, not the zone it
/// was written in. A plain value of eight bytes; distinct objects may be used by distinct threads.
class timestamptz {
 public:
  using sys_microseconds = std::chrono::sys_time<std::chrono::microseconds>;

  /// Text that the compiler has read. (The constructors of `timestamptz` itself are not consteval:
  /// clang 14 crashes on arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : microseconds_(from_literal(text)) {}

   private:
    friend class timestamptz;
    std::int64_t microseconds_;
  };

  /// Longest text form: "4714-11-24 00:00:00.000001+00 BC".
  static constexpr std::size_t max_text_size = 32;

  /// 2000-01-01 00:00:00 UTC, where Postgres counts from.
  constexpr timestamptz() noexcept = default;
  /// From a literal, as in `timestamptz{"2026-11-20 10:00:00+00"}`; what is not a moment, with its
  /// offset from UTC, does not compile.
  constexpr explicit timestamptz(literal text) noexcept : microseconds_(text.microseconds_) {}
  /// A moment before the range becomes `negative_infinity()`; none can be after it.
  constexpr explicit timestamptz(sys_microseconds moment) noexcept
      : timestamptz(from_unix_microseconds(moment.time_since_epoch().count())) {}
  /// Of any other precision, rounded down to the microsecond.
  template <class Duration>
  constexpr explicit timestamptz(std::chrono::sys_time<Duration> moment) noexcept
      : timestamptz(std::chrono::floor<std::chrono::microseconds>(moment)) {}

  /// From Postgres's own representation; values beyond the range become the infinity on their side.
  [[nodiscard]] static constexpr timestamptz from_microseconds_since_2000(std::int64_t value) noexcept {
    if (value < first) return negative_infinity();
    if (value > last) return infinity();
    return timestamptz(value, raw{});
  }
  [[nodiscard]] static constexpr timestamptz infinity() noexcept {
    return timestamptz(std::numeric_limits<std::int64_t>::max(), raw{});
  }
  [[nodiscard]] static constexpr timestamptz negative_infinity() noexcept {
    return timestamptz(std::numeric_limits<std::int64_t>::min(), raw{});
  }
  /// 4714-11-24 00:00:00 BC, the first moment.
  [[nodiscard]] static constexpr timestamptz min() noexcept { return timestamptz(first, raw{}); }
  /// 294276-12-31 23:59:59.999999, the last moment.
  [[nodiscard]] static constexpr timestamptz max() noexcept { return timestamptz(last, raw{}); }
  /// This machine's wall clock. The database's is `now()` in SQL: the two differ.
  [[nodiscard]] static timestamptz now() noexcept;

  /// Reads "YYYY-MM-DD HH:MM[:SS[.ffffff]]" followed by the offset from UTC ("+HH[:MM[:SS]]", "Z",
  /// "UTC") and optionally " BC"; "T" may stand between day and time. Also "infinity" and
  /// "-infinity". Reads what Postgres writes with DateStyle ISO and any TimeZone. Text without an
  /// offset is refused: it would mean another moment on every machine. More than six digits of
  /// fraction are rounded. Error: `errc::data_error`.
  [[nodiscard]] static result<timestamptz> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, timestamptz& out) noexcept;

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return *this == infinity() || *this == negative_infinity();
  }
  /// Postgres's own representation: the least and greatest `int64_t` stand for the infinities.
  [[nodiscard]] constexpr std::int64_t microseconds_since_2000() const noexcept { return microseconds_; }
  /// Error: `errc::data_error` for the infinities and after 294247-01-10, where std::chrono's
  /// microseconds end.
  [[nodiscard]] result<sys_microseconds> to_sys_time() const;

  /// The text Postgres writes with DateStyle ISO and TimeZone UTC, such as "2026-11-20
  /// 10:00:00.25+00".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  /// An infinity stays what it is; a sum beyond the range becomes the infinity on its side.
  [[nodiscard]] friend constexpr timestamptz operator+(timestamptz t, std::chrono::microseconds span) noexcept {
    if (t.is_infinite()) return t;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(t.microseconds_, std::int64_t{span.count()}, &sum)) {
      return span.count() < 0 ? negative_infinity() : infinity();
    }
    return from_microseconds_since_2000(sum);
  }
  [[nodiscard]] friend constexpr timestamptz operator+(std::chrono::microseconds span, timestamptz t) noexcept {
    return t + span;
  }
  [[nodiscard]] friend constexpr timestamptz operator-(timestamptz t, std::chrono::microseconds span) noexcept {
    if (span == std::chrono::microseconds::min()) return t + std::chrono::microseconds::max();
    return t + -span;
  }
  /// Time from `b` to `a`. To or from an infinity, and where it does not fit, it is
  /// `microseconds::max()` or `microseconds::min()`; it is zero between equal infinities.
  [[nodiscard]] friend constexpr std::chrono::microseconds operator-(timestamptz a, timestamptz b) noexcept {
    std::int64_t span = 0;
    if (a == b) return std::chrono::microseconds::zero();
    if (a.is_infinite() || b.is_infinite() || __builtin_sub_overflow(a.microseconds_, b.microseconds_, &span)) {
      return a > b ? std::chrono::microseconds::max() : std::chrono::microseconds::min();
    }
    return std::chrono::microseconds(span);
  }
  constexpr timestamptz& operator+=(std::chrono::microseconds span) noexcept { return *this = *this + span; }
  constexpr timestamptz& operator-=(std::chrono::microseconds span) noexcept { return *this = *this - span; }

  friend constexpr bool operator==(const timestamptz&, const timestamptz&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const timestamptz&, const timestamptz&) noexcept = default;

 private:
  struct raw {};
  // Postgres's MIN_TIMESTAMP, and END_TIMESTAMP less one.
  static constexpr std::int64_t first = -211'813'488'000'000'000;
  static constexpr std::int64_t last = 9'223'371'331'200'000'000 - 1;
  // A local day may lie this far outside the range and its moment within; two more would overflow
  // 64 bits.
  static constexpr std::int64_t days_of_slack = 7;

  constexpr timestamptz(std::int64_t value, raw) noexcept : microseconds_(value) {}

  static constexpr timestamptz from_unix_microseconds(std::int64_t since_1970) noexcept {
    std::int64_t value = 0;
    const bool overflow = __builtin_sub_overflow(since_1970, detail::microseconds_from_1970_to_2000, &value);
    return overflow ? negative_infinity() : from_microseconds_since_2000(value);
  }

  static constexpr detail::civil_fault read(std::string_view text, timestamptz& out) noexcept {
    using detail::civil_fault;
    if (const int sign = detail::read_infinity(text); sign != 0) {
      out = sign > 0 ? infinity() : negative_infinity();
      return civil_fault::none;
    }
    detail::civil_reader in(text);
    detail::civil_day day;
    std::int64_t time = 0;
    std::int64_t offset = 0;
    if (!detail::take_date(in, day)) return civil_fault::malformed;
    if (!in.skip_spaces() && !in.take('T') && !in.take('t')) return civil_fault::malformed;
    if (const auto fault = detail::take_time_of_day(in, time); fault != civil_fault::none) return fault;
    if (const auto fault = detail::take_offset(in, offset); fault != civil_fault::none) return fault;
    if (const auto fault = detail::finish_date(in, day); fault != civil_fault::none) return fault;

    const std::int64_t days =
        detail::days_from_civil(day) - microseconds_to_days(detail::microseconds_from_1970_to_2000);
    if (days < microseconds_to_days(first) - days_of_slack || days > microseconds_to_days(last) + days_of_slack) {
      return civil_fault::out_of_range;
    }
    std::int64_t moment = days * detail::microseconds_per_day + time;
    if (__builtin_sub_overflow(moment, offset * detail::microseconds_per_second, &moment) || moment < first ||
        moment > last) {
      return civil_fault::out_of_range;
    }
    out = timestamptz(moment, raw{});
    return civil_fault::none;
  }
  static constexpr std::int64_t microseconds_to_days(std::int64_t value) noexcept {
    return value / detail::microseconds_per_day;
  }

  static consteval std::int64_t from_literal(std::string_view literal) {
    using detail::civil_fault;
    timestamptz value;
    const auto fault = read(literal, value);
    if (fault == civil_fault::malformed) {
      detail::this_is_not_a_timestamptz_of_the_form_YYYY_MM_DD_HH_MM_SS_offset();
    }
    if (fault == civil_fault::no_offset) {
      detail::this_timestamptz_needs_an_offset_from_UTC_such_as_plus_00_or_Z();
    }
    if (fault == civil_fault::no_such_day) detail::this_timestamptz_names_a_day_that_does_not_exist();
    if (fault == civil_fault::no_such_time) {
      detail::this_timestamptz_names_a_time_of_day_that_does_not_exist();
    }
    if (fault == civil_fault::out_of_range) detail::this_timestamptz_is_outside_4714_BC_to_294276_AD();
    return value.microseconds_;
  }

  std::int64_t microseconds_ = 0;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::timestamptz> {
  [[nodiscard]] std::size_t operator()(breakwater::timestamptz value) const noexcept {
    return std::hash<std::int64_t>{}(value.microseconds_since_2000());
  }
};
