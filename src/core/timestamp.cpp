#include "write_day_and_time.hpp"
#include "wrong_literal.hpp"
#include <breakwater/core/timestamp.hpp>

namespace breakwater {

namespace detail {

void this_is_not_a_timestamp_of_the_form_YYYY_MM_DD_HH_MM_SS() {
  wrong_literal("this is not a timestamp of the form YYYY MM DD HH MM SS");
}
void this_timestamp_has_an_offset_use_timestamptz() { wrong_literal("this timestamp has an offset: use timestamptz"); }
void this_timestamp_names_a_day_that_does_not_exist() {
  wrong_literal("this timestamp names a day that does not exist");
}
void this_timestamp_names_a_time_of_day_that_does_not_exist() {
  wrong_literal("this timestamp names a time of day that does not exist");
}
void this_timestamp_is_outside_4714_BC_to_294276_AD() {
  wrong_literal("this timestamp is outside 4714 BC to 294276 AD");
}

}  // namespace detail

namespace {

const char* explain(detail::civil_fault fault) noexcept {
  switch (fault) {
    case detail::civil_fault::no_such_day: return "no such day in the calendar: the form is YYYY-MM-DD";
    case detail::civil_fault::no_such_time: return "no such time of day: allowed are 00:00:00 to 24:00:00";
    case detail::civil_fault::has_offset:
      return "timestamp with an offset from UTC, which this type has no place for: use timestamptz";
    case detail::civil_fault::out_of_range: return "timestamp out of range: allowed are 4714-11-24 BC to 294276-12-31";
    default:
      return "not a timestamp: allowed are YYYY-MM-DD HH:MM:SS[.ffffff], optionally followed by BC, infinity and "
             "-infinity";
  }
}

}  // namespace

result<timestamp> timestamp::parse(std::string_view text) {
  timestamp value;
  const auto fault = read(text, value);
  if (fault != detail::civil_fault::none) return error(errc::data_error, explain(fault));
  return value;
}

bool timestamp::parse_into(std::string_view text, timestamp& out) noexcept {
  return read(text, out) == detail::civil_fault::none;
}

result<timestamp::local_microseconds> timestamp::to_local_time() const {
  if (is_infinite()) {
    return error(errc::data_error, "an infinite timestamp is no time on a clock: ask is_infinite() first");
  }
  std::int64_t since_1970 = 0;
  if (__builtin_add_overflow(microseconds_, detail::microseconds_from_1970_to_2000, &since_1970)) {
    return error(errc::data_error, "std::chrono has no microseconds after 294247-01-10: the time does not fit");
  }
  return local_microseconds(std::chrono::microseconds(since_1970));
}

std::string timestamp::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* timestamp::write_to(char* out) const noexcept {
  if (*this == infinity()) return detail::write_text(out, "infinity");
  if (*this == negative_infinity()) return detail::write_text(out, "-infinity");
  bool before_christ = false;
  out = detail::write_day_and_time(out, microseconds_, before_christ);
  return before_christ ? detail::write_text(out, " BC") : out;
}

}  // namespace breakwater
