#include <breakwater/core/timestamptz.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace breakwater {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year;

std::string reprint(std::string_view text) {
  const auto parsed = timestamptz::parse(text);
  return parsed ? parsed.value().to_string() : parsed.error().message();
}

TEST(timestamptz, is_the_start_of_2000_by_default) {
  static_assert(std::regular<timestamptz> && std::is_trivially_copyable_v<timestamptz>);
  static_assert(sizeof(timestamptz) == 8);
  EXPECT_EQ(timestamptz().to_string(), "2000-01-01 00:00:00+00");
  EXPECT_EQ(timestamptz().microseconds_since_2000(), 0);
}

TEST(timestamptz, literal_is_read_by_the_compiler) {
  constexpr timestamptz launch{"2026-11-20 10:00:00+00"};
  static_assert(launch == timestamptz(sys_days(year(2026) / 11 / 20) + 10h));
  const std::vector<timestamptz> several{launch, timestamptz{"2026-11-20T10:00:00Z"}};
  EXPECT_EQ(several.front(), several.back());
}

TEST(timestamptz, text_is_what_postgres_writes_in_utc) {
  for (const std::string_view text :
       {"2026-11-20 10:00:00+00", "2026-11-20 10:00:00.5+00", "2026-11-20 10:00:00.25+00",
        "2026-11-20 10:00:00.000001+00", "1999-12-31 23:59:59.999999+00", "0001-01-01 00:00:00+00",
        "0001-12-31 23:59:59+00 BC", "4714-11-24 00:00:00+00 BC", "4714-11-24 00:00:00.000001+00 BC",
        "10000-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00", "infinity", "-infinity"}) {
    EXPECT_EQ(reprint(text), text);
    EXPECT_LE(text.size(), timestamptz::max_text_size);
  }
}

TEST(timestamptz, reads_what_postgres_writes_in_any_time_zone) {
  // Each was written by a server for 2026-11-20 10:00:00+00, in the zone named.
  EXPECT_EQ(reprint("2026-11-20 15:30:00+05:30"), "2026-11-20 10:00:00+00") << "Asia/Kolkata";
  EXPECT_EQ(reprint("2026-11-20 06:30:00-03:30"), "2026-11-20 10:00:00+00") << "America/St_Johns";
  EXPECT_EQ(reprint("2026-11-21 00:00:00+14"), "2026-11-20 10:00:00+00") << "Pacific/Kiritimati";
  EXPECT_EQ(reprint("2026-11-25 20:00:00+130"), "2026-11-20 10:00:00+00") << "<+130>-130";
  EXPECT_EQ(reprint("1800-11-23 20:29:08-03:30:52"), "1800-11-24 00:00:00+00") << "local mean time";
  EXPECT_EQ(reprint("4714-11-23 10:00:00-14 BC"), "4714-11-24 00:00:00+00 BC");
  EXPECT_EQ(reprint("294277-01-01 13:59:59.999999+14"), "294276-12-31 23:59:59.999999+00");
}

TEST(timestamptz, tolerates_iso_8601_and_other_common_forms) {
  for (const std::string_view text :
       {"2026-11-20T10:00:00Z", "2026-11-20t10:00:00z", "2026-11-20 10:00:00 UTC", "2026-11-20 10:00:00 gmt",
        "2026-11-20 10:00Z", "2026-11-20  10:00:00 +00:00", "2026-11-20T15:30:00+0530",
        "2026-11-20T15:30:00.000+053000", " 2026-11-20 10:00:00+00 ", "2026-11-20 10:00:00-00", "2026-11-20 10:00:00+0",
        "2026-11-20 10:00:00+00 AD"}) {
    EXPECT_EQ(reprint(text), "2026-11-20 10:00:00+00") << text;
  }
}

TEST(timestamptz, end_of_the_day_and_leap_seconds_are_the_next_moment) {
  EXPECT_EQ(reprint("2026-12-31 24:00:00+00"), "2027-01-01 00:00:00+00");
  EXPECT_EQ(reprint("2016-12-31 23:59:60+00"), "2017-01-01 00:00:00+00");
  EXPECT_EQ(reprint("2026-11-20 10:00:59.9999999+00"), "2026-11-20 10:01:00+00");
}

TEST(timestamptz, fraction_is_rounded_to_microseconds) {
  EXPECT_EQ(reprint("2026-11-20 10:00:00.1234564+00"), "2026-11-20 10:00:00.123456+00");
  EXPECT_EQ(reprint("2026-11-20 10:00:00.1234565+00"), "2026-11-20 10:00:00.123457+00");
  EXPECT_EQ(reprint("2026-11-20 10:00:00.12345649999999999999999+00"), "2026-11-20 10:00:00.123456+00");
}

TEST(timestamptz, refuses_text_without_an_offset) {
  for (const std::string_view text :
       {"2026-11-20 10:00:00", "2026-11-20T10:00:00.5", "0044-03-15 10:00:00 BC", "2026-11-20 10:00"}) {
    const auto parsed = timestamptz::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("without an offset"), std::string::npos) << text;
  }
}

TEST(timestamptz, refuses_what_is_not_a_timestamp) {
  for (const std::string_view text :
       {"", "2026-11-20", "2026-11-20 ", "2026-11-20+00", "2026-11-20 10+00", "2026-11-20 10:0:00+00",
        "2026-11-20 10:00:00.+00", "2026-11-20 10:00:00+", "2026-11-20 10:00:00+00:0",
        "2026-11-20 10:00:00+00:", "2026-11-20 10:00:00+00000", "2026-11-20 10:00:00+00 CE",
        "2026-11-20 10:00:00+00 BC x", "2026-11-2010:00:00+00", "2026-11-20 10:00:00 Europe/Berlin", "now"}) {
    EXPECT_FALSE(timestamptz::parse(text)) << text;
  }
}

TEST(timestamptz, refuses_days_times_and_offsets_that_do_not_exist) {
  for (const std::string_view text :
       {"2026-02-29 10:00:00+00", "0000-01-01 00:00:00+00", "2026-11-20 24:00:00.000001+00", "2026-11-20 24:00:01+00",
        "2026-11-20 25:00:00+00", "2026-11-20 10:60:00+00", "2026-11-20 10:00:61+00", "2026-11-20 10:00:00+00:60",
        "2026-11-20 10:00:00+168", "2026-11-20 10:00:00+0060"}) {
    const auto parsed = timestamptz::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("no such"), std::string::npos) << text;
  }
}

TEST(timestamptz, refuses_moments_outside_postgress_range) {
  for (const std::string_view text :
       {"294277-01-01 00:00:00+00", "4714-11-23 23:59:59.999999+00 BC", "294276-12-31 23:59:59-01",
        "4714-11-24 00:00:00+01 BC", "294277-01-07 23:59:59-167:59:59", "294277-01-08 24:00:00-167:59:59",
        "4714-11-17 00:00:00+167:59:59 BC", "9999999-12-31 24:00:00+00", "9999999-12-31 00:00:00+00 BC"}) {
    const auto parsed = timestamptz::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("out of range"), std::string::npos) << text;
  }
}

TEST(timestamptz, reads_local_days_a_week_outside_the_range) {
  EXPECT_EQ(reprint("294277-01-07 23:59:59.999999+167:59:59.5"), reprint("x")) << "offsets have no fraction";
  EXPECT_EQ(reprint("294277-01-07 22:59:59.999999+167"), "294276-12-31 23:59:59.999999+00");
  EXPECT_EQ(reprint("4714-11-17 01:00:00-167 BC"), "4714-11-24 00:00:00+00 BC");
}

TEST(timestamptz, error_does_not_contain_the_value) {
  for (const std::string_view text :
       {"1984-99-99 10:00:00+00", "secret 1984", "1984-01-01 10:00:00", "1984-01-01 99:00:00+00"}) {
    const auto parsed = timestamptz::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), errc::data_error);
    EXPECT_EQ(parsed.error().message().find("1984"), std::string::npos);
  }
}

TEST(timestamptz, failed_parse_into_leaves_the_value_alone) {
  timestamptz value{"2026-11-20 10:00:00+00"};
  EXPECT_FALSE(timestamptz::parse_into("2026-11-20 10:00:00", value));
  EXPECT_EQ(value, timestamptz{"2026-11-20 10:00:00+00"});
}

TEST(timestamptz, survives_a_round_trip_through_text_and_any_offset) {
  std::mt19937_64 random(5);
  std::uniform_int_distribution<std::int64_t> any(timestamptz::min().microseconds_since_2000(),
                                                  timestamptz::max().microseconds_since_2000());
  std::uniform_int_distribution<std::int64_t> recent(-5'000'000'000'000'000, 5'000'000'000'000'000);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = timestamptz::from_microseconds_since_2000(i % 2 == 0 ? any(random) : recent(random));
    timestamptz read;
    ASSERT_TRUE(timestamptz::parse_into(value.to_string(), read)) << value.to_string();
    EXPECT_EQ(read, value);

    const int hours = static_cast<int>(random() % 12) + 1;
    const auto east = value + std::chrono::hours(hours);
    if (east.is_infinite()) continue;
    auto local = east.to_string();
    const auto zone = local.find("+00");
    local.replace(zone, 3, "+" + std::to_string(hours));
    ASSERT_TRUE(timestamptz::parse_into(local, read)) << local;
    EXPECT_EQ(read, value) << local;
  }
}

TEST(timestamptz, agrees_with_std_chrono) {
  std::mt19937_64 random(6);
  std::uniform_int_distribution<std::int64_t> any(-200'000'000'000'000'000, 900'000'000'000'000'000);
  for (int i = 0; i < 100'000; ++i) {
    const timestamptz::sys_microseconds moment{microseconds(any(random))};
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day ymd(day);
    const std::chrono::hh_mm_ss time(moment - day);
    if (ymd.year() < year(1) || ymd.year() > year(9999)) continue;
    char expected[64];
    std::snprintf(expected, sizeof expected, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{ymd.year()},
                  unsigned{ymd.month()}, unsigned{ymd.day()}, static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    timestamptz read;
    ASSERT_TRUE(timestamptz::parse_into(expected, read)) << expected;
    EXPECT_EQ(read, timestamptz(moment));
    EXPECT_EQ(read.to_sys_time().value(), moment);
  }
}

TEST(timestamptz, converts_from_any_precision_rounding_down) {
  using std::chrono::nanoseconds;
  using std::chrono::sys_time;
  EXPECT_EQ(timestamptz(sys_time<nanoseconds>(1'999ns)), timestamptz(sys_time<microseconds>(1us)));
  EXPECT_EQ(timestamptz(sys_time<nanoseconds>(-1ns)), timestamptz(sys_time<microseconds>(-1us)));
  EXPECT_EQ(timestamptz(sys_days(year(2000) / 1 / 1)), timestamptz());
}

TEST(timestamptz, now_is_the_wall_clock) {
  const auto before = std::chrono::floor<microseconds>(std::chrono::system_clock::now());
  const auto now = timestamptz::now().to_sys_time().value();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(timestamptz, what_std_chrono_cannot_hold_is_an_error) {
  EXPECT_EQ(timestamptz::infinity().to_sys_time().error().code(), errc::data_error);
  EXPECT_EQ(timestamptz::negative_infinity().to_sys_time().error().code(), errc::data_error);
  EXPECT_EQ(timestamptz::max().to_sys_time().error().code(), errc::data_error);
  EXPECT_TRUE(timestamptz::min().to_sys_time());
  EXPECT_EQ(timestamptz(timestamptz::sys_microseconds::min()), timestamptz::negative_infinity());
  EXPECT_EQ(timestamptz(timestamptz::sys_microseconds::max()).to_sys_time().value(),
            timestamptz::sys_microseconds::max());
}

TEST(timestamptz, arithmetic_takes_chronos_durations) {
  const timestamptz start{"2026-11-20 10:00:00+00"};
  EXPECT_EQ(start + 90s, timestamptz{"2026-11-20 10:01:30+00"});
  EXPECT_EQ(1h + start, timestamptz{"2026-11-20 11:00:00+00"});
  EXPECT_EQ(start - std::chrono::days(20), timestamptz{"2026-10-31 10:00:00+00"});
  EXPECT_EQ(timestamptz{"2026-11-20 10:00:00.5+00"} - start, 500ms);
  timestamptz moving = start;
  moving += 2h;
  moving -= 1h;
  EXPECT_EQ(moving - start, 1h);
}

TEST(timestamptz, arithmetic_beyond_the_range_becomes_infinite) {
  EXPECT_EQ(timestamptz::max() + 1us, timestamptz::infinity());
  EXPECT_EQ(timestamptz::min() - 1us, timestamptz::negative_infinity());
  EXPECT_EQ(timestamptz::max() + microseconds::max(), timestamptz::infinity());
  EXPECT_EQ(timestamptz() + microseconds::min(), timestamptz::negative_infinity());
  EXPECT_EQ(timestamptz() - microseconds::min(), timestamptz::infinity());
  EXPECT_EQ(timestamptz::infinity() - 1h, timestamptz::infinity());
  EXPECT_EQ(timestamptz::negative_infinity() + 1h, timestamptz::negative_infinity());
  EXPECT_EQ(timestamptz::max() - timestamptz::min(), microseconds::max());
  EXPECT_EQ(timestamptz::min() - timestamptz::max(), microseconds::min());
  EXPECT_EQ(timestamptz::infinity() - timestamptz::infinity(), 0us);
  EXPECT_EQ(timestamptz() - timestamptz::infinity(), microseconds::min());
}

TEST(timestamptz, infinities_lie_beyond_every_moment) {
  EXPECT_LT(timestamptz::negative_infinity(), timestamptz::min());
  EXPECT_GT(timestamptz::infinity(), timestamptz::max());
  EXPECT_EQ(timestamptz{"infinity"}, timestamptz::infinity());
  EXPECT_EQ(timestamptz{"-infinity"}, timestamptz::negative_infinity());
}

TEST(timestamptz, reads_arbitrary_bytes_safely) {
  std::mt19937_64 random(7);
  const std::string_view likely = "0123456789-:.+ TZBC";
  const std::string_view model = "294276-12-31 23:59:59.999999+167:59:59 BC";
  for (int i = 0; i < 200'000; ++i) {
    std::string text(model.substr(0, random() % (model.size() + 1)));
    for (std::uint64_t edits = random() % 4; edits > 0 && !text.empty(); --edits) {
      const auto at = random() % text.size();
      text[at] = random() % 8 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    timestamptz value;
    if (timestamptz::parse_into(text, value)) {
      EXPECT_EQ(timestamptz::parse(value.to_string()).value(), value) << text;
    }
  }
}

TEST(timestamptz, equal_values_have_equal_hashes) {
  EXPECT_EQ(std::hash<timestamptz>{}(timestamptz{"2026-11-20 10:00:00+00"}),
            std::hash<timestamptz>{}(timestamptz{"2026-11-20 11:00:00+01"}));
}

}  // namespace
}  // namespace breakwater
