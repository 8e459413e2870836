#include <breakwater/postgres/codec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_view_literals;
using breakwater::bind;
using breakwater::bind_array;
using breakwater::codec;
using breakwater::parameters;
namespace oid = breakwater::oid;

template <class T>
std::string encoded(const T& value) {
  parameters out;
  bind(out, value);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(out.type(0), codec<T>::type);
  return std::string(out.text(0));
}

template <class T>
std::optional<T> decoded(std::string_view text) {
  T value{};
  if (!codec<T>::decode(text, value)) return std::nullopt;
  return value;
}

template <class T>
void expect_round_trip(const T& value, std::string_view text) {
  EXPECT_EQ(encoded(value), text);
  const auto back = decoded<T>(text);
  ASSERT_TRUE(back) << text;
  EXPECT_EQ(*back, value) << text;
}

template <class T>
void expect_refused(std::initializer_list<std::string_view> texts) {
  for (const auto text : texts) EXPECT_FALSE(decoded<T>(text)) << '"' << text << '"';
}

TEST(codec_bool, is_t_or_f) {
  expect_round_trip(true, "t");
  expect_round_trip(false, "f");
  expect_refused<bool>({"", "true", "false", "1", "T", "tt"});
}

template <class T>
class codec_integer : public ::testing::Test {};
using integer_types = ::testing::Types<std::int16_t, std::int32_t, std::int64_t, long long>;
TYPED_TEST_SUITE(codec_integer, integer_types);

TYPED_TEST(codec_integer, round_trips_over_its_whole_range) {
  using limits = std::numeric_limits<TypeParam>;
  for (const TypeParam value : {TypeParam{0}, TypeParam{1}, TypeParam{-1}, limits::min(), limits::max()}) {
    expect_round_trip(value, std::to_string(value));
  }
}

TYPED_TEST(codec_integer, refuses_what_is_no_whole_number_in_its_range) {
  using limits = std::numeric_limits<TypeParam>;
  const std::string above = std::to_string(limits::max()) + "0";
  const std::string below = std::to_string(limits::min()) + "0";
  expect_refused<TypeParam>({"", "-", "+1", " 1", "1 ", "1.0", "1e3", "x", "0x10", "NaN", above, below, "1\0"sv});
}

TEST(codec_float, round_trips_exactly) {
  expect_round_trip(0.0, "0");
  expect_round_trip(0.1, "0.1");
  expect_round_trip(-1.5F, "-1.5");
  for (const double value :
       {1e300, 5e-324, 1.0 / 3.0, -2.2250738585072014e-308, 123456789.125, std::numeric_limits<double>::max()}) {
    EXPECT_EQ(decoded<double>(encoded(value)), value);
  }
  for (const float value : {1e30F, 1e-45F, 1.0F / 3.0F, std::numeric_limits<float>::max()}) {
    EXPECT_EQ(decoded<float>(encoded(value)), value);
  }
}

TEST(codec_float, reads_the_servers_words_for_what_is_no_number) {
  EXPECT_EQ(decoded<double>("Infinity"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(decoded<double>("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(decoded<double>("NaN").value_or(0.0)));
  EXPECT_EQ(decoded<float>("-Infinity"), -std::numeric_limits<float>::infinity());
}

TEST(codec_float, refuses_garbage) {
  expect_refused<double>({"", "1,5", "1.5x", "1e400", " 1", "0x1p3", "one"});
  expect_refused<float>({"", "1e60", "1.5 "});
}

TEST(codec_string, takes_every_text_as_it_is_and_leaves_its_type_to_the_server) {
  expect_round_trip(std::string("grün 'quoted' \\ \n"), "grün 'quoted' \\ \n");
  expect_round_trip(std::string(), "");
  EXPECT_EQ(codec<std::string>::type, oid::unknown);
  EXPECT_EQ(encoded("view"sv), "view");
}

TEST(codec_bytes, are_hexadecimal) {
  using bytes = std::vector<std::byte>;
  expect_round_trip(bytes{}, "\\x");
  expect_round_trip(bytes{std::byte{0}, std::byte{0xab}, std::byte{0xff}, std::byte{0x10}}, "\\x00abff10");
  EXPECT_EQ(decoded<bytes>("\\xABCD"), (bytes{std::byte{0xab}, std::byte{0xcd}}));
  bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
  EXPECT_EQ(decoded<bytes>(encoded(all)), all);
  expect_refused<bytes>({"", "x", "00", "\\", "\\x0", "\\x0g", "\\xzz", "\\X00", "\\000"});
}

TEST(codec_value_types, round_trip) {
  expect_round_trip(breakwater::uuid{"c0ffee00-1234-4abc-8def-0123456789ab"}, "c0ffee00-1234-4abc-8def-0123456789ab");
  expect_round_trip(breakwater::date{"2026-11-20"}, "2026-11-20");
  expect_round_trip(breakwater::date::infinity(), "infinity");
  expect_round_trip(breakwater::numeric{"-12345678901234567890.0100"}, "-12345678901234567890.0100");
  expect_round_trip(breakwater::timestamptz::infinity(), "infinity");
  const breakwater::timestamptz moment{"2026-11-20 10:00:00.000001+00"};
  EXPECT_EQ(decoded<breakwater::timestamptz>(encoded(moment)), moment);
  EXPECT_EQ(decoded<breakwater::timestamptz>("2026-11-20 11:00:00.000001+01"), moment);
  EXPECT_EQ(encoded(breakwater::json{R"({"a": [1, null]})"}), R"({"a": [1, null]})");
  EXPECT_EQ(decoded<breakwater::json>(R"({"a": 1})")->text(), R"({"a": 1})");
}

TEST(codec_value_types, refuse_garbage) {
  expect_refused<breakwater::uuid>({"", "c0ffee00", "z0ffee00-1234-4abc-8def-0123456789ab"});
  expect_refused<breakwater::date>({"", "2026-13-01", "yesterday", "2026-02-30"});
  expect_refused<breakwater::timestamptz>({"", "2026-11-20", "now", "2026-11-20 25:00:00+00"});
  expect_refused<breakwater::numeric>({"", "1,5", "one", "1.2.3"});
}

TEST(codec_reads, names_the_types_whose_text_it_understands) {
  const auto reads = [](const auto& list, std::uint32_t type) { return std::ranges::find(list, type) != list.end(); };
  EXPECT_TRUE(reads(codec<std::int64_t>::reads, oid::numeric)) << "sum(bigint) is numeric";
  EXPECT_TRUE(reads(codec<std::int64_t>::reads, oid::int4));
  EXPECT_FALSE(reads(codec<std::int32_t>::reads, oid::numeric));
  EXPECT_FALSE(reads(codec<std::int64_t>::reads, oid::text));
  EXPECT_TRUE(reads(codec<double>::reads, oid::float4));
  EXPECT_FALSE(reads(codec<double>::reads, oid::numeric)) << "it would lose digits";
  EXPECT_TRUE(codec<std::string>::reads.empty()) << "any type has a text";
}

TEST(bind, called_without_its_namespace_is_ours_for_every_kind_of_value) {
  // std::bind would take these just as well, and do nothing: it is found because std::string lives in std.
  parameters out;
  std::string text = "lvalue";
  bind(out, text);
  bind(out, std::string("rvalue"));
  std::optional<std::string> maybe = "optional";
  bind(out, maybe);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out.text(0), "lvalue");
  EXPECT_EQ(out.text(1), "rvalue");
  EXPECT_EQ(out.text(2), "optional");
}

TEST(bind_optional, is_null_without_a_value_and_keeps_its_type) {
  parameters out;
  bind(out, std::optional<std::int32_t>{});
  bind(out, std::optional<std::int32_t>{5});
  EXPECT_TRUE(out.is_null(0));
  EXPECT_EQ(out.type(0), oid::int4);
  EXPECT_FALSE(out.is_null(1));
  EXPECT_EQ(out.text(1), "5");
}

template <class Range>
std::string array_text(const Range& values) {
  parameters out;
  bind_array(out, values);
  EXPECT_EQ(out.size(), 1U);
  return std::string(out.text(0));
}

TEST(bind_array, quotes_every_element) {
  EXPECT_EQ(array_text(std::vector<std::int32_t>{}), "{}");
  EXPECT_EQ(array_text(std::vector<std::int32_t>{1}), R"({"1"})");
  EXPECT_EQ(array_text(std::vector<std::int32_t>{1, -2, 3}), R"({"1","-2","3"})");
  EXPECT_EQ(array_text(std::vector<std::string>{"", "a b", "NULL", "{x,y}"}), R"({"","a b","NULL","{x,y}"})");
}

TEST(bind_array, escapes_quotes_and_backslashes) {
  EXPECT_EQ(array_text(std::vector<std::string>{R"(say "hi")", R"(c:\dir)", R"(\")"}),
            R"({"say \"hi\"","c:\\dir","\\\""})");
}

TEST(bind_array, writes_a_missing_value_as_unquoted_NULL) {
  using optional_text = std::optional<std::string>;
  EXPECT_EQ(array_text(std::vector<optional_text>{std::nullopt, "NULL", std::nullopt}), R"({NULL,"NULL",NULL})");
}

TEST(bind_array, keeps_the_values_before_it) {
  parameters out;
  bind(out, std::int64_t{7});
  bind_array(out, std::vector<bool>{true, false});
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out.text(0), "7");
  EXPECT_EQ(out.text(1), R"({"t","f"})");
}

}  // namespace
