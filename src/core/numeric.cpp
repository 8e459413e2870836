#include "numeric_digits.hpp"
#include "wrong_literal.hpp"
#include <breakwater/core/numeric.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

// Representation, text, comparison and conversions. Arithmetic is in numeric_arithmetic.cpp.

namespace breakwater {

using detail::digit_buffer;
using detail::numeric_access;
using detail::uint128;

namespace detail {

void this_is_not_a_decimal_number() { wrong_literal("this is not a decimal number"); }
void this_numeric_literal_has_more_than_38_digits_use_numeric_parse() {
  wrong_literal("this numeric literal has more than 38 digits use numeric parse");
}
void this_numeric_literal_has_too_many_digits_for_Postgres() {
  wrong_literal("this numeric literal has too many digits for Postgres");
}

}  // namespace detail

namespace {

constexpr std::string_view special_text(detail::decimal_kind kind) noexcept {
  switch (kind) {
    case detail::decimal_kind::nan: return "NaN";
    case detail::decimal_kind::infinity: return "Infinity";
    case detail::decimal_kind::negative_infinity: return "-Infinity";
    case detail::decimal_kind::finite: break;
  }
  return {};
}

char* copy_text(char* out, std::string_view text) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

std::string_view without_leading_zeros(std::string_view digits) noexcept {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

std::string_view without_trailing_zeros(std::string_view digits) noexcept {
  const auto last = digits.find_last_not_of('0');
  return digits.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// REQUIRES: at most 38 digits.
uint128 to_magnitude(std::string_view digits) noexcept {
  uint128 value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

/// The digits of a decimal with its exponent applied and without leading zeros; false when there
/// are too many.
bool assemble_digits(const detail::decimal_text& text, std::string& digits) {
  const auto integer = without_leading_zeros(text.integer);
  const auto fraction = integer.empty() ? without_leading_zeros(text.fraction) : text.fraction;
  const auto count = static_cast<std::int64_t>(integer.size() + fraction.size());
  const std::int64_t scale = text.scale();
  if (scale > detail::max_decimal_scale || count - scale > detail::max_integer_digits) return false;
  const std::size_t zeros = scale < 0 ? static_cast<std::size_t>(-scale) : 0;
  digits.reserve(integer.size() + fraction.size() + zeros);
  digits.append(integer).append(fraction).append(zeros, '0');
  return true;
}

}  // namespace

numeric numeric_access::from_digits(bool negative, std::string digits, std::int64_t scale) {
  digits.erase(0, digits.size() - without_leading_zeros(digits).size());
  if (digits.size() <= detail::max_small_digits) return small(negative, to_magnitude(digits), scale);
  if (static_cast<std::int64_t>(digits.size()) - scale > detail::max_integer_digits) {
    return negative ? numeric::negative_infinity() : numeric::infinity();
  }
  numeric value = small(false, 0, scale);
  value.large_ = new detail::large_coefficient(std::move(digits));
  value.negative_ = negative;
  return value;
}

void numeric::share() noexcept { large_->owners.fetch_add(1, std::memory_order_relaxed); }

void numeric::release() noexcept {
  if (large_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete large_;
}

numeric numeric::from_double(double value) {
  if (std::isnan(value)) return nan();
  char text[32];  // the longest is 24: "-2.2250738585072014e-308"
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  numeric number;
  static_cast<void>(parse_into({text, end}, number));  // to_chars writes only what parse_into reads
  return number;
}

result<numeric> numeric::parse(std::string_view text) {
  numeric value;
  if (parse_into(text, value)) return value;
  detail::decimal_text parts;
  if (detail::split_decimal(text, parts)) {
    return error(errc::data_error, "number out of range: allowed are 131072 digits before and 16383 after the point");
  }
  return error(errc::data_error,
               "not a number: allowed are digits with an optional sign, point and exponent, NaN, "
               "Infinity and "
               "-Infinity");
}

bool numeric::parse_into(std::string_view text, numeric& out) {
  detail::decimal_text parts;
  if (!detail::split_decimal(text, parts)) return false;
  detail::small_decimal value;
  switch (detail::assemble_small(parts, value)) {
    case detail::decimal_fit::out_of_range: return false;
    case detail::decimal_fit::small: out = numeric(value); return true;
    case detail::decimal_fit::large: break;
  }
  std::string digits;
  if (!assemble_digits(parts, digits)) return false;
  out = numeric_access::from_digits(parts.negative, std::move(digits), std::max<std::int64_t>(parts.scale(), 0));
  return true;
}

int numeric::compare_large(const numeric& a, const numeric& b) noexcept {
  const digit_buffer a_buffer(a.magnitude_);
  const digit_buffer b_buffer(b.magnitude_);
  auto a_digits = detail::digits_of(a, a_buffer);
  auto b_digits = detail::digits_of(b, b_buffer);
  const auto a_before_point = static_cast<std::int64_t>(a_digits.size()) - a.scale_;
  const auto b_before_point = static_cast<std::int64_t>(b_digits.size()) - b.scale_;
  if (a_before_point != b_before_point) return a_before_point < b_before_point ? -1 : 1;
  // Aligned at their first digits, what one is longer by decides only if it is not all zeros.
  const int order = without_trailing_zeros(a_digits).compare(without_trailing_zeros(b_digits));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

result<std::int64_t> numeric::to_int64() const {
  constexpr auto greatest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!is_finite()) return error(errc::data_error, "NaN and the infinities are no integers");

  const digit_buffer buffer(magnitude_);
  const auto digits = detail::digits_of(*this, buffer);
  const std::size_t fraction = std::min<std::size_t>(scale_, digits.size());
  const auto integer = digits.substr(0, digits.size() - fraction);
  if (!without_trailing_zeros(digits.substr(integer.size())).empty()) {
    return error(errc::data_error, "the number has a fraction and is no integer: rescale(0) rounds it");
  }
  const uint128 value = integer.size() > 19 ? uint128{greatest} + 2 : to_magnitude(integer);
  if (value > uint128{greatest} + (negative_ ? 1U : 0U)) {
    return error(errc::data_error, "number out of range: it does not fit 64 bits");
  }
  const auto bits = static_cast<std::uint64_t>(value);
  return static_cast<std::int64_t>(negative_ ? std::uint64_t{0} - bits : bits);
}

double numeric::to_double() const {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  switch (kind_) {
    case detail::decimal_kind::nan: return std::numeric_limits<double>::quiet_NaN();
    case detail::decimal_kind::infinity: return infinite;
    case detail::decimal_kind::negative_infinity: return -infinite;
    case detail::decimal_kind::finite: break;
  }
  // Both operands are exact, so the quotient is rounded once (Clinger's fast path).
  constexpr std::array powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (large_ == nullptr && magnitude_ <= (std::uint64_t{1} << 53) && scale_ < powers.size()) {
    const double value = static_cast<double>(static_cast<std::uint64_t>(magnitude_)) / powers[scale_];
    return negative_ ? -value : value;
  }
  const std::string text = to_string();
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc::result_out_of_range) {
    // Too great or too close to zero, and from_chars does not say which.
    const digit_buffer buffer(magnitude_);
    const bool great = detail::digits_of(*this, buffer).size() > scale_;
    value = great ? infinite : 0.0;
    return negative_ ? -value : value;
  }
  return value;
}

std::string numeric::to_string() const {
  std::string text(text_size(), '\0');
  write_to(text.data());
  return text;
}

std::size_t numeric::text_size() const noexcept {
  if (!is_finite()) return special_text(kind_).size();
  const digit_buffer buffer(magnitude_);
  const std::size_t digits = detail::digits_of(*this, buffer).size();
  const std::size_t before_point = digits > scale_ ? digits - scale_ : 1;
  const std::size_t after_point = scale_ > 0 ? 1U + scale_ : 0;
  return (negative_ ? 1 : 0) + before_point + after_point;
}

char* numeric::write_to(char* out) const noexcept {
  if (!is_finite()) return copy_text(out, special_text(kind_));
  const digit_buffer buffer(magnitude_);
  const auto digits = detail::digits_of(*this, buffer);
  const std::size_t before_point = digits.size() > scale_ ? digits.size() - scale_ : 0;
  if (negative_) *out++ = '-';
  out = copy_text(out, before_point > 0 ? digits.substr(0, before_point) : std::string_view("0"));
  if (scale_ == 0) return out;
  *out++ = '.';
  const std::size_t rest = digits.size() - before_point;
  std::memset(out, '0', scale_ - rest);
  return copy_text(out + (scale_ - rest), digits.substr(before_point));
}

std::size_t numeric::hash() const noexcept {
  if (!is_finite()) return std::hash<std::string_view>{}(special_text(kind_));
  if (is_zero()) return 0;
  // Equal values have the same digits once the zeros at the end are gone, and the same exponent.
  const digit_buffer buffer(magnitude_);
  const auto all = detail::digits_of(*this, buffer);
  const auto digits = without_trailing_zeros(all);
  const auto exponent = static_cast<std::int64_t>(all.size() - digits.size()) - scale_;
  const std::size_t seed = std::hash<std::string_view>{}(digits);
  const auto rest = static_cast<std::size_t>(exponent * 2 + (negative_ ? 1 : 0));
  return seed ^ (rest + 0x9e3779b97f4a7c15U + (seed << 6) + (seed >> 2));
}

}  // namespace breakwater
