// Enums, composites and ranges as their codecs read and write them, and what they refuse.

#include <breakwater/postgres/codec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class colour : std::int8_t { red = 3, green = -1, blue = 7 };
enum class plain { one, two };

struct point {
  std::int32_t x{};
  std::optional<std::int32_t> y{};
  friend bool operator==(const point&, const point&) = default;
};
struct address {
  std::string street{};
  std::optional<std::string> zip{};
  std::vector<std::string> tags{};
  colour door = colour::red;
  std::optional<point> place{};
  std::vector<point> corners{};
  friend bool operator==(const address&, const address&) = default;
};
struct lonely {
  std::optional<std::string> only{};
  friend bool operator==(const lonely&, const lonely&) = default;
};

}  // namespace

template <>
inline constexpr auto breakwater::enum_labels<colour> = bw::enum_type("paint.colour", bw::label(colour::red, "red"),
                                                                      bw::label(colour::green, "it's \"green\""),
                                                                      bw::label(colour::blue, "blue"));
template <>
inline constexpr auto breakwater::composite<point> = bw::composite_type("point2", &point::x, &point::y);
template <>
inline constexpr auto breakwater::composite<address> = bw::composite_type("address", &address::street, &address::zip,
                                                                          &address::tags, &address::door,
                                                                          &address::place, &address::corners);
template <>
inline constexpr auto breakwater::composite<lonely> = bw::composite_type("lonely", &lonely::only);

namespace {

using breakwater::bind;
using breakwater::codec;
using breakwater::parameters;

template <class T>
std::string encoded(const T& value) {
  parameters out;
  bind(out, value);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(out.first_invalid(), std::nullopt);
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

/// Why the value is not sent.
template <class T>
std::string refusal(const T& value) {
  parameters out;
  bind(out, value);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(out.first_invalid(), 0U);
  return out.refusal() == nullptr ? "" : out.refusal();
}

TEST(enum_codec, knows_every_label) {
  expect_round_trip(colour::red, "red");
  expect_round_trip(colour::green, "it's \"green\"");
  expect_round_trip(colour::blue, "blue");
  EXPECT_EQ(codec<colour>::sql_type, "paint.colour");
  EXPECT_EQ(codec<colour>::type, bw::oid::unknown);
}

TEST(enum_codec, refuses_a_label_it_does_not_know) {
  for (const std::string_view text : {"", "Red", "redd", "re", "violet", " red"}) EXPECT_FALSE(decoded<colour>(text));
}

TEST(enum_codec, does_not_send_a_value_without_a_label) {
  EXPECT_NE(refusal(static_cast<colour>(0)).find("without a label"), std::string::npos);
  EXPECT_NE(refusal(std::vector{colour::red, static_cast<colour>(99)}).find("without a label"), std::string::npos);
  address broken;
  broken.door = static_cast<colour>(99);
  EXPECT_NE(refusal(broken).find("without a label"), std::string::npos);
  EXPECT_NE(refusal(std::vector{broken}).find("without a label"), std::string::npos);
}

TEST(enum_codec, is_that_of_mapped_enums_only) {
  static_assert(bw::has_codec<colour> && !bw::has_codec<plain> && !bw::has_codec<std::byte>);
}

TEST(enum_codec, stands_in_optionals_and_arrays) {
  expect_round_trip(std::vector{colour::red, colour::green}, R"({red,"it's \"green\""})");
  expect_round_trip(std::vector<std::optional<colour>>{std::nullopt, colour::blue}, "{NULL,blue}");
  EXPECT_EQ(codec<std::vector<colour>>::sql_type, "paint.colour[]");
  EXPECT_TRUE(bw::has_named_type<std::vector<colour>>);
  EXPECT_FALSE(bw::has_named_type<std::vector<std::string>>);
}

TEST(composite_codec, writes_as_record_out_of_the_server) {
  expect_round_trip(point{.x = 1, .y = 2}, "(1,2)");
  expect_round_trip(point{.x = 1}, "(1,)");
  expect_round_trip(lonely{}, "()");
  expect_round_trip(lonely{.only = ""}, R"x((""))x");
  expect_round_trip(lonely{.only = "NULL"}, "(NULL)");
  expect_round_trip(lonely{.only = R"(say "hi", c:\dir [now])"}, R"x(("say ""hi"", c:\\dir [now]"))x");
  expect_round_trip(lonely{.only = "a)b"}, R"x(("a)b"))x");
}

TEST(composite_codec, nests) {
  expect_round_trip(address{.street = "High St 1",
                            .zip = std::nullopt,
                            .tags = {"a b", "", "x\"y"},
                            .door = colour::green,
                            .place = point{.x = -1, .y = std::nullopt},
                            .corners = {point{.x = 1, .y = 2}, point{.x = 3}}},
                    R"x(("High St 1",,"{""a b"","""",""x\\""y""}","it's ""green""","(-1,)","{""(1,2)"",""(3,)""}"))x");
  expect_round_trip(std::vector<point>{{.x = 1, .y = 2}}, R"x({"(1,2)"})x");
  EXPECT_EQ(codec<std::vector<point>>::sql_type, "point2[]");
}

TEST(composite_codec, reads_backslashes_and_bare_quotes_as_record_in_does) {
  EXPECT_EQ(decoded<lonely>(R"x((a\,b))x")->only, "a,b");
  EXPECT_EQ(decoded<lonely>(R"x((a" b"c))x")->only, "a bc");
  EXPECT_EQ(decoded<lonely>(R"x(("\""))x")->only, "\"");
}

TEST(composite_codec, refuses_what_is_no_such_composite) {
  for (const std::string_view text : {"", "(", ")", "()", "(1", "(1,2", "(1,2,3)", "(1)", "1,2", "(1,2)x", "(,2)",
                                      "(x,2)", "(1,\"2)", "(1,2\\", "((1,2))", " (1,2)", "(1,2) "}) {
    EXPECT_FALSE(decoded<point>(text)) << text;
  }
}

TEST(range_codec, has_the_types_of_the_server) {
  EXPECT_EQ((codec<bw::range<std::int32_t>>::sql_type), "int4range");
  EXPECT_EQ((codec<bw::range<bw::timestamptz>>::sql_type), "tstzrange");
  EXPECT_EQ((codec<bw::multirange<bw::date>>::sql_type), "datemultirange");
  EXPECT_EQ((codec<std::vector<bw::range<bw::numeric>>>::sql_type), "numrange[]");
  expect_round_trip(bw::range<std::int64_t>(1, 5), "[1,5)");
  expect_round_trip(std::vector{bw::range<std::int32_t>(1, 5), bw::range<std::int32_t>()}, R"x({"[1,5)",empty})x");
  expect_round_trip(bw::multirange<std::int32_t>{bw::range<std::int32_t>(1, 5)}, "{[1,5)}");
}

TEST(range_codec, does_not_send_bounds_the_wrong_way_round) {
  EXPECT_NE(refusal(bw::range<std::int32_t>(5, 1)).find("above its upper one"), std::string::npos);
  EXPECT_NE(refusal(bw::multirange<std::int32_t>{bw::range<std::int32_t>(5, 1)}).find("above"), std::string::npos);
}

TEST(value_codecs, of_the_other_types_round_trip) {
  expect_round_trip(bw::timestamp{"2026-11-20 10:00:00.5"}, "2026-11-20 10:00:00.5");
  expect_round_trip(bw::time_of_day::max(), "24:00:00");
  expect_round_trip(bw::interval{"1 mon -2 days"}, "1 mon -2 days");
  expect_round_trip(bw::inet{"2001:db8::/32"}, "2001:db8::/32");
  expect_round_trip(std::vector{bw::interval{"1 day 01:00:00"}}, R"({"1 day 01:00:00"})");
  EXPECT_EQ(std::ranges::count(codec<bw::inet>::reads, bw::oid::cidr), 1);
}

TEST(chrono_codecs, are_those_of_date_and_timestamptz) {
  using namespace std::chrono_literals;
  const std::chrono::sys_days day{2026y / 11 / 20};
  expect_round_trip(day, "2026-11-20");
  EXPECT_FALSE(decoded<std::chrono::sys_days>("infinity"));
  EXPECT_FALSE(decoded<std::chrono::sys_days>("x"));
  const std::chrono::sys_time<std::chrono::microseconds> moment = day + 10h + 1us;
  expect_round_trip(moment, "2026-11-20 10:00:00.000001+00");
  EXPECT_FALSE(decoded<std::chrono::sys_time<std::chrono::microseconds>>("-infinity"));
  EXPECT_FALSE(decoded<std::chrono::sys_time<std::chrono::microseconds>>("294276-12-31 23:59:59+00"));
}

}  // namespace
