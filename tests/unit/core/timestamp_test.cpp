#include <breakwater/core/timestamp.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace {

using bw::timestamp;
using namespace std::chrono_literals;

std::optional<timestamp> read(std::string_view text) {
  timestamp value;
  if (!timestamp::parse_into(text, value)) return std::nullopt;
  return value;
}

TEST(timestamp, is_the_first_of_january_2000_by_default) {
  EXPECT_EQ(timestamp(), timestamp{"2000-01-01 00:00:00"});
  EXPECT_EQ(timestamp().microseconds_since_2000(), 0);
}

TEST(timestamp, literal_is_read_by_the_compiler) {
  constexpr timestamp opens{"2026-11-20T10:00:00.25"};
  static_assert(opens > timestamp{"2026-11-20 10:00:00.249999"});
  static_assert(timestamp{"infinity"} == timestamp::infinity());
  EXPECT_EQ(opens.to_string(), "2026-11-20 10:00:00.25");
}

TEST(timestamp, text_is_what_postgres_writes) {
  for (const std::string_view text :
       {"2026-11-20 10:00:00", "2026-11-20 10:00:00.000001", "0044-03-15 12:00:00 BC", "1999-12-31 23:59:59.5",
        "infinity", "-infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999"}) {
    const auto value = read(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), text);
    char written[timestamp::max_text_size];
    EXPECT_EQ(std::string(written, value->write_to(written)), text);
  }
  EXPECT_EQ(timestamp{"4714-11-24 00:00:00.000001 BC"}.to_string().size(), timestamp::max_text_size);
}

TEST(timestamp, parse_reads_short_times_and_any_fraction) {
  EXPECT_EQ(read("2026-11-20 10:30"), timestamp{"2026-11-20 10:30:00"});
  EXPECT_EQ(read(" 2026-11-20t10:30:00.1234567 "), timestamp{"2026-11-20 10:30:00.123457"});
  EXPECT_EQ(read("2026-11-20 24:00:00"), timestamp{"2026-11-21 00:00:00"});
}

TEST(timestamp, parse_refuses_an_offset_rather_than_forget_it) {
  for (const std::string_view text :
       {"2026-11-20 10:00:00+00", "2026-11-20 10:00:00Z", "2026-11-20 10:00:00 UTC", "2026-11-20 10:00-05:30"}) {
    const auto refused = timestamp::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code(), bw::errc::data_error);
    EXPECT_NE(refused.error().message().find("use timestamptz"), std::string::npos) << refused.error().message();
  }
}

TEST(timestamp, parse_refuses_everything_else) {
  for (const std::string_view text :
       {"", "now", "2026-11-20", "2026-11-20 10", "2026-02-30 10:00:00", "2026-11-20 25:00:00", "2026-11-20 10:60:00",
        "294277-01-01 00:00:00", "4714-11-23 23:59:59 BC", "294276-12-31 24:00:00", "2026-11-20 10:00:00 x",
        "2026-11-20 10:00:00.", "0000-01-01 00:00:00", "2026-11-20  ", "infinity BC"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_EQ(timestamp::parse(text).error().code(), bw::errc::data_error) << text;
  }
}

TEST(timestamp, parse_into_leaves_the_value_alone_when_it_refuses) {
  timestamp value{"2026-11-20 10:00:00"};
  EXPECT_FALSE(timestamp::parse_into("x", value));
  EXPECT_EQ(value, timestamp{"2026-11-20 10:00:00"});
}

TEST(timestamp, converts_to_and_from_chronos_local_time) {
  const std::chrono::local_days day{2026y / 11 / 20};
  EXPECT_EQ(timestamp(day + 10h), timestamp{"2026-11-20 10:00:00"});
  EXPECT_EQ(timestamp{"2026-11-20 10:00:00.5"}.to_local_time().value(), day + 10h + 500ms);
  EXPECT_EQ(timestamp{"1960-01-01 00:00:00"}.to_local_time().value(), std::chrono::local_days{1960y / 1 / 1});
  EXPECT_EQ(timestamp(day - 1ns), timestamp{"2026-11-19 23:59:59.999999"}) << "rounded down";
  EXPECT_FALSE(timestamp::infinity().to_local_time());
  EXPECT_FALSE(timestamp::max().to_local_time()) << "beyond chrono's microseconds";
}

TEST(timestamp, beyond_the_range_becomes_the_infinity_on_its_side) {
  EXPECT_EQ(timestamp::from_microseconds_since_2000(timestamp::max().microseconds_since_2000() + 1),
            timestamp::infinity());
  EXPECT_EQ(timestamp::from_microseconds_since_2000(timestamp::min().microseconds_since_2000() - 1),
            timestamp::negative_infinity());
  EXPECT_EQ(timestamp::max() + 1us, timestamp::infinity());
  EXPECT_EQ(timestamp::min() - 1us, timestamp::negative_infinity());
  EXPECT_EQ(timestamp::max() + std::chrono::microseconds::max(), timestamp::infinity());
  EXPECT_EQ(timestamp(timestamp::local_microseconds::min()), timestamp::negative_infinity());
}

TEST(timestamp, adds_and_subtracts_spans) {
  const timestamp noon{"2026-11-20 12:00:00"};
  EXPECT_EQ(noon + 90s, timestamp{"2026-11-20 12:01:30"});
  EXPECT_EQ(noon - 12h, timestamp{"2026-11-20 00:00:00"});
  EXPECT_EQ(timestamp{"2026-11-21 00:00:00"} - noon, 12h);
  EXPECT_EQ(timestamp::infinity() + 1h, timestamp::infinity());
  EXPECT_EQ(timestamp::infinity() - noon, std::chrono::microseconds::max());
  EXPECT_EQ(timestamp::infinity() - timestamp::infinity(), 0us);
  EXPECT_EQ(noon - std::chrono::microseconds::min(), timestamp::infinity());
  timestamp later = noon;
  later += 1h;
  later -= 30min;
  EXPECT_EQ(later, timestamp{"2026-11-20 12:30:00"});
}

TEST(timestamp, infinities_stand_at_the_ends_of_the_order) {
  EXPECT_LT(timestamp::negative_infinity(), timestamp::min());
  EXPECT_LT(timestamp::max(), timestamp::infinity());
  EXPECT_TRUE(timestamp::infinity().is_infinite());
  EXPECT_FALSE(timestamp::max().is_infinite());
}

TEST(timestamp, hash_is_that_of_equal_values) {
  const std::hash<timestamp> hash;
  EXPECT_EQ(hash(timestamp{"2026-11-20 24:00:00"}), hash(timestamp{"2026-11-21 00:00:00"}));
  EXPECT_NE(hash(timestamp::min()), hash(timestamp::max()));
}

}  // namespace
