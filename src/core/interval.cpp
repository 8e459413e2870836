#include "wrong_literal.hpp"
#include <breakwater/core/interval.hpp>

#include <charconv>
#include <cstdlib>

namespace breakwater {

namespace detail {

void this_is_not_an_interval_such_as_1_day_02_30_00() {
  wrong_literal("this is not an interval such as 1 day 02:30:00");
}
void this_interval_is_out_of_range() { wrong_literal("this interval is out of range"); }

}  // namespace detail

namespace {

const char* explain(detail::interval_fault fault) noexcept {
  if (fault == detail::interval_fault::out_of_range) {
    return "interval out of range: allowed are 2147483647 months, as many days, and 2562047788 hours";
  }
  return "not an interval: allowed are words such as 1 year 2 mons 3 days, HH:MM:SS[.ffffff], infinity and -infinity";
}

/// What the server's EncodeInterval knows of the fields written so far.
class interval_writer {
 public:
  explicit interval_writer(char* out) noexcept : out_(out) {}

  void part(std::int64_t value, std::string_view unit) noexcept {
    if (value == 0) return;
    if (any_) *out_++ = ' ';
    if (last_negative_ && value > 0) *out_++ = '+';
    out_ = std::to_chars(out_, out_ + 20, value).ptr;
    *out_++ = ' ';
    out_ = detail::write_text(out_, unit);
    if (value != 1) *out_++ = 's';
    last_negative_ = value < 0;
    any_ = true;
  }

  char* time(std::int64_t microseconds) noexcept {
    if (any_ && microseconds == 0) return out_;
    if (any_) *out_++ = ' ';
    if (microseconds < 0) {
      *out_++ = '-';
    } else if (last_negative_) {
      *out_++ = '+';
    }
    constexpr std::uint64_t hour = 3'600'000'000;
    const std::uint64_t magnitude = microseconds < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(microseconds)
                                                     : static_cast<std::uint64_t>(microseconds);
    const std::uint64_t hours = magnitude / hour;
    // The rest is written as a time of day, behind hours of any length.
    if (hours >= 10) out_ = std::to_chars(out_, out_ + 20, hours / 10).ptr;
    char rest[16];
    const char* end = detail::write_time_of_day(rest, static_cast<std::int64_t>(magnitude % hour + hours % 10 * hour));
    return detail::write_text(out_, {rest + (hours >= 10 ? 1 : 0), end});
  }

 private:
  char* out_;
  bool any_ = false;
  bool last_negative_ = false;
};

}  // namespace

result<interval> interval::parse(std::string_view text) {
  interval value;
  const auto fault = read(text, value);
  if (fault != detail::interval_fault::none) return error(errc::data_error, explain(fault));
  return value;
}

bool interval::parse_into(std::string_view text, interval& out) noexcept {
  return read(text, out) == detail::interval_fault::none;
}

result<std::chrono::microseconds> interval::to_duration() const {
  if (parts_.months != 0 || parts_.days != 0) {
    return error(errc::data_error, "an interval with months or days has no length of its own: the calendar decides");
  }
  return time();
}

std::string interval::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* interval::write_to(char* out) const noexcept {
  if (*this == infinity()) return detail::write_text(out, "infinity");
  if (*this == negative_infinity()) return detail::write_text(out, "-infinity");
  interval_writer to(out);
  to.part(parts_.months / 12, "year");
  to.part(parts_.months % 12, "mon");
  to.part(parts_.days, "day");
  return to.time(parts_.microseconds);
}

}  // namespace breakwater

std::size_t std::hash<breakwater::interval>::operator()(const breakwater::interval& value) const noexcept {
  constexpr std::size_t factor = 0x100000001b3U;
  const auto calendar =
      static_cast<std::size_t>(value.months().count()) * factor + static_cast<std::size_t>(value.days().count());
  return calendar * factor + std::hash<std::int64_t>{}(value.time().count());
}
