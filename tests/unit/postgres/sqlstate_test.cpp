#include <breakwater/postgres/sqlstate.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using breakwater::errc;
using breakwater::postgres::sqlstate;
using breakwater::postgres::sqlstate_row;
using breakwater::postgres::sqlstates;

TEST(sqlstate, known_code_gives_its_own_row) {
  const sqlstate_row& row = sqlstate("23505");
  EXPECT_EQ(row.code, "23505");
  EXPECT_EQ(row.condition, "unique_violation");
  EXPECT_EQ(row.meaning, errc::unique_violation);
}

TEST(sqlstate, codes_that_the_library_acts_on_mean_what_it_acts_on) {
  const auto meaning = [](std::string_view code) { return sqlstate(code).meaning; };
  EXPECT_EQ(meaning("23503"), errc::foreign_key_violation);
  EXPECT_EQ(meaning("23514"), errc::check_violation);
  EXPECT_EQ(meaning("23502"), errc::not_null_violation);
  EXPECT_EQ(meaning("23P01"), errc::exclusion_violation);
  EXPECT_EQ(meaning("40001"), errc::serialization_failure);
  EXPECT_EQ(meaning("72000"), errc::serialization_failure);
  EXPECT_EQ(meaning("40P01"), errc::deadlock);
  EXPECT_EQ(meaning("55P03"), errc::lock_not_available);
  EXPECT_EQ(meaning("57014"), errc::cancelled);
  EXPECT_EQ(meaning("25P02"), errc::rolled_back);
  EXPECT_EQ(meaning("25P03"), errc::deadline_exceeded);
  EXPECT_EQ(meaning("25006"), errc::read_only);
  EXPECT_EQ(meaning("57P01"), errc::connection_failed);
  EXPECT_EQ(meaning("57P03"), errc::connection_failed);
  EXPECT_EQ(meaning("08006"), errc::connection_failed);
  EXPECT_EQ(meaning("08007"), errc::commit_unknown);
  EXPECT_EQ(meaning("40003"), errc::commit_unknown);
  EXPECT_EQ(meaning("53300"), errc::resource_exhausted);
  EXPECT_EQ(meaning("28P01"), errc::authentication_failed);
  EXPECT_EQ(meaning("42501"), errc::insufficient_privilege);
  EXPECT_EQ(meaning("42P01"), errc::invalid_statement);
  EXPECT_EQ(meaning("22P02"), errc::data_error);
  EXPECT_EQ(meaning("08P01"), errc::protocol_error);
  EXPECT_EQ(meaning("XX000"), errc::internal);
}

TEST(sqlstate, unknown_code_falls_back_to_its_class) {
  EXPECT_EQ(sqlstate("23ZZZ").code, "23000");
  EXPECT_EQ(sqlstate("42999").code, "42000");
  EXPECT_EQ(sqlstate("53ABC").meaning, errc::resource_exhausted);
}

TEST(sqlstate, code_of_an_unknown_class_or_shape_is_an_internal_error) {
  for (const auto* code : {"ZZ123", "", "2", "235055", "ZZZZZ"}) EXPECT_EQ(sqlstate(code).code, "XX000") << code;
}

TEST(sqlstate, lookup_distinguishes_upper_and_lower_case_as_the_standard_does) {
  EXPECT_EQ(sqlstate("40p01").code, "40000");
}

TEST(sqlstate, every_row_is_found_under_its_own_code) {
  for (const sqlstate_row& row : sqlstates()) {
    EXPECT_EQ(&sqlstate(row.code), &row) << row.code;
    EXPECT_EQ(row.code.size(), 5U);
    EXPECT_FALSE(row.condition.empty());
  }
}

TEST(sqlstate, table_is_sorted_and_knows_the_general_row_of_each_of_its_classes) {
  const auto rows = sqlstates();
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &sqlstate_row::code));
  for (const sqlstate_row& row : rows) {
    const std::string general = std::string(row.code.substr(0, 2)) + "000";
    EXPECT_EQ(sqlstate(general).code, general) << row.code;
  }
}

TEST(sqlstate, server_texts_that_quote_values_are_never_public) {
  for (const sqlstate_row& row : sqlstates()) {
    const bool written_by_users = row.code == "P0001";
    const bool quotes_values = row.code.starts_with("22");
    if (written_by_users || quotes_values) {
      EXPECT_FALSE(row.text_is_public) << row.code;
    }
  }
}

}  // namespace
