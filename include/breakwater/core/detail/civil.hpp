#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The proleptic Gregorian calendar in 64-bit arithmetic, and the reading and writing of ISO dates
// as Postgres writes them. Shared by `date` and `timestamptz`; std::chrono's calendar ends at the
// year 32767, Postgres's does not.

namespace breakwater::detail {

/// A calendar day. Years are astronomical: 0 is 1 BC, -1 is 2 BC.
struct civil_day {
  std::int64_t year = 2000;
  unsigned month = 1;
  unsigned day = 1;
};

/// Days since 1970-01-01. Valid for every existing day with |year| < 10^12. Source: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
[[nodiscard]] constexpr std::int64_t days_from_civil(civil_day d) noexcept {
  const std::int64_t year = d.month <= 2 ? d.year - 1 : d.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month_from_march = d.month > 2 ? d.month - 3 : d.month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + d.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// The inverse of `days_from_civil`; same source, civil_from_days.
[[nodiscard]] constexpr civil_day civil_from_days(std::int64_t days) noexcept {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<std::uint32_t>(days - era * 146097);
  const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

/// Whether the day exists: month 1 to 12, and the day within its month. Source: the Gregorian rule.
[[nodiscard]] constexpr bool exists(civil_day d) noexcept {
  if (d.month < 1 || d.month > 12 || d.day < 1) return false;
  if (d.month == 2) {
    const bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    return d.day <= (leap ? 29U : 28U);
  }
  const bool long_month = (d.month + (d.month > 7 ? 1 : 0)) % 2 == 1;
  return d.day <= (long_month ? 31U : 30U);
}

/// What is wrong with a text.
enum class civil_fault : std::uint8_t {
  none,
  malformed,
  no_such_day,
  no_such_time,
  no_offset,
  has_offset,
  out_of_range
};

/// A place in a text; each `take_` moves past what it found and leaves everything else alone.
class civil_reader {
 public:
  constexpr explicit civil_reader(std::string_view text) noexcept : rest_(text) {
    while (!rest_.empty() && is_space(rest_.back())) rest_.remove_suffix(1);
    skip_spaces();
  }

  [[nodiscard]] constexpr bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] constexpr char next() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  constexpr bool skip_spaces() noexcept {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() != before;
  }
  constexpr bool take(char c) noexcept {
    if (next() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// `word` in lower case; matches in any case.
  constexpr bool take_word(std::string_view word) noexcept {
    if (rest_.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (to_lower(rest_[i]) != word[i]) return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  /// A whole run of digits; false unless there are `least` to `most` of them. REQUIRES: `most` <=
  /// 9.
  constexpr bool take_number(std::size_t least, std::size_t most, unsigned& value) noexcept {
    const std::size_t count = count_digits();
    if (count < least || count > most) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + digit(i);
    rest_.remove_prefix(count);
    return true;
  }
  /// Any number of fraction digits, at least one, rounded to microseconds: up to 1000000 of them.
  constexpr bool take_fraction(unsigned& microseconds) noexcept {
    const std::size_t count = count_digits();
    if (count == 0) return false;
    microseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) microseconds = microseconds * 10 + (i < count ? digit(i) : 0);
    if (count > 6 && digit(6) >= 5) ++microseconds;
    rest_.remove_prefix(count);
    return true;
  }
  [[nodiscard]] constexpr std::size_t count_digits() const noexcept {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    return count;
  }

 private:
  static constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
  static constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  [[nodiscard]] constexpr unsigned digit(std::size_t i) const noexcept { return static_cast<unsigned>(rest_[i] - '0'); }

  std::string_view rest_;
};

/// 1 for "infinity", -1 for "-infinity", 0 for everything else.
[[nodiscard]] constexpr int read_infinity(std::string_view text) noexcept {
  civil_reader in(text);
  const bool negative = in.take('-');
  if (!negative) in.take('+');
  if (!in.take_word("infinity") || !in.at_end()) return 0;
  return negative ? -1 : 1;
}

/// "YYYY-MM-DD" with four to seven digits of year. The day is not checked: the era comes later in
/// the text.
constexpr bool take_date(civil_reader& in, civil_day& out) noexcept {
  unsigned year = 0;
  const bool found = in.take_number(4, 7, year) && in.take('-') && in.take_number(1, 2, out.month) && in.take('-') &&
                     in.take_number(1, 2, out.day);
  out.year = year;
  return found;
}

/// An optional " BC" or " AD" and the end of the text; then the year becomes astronomical and is
/// checked.
constexpr civil_fault finish_date(civil_reader& in, civil_day& out) noexcept {
  in.skip_spaces();
  const bool before_christ = in.take_word("bc");
  if (!before_christ) in.take_word("ad");
  if (!in.at_end()) return civil_fault::malformed;
  if (out.year == 0) return civil_fault::no_such_day;
  if (before_christ) out.year = 1 - out.year;
  return exists(out) ? civil_fault::none : civil_fault::no_such_day;
}

/// Writes `value` with exactly two digits.
constexpr char* write_two_digits(char* out, unsigned value) noexcept {
  *out++ = static_cast<char>('0' + value / 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

/// Writes "YYYY-MM-DD", the year with at least four digits and without its era.
constexpr char* write_date(char* out, civil_day d) noexcept {
  auto year = static_cast<unsigned>(d.year > 0 ? d.year : 1 - d.year);
  char digits[10]{};
  std::size_t count = 0;
  for (; year > 0 || count < 4; year /= 10) digits[count++] = static_cast<char>('0' + year % 10);
  while (count > 0) *out++ = digits[--count];
  *out++ = '-';
  out = write_two_digits(out, d.month);
  *out++ = '-';
  return write_two_digits(out, d.day);
}

/// Writes "HH:MM:SS[.ffffff]", the fraction without the zeros at its end. REQUIRES: 0 <= value < 100 hours.
constexpr char* write_time_of_day(char* out, std::int64_t microseconds) noexcept {
  const auto seconds = static_cast<unsigned>(microseconds / 1'000'000);
  auto fraction = static_cast<unsigned>(microseconds % 1'000'000);
  out = write_two_digits(out, seconds / 3600);
  *out++ = ':';
  out = write_two_digits(out, seconds / 60 % 60);
  *out++ = ':';
  out = write_two_digits(out, seconds % 60);
  if (fraction == 0) return out;
  *out++ = '.';
  for (unsigned unit = 100'000; fraction > 0; unit /= 10) {
    *out++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return out;
}

/// Copies text, without a terminator, and returns its end.
constexpr char* write_text(char* out, std::string_view text) noexcept {
  for (const char c : text) *out++ = c;
  return out;
}

}  // namespace breakwater::detail
