#pragma once

#include <breakwater/core/numeric.hpp>

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <utility>

// What the sources of `numeric` share: the large representation, and coefficients as decimal
// digits.

namespace breakwater::detail {

/// Kept as digits because large numbers are mostly carried from the server and back: reading and
/// writing are linear, and only arithmetic pays for a conversion. Without leading zeros, more than
/// 38 of them.
struct large_coefficient {
  explicit large_coefficient(std::string text) noexcept : digits(std::move(text)) {}

  std::atomic<std::size_t> owners{1};
  const std::string digits;
};

/// The digits of a coefficient, without leading zeros; none for 0.
class digit_buffer {
 public:
  explicit digit_buffer(uint128 value) noexcept {
    constexpr std::uint64_t chunk = 10'000'000'000'000'000'000U;  // 10^19, the greatest in 64 bits
    auto low = static_cast<std::uint64_t>(value);
    if (value > low) {
      auto high = static_cast<std::uint64_t>(value / chunk);
      low = static_cast<std::uint64_t>(value % chunk);
      const std::size_t end = begin_ - 19;
      write(low);
      while (begin_ > end) digits_[--begin_] = '0';
      write(high);
    } else {
      write(low);
    }
  }
  [[nodiscard]] std::string_view view() const noexcept { return {digits_.data() + begin_, digits_.size() - begin_}; }

 private:
  void write(std::uint64_t value) noexcept {
    for (; value > 0; value /= 10) digits_[--begin_] = static_cast<char>('0' + value % 10);
  }

  std::array<char, 39> digits_{};
  std::size_t begin_ = 39;
};

struct numeric_access {
  static uint128 magnitude(const numeric& n) noexcept { return n.magnitude_; }
  static const large_coefficient* large(const numeric& n) noexcept { return n.large_; }
  static bool negative(const numeric& n) noexcept { return n.negative_; }
  static decimal_kind kind(const numeric& n) noexcept { return n.kind_; }

  /// REQUIRES: `magnitude` < 10^38 and 0 <= `scale` <= max_decimal_scale.
  static numeric small(bool negative, uint128 magnitude, std::int64_t scale) noexcept {
    numeric value;
    value.magnitude_ = magnitude;
    value.scale_ = static_cast<std::uint16_t>(scale);
    value.negative_ = negative && magnitude != 0;
    return value;
  }
  /// From the digits of a coefficient, which may have leading zeros; an infinity when there are too
  /// many digits before the point. REQUIRES: 0 <= `scale` <= max_decimal_scale.
  static numeric from_digits(bool negative, std::string digits, std::int64_t scale);
};

/// The digits of a finite number's coefficient; `buffer` must be of its magnitude and outlive them.
[[nodiscard]] inline std::string_view digits_of(const numeric& n, const digit_buffer& buffer) noexcept {
  const auto* large = numeric_access::large(n);
  return large != nullptr ? std::string_view(large->digits) : buffer.view();
}

}  // namespace breakwater::detail
