#include <breakwater/core/numeric.hpp>

#include <boost/multiprecision/cpp_int.hpp>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace breakwater {

/// For the messages of failed tests.
// NOLINTNEXTLINE(readability-identifier-naming): the name GoogleTest looks for
void PrintTo(const numeric& value, std::ostream* out) { *out << value.to_string(); }

namespace {

using cpp_int = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

numeric number(std::string_view text) { return numeric::parse(text).value(); }
std::string reprint(std::string_view text) { return number(text).to_string(); }

TEST(numeric, is_zero_by_default) {
  static_assert(std::regular<numeric> && sizeof(numeric) == 32);
  static_assert(std::is_nothrow_move_constructible_v<numeric> && std::is_nothrow_copy_constructible_v<numeric>);
  EXPECT_EQ(numeric().to_string(), "0");
  EXPECT_EQ(numeric().scale(), 0);
}

TEST(numeric, literal_is_read_by_the_compiler) {
  constexpr numeric price{"10.00"};
  static_assert(price == 10 && price.scale() == 2 && price.sign() == 1);
  static_assert(-price < price && (-price).abs() == price);
  static_assert(numeric{"NaN"}.is_nan() && numeric{"-Infinity"}.is_infinite());
  const std::vector<numeric> several{numeric{"1.5"}, numeric{"99999999999999999999999999999999999999"}, 3};
  EXPECT_EQ(several[1].to_string(), "99999999999999999999999999999999999999");
}

TEST(numeric, is_made_of_every_integer_type_exactly) {
  EXPECT_EQ(numeric(std::int8_t{-128}).to_string(), "-128");
  EXPECT_EQ(numeric(std::numeric_limits<std::int64_t>::min()).to_string(), "-9223372036854775808");
  EXPECT_EQ(numeric(std::numeric_limits<std::uint64_t>::max()).to_string(), "18446744073709551615");
  static_assert(!std::is_constructible_v<numeric, bool> && !std::is_constructible_v<numeric, char>);
  static_assert(!std::is_constructible_v<numeric, double> && !std::is_convertible_v<const char*, numeric>);
}

TEST(numeric, text_is_what_postgres_writes) {
  // Left what is read, right what a server answers to it.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"10.00", "10.00"},
      {"-0.00", "0.00"},
      {"+7", "7"},
      {".5", "0.5"},
      {"5.", "5"},
      {"007.10", "7.10"},
      {" 1\n", "1"},
      {"1.50e1", "15.0"},
      {"1e5", "100000"},
      {"1.5E-5", "0.000015"},
      {"0e5", "0"},
      {"0.000e3", "0"},
      {"-1e-3", "-0.001"},
      {"nan", "NaN"},
      {"inf", "Infinity"},
      {"+Infinity", "Infinity"},
      {"-INF", "-Infinity"},
      {"10000000000000000000", "10000000000000000000"},
      {"12345678901234567890000000000000000000", "12345678901234567890000000000000000000"},
      {"123456789012345678901234567890123456789.000", "123456789012345678901234567890123456789.000"},
      {"0.1000000000000000000000000000000000000000000", "0.1000000000000000000000000000000000000000000"},
      {"1e40", "10000000000000000000000000000000000000000"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(reprint(text), expected);
    EXPECT_EQ(number(text).text_size(), expected.size());
  }
}

TEST(numeric, refuses_what_is_not_a_number) {
  for (const std::string_view text :
       {"",      " ",   ".",   "-",   "+",    "e5",   "1e",      "1e+", "1e5.0", "1.2.3", "1,5",   "0x10",
        "1_000", "--1", "+-1", "- 1", "-nan", "+nan", "infinit", "in",  "1 2",   "NaN0",  "1e5 x", "12a"}) {
    const auto parsed = numeric::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("not a number"), std::string::npos) << text;
  }
  EXPECT_FALSE(numeric::parse(std::string_view("1\0", 2)));
}

TEST(numeric, reads_up_to_postgress_limits_and_no_further) {
  const std::string longest = std::string(131072, '9') + "." + std::string(16383, '9');
  EXPECT_EQ(reprint("-" + longest), "-" + longest);
  EXPECT_EQ(longest.size() + 1, numeric::max_text_size);
  EXPECT_EQ(reprint("1e131071").size(), 131072U);
  EXPECT_EQ(number("1e-16383").scale(), 16383);
  EXPECT_EQ(number("0e-16383").scale(), 16383);
  EXPECT_EQ(number("0e999999999999"), 0);
  for (const std::string& text :
       {std::string("1e131072"), std::string("1e-16384"), std::string("0e-16384"), "9" + longest, longest + "0",
        std::string("1e999999999999999999999"), std::string("1e-999999999999999999999"), std::string(200'000, '1')}) {
    const auto parsed = numeric::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message().find("out of range"), std::string::npos);
  }
}

TEST(numeric, error_does_not_contain_the_value) {
  for (const std::string_view text : {"4111111111111111x", "4111e999999"}) {
    const auto parsed = numeric::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), errc::data_error);
    EXPECT_EQ(parsed.error().message().find("4111"), std::string::npos);
  }
}

TEST(numeric, failed_parse_into_leaves_the_value_alone) {
  numeric value{"1.5"};
  EXPECT_FALSE(numeric::parse_into("1e200000", value));
  EXPECT_FALSE(numeric::parse_into("x", value));
  EXPECT_EQ(value.to_string(), "1.5");
}

TEST(numeric, equal_values_of_different_scales_are_equal_and_hash_equally) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"10", "10.00"},
      {"0", "0.000"},
      {"-2.5", "-2.50000000000000000000000000000000000000000000000000"},
      {"1e40", "1.0e40"},
      {"1e40", "10000000000000000000000000000000000000000.00"},
      {"1", "1.00000000000000000000000000000000000000000"},
      {"NaN", "nan"},
  };
  for (const auto& [a, b] : cases) {
    EXPECT_EQ(number(a), number(b));
    EXPECT_TRUE(std::is_eq(number(a) <=> number(b))) << a;
    EXPECT_EQ(std::hash<numeric>{}(number(a)), std::hash<numeric>{}(number(b))) << a;
  }
}

TEST(numeric, orders_as_postgres_does) {
  // Each less than the next.
  const std::string_view ascending[] = {"-Infinity",
                                        "-1e131071",
                                        "-1e40",
                                        "-1e39",
                                        "-99999999999999999999999999999999999999",
                                        "-10.01",
                                        "-10",
                                        "-1e-40",
                                        "0",
                                        "1e-16383",
                                        "1e-40",
                                        "1.00000000000000000000000000000000000000000001e-3",
                                        "0.0011",
                                        "9.99",
                                        "10",
                                        "10.0000000000000000000000000000000000001",
                                        "1e38",
                                        "123456789012345678901234567890123456789",
                                        "123456789012345678901234567890123456789.01",
                                        "1e131071",
                                        "Infinity",
                                        "NaN"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      const auto a = number(ascending[i]);
      const auto b = number(ascending[j]);
      EXPECT_EQ(a < b, i < j) << ascending[i] << " < " << ascending[j];
      EXPECT_EQ(a == b, i == j) << ascending[i] << " == " << ascending[j];
      EXPECT_EQ(a > b, i > j) << ascending[i] << " > " << ascending[j];
    }
  }
}

TEST(numeric, compares_with_integers) {
  EXPECT_TRUE(numeric{"5.00"} == 5);
  EXPECT_TRUE(5 < numeric{"5.01"});
  EXPECT_TRUE(numeric{"-1"} < 0U);
}

TEST(numeric, arithmetic_has_postgress_scales) {
  EXPECT_EQ((numeric{"10.00"} + numeric{"0.5"}).to_string(), "10.50");
  EXPECT_EQ((numeric{"10.00"} - numeric{"10"}).to_string(), "0.00");
  EXPECT_EQ((numeric{"1.50"} * numeric{"2.0"}).to_string(), "3.000");
  EXPECT_EQ((numeric{"0.00"} * 5).to_string(), "0.00");
  EXPECT_EQ((numeric{"10.00"} * 3 + 1).to_string(), "31.00");
  numeric total{"1.5"};
  total += 1;
  total -= numeric{"0.25"};
  total *= 2;
  EXPECT_EQ(total.to_string(), "4.50");
  total *= total;
  EXPECT_EQ(total.to_string(), "20.2500");
}

TEST(numeric, arithmetic_moves_between_small_and_large) {
  const numeric limit{"99999999999999999999999999999999999999"};
  const numeric large = limit + 1;
  EXPECT_EQ(large.to_string(), "100000000000000000000000000000000000000");
  EXPECT_EQ((large - 1).to_string(), limit.to_string());
  EXPECT_EQ(large - large, 0);
  EXPECT_EQ((limit * limit).to_string(),
            "9999999999999999999999999999999999999800000000000000000000000000000000000001");
  EXPECT_EQ((number("1e100") + number("1e-100")).to_string(),
            "1" + std::string(100, '0') + "." + std::string(99, '0') + "1");
  EXPECT_EQ(-(-large), large);
  EXPECT_EQ((-large).abs(), large);
}

TEST(numeric, products_beyond_the_greatest_scale_are_rounded) {
  EXPECT_EQ((number("1e-16000") * number("1e-16000")).text_size(), 16385U);
  EXPECT_EQ(number("1e-16000") * number("1e-16000"), 0);
  EXPECT_EQ(number("5e-8192") * number("1e-8192"), number("1e-16383")) << "half is rounded up";
}

TEST(numeric, overflow_is_infinite) {
  EXPECT_EQ(number("9e131071") * 9, numeric::infinity());
  EXPECT_EQ(number("9e131071") * -9, numeric::negative_infinity());
  EXPECT_EQ(number("9e131071") + number("1e131071"), numeric::infinity());
  EXPECT_EQ(number("9e131071") * number("9e131071"), numeric::infinity());
  EXPECT_EQ(number(std::string(131072, '9') + ".5").rescale(0), numeric::infinity());
}

TEST(numeric, arithmetic_with_special_values_follows_postgres) {
  const auto inf = numeric::infinity();
  const auto nan = numeric::nan();
  EXPECT_EQ(inf + 1, inf);
  EXPECT_EQ(1 - inf, -inf);
  EXPECT_EQ(inf + inf, inf);
  EXPECT_TRUE((inf - inf).is_nan());
  EXPECT_TRUE((inf * 0).is_nan());
  EXPECT_EQ(inf * -2, -inf);
  EXPECT_EQ(-inf * -inf, inf);
  EXPECT_TRUE((nan + 1).is_nan());
  EXPECT_TRUE((nan * inf).is_nan());
  EXPECT_TRUE((-nan).is_nan());
  EXPECT_EQ((-inf).abs(), inf);
  EXPECT_EQ(inf.sign(), 1);
  EXPECT_EQ(nan.sign(), 0);
  EXPECT_EQ(inf.rescale(2), inf);
}

TEST(numeric, divides_to_the_given_scale) {
  EXPECT_EQ(numeric(10).divide(3, 4).value().to_string(), "3.3333");
  EXPECT_EQ(numeric(-2).divide(3, 2).value().to_string(), "-0.67");
  EXPECT_EQ(numeric(1).divide(2, 0).value().to_string(), "1");
  EXPECT_EQ(numeric(-1).divide(2, 0).value().to_string(), "-1");
  EXPECT_EQ(numeric{"10.00"}.divide(numeric{"2.5000"}, 1).value().to_string(), "4.0");
  EXPECT_EQ(numeric{"1.23456"}.divide(1, 2).value().to_string(), "1.23");
  EXPECT_EQ(numeric(0).divide(7, 3).value().to_string(), "0.000");
  EXPECT_EQ(numeric(1).divide(3, 50).value().to_string(), "0." + std::string(50, '3'));
}

TEST(numeric, division_reports_what_has_no_answer) {
  EXPECT_EQ(numeric(1).divide(0, 2).error().code(), errc::data_error);
  EXPECT_EQ(numeric::infinity().divide(numeric{"0.00"}, 2).error().code(), errc::data_error);
  EXPECT_EQ(numeric(1).divide(3, -1).error().code(), errc::invalid_argument);
  EXPECT_EQ(numeric(1).divide(3, 16384).error().code(), errc::invalid_argument);
  EXPECT_TRUE(numeric::nan().divide(0, 2).value().is_nan());
  EXPECT_TRUE(numeric::infinity().divide(numeric::infinity(), 2).value().is_nan());
  EXPECT_EQ(numeric::infinity().divide(-2, 2).value(), numeric::negative_infinity());
  EXPECT_EQ(numeric(5).divide(numeric::infinity(), 2).value(), 0);
}

TEST(numeric, rescale_rounds_half_away_from_zero) {
  const struct {
    std::string_view from;
    int scale;
    std::string_view to;
  } cases[] = {
      {"2.5", 0, "3"},
      {"-2.5", 0, "-3"},
      {"2.4999", 0, "2"},
      {"0.05", 1, "0.1"},
      {"0.049", 1, "0.0"},
      {"1.5", 4, "1.5000"},
      {"1250", -2, "1300"},
      {"50", -2, "100"},
      {"49", -2, "0"},
      {"1.5", -400000, "0"},
      {"99.99", 1, "100.0"},
      {"99999999999999999999999999999999999999.5", 0, "100000000000000000000000000000000000000"},
      {"99999999999999999999999999999999999999", -1, "100000000000000000000000000000000000000"},
      {"60000000000000000000000000000000000000", -38, "100000000000000000000000000000000000000"},
      {"0.6", -1, "0"},
      {"123456789012345678901234567890.1234567890123456789", 3, "123456789012345678901234567890.123"},
      {"1e-40", 39, "0.000000000000000000000000000000000000000"},
      {"9e131071", -131073, "0"},
  };
  for (const auto& [from, scale, to] : cases) {
    EXPECT_EQ(number(from).rescale(scale).to_string(), to) << from << " to " << scale;
  }
  EXPECT_EQ(numeric(1).rescale(20000).scale(), numeric::max_scale);
  EXPECT_EQ(numeric(1).rescale(std::numeric_limits<int>::min()), 0);
  EXPECT_EQ(numeric(1).rescale(std::numeric_limits<int>::max()), 1);
}

TEST(numeric, to_int64_is_exact_or_an_error) {
  EXPECT_EQ(numeric{"10.00"}.to_int64().value(), 10);
  EXPECT_EQ(number("-9223372036854775808").to_int64().value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("9223372036854775807.000").to_int64().value(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(number("7." + std::string(50, '0')).to_int64().value(), 7);
  EXPECT_EQ(number("0.00").to_int64().value(), 0);
  for (const std::string_view text :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e40", "-1e40", "10.5", "0.1", "1e-40",
        "NaN", "Infinity", "99999999999999999999999999999999999999"}) {
    EXPECT_EQ(number(text).to_int64().error().code(), errc::data_error) << text;
  }
}

TEST(numeric, to_double_is_the_nearest) {
  for (const std::string_view text :
       {"0.1", "-0.3", "123456789.123456789", "9007199254740993", "1e22", "1e23", "1e308", "1.7976931348623157e308",
        "1e-5", "2.2250738585072011e-308", "4.9e-324", "0.1000000000000000055511151231257827021181583404541015626"}) {
    EXPECT_EQ(number(text).to_double(), std::strtod(std::string(text).c_str(), nullptr)) << text;
  }
  EXPECT_EQ(number("1e309").to_double(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("-1e131071").to_double(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("1e-16383").to_double(), 0.0);
  EXPECT_TRUE(std::isnan(numeric::nan().to_double()));
}

TEST(numeric, from_double_is_the_shortest_that_reads_back) {
  EXPECT_EQ(numeric::from_double(0.1).to_string(), "0.1");
  EXPECT_EQ(numeric::from_double(-2.5).to_string(), "-2.5");
  EXPECT_EQ(numeric::from_double(1e22).to_string(), "10000000000000000000000");
  EXPECT_EQ(numeric::from_double(-0.0).to_string(), "0");
  EXPECT_TRUE(numeric::from_double(std::nan("")).is_nan());
  EXPECT_TRUE(numeric::from_double(-std::nan("")).is_nan());
  EXPECT_EQ(numeric::from_double(-INFINITY), numeric::negative_infinity());
  std::mt19937_64 random(9);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    EXPECT_EQ(numeric::from_double(value).to_double(), value);
  }
}

TEST(numeric, copies_of_large_numbers_are_independent) {
  const auto original = number("1e50");
  numeric copy = original;
  copy += 1;
  EXPECT_EQ(original, number("1e50"));
  EXPECT_GT(copy, original);
  copy = original;
  numeric moved = std::move(copy);
  EXPECT_EQ(moved, original);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is promised
  EXPECT_EQ(copy.to_string(), "0");
  auto& self = moved;
  moved = self;
  EXPECT_EQ(moved, original);
}

// The oracle: a coefficient without limits and a scale.

struct exact {
  cpp_int coefficient;
  int scale = 0;

  [[nodiscard]] std::string text() const {
    std::string digits = cpp_int(boost::multiprecision::abs(coefficient)).str();
    const auto places = static_cast<std::size_t>(scale);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    if (scale > 0) digits.insert(digits.size() - places, ".");
    return (coefficient < 0 ? "-" : "") + digits;
  }
};

cpp_int ten_to(int exponent) { return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(exponent)); }

exact any_exact(std::mt19937_64& random) {
  const auto digits = random() % 8 == 0 ? random() % 90 : random() % 42;
  cpp_int value = 0;
  for (std::uint64_t i = 0; i < digits; ++i) {
    const auto kind = random() % 4;  // many zeros and nines: carries and trailing zeros
    value = value * 10 + (kind == 0 ? 0 : kind == 1 ? 9 : random() % 10);
  }
  return {random() % 2 == 0 ? value : cpp_int(-value), static_cast<int>(random() % 3 == 0 ? 2 : random() % 45)};
}

cpp_int round_quotient(const cpp_int& dividend, const cpp_int& divisor) {
  const bool negative = (dividend < 0) != (divisor < 0);
  const cpp_int a = boost::multiprecision::abs(dividend);
  const cpp_int b = boost::multiprecision::abs(divisor);
  const cpp_int quotient = (a * 2 + b) / (b * 2);
  return negative ? cpp_int(-quotient) : quotient;
}

TEST(numeric, agrees_with_exact_arithmetic) {
  std::mt19937_64 random(10);
  for (int i = 0; i < 20'000; ++i) {
    const exact a = any_exact(random);
    const exact b = any_exact(random);
    const auto x = number(a.text());
    const auto y = number(b.text());
    ASSERT_EQ(x.to_string(), a.text());

    const int scale = std::max(a.scale, b.scale);
    const cpp_int left = a.coefficient * ten_to(scale - a.scale);
    const cpp_int right = b.coefficient * ten_to(scale - b.scale);
    EXPECT_EQ((x + y).to_string(), (exact{left + right, scale}.text()));
    EXPECT_EQ((x - y).to_string(), (exact{left - right, scale}.text()));
    EXPECT_EQ((x * y).to_string(), (exact{a.coefficient * b.coefficient, a.scale + b.scale}.text()));
    EXPECT_EQ(x < y, left < right) << a.text() << " < " << b.text();
    EXPECT_EQ(x == y, left == right) << a.text() << " == " << b.text();

    const int target = static_cast<int>(random() % 50);
    if (b.coefficient != 0) {
      const cpp_int quotient = round_quotient(left * ten_to(target), right);
      EXPECT_EQ(x.divide(y, target).value().to_string(), (exact{quotient, target}.text()))
          << a.text() << " / " << b.text() << " to " << target;
    }
    const cpp_int rounded = round_quotient(a.coefficient * ten_to(target), ten_to(a.scale));
    EXPECT_EQ(x.rescale(target).to_string(), (exact{rounded, target}.text())) << a.text() << " to " << target;
    const cpp_int hundreds = round_quotient(a.coefficient, ten_to(a.scale + 2)) * 100;
    EXPECT_EQ(x.rescale(-2).to_string(), (exact{hundreds, 0}.text())) << a.text();

    const auto longer = x.rescale(a.scale + target);
    EXPECT_EQ(longer, x);
    EXPECT_EQ(longer.hash(), x.hash()) << a.text() << " with " << target << " zeros more";
  }
}

TEST(numeric, reads_arbitrary_bytes_safely) {
  std::mt19937_64 random(11);
  const std::string_view likely = "0123456789.eE+-nNaAiIfF ";
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 12 + (i % 50 == 0 ? 60U : 0U), '\0');
    for (auto& c : text) {
      c = random() % 16 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    numeric value;
    if (numeric::parse_into(text, value)) {
      EXPECT_EQ(numeric::parse(value.to_string()).value().to_string(), value.to_string()) << text;
    }
  }
}

}  // namespace
}  // namespace breakwater
