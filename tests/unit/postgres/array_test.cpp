#include <breakwater/postgres/codec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using breakwater::bind;
using breakwater::codec;
using breakwater::has_codec;
using breakwater::parameters;
namespace oid = breakwater::oid;

using texts = std::vector<std::string>;
using numbers = std::vector<std::int32_t>;

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

template <class T>
void expect_refused(std::initializer_list<std::string_view> given) {
  for (const auto text : given) EXPECT_FALSE(decoded<T>(text)) << text;
}

TEST(array, of_numbers_round_trips) {
  expect_round_trip(numbers{}, "{}");
  expect_round_trip(numbers{1}, "{1}");
  expect_round_trip(numbers{1, -2, 2147483647}, "{1,-2,2147483647}");
  expect_round_trip(std::vector<double>{0.5, -1e300}, "{0.5,-1e+300}");
  expect_round_trip(std::vector<bool>{true, false}, "{t,f}");
}

TEST(array, quotes_what_array_out_of_the_server_quotes) {
  expect_round_trip(texts{"plain", "", "NULL", "null", "a b", "a,b", "{x}", "say \"hi\"", "c:\\dir", "tab\t", "nul"},
                    R"({plain,"","NULL","null","a b","a,b","{x}","say \"hi\"","c:\\dir","tab)"
                    "\t"
                    R"(",nul})");
  expect_round_trip(texts{"grün", "it's", "()[]"}, "{grün,it's,()[]}");
}

TEST(array, null_elements_are_empty_optionals) {
  using optional_texts = std::vector<std::optional<std::string>>;
  expect_round_trip(optional_texts{std::nullopt, "NULL", "", std::nullopt}, R"({NULL,"NULL","",NULL})");
  expect_round_trip(std::vector<std::optional<std::int32_t>>{1, std::nullopt}, "{1,NULL}");
  EXPECT_EQ(decoded<optional_texts>("{null,Null}"), (optional_texts{std::nullopt, std::nullopt}));
}

TEST(array, null_in_an_element_that_is_no_optional_is_refused) {
  expect_refused<numbers>({"{NULL}", "{1,NULL,2}", "{null}"});
  expect_refused<texts>({"{NULL}"});
  EXPECT_EQ(decoded<texts>("{\"NULL\"}"), texts{"NULL"}) << "quoted it is a text";
}

TEST(array, of_arrays_has_more_dimensions) {
  using matrix = std::vector<numbers>;
  expect_round_trip(matrix{}, "{}");
  expect_round_trip(matrix{{1, 2, 3}, {4, 5, 6}}, "{{1,2,3},{4,5,6}}");
  expect_round_trip(std::vector<matrix>{{{1}, {2}}, {{3}, {4}}}, "{{{1},{2}},{{3},{4}}}");
  expect_round_trip(std::vector<std::vector<std::optional<std::string>>>{{"a b"}, {std::nullopt}},
                    R"({{"a b"},{NULL}})");
  expect_refused<matrix>({"{1,2}", "{{1},{2,3}}", "{{1},2}", "{{},{}}", "{{{1}}}", "{NULL}", "{{1},{NULL}}"});
  expect_refused<numbers>({"{{1,2}}"});
}

TEST(array, that_is_not_rectangular_is_not_sent) {
  const auto refused = [](const auto& value) {
    parameters out;
    bind(out, value);
    return out.size() == 1 && out.first_invalid() == 0U && out.refusal() != nullptr;
  };
  using matrix = std::vector<numbers>;
  EXPECT_TRUE(refused(matrix{{1}, {2, 3}}));
  EXPECT_TRUE(refused(matrix{{}, {}})) << "PostgreSQL would store an empty array";
  EXPECT_TRUE(refused(matrix{{}, {1}}));
  EXPECT_TRUE(refused(std::vector<matrix>{{{1}, {2}}, {{3, 4}, {5, 6}}}));
  EXPECT_TRUE(refused(std::vector<matrix>{{{1}}, {{2}, {3}}}));
  EXPECT_FALSE(refused(matrix{{1}, {2}}));
}

TEST(array, lower_bounds_are_read_and_forgotten) {
  EXPECT_EQ(decoded<numbers>("[2:4]={7,8,9}"), (numbers{7, 8, 9}));
  EXPECT_EQ(decoded<numbers>("[-1:0]={7,8}"), (numbers{7, 8}));
  EXPECT_EQ(decoded<std::vector<numbers>>("[0:1][5:6]={{1,2},{3,4}}"), (std::vector<numbers>{{1, 2}, {3, 4}}));
  EXPECT_EQ(decoded<texts>("[2:2]={\"[2:2]={x}\"}"), texts{"[2:2]={x}"});
  expect_refused<numbers>({"[2:4]", "[2:4]={", "[2:]={1}", "[:4]={1}", "[2:4={1}", "[2:4]{1}", "={1}", "[]={1}"});
}

TEST(array, spaces_around_elements_are_not_part_of_them) {
  EXPECT_EQ(decoded<numbers>(" { 1 ,\t2 } "), (numbers{1, 2}));
  EXPECT_EQ(decoded<texts>("{ a b , \" c \" }"), (texts{"a b", " c "}));
}

TEST(array, refuses_what_is_no_array) {
  expect_refused<numbers>({"",     "1",      "{",   "}",     "{1",    "1}",       "{1,}",     "{,1}", "{1,,2}", "{}x",
                           "{1}}", "{1}{2}", "{x}", "{1 2}", "{\"1}", "{1\"2\"}", "{\"1\"2}", "{,}",  "[",      "["});
  expect_refused<texts>({"{\"", "{\"\\", "{\"\\\"", "{\"a\\\"}", "{a\\b}", "{a\"b\"}", "{\"a\"b}", "{{a}}"});
}

TEST(array, decoding_replaces_what_was_there) {
  numbers value{1, 2, 3};
  ASSERT_TRUE((codec<numbers>::decode("{4}", value)));
  EXPECT_EQ(value, numbers{4});
}

TEST(array, of_bytes_is_bytea_and_of_these_bytea_array) {
  using bytes = std::vector<std::byte>;
  EXPECT_EQ(encoded(bytes{std::byte{0}, std::byte{255}}), "\\x00ff");
  expect_round_trip(std::vector<bytes>{{}, {std::byte{0}, std::byte{'"'}}}, R"({"\\x","\\x0022"})");
  EXPECT_EQ(codec<std::vector<bytes>>::sql_type, "bytea[]");
  EXPECT_EQ(codec<std::vector<bytes>>::dimensions, 1U);
}

TEST(array, has_the_types_of_its_elements) {
  EXPECT_EQ(codec<numbers>::sql_type, "integer[]");
  EXPECT_EQ(codec<std::vector<numbers>>::sql_type, "integer[]") << "the server does not tell dimensions apart";
  EXPECT_EQ(codec<std::vector<std::optional<bw::numeric>>>::sql_type, "numeric[]");
  EXPECT_EQ(codec<numbers>::type, 1007U);
  EXPECT_EQ(codec<std::vector<bw::timestamp>>::type, 1115U);
  EXPECT_EQ(codec<texts>::type, oid::unknown) << "so that it fits arrays of enums and varchar";
  EXPECT_TRUE(codec<texts>::reads.empty());
  EXPECT_EQ(std::ranges::count(codec<numbers>::reads, 1005U), 1) << "smallint[]";
  EXPECT_EQ(std::ranges::count(codec<numbers>::reads, 1231U), 0) << "numeric[]";
}

TEST(array, of_what_has_no_codec_has_none) {
  struct other {};
  static_assert(!has_codec<std::vector<other>>);
  static_assert(!has_codec<std::vector<std::optional<numbers>>>, "no NULL in place of an inner array");
  static_assert(has_codec<std::vector<std::optional<std::vector<std::byte>>>>, "but of a bytea");
  static_assert(has_codec<std::vector<std::vector<std::optional<std::int32_t>>>>);
}

TEST(array, with_a_nul_byte_in_an_element_is_not_sent) {
  parameters out;
  bind(out, texts{"a", std::string("b\0c", 3)});
  EXPECT_EQ(out.first_invalid(), 0U);
  EXPECT_EQ(out.refusal(), nullptr);
}

}  // namespace
