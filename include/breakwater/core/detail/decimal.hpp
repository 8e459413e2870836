#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Reading decimal text as Postgres reads `numeric`, by the compiler or when running, into 128 bits.

namespace breakwater::detail {

__extension__ using uint128 = unsigned __int128;

/// Every coefficient of so many digits fits 128 bits, with room for one carry.
inline constexpr unsigned max_small_digits = 38;
/// Postgres's limits on `numeric`: digits before and after the point.
inline constexpr std::int64_t max_integer_digits = 131072;
inline constexpr std::int64_t max_decimal_scale = 16383;

inline constexpr std::array<uint128, max_small_digits + 1> powers_of_ten = [] {
  std::array<uint128, max_small_digits + 1> powers{};
  uint128 power = 1;
  for (auto& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}();

/// Small coefficients are less than this.
inline constexpr uint128 small_limit = powers_of_ten[max_small_digits];

enum class decimal_kind : std::int8_t { negative_infinity = -1, finite = 0, infinity = 1, nan = 2 };

/// The parts of a decimal text. The exponent is held within +-10^9.
struct decimal_text {
  decimal_kind kind = decimal_kind::finite;
  bool negative = false;
  std::string_view integer;   // digits before the point
  std::string_view fraction;  // digits after it
  std::int64_t exponent = 0;

  /// Digits after the point once the exponent is applied; negative for that many zeros before it.
  [[nodiscard]] constexpr std::int64_t scale() const noexcept {
    return static_cast<std::int64_t>(fraction.size()) - exponent;
  }
};

/// Case-insensitive; `word` is in lower case.
[[nodiscard]] constexpr bool is_word(std::string_view text, std::string_view word) noexcept {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
  }
  return true;
}

/// Cuts the digits off the front of `text` and returns them.
constexpr std::string_view take_digits(std::string_view& text) noexcept {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

/// "e5", "E-12" or nothing, up to the end of `text`.
constexpr bool read_exponent(std::string_view text, std::int64_t& exponent) noexcept {
  exponent = 0;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  const auto digits = take_digits(text);
  if (digits.empty() || !text.empty()) return false;
  for (const char c : digits) {
    if (exponent < 100'000'000) exponent = exponent * 10 + (c - '0');
  }
  if (negative) exponent = -exponent;
  return true;
}

/// Takes decimal text apart: "[+-]digits[.digits][e[+-]digits]", "NaN", "[+-]Infinity", "[+-]inf"
/// in any case, with spaces around. False for everything else.
[[nodiscard]] constexpr bool split_decimal(std::string_view text, decimal_text& out) noexcept {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (is_word(text, "nan")) {
    out.kind = decimal_kind::nan;
    return true;
  }
  if (text.empty()) return false;
  out.negative = text.front() == '-';
  if (out.negative || text.front() == '+') text.remove_prefix(1);
  if (is_word(text, "infinity") || is_word(text, "inf")) {
    out.kind = out.negative ? decimal_kind::negative_infinity : decimal_kind::infinity;
    return true;
  }
  out.integer = take_digits(text);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
  }
  if (out.integer.empty() && out.fraction.empty()) return false;
  return read_exponent(text, out.exponent);
}

enum class decimal_fit : std::uint8_t { small, large, out_of_range };

/// A decimal of up to 38 digits, +-magnitude / 10^scale, or one of the special values.
struct small_decimal {
  uint128 magnitude = 0;
  std::uint16_t scale = 0;
  decimal_kind kind = decimal_kind::finite;
  bool negative = false;
};

/// Assembles a decimal of up to 38 digits. Of others it says that they are `large`, and of those
/// that no `numeric` can hold, as far as it sees it, that they are `out_of_range`.
[[nodiscard]] constexpr decimal_fit assemble_small(const decimal_text& text, small_decimal& out) noexcept {
  out = {.kind = text.kind};
  if (text.kind != decimal_kind::finite) return decimal_fit::small;
  const std::int64_t natural_scale = text.scale();
  if (natural_scale > max_decimal_scale) return decimal_fit::out_of_range;
  uint128 magnitude = 0;
  unsigned digits = 0;
  for (const auto part : {text.integer, text.fraction}) {
    for (const char c : part) {
      if (magnitude == 0 && c == '0') continue;
      if (++digits > max_small_digits) return decimal_fit::large;
      magnitude = magnitude * 10 + static_cast<unsigned>(c - '0');
    }
  }
  if (natural_scale < 0 && magnitude != 0) {
    if (digits - natural_scale > max_integer_digits) return decimal_fit::out_of_range;
    if (digits - natural_scale > max_small_digits) return decimal_fit::large;
    magnitude *= powers_of_ten[static_cast<std::size_t>(-natural_scale)];
  }
  out.magnitude = magnitude;
  out.scale = static_cast<std::uint16_t>(natural_scale > 0 ? natural_scale : 0);
  out.negative = text.negative && magnitude != 0;
  return decimal_fit::small;
}

/// Orders a / 10^a_scale and b / 10^b_scale: negative, zero or positive.
[[nodiscard]] constexpr int compare_small(uint128 a, int a_scale, uint128 b, int b_scale) noexcept {
  if (a_scale < b_scale) return -compare_small(b, b_scale, a, a_scale);
  if (a_scale > b_scale && b != 0) {
    const auto shift = static_cast<std::size_t>(a_scale - b_scale);
    if (shift > max_small_digits || __builtin_mul_overflow(b, powers_of_ten[shift], &b)) return -1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace breakwater::detail
