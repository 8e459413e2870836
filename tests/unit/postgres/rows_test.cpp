#include <breakwater/postgres/rows.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <cstring>
#include <string>

namespace {

using breakwater::rows;

/// Columns "id" (int8) and "Name" (text) with the rows (1, "ada"), (2, NULL), (3, "").
rows three_people() {
  PGresult* made = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
  std::string id = "id";
  std::string name = "Name";
  std::array<PGresAttDesc, 2> columns{};
  columns[0].name = id.data();
  columns[0].typid = 20;
  columns[1].name = name.data();
  columns[1].typid = 25;
  EXPECT_EQ(PQsetResultAttrs(made, 2, columns.data()), 1);
  const auto set = [made](int row, int column, const char* value) {
    EXPECT_EQ(PQsetvalue(made, row, column, const_cast<char*>(value),
                         value == nullptr ? -1 : static_cast<int>(std::strlen(value))),
              1);
  };
  set(0, 0, "1");
  set(0, 1, "ada");
  set(1, 0, "2");
  set(1, 1, nullptr);
  set(2, 0, "3");
  set(2, 1, "");
  std::strcpy(PQcmdStatus(made), "SELECT 3");
  return rows(made);
}

TEST(rows, without_a_result_are_empty) {
  const rows none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.columns(), 0U);
  EXPECT_EQ(none.affected(), 0U);
  EXPECT_EQ(none.command_tag(), "");
  EXPECT_EQ(none.find_column("id"), std::nullopt);
}

TEST(rows, tell_null_from_an_empty_text) {
  const rows people = three_people();
  EXPECT_EQ(people.at(0, 1).text, "ada");
  EXPECT_FALSE(people.at(0, 1).null);
  EXPECT_TRUE(people.at(1, 1).null);
  EXPECT_EQ(people.at(1, 1).text, "");
  EXPECT_FALSE(people.at(2, 1).null);
  EXPECT_EQ(people.at(2, 1).text, "");
}

TEST(rows, know_their_shape) {
  const rows people = three_people();
  EXPECT_EQ(people.size(), 3U);
  EXPECT_EQ(people.columns(), 2U);
  EXPECT_EQ(people.column_name(1), "Name");
  EXPECT_EQ(people.column_type(0), 20U);
  EXPECT_EQ(people.affected(), 3U);
  EXPECT_EQ(people.command_tag(), "SELECT 3");
}

TEST(rows, find_columns_by_their_exact_name) {
  const rows people = three_people();
  EXPECT_EQ(people.find_column("id"), 0U);
  EXPECT_EQ(people.find_column("Name"), 1U);
  EXPECT_EQ(people.find_column("name"), std::nullopt);
  EXPECT_EQ(people.find_column("ID"), std::nullopt);
}

TEST(rows, can_be_moved) {
  rows people = three_people();
  const rows moved = std::move(people);
  EXPECT_EQ(moved.size(), 3U);
}

}  // namespace
