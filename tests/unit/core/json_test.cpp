#include <breakwater/core/json.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace breakwater {
namespace {

using detail::json_fault;

json_fault fault_of(std::string_view text) { return detail::validate_json(text).fault; }

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(json, is_null_by_default_and_after_a_move) {
  json value;
  EXPECT_EQ(value.text(), "null");
  EXPECT_TRUE(value.is_null());
  EXPECT_EQ(value, json{"null"});
  value = json{R"({"a": "long enough to be on the heap, so that a move empties it"})"};
  const json taken = std::move(value);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is promised
  EXPECT_EQ(value.text(), "null");
  EXPECT_FALSE(taken.is_null());
}

TEST(json, literal_is_checked_by_the_compiler) {
  const json value{R"({"name": "Zoë", "tags": [1, 2.5e3, true, null]})"};
  EXPECT_EQ(value.text(), R"({"name": "Zoë", "tags": [1, 2.5e3, true, null]})");
  const std::vector<json> several{json{"1"}, json{"[]"}};
  EXPECT_EQ(several.back().text(), "[]");
}

TEST(json, keeps_the_text_as_it_is) {
  const std::string text = " { \"b\" : 1.0 , \"a\" : [ ] }\n";
  EXPECT_EQ(json::parse(text).value().text(), text);
  EXPECT_EQ(json::parse(std::string(text)).value().to_string(), text);
  EXPECT_EQ(json::parse("[1]").value().to_string(), "[1]");
}

TEST(json, accepts_what_rfc_8259_allows) {
  for (const std::string_view text : {"null",
                                      "true",
                                      "false",
                                      "0",
                                      "-0",
                                      "-1.5E+10",
                                      "1e5",
                                      "0.1e-7",
                                      "\"\"",
                                      "[]",
                                      "{}",
                                      "[[],{}]",
                                      "\t[1 ,\n2\r]",
                                      R"("\"\\\/\b\f\n\r\t\u00e9")",
                                      R"({"":{"a":[]},"b":[{}]})",
                                      "\"\x7f\"",
                                      R"("\u0000")",
                                      R"("\uD800")",
                                      "\"\xc2\x80\"",
                                      "\"\xe0\xa0\x80\"",
                                      "\"\xed\x9f\xbf\"",
                                      "\"\xf0\x90\x80\x80\"",
                                      "\"\xf4\x8f\xbf\xbf\"",
                                      R"({"a":1,"a":2})"}) {
    EXPECT_EQ(fault_of(text), json_fault::none) << text;
  }
}

TEST(json, names_what_is_wrong) {
  const std::pair<std::string_view, json_fault> cases[] = {
      {"", json_fault::no_value},
      {" ", json_fault::no_value},
      {"nul", json_fault::no_value},
      {"NULL", json_fault::no_value},
      {"'a'", json_fault::no_value},
      {"NaN", json_fault::no_value},
      {"[,1]", json_fault::no_value},
      {"[1,]", json_fault::no_value},
      {"[", json_fault::no_value},
      {R"({"a":})", json_fault::no_value},
      {R"({"a":1,})", json_fault::no_name},
      {"{a:1}", json_fault::no_name},
      {"{1:1}", json_fault::no_name},
      {"{", json_fault::no_name},
      {R"({"a" 1})", json_fault::no_colon},
      {R"({"a")", json_fault::no_colon},
      {"[1 2]", json_fault::no_comma_or_end},
      {"[1}", json_fault::no_comma_or_end},
      {R"({"a":1])", json_fault::no_comma_or_end},
      {"[[]", json_fault::no_comma_or_end},
      {"\"", json_fault::bad_string},
      {"\"a\nb\"", json_fault::bad_string},
      {R"("\x")", json_fault::bad_string},
      {R"("\u12g4")", json_fault::bad_string},
      {R"("\u12)", json_fault::bad_string},
      {"\"\\", json_fault::bad_string},
      {"01", json_fault::bad_number},
      {"-", json_fault::bad_number},
      {"1.", json_fault::bad_number},
      {"1.e5", json_fault::bad_number},
      {"1e", json_fault::bad_number},
      {"1e+", json_fault::bad_number},
      {".5", json_fault::no_value},
      {"+1", json_fault::no_value},
      {"1 2", json_fault::trailing},
      {"{}}", json_fault::trailing},
      {"nullx", json_fault::trailing},
      {"\xef\xbb\xbf{}", json_fault::no_value},
  };
  for (const auto& [text, fault] : cases) EXPECT_EQ(fault_of(text), fault) << text;
  EXPECT_EQ(fault_of(std::string_view("1\0", 2)), json_fault::trailing);
  EXPECT_EQ(fault_of(std::string_view("\"\0\"", 3)), json_fault::bad_string);
}

TEST(json, refuses_malformed_utf_8) {
  for (const std::string_view text :
       {"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "\"\xe2", "\"\xf0\x9f\x98\"", "\"\xff\""}) {
    EXPECT_EQ(fault_of(text), json_fault::bad_utf8) << text;
  }
}

TEST(json, depth_is_limited) {
  EXPECT_EQ(fault_of(nested(json::max_depth)), json_fault::none);
  EXPECT_EQ(fault_of(nested(json::max_depth + 1)), json_fault::too_deep);
  EXPECT_EQ(fault_of(std::string(1'000'000, '[')), json_fault::too_deep);
}

TEST(json, error_tells_the_place_and_not_the_value) {
  const auto parsed = json::parse(R"({"password": secret})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), errc::data_error);
  EXPECT_NE(parsed.error().message().find("at byte 13"), std::string::npos);
  EXPECT_EQ(parsed.error().message().find("secret"), std::string::npos);
}

TEST(json, failed_parse_into_leaves_the_value_alone) {
  json value{"[1]"};
  EXPECT_FALSE(json::parse_into("[1", value));
  EXPECT_EQ(value.text(), "[1]");
  EXPECT_TRUE(json::parse_into("[2]", value));
  EXPECT_EQ(value.text(), "[2]");
}

TEST(json, text_from_the_server_is_not_checked) { EXPECT_EQ(json::from_server(nested(1000)).text(), nested(1000)); }

TEST(json, is_equal_by_text) {
  EXPECT_EQ(json{"[1]"}, json::parse("[1]").value());
  EXPECT_NE(json{"[1]"}, json{"[ 1]"});
  EXPECT_EQ(std::hash<json>{}(json()), std::hash<json>{}(json{"null"}));
}

TEST(json, writes_its_text_without_an_allocation) {
  const json value{"[1, 2]"};
  char text[6];
  EXPECT_EQ(value.write_to(text), text + 6);
  EXPECT_EQ(std::string_view(text, 6), "[1, 2]");
  EXPECT_EQ(json{"[1, 2]"}.to_string(), "[1, 2]");
}

/// Any JSON value, as text.
std::string any_json(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 7 : 5)) {
    case 0: return "null";
    case 1: return random() % 2 == 0 ? "true" : "false";
    case 2: return std::to_string(static_cast<std::int64_t>(random()));
    case 3: return std::to_string(static_cast<double>(random()) / 1e6) + "e-3";
    case 4: return R"("text \u00e9 \n é")";
    default: break;
  }
  const bool object = random() % 2 == 0;
  std::string text(1, object ? '{' : '[');
  for (auto left = random() % 4; left > 0; --left) {
    if (object) text += "\"k\" : ";
    text += any_json(random, depth - 1) + (left > 1 ? ", " : "");
  }
  return text + (object ? '}' : ']');
}

TEST(json, accepts_generated_values_and_reads_their_mutations_safely) {
  std::mt19937_64 random(8);
  const std::string_view likely = "{}[]\",:\\u0e1.-ntf ";
  for (int i = 0; i < 20'000; ++i) {
    auto text = any_json(random, 4);
    ASSERT_EQ(fault_of(text), json_fault::none) << text;
    for (int edit = 0; edit < 3; ++edit) {
      text[random() % text.size()] = random() % 4 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
      const auto verdict = detail::validate_json(text);
      EXPECT_LE(verdict.at, text.size());
    }
  }
}

}  // namespace
}  // namespace breakwater
