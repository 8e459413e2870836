#pragma once

#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/timestamptz.hpp>

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
[[noreturn]] void this_is_not_a_timestamp_of_the_form_YYYY_MM_DD_HH_MM_SS();
[[noreturn]] void this_timestamp_has_an_offset_use_timestamptz();
[[noreturn]] void this_timestamp_names_a_day_that_does_not_exist();
[[noreturn]] void this_timestamp_names_a_time_of_day_that_does_not_exist();
[[noreturn]] void this_timestamp_is_outside_4714_BC_to_294276_AD();

}  // namespace detail

/// A day and a time on a wall clock, to the microsecond, nobody says where: the type `timestamp` (without time zone)
/// of Postgres. For a moment in time take `timestamptz`.
///
///     constexpr bw::timestamp opens{"2026-11-20 10:00:00"};            // checked by the compiler
///     bw::result<bw::timestamp> given = bw::timestamp::parse(text);    // checked when it runs
///     bw::timestamp from{std::chrono::local_days{2026y / 11 / 20}};    // and back: to_local_time()
///
/// From 4714-11-24 BC to 294276-12-31 AD, and the two infinities, which order before and after everything else. Values
/// beyond become infinite. A plain value of eight bytes; distinct objects may be used by distinct threads.
class timestamp {
 public:
  using local_microseconds = std::chrono::local_time<std::chrono::microseconds>;

  /// Text that the compiler has read. (The constructors of `timestamp` itself are not consteval: clang 14 crashes on
  /// arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : microseconds_(from_literal(text)) {}

   private:
    friend class timestamp;
    std::int64_t microseconds_;
  };

  /// Longest text form: "4714-11-24 00:00:00.000001 BC".
  static constexpr std::size_t max_text_size = 29;

  /// 2000-01-01 00:00:00, where Postgres counts from.
  constexpr timestamp() noexcept = default;
  /// From a literal, as in `timestamp{"2026-11-20 10:00:00"}`; what is not a day with a time does not compile.
  constexpr explicit timestamp(literal text) noexcept : microseconds_(text.microseconds_) {}
  /// A time before the range becomes `negative_infinity()`; none can be after it.
  constexpr explicit timestamp(local_microseconds time) noexcept
      : timestamp(from_microseconds_since_1970(time.time_since_epoch().count())) {}
  /// Of any other precision, rounded down to the microsecond.
  template <class Duration>
  constexpr explicit timestamp(std::chrono::local_time<Duration> time) noexcept
      : timestamp(std::chrono::floor<std::chrono::microseconds>(time)) {}

  /// From Postgres's own representation; values beyond the range become the infinity on their side.
  [[nodiscard]] static constexpr timestamp from_microseconds_since_2000(std::int64_t value) noexcept {
    if (value < first) return negative_infinity();
    if (value > last) return infinity();
    return timestamp(value, raw{});
  }
  [[nodiscard]] static constexpr timestamp infinity() noexcept {
    return timestamp(std::numeric_limits<std::int64_t>::max(), raw{});
  }
  [[nodiscard]] static constexpr timestamp negative_infinity() noexcept {
    return timestamp(std::numeric_limits<std::int64_t>::min(), raw{});
  }
  /// 4714-11-24 00:00:00 BC, the first.
  [[nodiscard]] static constexpr timestamp min() noexcept { return timestamp(first, raw{}); }
  /// 294276-12-31 23:59:59.999999, the last.
  [[nodiscard]] static constexpr timestamp max() noexcept { return timestamp(last, raw{}); }

  /// Reads "YYYY-MM-DD HH:MM[:SS[.ffffff]]", optionally followed by " BC"; "T" may stand between day and time. Also
  /// "infinity" and "-infinity". Text with an offset from UTC is refused, where Postgres would silently forget the
  /// offset. More than six digits of fraction are rounded. Error: `errc::data_error`.
  [[nodiscard]] static result<timestamp> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, timestamp& out) noexcept;

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return *this == infinity() || *this == negative_infinity();
  }
  /// Postgres's own representation: the least and greatest `int64_t` stand for the infinities.
  [[nodiscard]] constexpr std::int64_t microseconds_since_2000() const noexcept { return microseconds_; }
  /// Error: `errc::data_error` for the infinities and after 294247-01-10, where std::chrono's microseconds end.
  [[nodiscard]] result<local_microseconds> to_local_time() const;

  /// The text Postgres writes with DateStyle ISO, such as "2026-11-20 10:00:00.25".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  /// An infinity stays what it is; a sum beyond the range becomes the infinity on its side.
  [[nodiscard]] friend constexpr timestamp operator+(timestamp t, std::chrono::microseconds span) noexcept {
    if (t.is_infinite()) return t;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(t.microseconds_, std::int64_t{span.count()}, &sum)) {
      return span.count() < 0 ? negative_infinity() : infinity();
    }
    return from_microseconds_since_2000(sum);
  }
  [[nodiscard]] friend constexpr timestamp operator+(std::chrono::microseconds span, timestamp t) noexcept {
    return t + span;
  }
  [[nodiscard]] friend constexpr timestamp operator-(timestamp t, std::chrono::microseconds span) noexcept {
    if (span == std::chrono::microseconds::min()) return t + std::chrono::microseconds::max();
    return t + -span;
  }
  /// Time from `b` to `a`. To or from an infinity, and where it does not fit, it is `microseconds::max()` or
  /// `microseconds::min()`; it is zero between equal infinities.
  [[nodiscard]] friend constexpr std::chrono::microseconds operator-(timestamp a, timestamp b) noexcept {
    std::int64_t span = 0;
    if (a == b) return std::chrono::microseconds::zero();
    if (a.is_infinite() || b.is_infinite() || __builtin_sub_overflow(a.microseconds_, b.microseconds_, &span)) {
      return a > b ? std::chrono::microseconds::max() : std::chrono::microseconds::min();
    }
    return std::chrono::microseconds(span);
  }
  constexpr timestamp& operator+=(std::chrono::microseconds span) noexcept { return *this = *this + span; }
  constexpr timestamp& operator-=(std::chrono::microseconds span) noexcept { return *this = *this - span; }

  friend constexpr bool operator==(const timestamp&, const timestamp&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const timestamp&, const timestamp&) noexcept = default;

 private:
  struct raw {};
  // The range is that of timestamptz.
  static constexpr std::int64_t first = timestamptz::min().microseconds_since_2000();
  static constexpr std::int64_t last = timestamptz::max().microseconds_since_2000();

  constexpr timestamp(std::int64_t value, raw) noexcept : microseconds_(value) {}

  static constexpr timestamp from_microseconds_since_1970(std::int64_t value) noexcept {
    std::int64_t since_2000 = 0;
    const bool overflow = __builtin_sub_overflow(value, detail::microseconds_from_1970_to_2000, &since_2000);
    return overflow ? negative_infinity() : from_microseconds_since_2000(since_2000);
  }

  static constexpr detail::civil_fault read(std::string_view text, timestamp& out) noexcept {
    using detail::civil_fault;
    if (const int sign = detail::read_infinity(text); sign != 0) {
      out = sign > 0 ? infinity() : negative_infinity();
      return civil_fault::none;
    }
    detail::civil_reader in(text);
    detail::civil_day day;
    std::int64_t time = 0;
    if (!detail::take_date(in, day)) return civil_fault::malformed;
    if (!in.skip_spaces() && !in.take('T') && !in.take('t')) return civil_fault::malformed;
    if (const auto fault = detail::take_time_of_day(in, time); fault != civil_fault::none) return fault;
    std::int64_t offset = 0;
    detail::civil_reader behind = in;
    if (detail::take_offset(behind, offset) == civil_fault::none) return civil_fault::has_offset;
    if (const auto fault = detail::finish_date(in, day); fault != civil_fault::none) return fault;

    constexpr std::int64_t epoch = detail::microseconds_from_1970_to_2000 / detail::microseconds_per_day;
    const std::int64_t days = detail::days_from_civil(day) - epoch;
    if (days < first / detail::microseconds_per_day || days > last / detail::microseconds_per_day) {
      return civil_fault::out_of_range;
    }
    const std::int64_t value = days * detail::microseconds_per_day + time;
    if (value > last) return civil_fault::out_of_range;
    out = timestamp(value, raw{});
    return civil_fault::none;
  }

  static consteval std::int64_t from_literal(std::string_view literal) {
    using detail::civil_fault;
    timestamp value;
    const auto fault = read(literal, value);
    if (fault == civil_fault::malformed) detail::this_is_not_a_timestamp_of_the_form_YYYY_MM_DD_HH_MM_SS();
    if (fault == civil_fault::has_offset) detail::this_timestamp_has_an_offset_use_timestamptz();
    if (fault == civil_fault::no_such_day) detail::this_timestamp_names_a_day_that_does_not_exist();
    if (fault == civil_fault::no_such_time) detail::this_timestamp_names_a_time_of_day_that_does_not_exist();
    if (fault == civil_fault::out_of_range) detail::this_timestamp_is_outside_4714_BC_to_294276_AD();
    return value.microseconds_;
  }

  std::int64_t microseconds_ = 0;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::timestamp> {
  [[nodiscard]] std::size_t operator()(breakwater::timestamp value) const noexcept {
    return std::hash<std::int64_t>{}(value.microseconds_since_2000());
  }
};
