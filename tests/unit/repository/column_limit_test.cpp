#include <breakwater/core/numeric.hpp>
#include <breakwater/repository/detail/column_limit.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using bw::detail::column_limit;
using bw::detail::limit_of;

bool fits(std::string_view type, std::string_view text) {
  bw::parameters values;
  values.add_text(text);
  bw::detail::check_limit(values, limit_of(type));
  return !values.first_invalid();
}

TEST(column_limit, is_read_off_the_type) {
  const auto is_numeric = [](std::string_view type, int precision, int scale) {
    const column_limit limit = limit_of(type);
    return limit.of == column_limit::kind::numeric && limit.size == precision && limit.scale == scale;
  };
  EXPECT_TRUE(is_numeric("numeric(20,8)", 20, 8));
  EXPECT_TRUE(is_numeric("NUMERIC ( 20 , 8 )", 20, 8));
  EXPECT_TRUE(is_numeric("decimal(5)", 5, 0));
  EXPECT_TRUE(is_numeric("numeric(3,-2)", 3, -2));
  for (const std::string_view type :
       {"varchar(40)", "character varying(40)", "CHARACTER  VARYING (40)", "char(40)", "character(40)", "bpchar(40)"}) {
    EXPECT_EQ(limit_of(type).of, column_limit::kind::length) << type;
    EXPECT_EQ(limit_of(type).size, 40) << type;
  }
}

TEST(column_limit, of_every_other_type_is_none) {
  for (const std::string_view type :
       {"", "numeric", "numeric(20,8)[]", "varchar", "varchar(40)[]", "varchar()", "varchar(x)", "text", "numeric(2",
        "timestamptz(3)", "bit(3)", "mynumeric(3,2)", "numeric(3,2) x", "char", "\"char\"", "varchar(9999999999)"}) {
    EXPECT_EQ(limit_of(type).of, column_limit::kind::none) << type;
  }
}

TEST(column_limit, numeric_is_below_its_precision_once_rounded) {
  EXPECT_TRUE(fits("numeric(5,2)", "999.99"));
  EXPECT_TRUE(fits("numeric(5,2)", "-999.994")) << "the server rounds it";
  EXPECT_FALSE(fits("numeric(5,2)", "999.995")) << "rounds to 1000";
  EXPECT_FALSE(fits("numeric(5,2)", "1000"));
  EXPECT_FALSE(fits("numeric(5,2)", "-1000.00"));
  EXPECT_TRUE(fits("numeric(5,2)", "000999.99"));
  EXPECT_TRUE(fits("numeric(5,2)", "0"));
  EXPECT_TRUE(fits("numeric(2,2)", "0.99"));
  EXPECT_FALSE(fits("numeric(2,2)", "0.995"));
  EXPECT_FALSE(fits("numeric(2,2)", "1"));
  EXPECT_TRUE(fits("numeric(3,5)", "0.00999"));
  EXPECT_FALSE(fits("numeric(3,5)", "0.01"));
  EXPECT_TRUE(fits("numeric(2,-3)", "99499"));
  EXPECT_FALSE(fits("numeric(2,-3)", "99500"));
  EXPECT_TRUE(fits("numeric(5,2)", "1e2"));
  EXPECT_FALSE(fits("numeric(5,2)", "1e3"));
  EXPECT_TRUE(fits("numeric(5,2)", "NaN"));
  EXPECT_FALSE(fits("numeric(5,2)", "Infinity"));
  EXPECT_FALSE(fits("numeric(5,2)", "-Infinity"));
}

TEST(column_limit, text_has_no_more_characters) {
  EXPECT_TRUE(fits("varchar(3)", "abc"));
  EXPECT_FALSE(fits("varchar(3)", "abcd"));
  EXPECT_TRUE(fits("varchar(3)", "\xC3\xA4\xC3\xB6\xC3\xBC")) << "characters, not bytes";
  EXPECT_FALSE(fits("varchar(3)", "\xC3\xA4\xC3\xB6\xC3\xBCx"));
  EXPECT_TRUE(fits("varchar(3)", "abc   ")) << "the server cuts spaces at the end off";
  EXPECT_FALSE(fits("char(3)", "ab  x"));
}

TEST(column_limit, says_nothing_of_null) {
  bw::parameters values;
  values.add_null();
  bw::detail::check_limit(values, limit_of("varchar(1)"));
  EXPECT_FALSE(values.first_invalid());
}

}  // namespace
