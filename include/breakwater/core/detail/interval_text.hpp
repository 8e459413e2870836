#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

// Reading intervals, by the compiler or when running: what Postgres writes with IntervalStyle postgres, and the same words
// as people write them.

namespace breakwater::detail {

struct interval_parts {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;
};

enum class interval_fault : std::uint8_t { none, malformed, out_of_range };

/// Reads "[+-]N unit ..." and "[+-]HH:MM[:SS[.ffffff]]", each unit once, in any order.
class interval_reader {
 public:
  constexpr explicit interval_reader(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] constexpr interval_fault read(interval_parts& out) noexcept {
    interval_parts parts;
    bool any = false;
    while (skip_spaces(), !rest_.empty()) {
      if (const auto fault = take_part(parts); fault != interval_fault::none) return fault;
      any = true;
    }
    if (!any) return interval_fault::malformed;
    out = parts;
    return interval_fault::none;
  }

 private:
  enum class field : std::uint8_t { month, day, microsecond };
  struct unit {
    std::string_view name;  // the plural adds an s
    field of;
    std::int64_t factor;
    std::uint16_t bit;  // a unit given twice is a mistake
  };
  static constexpr std::int64_t second = 1'000'000;
  static constexpr std::int64_t minute = 60 * second;
  static constexpr std::int64_t hour = 60 * minute;
  static constexpr std::uint16_t clock_bit = 1;
  static constexpr std::uint16_t second_bit = 2;
  static constexpr std::array<unit, 10> units{{
      {"year", field::month, 12, 4},
      {"month", field::month, 1, 8},
      {"mon", field::month, 1, 8},
      {"week", field::day, 7, 16},
      {"day", field::day, 1, 32},
      {"hour", field::microsecond, hour, 64},
      {"minute", field::microsecond, minute, 128},
      {"min", field::microsecond, minute, 128},
      {"second", field::microsecond, second, second_bit},
      {"sec", field::microsecond, second, second_bit},
  }};

  constexpr interval_fault take_part(interval_parts& parts) noexcept {
    const bool negative = take('-');
    if (!negative) take('+');
    std::uint64_t number = 0;
    if (!take_number(number)) return too_long_ ? interval_fault::out_of_range : interval_fault::malformed;
    if (take(':')) return take_clock(parts, number, negative);
    std::uint64_t fraction = 0;
    const bool has_fraction = take('.');
    if (has_fraction && !take_fraction(fraction)) return interval_fault::malformed;
    skip_spaces();
    const std::size_t place = take_unit();
    if (place == units.size()) return interval_fault::malformed;
    const unit& found = units[place];
    if ((has_fraction && found.bit != second_bit) || !mark(found.bit)) return interval_fault::malformed;
    std::uint64_t amount = 0;
    if (__builtin_mul_overflow(number, static_cast<std::uint64_t>(found.factor), &amount) ||
        __builtin_add_overflow(amount, fraction, &amount)) {
      return interval_fault::out_of_range;
    }
    return add(parts, found.of, amount, negative);
  }

  /// ":MM[:SS[.ffffff]]" behind the hours.
  constexpr interval_fault take_clock(interval_parts& parts, std::uint64_t hours, bool negative) noexcept {
    std::uint64_t minutes = 0;
    std::uint64_t seconds = 0;
    std::uint64_t fraction = 0;
    if (!mark(clock_bit) || !take_two_digits(minutes)) return interval_fault::malformed;
    if (take(':')) {
      if (!take_two_digits(seconds)) return interval_fault::malformed;
      if (take('.') && !take_fraction(fraction)) return interval_fault::malformed;
    }
    if (!rest_.empty() && !is_space(rest_.front())) return interval_fault::malformed;
    if (minutes > 59 || seconds > 59) return interval_fault::out_of_range;
    std::uint64_t amount = 0;
    const std::uint64_t below_hours = minutes * minute + seconds * second + fraction;
    if (__builtin_mul_overflow(hours, static_cast<std::uint64_t>(hour), &amount) ||
        __builtin_add_overflow(amount, below_hours, &amount)) {
      return interval_fault::out_of_range;
    }
    return add(parts, field::microsecond, amount, negative);
  }

  static constexpr interval_fault add(interval_parts& parts, field of, std::uint64_t amount, bool negative) noexcept {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (amount > most + (negative ? 1 : 0)) return interval_fault::out_of_range;
    const auto signed_amount = static_cast<std::int64_t>(negative ? std::uint64_t{0} - amount : amount);
    bool overflow = false;
    switch (of) {
      case field::month: overflow = __builtin_add_overflow(parts.months, signed_amount, &parts.months); break;
      case field::day: overflow = __builtin_add_overflow(parts.days, signed_amount, &parts.days); break;
      case field::microsecond:
        overflow = __builtin_add_overflow(parts.microseconds, signed_amount, &parts.microseconds);
        break;
    }
    return overflow ? interval_fault::out_of_range : interval_fault::none;
  }

  constexpr bool mark(std::uint16_t bit) noexcept {
    // "1 second 00:00:01" is both a clock and a second, and two different things to say.
    if ((seen_ & bit) != 0) return false;
    seen_ = static_cast<std::uint16_t>(seen_ | bit);
    return true;
  }

  /// A word that is a unit's name, in any case, with or without its s. Its place; units.size() where it is none.
  // Not a pointer: under -fsanitize=undefined g++ does not take the comparison of an address with
  // null for a constant.
  constexpr std::size_t take_unit() noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    const std::string_view word = rest_.substr(0, length);
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (!is_named(word, units[i].name)) continue;
      rest_.remove_prefix(length);
      return i;
    }
    return units.size();
  }
  static constexpr bool is_named(std::string_view word, std::string_view name) noexcept {
    const bool plural = word.size() == name.size() + 1 && lower(word.back()) == 's';
    if (word.size() != name.size() && !plural) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (lower(word[i]) != name[i]) return false;
    }
    return true;
  }

  constexpr bool take_number(std::uint64_t& out) noexcept {
    constexpr std::size_t longest = 18;  // of what any unit's range allows, and far from overflowing
    std::size_t count = 0;
    std::uint64_t value = 0;
    while (count < rest_.size() && is_digit(rest_[count])) {
      too_long_ = count >= longest;
      if (too_long_) return false;
      value = value * 10 + static_cast<std::uint64_t>(rest_[count++] - '0');
    }
    rest_.remove_prefix(count);
    out = value;
    return count > 0;
  }
  constexpr bool take_two_digits(std::uint64_t& out) noexcept {
    if (rest_.size() < 2 || !is_digit(rest_[0]) || !is_digit(rest_[1])) return false;
    if (rest_.size() > 2 && is_digit(rest_[2])) return false;
    out = static_cast<std::uint64_t>(rest_[0] - '0') * 10 + static_cast<std::uint64_t>(rest_[1] - '0');
    rest_.remove_prefix(2);
    return true;
  }
  /// Any number of digits, at least one, rounded to microseconds.
  constexpr bool take_fraction(std::uint64_t& out) noexcept {
    std::size_t count = 0;
    std::uint64_t value = 0;
    for (; count < rest_.size() && is_digit(rest_[count]); ++count) {
      const auto digit = static_cast<std::uint64_t>(rest_[count] - '0');
      if (count < 6) value = value * 10 + digit;
      if (count == 6 && digit >= 5) ++value;
    }
    for (std::size_t i = count; i < 6; ++i) value *= 10;
    rest_.remove_prefix(count);
    out = value;
    return count > 0;
  }
  constexpr bool take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  constexpr void skip_spaces() noexcept {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  static constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
  static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  static constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  static constexpr bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

  std::string_view rest_;
  std::uint16_t seen_ = 0;
  bool too_long_ = false;
};

}  // namespace breakwater::detail
