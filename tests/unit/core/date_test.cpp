#include <breakwater/core/date.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace breakwater {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

std::string reprint(std::string_view text) { return date::parse(text).value().to_string(); }

TEST(date, is_the_first_of_january_2000_by_default) {
  static_assert(std::regular<date> && std::is_trivially_copyable_v<date> && sizeof(date) == 4);
  EXPECT_EQ(date().to_string(), "2000-01-01");
  EXPECT_EQ(date().days_since_2000(), 0);
}

TEST(date, literal_is_read_by_the_compiler) {
  constexpr date launch{"2026-11-20"};
  static_assert(launch == date(sys_days(year(2026) / 11 / 20)));
  static_assert(launch.days_since_2000() == 9820);
  const std::vector<date> several{date{"2026-11-20"}, date{"0044-03-15 BC"}, date{"infinity"}};
  EXPECT_EQ(several.size(), 3U);
}

TEST(date, text_is_what_postgres_writes) {
  for (const std::string_view text : {"2026-11-20", "0001-01-01", "0001-12-31 BC", "0044-03-15 BC", "4714-11-24 BC",
                                      "9999-12-31", "10000-01-01", "5874897-12-31", "infinity", "-infinity"}) {
    EXPECT_EQ(reprint(text), text);
    EXPECT_LE(text.size(), date::max_text_size);
  }
}

TEST(date, tolerates_spaces_case_and_missing_zeros) {
  EXPECT_EQ(reprint(" 2026-11-20\n"), "2026-11-20");
  EXPECT_EQ(reprint("2026-1-5"), "2026-01-05");
  EXPECT_EQ(reprint("0044-03-15bc"), "0044-03-15 BC");
  EXPECT_EQ(reprint("2026-11-20 AD"), "2026-11-20");
  EXPECT_EQ(reprint("Infinity"), "infinity");
  EXPECT_EQ(reprint("+INFINITY"), "infinity");
}

TEST(date, refuses_what_is_not_a_date) {
  for (const std::string_view text :
       {"", " ", "-", "20-11-20", "2026", "2026-11", "2026-11-", "2026/11/20", "2026-11-20x", "2026-11-020",
        "-2026-11-20", "12345678-01-01", "2026-11-20 10:00", "infinit", "- infinity", "BC", "tomorrow"}) {
    EXPECT_FALSE(date::parse(text)) << text;
  }
}

TEST(date, refuses_days_that_do_not_exist) {
  for (const std::string_view text : {"2026-02-29", "2026-02-30", "1900-02-29", "2026-04-31", "2026-13-01",
                                      "2026-00-01", "2026-01-00", "2026-01-32", "0000-01-01", "0002-02-29 BC"}) {
    const auto parsed = date::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("no such day"), std::string::npos) << text;
  }
  EXPECT_TRUE(date::parse("2000-02-29"));
  EXPECT_TRUE(date::parse("0001-02-29 BC")) << "1 BC is the year 0, a leap year";
}

TEST(date, refuses_days_outside_postgress_range) {
  for (const std::string_view text : {"4714-11-23 BC", "5874898-01-01", "9999999-12-31 BC"}) {
    const auto parsed = date::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("out of range"), std::string::npos) << text;
  }
  EXPECT_EQ(date::min().to_string(), "4714-11-24 BC");
  EXPECT_EQ(date::max().to_string(), "5874897-12-31");
}

TEST(date, error_does_not_contain_the_value) {
  for (const std::string_view text : {"1984-99-99", "secret 1984", "5874899-01-01"}) {
    const auto parsed = date::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), errc::data_error);
    EXPECT_EQ(parsed.error().message().find("1984"), std::string::npos);
    EXPECT_EQ(parsed.error().message().find("5874899"), std::string::npos);
  }
}

TEST(date, failed_parse_into_leaves_the_value_alone) {
  date value{"2026-11-20"};
  EXPECT_FALSE(date::parse_into("2026-11-31", value));
  EXPECT_EQ(value, date{"2026-11-20"});
}

TEST(date, agrees_with_std_chrono_on_every_day_chrono_knows) {
  // Every day from 4714 BC to the year 32767, in both directions.
  const auto first = date::min().to_sys_days().value();
  const auto last = sys_days(year::max() / 12 / 31);
  for (auto day = first; day <= last; day += days(1)) {
    const auto civil = detail::civil_from_days(day.time_since_epoch().count());
    const year_month_day expected(day);
    if (civil.year != int{expected.year()} || civil.month != unsigned{expected.month()} ||
        civil.day != unsigned{expected.day()} || !detail::exists(civil) ||
        detail::days_from_civil(civil) != day.time_since_epoch().count()) {
      FAIL() << date(day).to_string();
    }
  }
}

TEST(date, calendar_is_its_own_inverse_over_the_whole_range) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<std::int32_t> any(date::min().days_since_2000(), date::max().days_since_2000());
  for (int i = 0; i < 100'000; ++i) {
    const auto value = date::from_days_since_2000(any(random));
    date read;
    ASSERT_TRUE(date::parse_into(value.to_string(), read)) << value.to_string();
    EXPECT_EQ(read, value);
    EXPECT_EQ(date(value.to_sys_days().value()), value);
  }
}

TEST(date, exists_agrees_with_std_chrono) {
  for (int y : {-4713, -100, -4, 0, 1, 4, 1900, 1999, 2000, 2023, 2024, 2100}) {
    for (unsigned m = 0; m <= 13; ++m) {
      for (unsigned d = 0; d <= 32; ++d) {
        const bool expected = (year(y) / std::chrono::month(m) / std::chrono::day(d)).ok();
        EXPECT_EQ(detail::exists({.year = y, .month = m, .day = d}), expected) << y << '-' << m << '-' << d;
      }
    }
  }
}

TEST(date, converts_from_and_to_year_month_day) {
  EXPECT_EQ(date::from(year(2026) / 11 / 20).value(), date{"2026-11-20"});
  EXPECT_EQ(date{"2026-11-20"}.to_year_month_day().value(), year(2026) / 11 / 20);
  EXPECT_EQ(date{"0044-03-15 BC"}.to_year_month_day().value(), year(-43) / 3 / 15);
  EXPECT_EQ(date::from(year(2026) / 2 / 30).error().code(), errc::data_error);
  EXPECT_EQ(date::from(year(-10'000) / 1 / 1).error().code(), errc::data_error);
  EXPECT_EQ(date::max().to_year_month_day().error().code(), errc::data_error);
  EXPECT_EQ(date::infinity().to_year_month_day().error().code(), errc::data_error);
}

TEST(date, infinities_lie_beyond_every_day_and_are_no_days) {
  EXPECT_LT(date::negative_infinity(), date::min());
  EXPECT_GT(date::infinity(), date::max());
  EXPECT_TRUE(date::infinity().is_infinite());
  EXPECT_FALSE(date::max().is_infinite());
  EXPECT_EQ(date::infinity().to_sys_days().error().code(), errc::data_error);
}

TEST(date, arithmetic_counts_days) {
  EXPECT_EQ(date{"2024-02-28"} + days(2), date{"2024-03-01"});
  EXPECT_EQ(days(2) + date{"2023-02-28"}, date{"2023-03-02"});
  EXPECT_EQ(date{"0001-01-01"} - days(1), date{"0001-12-31 BC"});
  EXPECT_EQ(date{"2026-11-20"} - date{"2026-01-01"}, days(323));
  date day{"2026-11-20"};
  day += days(11);
  day -= days(1);
  EXPECT_EQ(day, date{"2026-11-30"});
}

TEST(date, arithmetic_beyond_the_range_becomes_infinite) {
  EXPECT_EQ(date::max() + days(1), date::infinity());
  EXPECT_EQ(date::min() - days(1), date::negative_infinity());
  EXPECT_EQ(date() + days::max(), date::infinity());
  EXPECT_EQ(date() - days::max(), date::negative_infinity());
  EXPECT_EQ(date() + days::min(), date::negative_infinity());
  EXPECT_EQ(date() - days::min(), date::infinity());
  EXPECT_EQ(date::infinity() - days(1), date::infinity());
  EXPECT_EQ(date::negative_infinity() + days(1), date::negative_infinity());
  EXPECT_EQ(date(sys_days::max()), date::infinity());
  EXPECT_EQ(date(sys_days::min()), date::negative_infinity());
  EXPECT_EQ(date::infinity() - date(), days::max());
  EXPECT_EQ(date() - date::infinity(), days::min());
  EXPECT_EQ(date::infinity() - date::infinity(), days(0));
}

TEST(date, reads_arbitrary_bytes_safely) {
  std::mt19937_64 random(4);
  const std::string_view likely = "0123456789-: BCADinfty";
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 20, '\0');
    for (auto& c : text) {
      c = random() % 16 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    date value;
    if (date::parse_into(text, value)) {
      EXPECT_EQ(date::parse(value.to_string()).value(), value);
    }
  }
}

TEST(date, equal_values_have_equal_hashes) {
  EXPECT_EQ(std::hash<date>{}(date{"2026-11-20"}), std::hash<date>{}(date{"2026-11-20"}));
}

}  // namespace
}  // namespace breakwater
