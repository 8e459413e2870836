#include <breakwater/core/interval.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace {

using bw::interval;
using namespace std::chrono_literals;

std::optional<interval> read(std::string_view text) {
  interval value;
  if (!interval::parse_into(text, value)) return std::nullopt;
  return value;
}

constexpr auto least32 = std::numeric_limits<std::int32_t>::min();
constexpr auto most32 = std::numeric_limits<std::int32_t>::max();
constexpr auto least64 = std::numeric_limits<std::int64_t>::min();
constexpr auto most64 = std::numeric_limits<std::int64_t>::max();

TEST(interval, is_nothing_by_default) {
  EXPECT_EQ(interval(), interval::from_parts(0, 0, 0));
  EXPECT_EQ(interval().to_string(), "00:00:00");
}

TEST(interval, literal_is_read_by_the_compiler) {
  static_assert(interval{"1 year 2 mons 3 days 04:05:06.789"} == interval::from_parts(14, 3, 14706789000));
  static_assert(interval{"3 months 1 day"}.months() == std::chrono::months(3));
  static_assert(interval{"infinity"}.is_infinite());
}

TEST(interval, text_is_what_postgres_writes) {
  // Each of these was read off a server's `select interval '...'`.
  for (const std::string_view text :
       {"00:00:00", "1 year", "2 years", "1 mon", "-1 mons", "1 day", "-2 days", "1 year 2 mons 3 days 04:05:06.789",
        "-1 years -2 mons +3 days -04:05:06.000001", "1 mon -1 days", "-1 days +02:00:00", "-00:00:00.000001",
        "100:00:00", "-2562047788:00:54.775808", "2562047788:00:54.775807", "1 day -00:00:01", "1000000:00:00",
        "178956970 years 7 mons 2147483647 days", "-178956970 years -8 mons -2147483648 days"}) {
    const auto value = read(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), text);
  }
}

TEST(interval, extremes_have_a_text_that_reads_back_and_is_no_longer_than_said) {
  for (const std::int32_t months : {least32, least32 + 9, -1, 0, 1, most32}) {
    for (const std::int32_t days : {least32, -1, 0, 1, most32}) {
      for (const std::int64_t time : {least64, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, most64}) {
        const interval value = interval::from_parts(months, days, time);
        const std::string text = value.to_string();
        EXPECT_LE(text.size(), interval::max_text_size) << text;
        EXPECT_EQ(read(text), value) << text;
      }
    }
  }
}

TEST(interval, parse_reads_the_words_people_write) {
  EXPECT_EQ(read("1 hour 30 minutes"), interval(90min));
  EXPECT_EQ(read("90 min"), interval(90min));
  EXPECT_EQ(read("1.5 seconds"), interval(1500ms));
  EXPECT_EQ(read("-0.25 sec"), interval(-250ms));
  EXPECT_EQ(read("2 WEEKS"), interval(std::chrono::days(14)));
  EXPECT_EQ(read("1week 2days"), interval(std::chrono::days(9)));
  EXPECT_EQ(read(" 1  day  12:00 "), interval(std::chrono::days(1)) + interval(12h));
  EXPECT_EQ(read("00:00:00.1234567"), interval(123457us));
  EXPECT_EQ(read("Infinity"), interval::infinity());
  EXPECT_EQ(read("-infinity"), interval::negative_infinity());
}

TEST(interval, parse_refuses_everything_else) {
  for (const std::string_view text : {"",
                                      " ",
                                      "1",
                                      "day",
                                      "1 dayz",
                                      "1 fortnight",
                                      "1.5 days",
                                      "1 day 2 days",
                                      "1 year 1 years",
                                      "12:00 13:00",
                                      "12:",
                                      "12:3",
                                      "12:345",
                                      "12:30:",
                                      "12:30:5",
                                      "12:30:05.",
                                      "1 day ago",
                                      "P1D",
                                      "@ 1 day",
                                      "12:00x",
                                      "- 1 day",
                                      "1. sec",
                                      "1 day infinity",
                                      "--1 day"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_EQ(interval::parse(text).error().code(), bw::errc::data_error) << text;
  }
}

TEST(interval, parse_refuses_what_is_out_of_range) {
  for (const std::string_view text :
       {"2147483648 months", "-2147483649 mons", "178956971 years", "2147483648 days", "306783379 weeks",
        "2562047788:00:54.775808", "-2562047788:00:54.775809", "2562047789 hours", "12:60", "12:00:60",
        "9999999999999999999 days", "99999999999999999999999 seconds"}) {
    EXPECT_FALSE(read(text)) << text;
    const auto refused = interval::parse(text);
    EXPECT_NE(refused.error().message().find("out of range"), std::string::npos) << text;
  }
}

TEST(interval, is_made_of_chronos_durations) {
  EXPECT_EQ(interval(90s), interval::from_parts(0, 0, 90'000'000));
  EXPECT_EQ(interval(std::chrono::days(3)), interval::from_parts(0, 3, 0)) << "and not 72 hours";
  EXPECT_EQ(interval(std::chrono::weeks(2)), interval::from_parts(0, 14, 0));
  EXPECT_EQ(interval(std::chrono::months(5)), interval::from_parts(5, 0, 0)) << "and not so many seconds";
  EXPECT_EQ(interval(std::chrono::years(2)), interval::from_parts(24, 0, 0));
  EXPECT_EQ(interval(48h), interval::from_parts(0, 0, 172'800'000'000));
  EXPECT_EQ(interval(std::chrono::days(2'147'483'648)), interval::infinity());
  EXPECT_EQ(interval(-std::chrono::years(178'956'971)), interval::negative_infinity());
}

TEST(interval, gives_its_length_only_where_it_has_one) {
  EXPECT_EQ(interval(90s).to_duration().value(), 90s);
  EXPECT_EQ(interval{"1 day"}.to_duration().error(), bw::errc::data_error);
  EXPECT_EQ(interval{"1 mon"}.to_duration().error(), bw::errc::data_error);
  EXPECT_FALSE(interval::infinity().to_duration());
  const interval mixed{"1 mon 2 days 03:00:00"};
  EXPECT_EQ(mixed.months(), std::chrono::months(1));
  EXPECT_EQ(mixed.days(), std::chrono::days(2));
  EXPECT_EQ(mixed.time(), 3h);
}

TEST(interval, adds_part_by_part) {
  EXPECT_EQ(interval{"1 mon 2 days"} + interval{"2 days 12:00:00"}, interval{"1 mon 4 days 12:00:00"});
  EXPECT_EQ(interval{"1 mon"} - interval{"1 day"}, interval{"1 mon -1 days"});
  EXPECT_EQ(-interval{"1 mon -1 days 01:00:00"}, interval{"-1 mon 1 days -01:00:00"});
  interval sum{"1 day"};
  sum += interval{"1 day"};
  sum -= interval{"3 days"};
  EXPECT_EQ(sum, interval{"-1 days"});
}

TEST(interval, a_sum_beyond_the_range_is_infinite) {
  EXPECT_EQ(interval::from_parts(most32, 0, 0) + interval{"1 mon"}, interval::infinity());
  EXPECT_EQ(interval::from_parts(0, least32, 0) - interval{"1 day"}, interval::negative_infinity());
  EXPECT_EQ(interval(std::chrono::microseconds::max()) + interval(1us), interval::infinity());
  EXPECT_EQ(-interval::from_parts(least32, 0, 0), interval::infinity());
  EXPECT_EQ(interval::infinity() + interval::negative_infinity(), interval::infinity());
  EXPECT_EQ(interval{"1 day"} + interval::negative_infinity(), interval::negative_infinity());
  EXPECT_EQ(-interval::infinity(), interval::negative_infinity());
}

TEST(interval, equal_are_those_of_equal_parts) {
  EXPECT_NE(interval{"1 day"}, interval{"24:00:00"});
  EXPECT_NE(interval{"1 mon"}, interval{"30 days"});
  EXPECT_EQ(interval{"1 year"}, interval{"12 months"});
  const std::hash<interval> hash;
  EXPECT_EQ(hash(interval{"1 year"}), hash(interval{"12 mons"}));
  EXPECT_NE(hash(interval{"1 day"}), hash(interval{"24:00:00"}));
}

}  // namespace
