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
[[noreturn]] void this_is_not_a_date_of_the_form_YYYY_MM_DD();
[[noreturn]] void this_date_does_not_exist_in_the_calendar();
[[noreturn]] void this_date_is_outside_4714_BC_to_5874897_AD();

/// Days from 1970-01-01, where std::chrono counts from, to 2000-01-01, where Postgres does.
inline constexpr std::int64_t days_from_1970_to_2000 = 10957;

}  // namespace detail

/// A calendar day: the `date` type of Postgres.
///
///     constexpr bw::date launch{"2026-11-20"};               // checked by the compiler
///     bw::result<bw::date> given = bw::date::parse(text);    // checked when it runs
///     bw::date day{std::chrono::sys_days{2026y / 11 / 20}};  // and back: to_sys_days()
///
/// From 4714-11-24 BC to 5874897-12-31 in the proleptic Gregorian calendar, and the two infinities,
/// which order before and after every day. Values beyond become infinite. A plain value of four
/// bytes; distinct objects may be used by distinct threads.
class date {
 public:
  /// Text that the compiler has read. (The constructors of `date` itself are not consteval: clang
  /// 14 crashes on arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : days_(from_literal(text)) {}

   private:
    friend class date;
    std::int32_t days_;
  };

  /// Longest text form: "5874897-12-31" or "4714-11-24 BC".
  static constexpr std::size_t max_text_size = 13;

  /// 2000-01-01, where Postgres counts from.
  constexpr date() noexcept = default;
  /// From a literal, as in `date{"2026-11-20"}`; what is not a date does not compile.
  constexpr explicit date(literal text) noexcept : days_(text.days_) {}
  /// Days beyond the range become the infinity on their side.
  constexpr explicit date(std::chrono::sys_days day) noexcept
      : date(from_days_since_2000(saturating_shift(day.time_since_epoch().count()))) {}

  /// Error: `errc::data_error` when there is no such day, as in 2026-02-30.
  [[nodiscard]] static result<date> from(std::chrono::year_month_day day);
  /// From Postgres's own representation; days beyond the range become the infinity on their side.
  [[nodiscard]] static constexpr date from_days_since_2000(std::int64_t days) noexcept {
    if (days < first_day) return negative_infinity();
    if (days > last_day) return infinity();
    return date(static_cast<std::int32_t>(days), raw{});
  }
  [[nodiscard]] static constexpr date infinity() noexcept {
    return date(std::numeric_limits<std::int32_t>::max(), raw{});
  }
  [[nodiscard]] static constexpr date negative_infinity() noexcept {
    return date(std::numeric_limits<std::int32_t>::min(), raw{});
  }
  /// 4714-11-24 BC, the first day (Julian day 0).
  [[nodiscard]] static constexpr date min() noexcept { return date(first_day, raw{}); }
  /// 5874897-12-31, the last day.
  [[nodiscard]] static constexpr date max() noexcept { return date(last_day, raw{}); }

  /// Reads "YYYY-MM-DD", with more digits for later years, optionally followed by " BC", and
  /// "infinity" and "-infinity"; spaces around it and any case are tolerated. Error:
  /// `errc::data_error`.
  [[nodiscard]] static result<date> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, date& out) noexcept;

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return *this == infinity() || *this == negative_infinity();
  }
  /// Postgres's own representation: the least and greatest `int32_t` stand for the infinities.
  [[nodiscard]] constexpr std::int32_t days_since_2000() const noexcept { return days_; }
  /// Error: `errc::data_error` for the infinities.
  [[nodiscard]] result<std::chrono::sys_days> to_sys_days() const;
  /// Error: `errc::data_error` for the infinities and beyond the year 32767, where std::chrono's
  /// years end.
  [[nodiscard]] result<std::chrono::year_month_day> to_year_month_day() const;

  /// The text Postgres writes with DateStyle ISO, such as "2026-11-20" or "0044-03-15 BC".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  /// An infinity stays what it is; a sum beyond the range becomes the infinity on its side.
  [[nodiscard]] friend constexpr date operator+(date d, std::chrono::days span) noexcept {
    if (d.is_infinite()) return d;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(std::int64_t{d.days_}, std::int64_t{span.count()}, &sum)) {
      return span.count() < 0 ? negative_infinity() : infinity();
    }
    return from_days_since_2000(sum);
  }
  [[nodiscard]] friend constexpr date operator+(std::chrono::days span, date d) noexcept { return d + span; }
  [[nodiscard]] friend constexpr date operator-(date d, std::chrono::days span) noexcept {
    if (span == std::chrono::days::min()) return d + std::chrono::days::max();
    return d + -span;
  }
  /// Days from `b` to `a`. To or from an infinity it is `days::max()` or `days::min()`, and zero
  /// between equal ones.
  [[nodiscard]] friend constexpr std::chrono::days operator-(date a, date b) noexcept {
    if (a.is_infinite() || b.is_infinite()) {
      if (a == b) return std::chrono::days::zero();
      return a > b ? std::chrono::days::max() : std::chrono::days::min();
    }
    return std::chrono::days(std::int64_t{a.days_} - std::int64_t{b.days_});
  }
  constexpr date& operator+=(std::chrono::days span) noexcept { return *this = *this + span; }
  constexpr date& operator-=(std::chrono::days span) noexcept { return *this = *this - span; }

  friend constexpr bool operator==(const date&, const date&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const date&, const date&) noexcept = default;

 private:
  struct raw {};
  // Postgres's DATETIME_MIN_JULIAN and DATE_END_JULIAN, less its epoch's Julian day, 2451545.
  static constexpr std::int32_t first_day = -2451545;
  static constexpr std::int32_t last_day = 2147483494 - 2451545 - 1;

  constexpr date(std::int32_t days, raw) noexcept : days_(days) {}

  static constexpr std::int64_t saturating_shift(std::int64_t days_since_1970) noexcept {
    std::int64_t days = 0;
    return __builtin_sub_overflow(days_since_1970, detail::days_from_1970_to_2000, &days) ? days_since_1970 : days;
  }

  static constexpr detail::civil_fault read(std::string_view text, date& out) noexcept {
    if (const int sign = detail::read_infinity(text); sign != 0) {
      out = sign > 0 ? infinity() : negative_infinity();
      return detail::civil_fault::none;
    }
    detail::civil_reader in(text);
    detail::civil_day day;
    if (!detail::take_date(in, day)) return detail::civil_fault::malformed;
    if (const auto fault = detail::finish_date(in, day); fault != detail::civil_fault::none) return fault;
    const date value = from_days_since_2000(detail::days_from_civil(day) - detail::days_from_1970_to_2000);
    if (value.is_infinite()) return detail::civil_fault::out_of_range;
    out = value;
    return detail::civil_fault::none;
  }

  static consteval std::int32_t from_literal(std::string_view literal) {
    date value;
    const auto fault = read(literal, value);
    if (fault == detail::civil_fault::malformed) detail::this_is_not_a_date_of_the_form_YYYY_MM_DD();
    if (fault == detail::civil_fault::no_such_day) detail::this_date_does_not_exist_in_the_calendar();
    if (fault == detail::civil_fault::out_of_range) detail::this_date_is_outside_4714_BC_to_5874897_AD();
    return value.days_;
  }

  std::int32_t days_ = 0;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::date> {
  [[nodiscard]] std::size_t operator()(breakwater::date value) const noexcept {
    return std::hash<std::int32_t>{}(value.days_since_2000());
  }
};
