#include <breakwater/core/range.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace {

using bw::range;
using bw::range_bounds;
using numbers = range<std::int32_t>;
using moments = range<bw::timestamptz>;

template <class T>
std::optional<T> read(std::string_view text) {
  T value;
  if (!T::parse_into(text, value)) return std::nullopt;
  return value;
}

TEST(range, is_empty_by_default) {
  EXPECT_TRUE(numbers().is_empty());
  EXPECT_EQ(numbers().to_string(), "empty");
  EXPECT_FALSE(numbers().contains(0));
  EXPECT_FALSE(numbers().lower());
}

TEST(range, holds_its_lower_bound_and_not_its_upper_one_unless_told_otherwise) {
  constexpr numbers plain(1, 5);
  static_assert(plain.contains(1) && plain.contains(4) && !plain.contains(5) && !plain.contains(0));
  constexpr numbers closed(1, 5, range_bounds::closed);
  static_assert(closed.contains(1) && closed.contains(5));
  constexpr numbers open(1, 5, range_bounds::open);
  static_assert(!open.contains(1) && open.contains(2) && !open.contains(5));
  constexpr numbers open_closed(1, 5, range_bounds::open_closed);
  static_assert(!open_closed.contains(1) && open_closed.contains(5));
}

TEST(range, without_a_bound_has_no_end) {
  const numbers below(std::nullopt, 5);
  EXPECT_TRUE(below.contains(std::numeric_limits<std::int32_t>::min()));
  EXPECT_FALSE(below.contains(5));
  EXPECT_FALSE(below.lower_inclusive()) << "there is nothing to include";
  EXPECT_TRUE(numbers::all().contains(7));
  EXPECT_EQ(numbers::all().to_string(), "(,)");
  EXPECT_EQ(numbers(std::nullopt, std::nullopt, range_bounds::closed), numbers::all());
}

TEST(range, that_holds_nothing_is_empty) {
  EXPECT_TRUE(numbers(3, 3).is_empty());
  EXPECT_TRUE(numbers(3, 3, range_bounds::open).is_empty());
  EXPECT_FALSE(numbers(3, 3, range_bounds::closed).is_empty());
  EXPECT_TRUE(numbers(3, 4, range_bounds::open).is_empty()) << "no integer lies between";
  EXPECT_FALSE((range<bw::numeric>(bw::numeric(3), bw::numeric(4), range_bounds::open).is_empty()));
  EXPECT_EQ(numbers(3, 3), numbers());
}

TEST(range, with_its_bounds_the_wrong_way_round_holds_nothing_and_is_told_apart) {
  const numbers inverted(5, 1);
  EXPECT_TRUE(inverted.is_inverted());
  EXPECT_FALSE(inverted.contains(3));
  EXPECT_FALSE(numbers(1, 5).is_inverted());
}

TEST(range, is_equal_to_one_of_the_same_values) {
  EXPECT_EQ(numbers(1, 3, range_bounds::closed), numbers(1, 4));
  EXPECT_EQ(numbers(0, 4, range_bounds::open), numbers(1, 4));
  EXPECT_NE(numbers(1, 3), numbers(1, 4));
  EXPECT_NE(numbers(1, std::nullopt), numbers(1, 4));
  using days = range<bw::date>;
  EXPECT_EQ(days(bw::date{"2026-01-01"}, bw::date{"2026-01-31"}, range_bounds::closed),
            days(bw::date{"2026-01-01"}, bw::date{"2026-02-01"}));
  EXPECT_NE(days(bw::date{"2026-01-01"}, bw::date::infinity()), days(bw::date{"2026-01-01"}, std::nullopt));
  using exact = range<bw::numeric>;
  EXPECT_NE(exact(bw::numeric(1), bw::numeric(3), range_bounds::closed), exact(bw::numeric(1), bw::numeric(4)));
  EXPECT_EQ(exact(bw::numeric{"1.0"}, bw::numeric{"2"}), exact(bw::numeric{"1.00"}, bw::numeric{"2.0"}));
  constexpr auto most = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(numbers(1, most, range_bounds::closed), numbers(1, most, range_bounds::closed));
  EXPECT_NE(numbers(1, most, range_bounds::closed), numbers(1, most));
}

TEST(range, text_is_what_postgres_writes) {
  for (const std::string_view text : {"[1,10)", "(1,10]", "[1,1]", "(,10)", "[1,)", "(,)", "empty"}) {
    const auto value = read<numbers>(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), text);
  }
  const std::string_view quoted = R"(["2026-01-01 00:00:00+00","2026-02-01 12:30:00.5+00"))";
  EXPECT_EQ(read<moments>(quoted).value().to_string(), quoted);
  EXPECT_EQ(read<moments>("[-infinity,infinity]").value().to_string(), "[-infinity,infinity]");
  EXPECT_EQ(read<range<bw::timestamp>>(R"(("2026-01-01 00:00:00",))").value().to_string(),
            R"(("2026-01-01 00:00:00",))");
  EXPECT_EQ(read<range<bw::numeric>>("[0.10,NaN]").value().to_string(), "[0.10,NaN]");
  EXPECT_EQ(read<range<bw::date>>(R"(["0044-03-15 BC",2026-01-01))").value().to_string(),
            R"(["0044-03-15 BC",2026-01-01))");
}

TEST(range, parse_refuses_what_is_no_range_of_its_type) {
  for (const std::string_view text :
       {"",        "1",        "[",       "[1",    "[1,",     "[1,2",   "1,2)", "[1;2)",  "[1,2)x",
        "[1,2,3)", "[x,2)",    "[1.5,2)", "[5,1)", "[\"1,2)", "[\"1\\", "[]",   "emptyx", "[1,99999999999)",
        "[ 1,2)",  "[\"\",2)", "{[1,2)}"}) {
    EXPECT_FALSE(read<numbers>(text)) << text;
    EXPECT_EQ(numbers::parse(text).error().code(), bw::errc::data_error) << text;
  }
  EXPECT_EQ(read<numbers>("  EMPTY "), numbers());
  EXPECT_EQ(read<numbers>(R"(["1","\2"])"), numbers(1, 2, range_bounds::closed));
}

TEST(multirange, text_is_what_postgres_writes) {
  using several = bw::multirange<std::int32_t>;
  for (const std::string_view text : {"{}", "{[1,3)}", "{(,1),[5,9),[20,)}"}) {
    const auto value = read<several>(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), text);
  }
  EXPECT_EQ(read<several>(" { [1,3) , [5,9) } "), (several{numbers(1, 3), numbers(5, 9)}));
  for (const std::string_view text : {"", "{", "}", "{[1,3)", "[1,3)", "{[1,3),}", "{[1,3)}x", "{1}", "{[1,3)[5,6)}"}) {
    EXPECT_FALSE(read<several>(text)) << text;
  }
  EXPECT_EQ(several::parse("x").error().code(), bw::errc::data_error);
}

TEST(multirange, contains_what_one_of_its_ranges_does) {
  const bw::multirange<std::int32_t> both{numbers(1, 3), numbers(5, 9)};
  EXPECT_TRUE(both.contains(2));
  EXPECT_FALSE(both.contains(3));
  EXPECT_TRUE(both.contains(8));
  EXPECT_EQ(both.ranges().size(), 2U);
}

}  // namespace
