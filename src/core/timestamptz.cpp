#include "write_day_and_time.hpp"
#include "wrong_literal.hpp"
#include <breakwater/core/timestamptz.hpp>

namespace breakwater {

namespace detail {

void this_is_not_a_timestamptz_of_the_form_YYYY_MM_DD_HH_MM_SS_offset() {
  wrong_literal("this is not a timestamptz of the form YYYY MM DD HH MM SS offset");
}
void this_timestamptz_needs_an_offset_from_UTC_such_as_plus_00_or_Z() {
  wrong_literal("this timestamptz needs an offset from UTC such as plus 00 or Z");
}
void this_timestamptz_names_a_day_that_does_not_exist() {
  wrong_literal("this timestamptz names a day that does not exist");
}
void this_timestamptz_names_a_time_of_day_that_does_not_exist() {
  wrong_literal("this timestamptz names a time of day that does not exist");
}
void this_timestamptz_is_outside_4714_BC_to_294276_AD() {
  wrong_literal("this timestamptz is outside 4714 BC to 294276 AD");
}

}  // namespace detail

namespace {

const char* explain(detail::civil_fault fault) noexcept {
  switch (fault) {
    case detail::civil_fault::no_such_day: return "no such day in the calendar: the form is YYYY-MM-DD";
    case detail::civil_fault::no_such_time:
      return "no such time of day or offset: allowed are 00:00:00 to 24:00:00 and offsets such as "
             "+05:30";
    case detail::civil_fault::no_offset:
      return "timestamp without an offset from UTC, which would be ambiguous: add +00, Z or "
             "another offset";
    case detail::civil_fault::out_of_range:
      return "timestamp out of range: allowed are 4714-11-24 BC to 294276-12-31 in UTC";
    default:
      return "not a timestamp: allowed are YYYY-MM-DD HH:MM:SS[.ffffff] with an offset such as "
             "+00, optionally followed by BC, infinity and -infinity";
  }
}

}  // namespace

timestamptz timestamptz::now() noexcept { return timestamptz(std::chrono::system_clock::now()); }

result<timestamptz> timestamptz::parse(std::string_view text) {
  timestamptz value;
  const auto fault = read(text, value);
  if (fault != detail::civil_fault::none) return error(errc::data_error, explain(fault));
  return value;
}

bool timestamptz::parse_into(std::string_view text, timestamptz& out) noexcept {
  return read(text, out) == detail::civil_fault::none;
}

result<timestamptz::sys_microseconds> timestamptz::to_sys_time() const {
  if (is_infinite()) {
    return error(errc::data_error, "an infinite timestamp is no moment: ask is_infinite() first");
  }
  std::int64_t unix = 0;
  if (__builtin_add_overflow(microseconds_, detail::microseconds_from_1970_to_2000, &unix)) {
    return error(errc::data_error, "std::chrono has no microseconds after 294247-01-10: the moment does not fit");
  }
  return sys_microseconds(std::chrono::microseconds(unix));
}

std::string timestamptz::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* timestamptz::write_to(char* out) const noexcept {
  if (*this == infinity()) return detail::write_text(out, "infinity");
  if (*this == negative_infinity()) return detail::write_text(out, "-infinity");

  bool before_christ = false;
  out = detail::write_day_and_time(out, microseconds_, before_christ);
  out = detail::write_text(out, "+00");
  return before_christ ? detail::write_text(out, " BC") : out;
}

}  // namespace breakwater
