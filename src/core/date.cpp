#include "wrong_literal.hpp"
#include <breakwater/core/date.hpp>

namespace breakwater {

namespace detail {

void this_is_not_a_date_of_the_form_YYYY_MM_DD() { wrong_literal("this is not a date of the form YYYY MM DD"); }
void this_date_does_not_exist_in_the_calendar() { wrong_literal("this date does not exist in the calendar"); }
void this_date_is_outside_4714_BC_to_5874897_AD() { wrong_literal("this date is outside 4714 BC to 5874897 AD"); }

}  // namespace detail

namespace {

const char* explain(detail::civil_fault fault) noexcept {
  switch (fault) {
    case detail::civil_fault::no_such_day: return "no such day in the calendar: the form is YYYY-MM-DD";
    case detail::civil_fault::out_of_range: return "date out of range: allowed are 4714-11-24 BC to 5874897-12-31";
    default:
      return "not a date: allowed are YYYY-MM-DD, optionally followed by BC, infinity and "
             "-infinity";
  }
}

}  // namespace

result<date> date::from(std::chrono::year_month_day day) {
  if (!day.ok()) return error(errc::data_error, explain(detail::civil_fault::no_such_day));
  const date value{std::chrono::sys_days(day)};
  if (value.is_infinite()) return error(errc::data_error, explain(detail::civil_fault::out_of_range));
  return value;
}

result<date> date::parse(std::string_view text) {
  date value;
  const auto fault = read(text, value);
  if (fault != detail::civil_fault::none) return error(errc::data_error, explain(fault));
  return value;
}

bool date::parse_into(std::string_view text, date& out) noexcept {
  return read(text, out) == detail::civil_fault::none;
}

result<std::chrono::sys_days> date::to_sys_days() const {
  if (is_infinite()) return error(errc::data_error, "an infinite date is no day: ask is_infinite() first");
  return std::chrono::sys_days(std::chrono::days(days_ + detail::days_from_1970_to_2000));
}

result<std::chrono::year_month_day> date::to_year_month_day() const {
  if (is_infinite()) return error(errc::data_error, "an infinite date is no day: ask is_infinite() first");
  const auto day = detail::civil_from_days(days_ + detail::days_from_1970_to_2000);
  if (day.year > static_cast<int>(std::chrono::year::max())) {
    return error(errc::data_error, "std::chrono has no years after 32767: use to_sys_days()");
  }
  return std::chrono::year_month_day(std::chrono::year(static_cast<int>(day.year)), std::chrono::month(day.month),
                                     std::chrono::day(day.day));
}

std::string date::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* date::write_to(char* out) const noexcept {
  if (*this == infinity()) return detail::write_text(out, "infinity");
  if (*this == negative_infinity()) return detail::write_text(out, "-infinity");
  const auto day = detail::civil_from_days(days_ + detail::days_from_1970_to_2000);
  out = detail::write_date(out, day);
  return day.year > 0 ? out : detail::write_text(out, " BC");
}

}  // namespace breakwater
