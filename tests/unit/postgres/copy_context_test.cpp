#include "postgres/copy_context.hpp"

#include <gtest/gtest.h>

#include <array>

namespace breakwater::postgres {
namespace {

constexpr std::array<std::string_view, 4> columns{"id", "balance", "balance of", "a: b"};

copy_place place(std::string_view context) { return read_copy_context(context, "accounts", columns); }

TEST(copy_context, tells_the_row_and_the_column) {
  const auto found = place("COPY accounts, line 3, column balance: \"1O.00\"");
  EXPECT_EQ(found.row, 3U);
  EXPECT_EQ(found.column, "balance");
}

TEST(copy_context, tells_the_row_where_no_column_is_named) {
  EXPECT_EQ(place("COPY accounts, line 12").row, 12U);
  EXPECT_EQ(place("COPY accounts, line 12: \"1\\tada\"").row, 12U);
  EXPECT_TRUE(place("COPY accounts, line 12: \"x, column id: \"").column.empty());
}

TEST(copy_context, knows_null_input_and_the_longest_name) {
  EXPECT_EQ(place("COPY accounts, line 1, column id: null input").column, "id");
  EXPECT_EQ(place("COPY accounts, line 1, column balance of: \"x\"").column, "balance of");
  EXPECT_EQ(place("COPY accounts, line 1, column a: b: \"x\"").column, "a: b");
}

TEST(copy_context, names_no_column_that_it_does_not_know) {
  const auto found = place("COPY accounts, line 1, column other: \"id: x\"");
  EXPECT_EQ(found.row, 1U);
  EXPECT_TRUE(found.column.empty());
}

TEST(copy_context, understands_other_languages) {
  const auto found = place("COPY accounts, Zeile 7, Spalte balance: \"x\"");
  EXPECT_EQ(found.row, 7U);
  EXPECT_EQ(found.column, "balance");
}

TEST(copy_context, looks_past_the_lines_of_functions) {
  const auto found = place("PL/pgSQL function check() line 3 at RAISE\nCOPY accounts, line 9, column id: \"1\"");
  EXPECT_EQ(found.row, 9U);
  EXPECT_EQ(found.column, "id");
}

TEST(copy_context, takes_nothing_from_anything_else) {
  for (const std::string_view text :
       {"", "\n", "COPY", "COPY accounts", "COPY accounts, ", "COPY accounts, line ", "COPY accounts, line x",
        "COPY others, line 3", "SQL statement \"COPY accounts\"", "COPY accounts, line 99999999999999999999999"}) {
    EXPECT_FALSE(place(text).row) << text;
    EXPECT_TRUE(place(text).column.empty()) << text;
  }
}

}  // namespace
}  // namespace breakwater::postgres
