#include <breakwater/postgres/codec.hpp>
#include <breakwater/postgres/parameters.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using namespace std::string_view_literals;
using breakwater::parameters;
namespace oid = breakwater::oid;

/// The values end with a NUL byte, which libpq relies on.
void expect_value(const parameters& values, std::size_t i, std::string_view expected) {
  ASSERT_LT(i, values.size());
  EXPECT_FALSE(values.is_null(i));
  EXPECT_EQ(values.text(i), expected);
  EXPECT_EQ(values.text(i).data()[expected.size()], '\0');
}

TEST(parameters, start_empty) {
  const parameters none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(none.first_invalid(), std::nullopt);
}

TEST(parameters, keep_values_in_their_order_with_their_types) {
  parameters values;
  values.add_text("ada", oid::text);
  values.add_null(oid::int4);
  values.add_text("", oid::varchar);
  values.add_text("42");
  ASSERT_EQ(values.size(), 4U);
  expect_value(values, 0, "ada");
  EXPECT_TRUE(values.is_null(1));
  EXPECT_EQ(values.text(1), "");
  expect_value(values, 2, "");
  expect_value(values, 3, "42");
  EXPECT_EQ(values.type(0), oid::text);
  EXPECT_EQ(values.type(1), oid::int4);
  EXPECT_EQ(values.type(2), oid::varchar);
  EXPECT_EQ(values.type(3), oid::unknown);
}

TEST(parameters, move_to_the_heap_when_they_outgrow_the_inline_bytes_and_lose_nothing) {
  parameters values;
  std::vector<std::string> expected;
  for (std::size_t length : {0UL, 1UL, 100UL, 90UL, 1UL, 5000UL, 3UL, 1'000'000UL, 2UL}) {
    expected.emplace_back(length, static_cast<char>('a' + expected.size()));
    values.add_text(expected.back());
    for (std::size_t i = 0; i < expected.size(); ++i) expect_value(values, i, expected[i]);
  }
}

TEST(parameters, a_value_may_fill_the_inline_bytes_exactly) {
  for (const std::size_t length : {parameters::inline_bytes - 2, parameters::inline_bytes - 1, parameters::inline_bytes,
                                   parameters::inline_bytes + 1}) {
    parameters values;
    const std::string text(length, 'x');
    values.add_text(text);
    expect_value(values, 0, text);
    values.add_text("y");
    expect_value(values, 0, text);
    expect_value(values, 1, "y");
  }
}

TEST(parameters, take_more_values_than_there_are_inline_slots) {
  parameters values;
  constexpr std::size_t many = parameters::inline_slots * 3 + 1;
  for (std::size_t i = 0; i < many; ++i) {
    if (i % 5 == 4) {
      values.add_null(static_cast<std::uint32_t>(i));
    } else {
      values.add_text(std::to_string(i), static_cast<std::uint32_t>(i));
    }
  }
  ASSERT_EQ(values.size(), many);
  for (std::size_t i = 0; i < many; ++i) {
    EXPECT_EQ(values.type(i), i);
    if (i % 5 == 4) {
      EXPECT_TRUE(values.is_null(i));
    } else {
      expect_value(values, i, std::to_string(i));
    }
  }
}

TEST(parameters, remember_the_first_value_with_a_nul_byte) {
  parameters values;
  values.add_text("fine");
  values.add_text("cut\0here"sv);
  values.add_text("\0"sv);
  EXPECT_EQ(values.first_invalid(), 1U);
  values.clear();
  EXPECT_EQ(values.first_invalid(), std::nullopt);
}

TEST(parameters, an_array_with_a_nul_byte_in_an_element_is_invalid_too) {
  parameters values;
  breakwater::bind_array(values, std::vector<std::string>{"a", std::string("b\0c", 3)});
  EXPECT_EQ(values.first_invalid(), 0U);
}

TEST(parameters, appending_copies_values_nulls_types_and_marks) {
  parameters first;
  first.add_text("one", oid::text);
  parameters second;
  second.add_null(oid::uuid);
  second.add_text(std::string(500, 's'), oid::bytea);
  second.mark_sensitive();
  second.add_text("bad\0value"sv);
  first.append(second);
  ASSERT_EQ(first.size(), 4U);
  expect_value(first, 0, "one");
  EXPECT_TRUE(first.is_null(1));
  EXPECT_EQ(first.type(1), oid::uuid);
  expect_value(first, 2, std::string(500, 's'));
  EXPECT_EQ(first.type(2), oid::bytea);
  EXPECT_FALSE(first.is_sensitive(0));
  EXPECT_FALSE(first.is_sensitive(1));
  EXPECT_TRUE(first.is_sensitive(2));
  EXPECT_FALSE(first.is_sensitive(3));
  EXPECT_EQ(first.first_invalid(), 3U) << "counted from the first of all";
}

TEST(parameters, appending_keeps_an_earlier_invalid_value_the_first) {
  parameters first;
  first.add_text("\0"sv);
  parameters second;
  second.add_text("\0"sv);
  first.append(second);
  EXPECT_EQ(first.first_invalid(), 0U);
}

TEST(parameters, sensitive_is_the_value_added_last_also_beyond_the_inline_slots) {
  parameters values;
  for (std::size_t i = 0; i < parameters::inline_slots + 2; ++i) values.add_text("v");
  values.mark_sensitive();
  for (std::size_t i = 0; i + 1 < values.size(); ++i) EXPECT_FALSE(values.is_sensitive(i));
  EXPECT_TRUE(values.is_sensitive(values.size() - 1));
}

TEST(parameters, can_be_cleared_and_used_again) {
  parameters values;
  for (int i = 0; i < 40; ++i) values.add_text(std::string(50, 'x'));
  values.mark_sensitive();
  values.clear();
  EXPECT_TRUE(values.empty());
  values.add_text("new");
  values.add_null();
  ASSERT_EQ(values.size(), 2U);
  expect_value(values, 0, "new");
  EXPECT_FALSE(values.is_sensitive(0));
}

TEST(parameters, copies_are_independent) {
  parameters values;
  values.add_text("inline");
  parameters copy = values;
  copy.add_text(std::string(300, 'h'));
  values.add_text("other");
  expect_value(copy, 0, "inline");
  expect_value(copy, 1, std::string(300, 'h'));
  expect_value(values, 1, "other");
}

TEST(parameters, a_reserved_value_may_turn_out_shorter) {
  parameters values;
  char* at = values.reserve(20);
  at[0] = '7';
  values.commit(1, oid::int8);
  values.add_text("next");
  expect_value(values, 0, "7");
  expect_value(values, 1, "next");
}

}  // namespace
