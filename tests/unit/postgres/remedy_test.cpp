#include <breakwater/postgres/sqlstate.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

// What shall be done about each SQLSTATE, written down a second time: one test for each row of the table, so that no row
// changes by accident. What each remedy means is in decide_test.cpp.

namespace {

using breakwater::postgres::remedy;
using breakwater::postgres::remedy_of;
using breakwater::postgres::sqlstate_row;
using breakwater::postgres::sqlstates;

/// Those that something is done about; sorted.
constexpr std::array<std::pair<std::string_view, remedy>, 37> acted_upon{{
    {"08000", remedy::connection_lost},
    {"08001", remedy::reconnect_paced},
    {"08003", remedy::connection_lost},
    {"08004", remedy::reconnect_paced},
    {"08006", remedy::connection_lost},
    {"08007", remedy::resolve},
    {"08P01", remedy::close},
    {"0A000", remedy::prepare_again},
    {"25006", remedy::find_primary},
    {"25P02", remedy::root_cause},
    {"25P03", remedy::give_up},
    {"25P04", remedy::give_up},
    {"26000", remedy::prepare_again},
    {"40000", remedy::rerun},
    {"40001", remedy::rerun},
    {"40003", remedy::resolve},
    {"40P01", remedy::rerun},
    {"42703", remedy::primary_once},
    {"42883", remedy::primary_once},
    {"42P01", remedy::primary_once},
    {"42P05", remedy::prepare_again},
    {"53000", remedy::reconnect_once},
    {"53200", remedy::reconnect_once},
    {"53300", remedy::reconnect_paced},
    {"55000", remedy::find_primary_if_ours},
    {"55006", remedy::rerun_once},
    {"55P03", remedy::rerun_once},
    {"57014", remedy::rerun_once},
    {"57P01", remedy::connection_lost},
    {"57P02", remedy::connection_lost},
    {"57P03", remedy::reconnect_paced},
    {"57P05", remedy::reconnect},
    {"58000", remedy::reconnect_once},
    {"58030", remedy::reconnect_once},
    {"72000", remedy::rerun},
    {"XX000", remedy::close},
    {"XX001", remedy::close},
}};

remedy wanted_for(std::string_view code) {
  const auto at = std::ranges::find(acted_upon, code, &std::pair<std::string_view, remedy>::first);
  if (at != acted_upon.end()) return at->second;
  return code.starts_with("XX") ? remedy::close : remedy::none;
}

class remedy_of_row : public testing::TestWithParam<sqlstate_row> {};

TEST_P(remedy_of_row, is_the_one_that_is_known_to_be_safe) {
  const sqlstate_row& row = GetParam();
  EXPECT_EQ(row.remedy, wanted_for(row.code)) << row.code << " " << row.condition << ": " << to_string(row.remedy)
                                              << " instead of " << to_string(wanted_for(row.code));
  EXPECT_EQ(remedy_of(row.code), row.remedy);
}

std::string name_of(const testing::TestParamInfo<sqlstate_row>& row) {
  return std::string(row.param.code) + "_" + std::string(row.param.condition);
}

INSTANTIATE_TEST_SUITE_P(sqlstate, remedy_of_row, testing::ValuesIn(sqlstates().begin(), sqlstates().end()), name_of);

TEST(remedy, nothing_is_done_about_a_code_that_is_not_in_the_table) {
  for (const auto* code : {"40999", "08999", "57999", "ZZZZZ", "", "4000"}) EXPECT_EQ(remedy_of(code), remedy::none);
  EXPECT_EQ(remedy_of("XX999"), remedy::close);
}

TEST(remedy, every_code_that_something_is_done_about_stands_in_the_table) {
  for (const auto& [code, wanted] : acted_upon) {
    EXPECT_NE(std::ranges::find(sqlstates(), code, &sqlstate_row::code), sqlstates().end()) << code;
  }
}

TEST(remedy, has_a_name_of_its_own_each) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(remedy::primary_once); ++i) names.push_back(to_string(static_cast<remedy>(i)));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_EQ(std::ranges::find(names, "unknown"), names.end());
  EXPECT_EQ(to_string(static_cast<remedy>(99)), "unknown");
}

}  // namespace
