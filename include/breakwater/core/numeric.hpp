#pragma once

#include <breakwater/core/detail/decimal.hpp>
#include <breakwater/core/result.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater {

namespace detail {

// Named for the compiler's message: they are reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_a_decimal_number();
[[noreturn]] void this_numeric_literal_has_more_than_38_digits_use_numeric_parse();
[[noreturn]] void this_numeric_literal_has_too_many_digits_for_Postgres();

/// Digits of a coefficient that does not fit 128 bits; shared by copies, never changed.
struct large_coefficient;
/// The implementation's way into a `numeric`.
struct numeric_access;

template <class T>
concept plain_integer =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

}  // namespace detail

/// An exact decimal number: the `numeric` type of Postgres.
///
///     bw::numeric price{"10.00"};                                // checked by the compiler
///     bw::result<bw::numeric> given = bw::numeric::parse(text);  // checked when it runs
///     auto total = (price * 3).rescale(2);                       // 30.00
///
/// Keeps its scale, the number of digits after the point: "10.00" stays "10.00", although it equals
/// 10.0 and has the same hash. Up to 131072 digits before and 16383 after the point, NaN, Infinity
/// and -Infinity. Orders as Postgres does: NaN equals itself and is greater than everything else.
///
/// Sums, differences and products are exact and have Postgres's scales. Where Postgres would report
/// an overflow (more than 131072 digits before the point) the result is an infinity; where a
/// product has more than 16383 digits after the point it is rounded, as in Postgres.
///
/// Up to 38 digits it is a value of 32 bytes without an allocation. Beyond, copies share one
/// allocation; reading, writing, comparing and rounding take time linear in the digits, and other
/// arithmetic quadratic (a tenth of a second at 131072). Distinct objects may be used by distinct
/// threads.
class numeric {
 public:
  /// Text that the compiler has read. (The constructors of `numeric` itself are not consteval:
  /// clang 14 crashes on arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) {
      detail::decimal_text parts;
      if (!detail::split_decimal(text, parts)) detail::this_is_not_a_decimal_number();
      const auto fit = detail::assemble_small(parts, value_);
      if (fit == detail::decimal_fit::large) {
        detail::this_numeric_literal_has_more_than_38_digits_use_numeric_parse();
      }
      if (fit == detail::decimal_fit::out_of_range) {
        detail::this_numeric_literal_has_too_many_digits_for_Postgres();
      }
    }

   private:
    friend class numeric;
    detail::small_decimal value_;
  };

  /// Most digits before the point.
  static constexpr int max_integer_digits = static_cast<int>(detail::max_integer_digits);
  /// Most digits after the point.
  static constexpr int max_scale = static_cast<int>(detail::max_decimal_scale);
  /// Longest text form of all; that of a given value is `text_size()`.
  static constexpr std::size_t max_text_size = 1 + max_integer_digits + 1 + max_scale;

  /// 0, of scale 0.
  constexpr numeric() noexcept = default;
  /// Any integer, exactly, of scale 0. Implicit, so that `price * 3` and `price > 5` work.
  template <detail::plain_integer Integer>
  constexpr numeric(Integer value) noexcept
      : magnitude_(value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                             : static_cast<std::uint64_t>(value)),
        negative_(value < 0) {}
  /// Binary floating point is not exact: say `numeric::from_double(x)`, or write a literal in
  /// quotes.
  template <std::floating_point Float>
  numeric(Float value) = delete;
  /// From a literal of up to 38 digits, as in `numeric{"10.00"}`; what is not a number does not
  /// compile.
  constexpr explicit numeric(literal text) noexcept : numeric(text.value_) {}

  constexpr numeric(const numeric& other) noexcept
      : magnitude_(other.magnitude_),
        large_(other.large_),
        scale_(other.scale_),
        kind_(other.kind_),
        negative_(other.negative_) {
    if (large_ != nullptr) share();
  }
  /// Leaves `other` 0.
  constexpr numeric(numeric&& other) noexcept : numeric() { swap(other); }
  constexpr numeric& operator=(const numeric& other) noexcept {
    numeric copy(other);
    swap(copy);
    return *this;
  }
  constexpr numeric& operator=(numeric&& other) noexcept {
    swap(other);
    return *this;
  }
  constexpr ~numeric() {
    if (large_ != nullptr) release();
  }
  constexpr void swap(numeric& other) noexcept {
    std::swap(magnitude_, other.magnitude_);
    std::swap(large_, other.large_);
    std::swap(scale_, other.scale_);
    std::swap(kind_, other.kind_);
    std::swap(negative_, other.negative_);
  }

  [[nodiscard]] static constexpr numeric nan() noexcept { return numeric(detail::decimal_kind::nan); }
  [[nodiscard]] static constexpr numeric infinity() noexcept { return numeric(detail::decimal_kind::infinity); }
  [[nodiscard]] static constexpr numeric negative_infinity() noexcept {
    return numeric(detail::decimal_kind::negative_infinity);
  }
  /// The shortest decimal that reads back as the same double: 0.1 becomes "0.1". NaN and the
  /// infinities stay what they are; -0.0 becomes 0.
  [[nodiscard]] static numeric from_double(double value);

  /// Reads "[+-]digits[.digits][e[+-]digits]", "NaN", "[+-]Infinity" and "[+-]inf" in any case,
  /// with spaces around, as Postgres does. Error: `errc::data_error`.
  [[nodiscard]] static result<numeric> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was. Allocates beyond 38 digits.
  [[nodiscard]] static bool parse_into(std::string_view text, numeric& out);

  [[nodiscard]] constexpr bool is_nan() const noexcept { return kind_ == detail::decimal_kind::nan; }
  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return kind_ == detail::decimal_kind::infinity || kind_ == detail::decimal_kind::negative_infinity;
  }
  [[nodiscard]] constexpr bool is_finite() const noexcept { return kind_ == detail::decimal_kind::finite; }
  /// Digits after the point, 0 to `max_scale`; 0 for NaN and the infinities.
  [[nodiscard]] constexpr int scale() const noexcept { return scale_; }
  /// -1, 0 or 1; 0 for NaN.
  [[nodiscard]] constexpr int sign() const noexcept {
    switch (kind_) {
      case detail::decimal_kind::nan: return 0;
      case detail::decimal_kind::infinity: return 1;
      case detail::decimal_kind::negative_infinity: return -1;
      case detail::decimal_kind::finite: break;
    }
    if (is_zero()) return 0;
    return negative_ ? -1 : 1;
  }

  [[nodiscard]] constexpr numeric abs() const noexcept { return sign() < 0 ? -*this : *this; }
  [[nodiscard]] constexpr const numeric& operator+() const noexcept { return *this; }
  [[nodiscard]] constexpr numeric operator-() const noexcept {
    numeric value(*this);
    if (kind_ == detail::decimal_kind::infinity) value.kind_ = detail::decimal_kind::negative_infinity;
    if (kind_ == detail::decimal_kind::negative_infinity) value.kind_ = detail::decimal_kind::infinity;
    if (is_finite() && !is_zero()) value.negative_ = !negative_;
    return value;
  }

  /// The value with `scale` digits after the point, half rounded away from zero, as Postgres's
  /// `round(x, scale)`. A negative scale rounds before the point: 1250 to -2 is 1300. Scales beyond
  /// `max_scale` count as `max_scale`. NaN and the infinities stay what they are.
  [[nodiscard]] numeric rescale(int scale) const;

  /// The quotient with `scale` digits after the point, half rounded away from zero. NaN and
  /// infinities follow Postgres's rules. Errors: `errc::data_error` for a divisor of zero,
  /// `errc::invalid_argument` for a scale outside 0 to `max_scale`.
  [[nodiscard]] result<numeric> divide(const numeric& divisor, int scale) const;

  /// The exact value. Errors: `errc::data_error` for a fraction (round it first: `rescale(0)`), for
  /// what is outside the type's range, for NaN and the infinities. 10.00 is 10.
  [[nodiscard]] result<std::int64_t> to_int64() const;
  /// The nearest double; an infinity beyond the range of double.
  [[nodiscard]] double to_double() const;

  /// The text Postgres writes: "10.00", "-0.5", "NaN", "Infinity".
  [[nodiscard]] std::string to_string() const;
  /// Length of that text.
  [[nodiscard]] std::size_t text_size() const noexcept;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `text_size()` characters.
  char* write_to(char* out) const noexcept;

  /// Scale of the result: the greater of the two.
  [[nodiscard]] friend numeric operator+(const numeric& a, const numeric& b) { return add(a, b); }
  /// Scale of the result: the greater of the two.
  [[nodiscard]] friend numeric operator-(const numeric& a, const numeric& b) { return add(a, -b); }
  /// Scale of the result: the sum of the two, at most `max_scale`.
  [[nodiscard]] friend numeric operator*(const numeric& a, const numeric& b) { return multiply(a, b); }
  numeric& operator+=(const numeric& other) { return *this = add(*this, other); }
  numeric& operator-=(const numeric& other) { return *this = add(*this, -other); }
  numeric& operator*=(const numeric& other) { return *this = multiply(*this, other); }

  /// By value, whatever the scale: 10.0 equals 10.00.
  friend constexpr bool operator==(const numeric& a, const numeric& b) noexcept { return compare(a, b) == 0; }
  friend constexpr std::weak_ordering operator<=>(const numeric& a, const numeric& b) noexcept {
    return compare(a, b) <=> 0;
  }

  /// Equal for equal values, whatever their scale.
  [[nodiscard]] std::size_t hash() const noexcept;

 private:
  friend struct detail::numeric_access;

  constexpr explicit numeric(detail::decimal_kind kind) noexcept : kind_(kind) {}
  constexpr explicit numeric(const detail::small_decimal& value) noexcept
      : magnitude_(value.magnitude), scale_(value.scale), kind_(value.kind), negative_(value.negative) {}

  [[nodiscard]] constexpr bool is_zero() const noexcept { return magnitude_ == 0 && large_ == nullptr; }

  static constexpr int compare(const numeric& a, const numeric& b) noexcept {
    // The kinds are numbered in Postgres's order.
    if (a.kind_ != b.kind_) return a.kind_ < b.kind_ ? -1 : 1;
    if (a.kind_ != detail::decimal_kind::finite) return 0;
    if (a.sign() != b.sign()) return a.sign() < b.sign() ? -1 : 1;
    const bool large = a.large_ != nullptr || b.large_ != nullptr;
    const int order =
        large ? compare_large(a, b) : detail::compare_small(a.magnitude_, a.scale_, b.magnitude_, b.scale_);
    return a.negative_ ? -order : order;
  }
  /// The order of the absolute values. Linear in the digits.
  static int compare_large(const numeric& a, const numeric& b) noexcept;

  static numeric add(const numeric& a, const numeric& b);
  static numeric multiply(const numeric& a, const numeric& b);
  void share() noexcept;
  void release() noexcept;

  // The value is +-coefficient / 10^scale_. The coefficient is magnitude_ when it is below 10^38,
  // and otherwise the digits in *large_, with magnitude_ 0: which of the two is never a choice.
  // Zero is never negative_. A kind other than finite has all else zero.
  detail::uint128 magnitude_ = 0;
  detail::large_coefficient* large_ = nullptr;
  std::uint16_t scale_ = 0;
  detail::decimal_kind kind_ = detail::decimal_kind::finite;
  bool negative_ = false;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::numeric> {
  [[nodiscard]] std::size_t operator()(const breakwater::numeric& value) const noexcept { return value.hash(); }
};
