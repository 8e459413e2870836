#pragma once

#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/timestamptz.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

namespace detail {

// Named for the compiler's message: they are reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_a_time_of_day_of_the_form_HH_MM_SS();
[[noreturn]] void this_time_of_day_does_not_exist();

}  // namespace detail

/// A time on a wall clock, to the microsecond: the type `time` (without time zone) of Postgres.
///
///     constexpr bw::time_of_day opens{"09:30"};                          // checked by the compiler
///     bw::result<bw::time_of_day> given = bw::time_of_day::parse(text);  // checked when it runs
///     auto late = bw::time_of_day::from(22h + 15min);                    // and back: since_midnight()
///
/// From 00:00:00 to 24:00:00, the end of the day, which is not its beginning. A plain value of eight bytes; distinct
/// objects may be used by distinct threads.
class time_of_day {
 public:
  /// Text that the compiler has read. (The constructors of `time_of_day` itself are not consteval: clang 14 crashes on
  /// arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : microseconds_(from_literal(text)) {}

   private:
    friend class time_of_day;
    std::int64_t microseconds_;
  };

  /// Longest text form: "23:59:59.999999".
  static constexpr std::size_t max_text_size = 15;

  /// Midnight.
  constexpr time_of_day() noexcept = default;
  /// From a literal, as in `time_of_day{"09:30"}`; what is not a time does not compile.
  constexpr explicit time_of_day(literal text) noexcept : microseconds_(text.microseconds_) {}

  /// Error: `errc::data_error` for less than nothing and more than 24 hours.
  [[nodiscard]] static result<time_of_day> from(std::chrono::microseconds since_midnight);
  /// 24:00:00, the last.
  [[nodiscard]] static constexpr time_of_day max() noexcept { return time_of_day(detail::microseconds_per_day, raw{}); }

  /// Reads "HH:MM[:SS[.ffffff]]"; spaces around it are tolerated, more than six digits of fraction are rounded. Text
  /// with an offset from UTC is refused. Error: `errc::data_error`.
  [[nodiscard]] static result<time_of_day> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, time_of_day& out) noexcept;

  [[nodiscard]] constexpr std::chrono::microseconds since_midnight() const noexcept {
    return std::chrono::microseconds(microseconds_);
  }

  /// The text Postgres writes, such as "09:30:00" or "23:59:59.25".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  friend constexpr bool operator==(const time_of_day&, const time_of_day&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const time_of_day&, const time_of_day&) noexcept = default;

 private:
  struct raw {};
  constexpr time_of_day(std::int64_t value, raw) noexcept : microseconds_(value) {}

  static constexpr detail::civil_fault read(std::string_view text, time_of_day& out) noexcept {
    detail::civil_reader in(text);
    std::int64_t value = 0;
    if (const auto fault = detail::take_time_of_day(in, value); fault != detail::civil_fault::none) return fault;
    if (!in.at_end()) return detail::civil_fault::malformed;
    out = time_of_day(value, raw{});
    return detail::civil_fault::none;
  }

  static consteval std::int64_t from_literal(std::string_view literal) {
    time_of_day value;
    const auto fault = read(literal, value);
    if (fault == detail::civil_fault::malformed) detail::this_is_not_a_time_of_day_of_the_form_HH_MM_SS();
    if (fault == detail::civil_fault::no_such_time) detail::this_time_of_day_does_not_exist();
    return value.microseconds_;
  }

  std::int64_t microseconds_ = 0;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::time_of_day> {
  [[nodiscard]] std::size_t operator()(breakwater::time_of_day value) const noexcept {
    return std::hash<std::int64_t>{}(value.since_midnight().count());
  }
};
