#include "postgres/server_error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using breakwater::errc;
using breakwater::error;
using breakwater::parameters;
using breakwater::postgres::withhold_values;

/// What is shown of an error whose text quotes "acme secret", when this value was bound.
bool shows(std::string_view bound) {
  parameters values;
  values.add_text(bound);
  error cause(errc::invalid_statement, "relation \"acme secret\" does not exist");
  withhold_values(cause, values);
  return cause.message().find("acme secret") != std::string::npos;
}

TEST(withheld_values, a_text_that_quotes_a_bound_value_is_not_shown) { EXPECT_FALSE(shows("acme secret")); }

TEST(withheld_values, nor_one_that_quotes_a_part_of_a_structure_however_deep) {
  EXPECT_FALSE(shows(R"-({"acme secret","b"})-"));
  EXPECT_FALSE(shows(R"-(("acme secret",7))-"));
  EXPECT_FALSE(shows(R"-({"(\"acme secret\",7)"})-"));
  EXPECT_FALSE(shows(R"-(["acme secret",z))-"));
}

TEST(withheld_values, other_texts_stay) {
  EXPECT_TRUE(shows("something else"));
  EXPECT_TRUE(shows(R"({"something","else"})"));
  EXPECT_TRUE(shows("")) << "nothing is quoted by every text";
  EXPECT_TRUE(shows("sec")) << "too short to tell anything";
}

}  // namespace
