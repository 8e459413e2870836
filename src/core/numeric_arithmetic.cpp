#include "numeric_digits.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>

// Each operation tries 128 bits first and leaves them, on overflow, for integers of any size.

namespace breakwater {

using detail::digit_buffer;
using detail::max_decimal_scale;
using detail::max_small_digits;
using detail::numeric_access;
using detail::powers_of_ten;
using detail::small_limit;
using detail::uint128;

namespace {

/// Without expression templates: they save no time here, and cost it when compiling.
using wide_integer =
    boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

wide_integer power_of_ten(std::int64_t exponent) {
  return boost::multiprecision::pow(wide_integer(10), static_cast<unsigned>(exponent));
}

wide_integer wide_magnitude(const numeric& n) {
  if (const auto* large = numeric_access::large(n)) return wide_integer(large->digits);
  const uint128 value = numeric_access::magnitude(n);
  wide_integer wide = static_cast<std::uint64_t>(value >> 64);
  wide <<= 64;
  return wide | static_cast<std::uint64_t>(value);
}

/// The quotient, half rounded up. REQUIRES: `divisor` > 0.
wide_integer divide_rounded(const wide_integer& dividend, const wide_integer& divisor) {
  wide_integer quotient;
  wide_integer remainder;
  divide_qr(dividend, divisor, quotient, remainder);
  if (remainder * 2 >= divisor) ++quotient;
  return quotient;
}
uint128 divide_rounded(uint128 dividend, uint128 divisor) noexcept {
  const uint128 remainder = dividend % divisor;
  return dividend / divisor + (remainder >= divisor - remainder ? 1 : 0);
}

/// REQUIRES: 0 <= `scale` <= max_decimal_scale.
numeric from_wide(bool negative, const wide_integer& magnitude, std::int64_t scale) {
  if (magnitude.is_zero()) return numeric_access::small(false, 0, scale);
  // Writing out the digits takes quadratic time: not for what is certain to be too long. A digit is
  // less than four bits.
  const auto bits = static_cast<std::int64_t>(msb(magnitude));
  if (bits / 4 > detail::max_integer_digits + scale) {
    return negative ? numeric::negative_infinity() : numeric::infinity();
  }
  return numeric_access::from_digits(negative, magnitude.str(), scale);
}

/// `value` * 10^`exponent`, or false when that is not a small coefficient.
bool scale_up(uint128& value, std::int64_t exponent) noexcept {
  if (value == 0) return true;
  if (exponent > max_small_digits) return false;
  return !__builtin_mul_overflow(value, powers_of_ten[static_cast<std::size_t>(exponent)], &value) &&
         value < small_limit;
}

/// Adds one to a number written in digits.
void increment(std::string& digits) {
  auto at = digits.rbegin();
  for (; at != digits.rend() && *at == '9'; ++at) *at = '0';
  if (at != digits.rend()) {
    ++*at;
  } else {
    digits.insert(digits.begin(), '1');
  }
}

numeric add_wide(const numeric& a, const numeric& b, std::int64_t scale) {
  wide_integer x = wide_magnitude(a) * power_of_ten(scale - a.scale());
  wide_integer y = wide_magnitude(b) * power_of_ten(scale - b.scale());
  if (numeric_access::negative(a)) x = -x;
  if (numeric_access::negative(b)) y = -y;
  x += y;
  const bool negative = x < 0;
  if (negative) x = -x;
  return from_wide(negative, x, scale);
}

numeric signed_infinity(int sign) noexcept {
  if (sign == 0) return numeric::nan();
  return sign < 0 ? numeric::negative_infinity() : numeric::infinity();
}

}  // namespace

numeric numeric::add(const numeric& a, const numeric& b) {
  if (a.is_nan() || b.is_nan()) return nan();
  if (a.is_infinite()) return b.is_infinite() && a.kind_ != b.kind_ ? nan() : a;
  if (b.is_infinite()) return b;

  const int scale = std::max(a.scale_, b.scale_);
  uint128 x = a.magnitude_;
  uint128 y = b.magnitude_;
  const bool small =
      a.large_ == nullptr && b.large_ == nullptr && scale_up(x, scale - a.scale_) && scale_up(y, scale - b.scale_);
  if (!small) return add_wide(a, b, scale);
  if (a.negative_ != b.negative_) {
    return x >= y ? numeric_access::small(a.negative_, x - y, scale) : numeric_access::small(b.negative_, y - x, scale);
  }
  // Two coefficients below 10^38 do not overflow 128 bits.
  if (x + y >= small_limit) return add_wide(a, b, scale);
  return numeric_access::small(a.negative_, x + y, scale);
}

numeric numeric::multiply(const numeric& a, const numeric& b) {
  if (a.is_nan() || b.is_nan()) return nan();
  if (a.is_infinite() || b.is_infinite()) return signed_infinity(a.sign() * b.sign());

  const bool negative = a.negative_ != b.negative_;
  const std::int64_t scale = std::int64_t{a.scale_} + b.scale_;
  uint128 product = 0;
  if (a.large_ == nullptr && b.large_ == nullptr && scale <= max_decimal_scale &&
      !__builtin_mul_overflow(a.magnitude_, b.magnitude_, &product) && product < small_limit) {
    return numeric_access::small(negative, product, scale);
  }
  const wide_integer wide = wide_magnitude(a) * wide_magnitude(b);
  if (scale <= max_decimal_scale) return from_wide(negative, wide, scale);
  return from_wide(negative, divide_rounded(wide, power_of_ten(scale - max_decimal_scale)), max_decimal_scale);
}

result<numeric> numeric::divide(const numeric& divisor, int scale) const {
  if (scale < 0 || scale > max_scale) {
    return error(errc::invalid_argument, "the scale of a quotient must be 0 to 16383");
  }
  if (is_nan() || divisor.is_nan()) return nan();
  if (divisor.sign() == 0) return error(errc::data_error, "division by zero");
  if (is_infinite()) return divisor.is_infinite() ? nan() : signed_infinity(sign() * divisor.sign());
  if (divisor.is_infinite()) return numeric_access::small(false, 0, scale);

  // a / 10^s over b / 10^t to scale n is a * 10^(n - s + t) / b.
  const bool negative = negative_ != divisor.negative_;
  const std::int64_t shift = std::int64_t{scale} - scale_ + divisor.scale_;
  uint128 x = magnitude_;
  uint128 y = divisor.magnitude_;
  if (large_ == nullptr && divisor.large_ == nullptr && (shift >= 0 ? scale_up(x, shift) : scale_up(y, -shift))) {
    const uint128 quotient = divide_rounded(x, y);
    if (quotient < small_limit) return numeric_access::small(negative, quotient, scale);
  }
  wide_integer dividend = wide_magnitude(*this);
  wide_integer wide_divisor = wide_magnitude(divisor);
  if (shift >= 0) {
    dividend *= power_of_ten(shift);
  } else {
    wide_divisor *= power_of_ten(-shift);
  }
  return from_wide(negative, divide_rounded(dividend, wide_divisor), scale);
}

numeric numeric::rescale(int scale) const {
  if (!is_finite() || scale == scale_) return *this;
  const std::int64_t target = std::clamp<std::int64_t>(scale, -max_integer_digits - 1, max_decimal_scale);
  const std::int64_t zeros = target < 0 ? -target : 0;
  const std::int64_t dropped = scale_ - target;

  if (large_ == nullptr) {
    uint128 value = magnitude_;
    if (dropped > max_small_digits) {
      value = 0;  // less than 10^38 / 10^39
    } else if (dropped > 0) {
      value = divide_rounded(value, powers_of_ten[static_cast<std::size_t>(dropped)]);
    }
    if (scale_up(value, dropped > 0 ? zeros : -dropped)) {
      return numeric_access::small(negative_, value, target < 0 ? 0 : target);
    }
  }
  const digit_buffer buffer(magnitude_);
  std::string digits(detail::digits_of(*this, buffer));
  if (dropped <= 0) {
    digits.append(static_cast<std::size_t>(-dropped), '0');
  } else {
    const auto count = static_cast<std::int64_t>(digits.size());
    const bool up = dropped <= count && digits[static_cast<std::size_t>(count - dropped)] >= '5';
    digits.resize(static_cast<std::size_t>(std::max<std::int64_t>(count - dropped, 0)));
    if (up) increment(digits);
    if (!digits.empty()) digits.append(static_cast<std::size_t>(zeros), '0');
  }
  return numeric_access::from_digits(negative_, std::move(digits), target < 0 ? 0 : target);
}

}  // namespace breakwater
