#pragma once

#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/timestamptz.hpp>

#include <cstdint>

namespace breakwater::detail {

/// Writes "YYYY-MM-DD HH:MM:SS[.ffffff]" for the microseconds since 2000, without offset and era.
inline char* write_day_and_time(char* out, std::int64_t microseconds_since_2000, bool& before_christ) noexcept {
  std::int64_t days = microseconds_since_2000 / microseconds_per_day;
  std::int64_t time = microseconds_since_2000 % microseconds_per_day;
  if (time < 0) {
    --days;
    time += microseconds_per_day;
  }
  const civil_day day = civil_from_days(days + microseconds_from_1970_to_2000 / microseconds_per_day);
  before_christ = day.year <= 0;
  out = write_date(out, day);
  *out++ = ' ';
  return write_time_of_day(out, time);
}

}  // namespace breakwater::detail
