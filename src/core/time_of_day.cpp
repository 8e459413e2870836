#include "wrong_literal.hpp"
#include <breakwater/core/time_of_day.hpp>

namespace breakwater {

namespace detail {

void this_is_not_a_time_of_day_of_the_form_HH_MM_SS() {
  wrong_literal("this is not a time of day of the form HH MM SS");
}
void this_time_of_day_does_not_exist() { wrong_literal("this time of day does not exist"); }

}  // namespace detail

namespace {

const char* explain(detail::civil_fault fault) noexcept {
  if (fault == detail::civil_fault::no_such_time) return "no such time of day: allowed are 00:00:00 to 24:00:00";
  return "not a time of day: allowed is HH:MM[:SS[.ffffff]]";
}

}  // namespace

result<time_of_day> time_of_day::from(std::chrono::microseconds since_midnight) {
  const std::int64_t value = since_midnight.count();
  if (value < 0 || value > detail::microseconds_per_day) {
    return error(errc::data_error, explain(detail::civil_fault::no_such_time));
  }
  return time_of_day(value, raw{});
}

result<time_of_day> time_of_day::parse(std::string_view text) {
  time_of_day value;
  const auto fault = read(text, value);
  if (fault != detail::civil_fault::none) return error(errc::data_error, explain(fault));
  return value;
}

bool time_of_day::parse_into(std::string_view text, time_of_day& out) noexcept {
  return read(text, out) == detail::civil_fault::none;
}

std::string time_of_day::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* time_of_day::write_to(char* out) const noexcept { return detail::write_time_of_day(out, microseconds_); }

}  // namespace breakwater
