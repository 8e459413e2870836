#include <breakwater/core/time_of_day.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace {

using bw::time_of_day;
using namespace std::chrono_literals;

std::optional<time_of_day> read(std::string_view text) {
  time_of_day value;
  if (!time_of_day::parse_into(text, value)) return std::nullopt;
  return value;
}

TEST(time_of_day, is_midnight_by_default) { EXPECT_EQ(time_of_day(), time_of_day{"00:00"}); }

TEST(time_of_day, literal_is_read_by_the_compiler) {
  static_assert(time_of_day{"09:30"} < time_of_day{"09:30:00.000001"});
  static_assert(time_of_day{"24:00:00"} == time_of_day::max());
}

TEST(time_of_day, text_is_what_postgres_writes) {
  for (const std::string_view text : {"00:00:00", "09:30:00", "23:59:59.999999", "12:00:00.5", "24:00:00"}) {
    const auto value = read(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), text);
  }
  EXPECT_EQ(time_of_day{"23:59:59.999999"}.to_string().size(), time_of_day::max_text_size);
}

TEST(time_of_day, parse_reads_short_forms_and_rounds) {
  EXPECT_EQ(read(" 9:30 "), time_of_day{"09:30:00"});
  EXPECT_EQ(read("09:30:00.1234567"), time_of_day{"09:30:00.123457"});
  EXPECT_EQ(read("23:59:60"), time_of_day::max()) << "a 60th second, as in Postgres";
}

TEST(time_of_day, parse_refuses_everything_else) {
  for (const std::string_view text : {"", "9", "09:60", "24:00:00.000001", "25:00", "09:30:61", "09:30 AM", "09:30+00",
                                      "-09:30", "09:30:", "noon", "009:30"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_EQ(time_of_day::parse(text).error().code(), bw::errc::data_error) << text;
  }
}

TEST(time_of_day, converts_to_and_from_the_time_since_midnight) {
  EXPECT_EQ(time_of_day::from(22h + 15min).value(), time_of_day{"22:15"});
  EXPECT_EQ(time_of_day{"00:00:00.000001"}.since_midnight(), 1us);
  EXPECT_EQ(time_of_day::from(24h).value(), time_of_day::max());
  EXPECT_EQ(time_of_day::from(24h + 1us).error(), bw::errc::data_error);
  EXPECT_EQ(time_of_day::from(-1us).error(), bw::errc::data_error);
}

TEST(time_of_day, hash_is_that_of_equal_values) {
  const std::hash<time_of_day> hash;
  EXPECT_EQ(hash(time_of_day{"09:30"}), hash(time_of_day{"09:30:00"}));
  EXPECT_NE(hash(time_of_day()), hash(time_of_day::max())) << "the end of the day is not its beginning";
}

}  // namespace
