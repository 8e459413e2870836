// What queries look like as SQL: the clauses, their order, and what is shown of values.

#include "entities.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using bw::asc;
using bw::col;
using bw::desc;
using tests::account;
using tests::line;
using tests::tag;

bw::query<account> all_accounts() { return bw::from<account>(); }

/// The text behind the first occurrence of `word`.
std::string behind(const std::string& sql, const std::string& word) {
  const auto at = sql.find(word);
  return at == std::string::npos ? "no \"" + word + "\" in " + sql : sql.substr(at + word.size());
}

constexpr auto joined = [] { return col<&line::order_id> == col<&account::id>; };

TEST(query_sql, a_left_joins_trash_is_in_its_own_condition_and_the_roots_behind_where) {
  EXPECT_EQ(behind(bw::from<line>().left_join<account>(joined()).to_sql(), " from "),
            "\"shop\".\"order\" left join \"accounts\" on (\"order\".\"user.name\" = \"accounts\".\"id\") and "
            "(\"accounts\".\"deleted_at\" is null)");
  EXPECT_EQ(behind(all_accounts().left_join<line>(joined()).to_sql(), " from "),
            "\"accounts\" left join \"shop\".\"order\" on (\"order\".\"user.name\" = \"accounts\".\"id\") where "
            "(\"accounts\".\"deleted_at\" is null)");
}

TEST(query_sql, tables_are_scoped_before_a_right_or_full_join) {
  const std::string scoped = "(select * from \"accounts\" where \"accounts\".\"deleted_at\" is null) as \"accounts\"";
  const std::string on = " on (\"order\".\"user.name\" = \"accounts\".\"id\")";
  EXPECT_EQ(behind(all_accounts().right_join<line>(joined()).to_sql(), " from "),
            scoped + " right join \"shop\".\"order\"" + on);
  EXPECT_EQ(behind(all_accounts().full_join<line>(joined()).to_sql(), " from "),
            scoped + " full join \"shop\".\"order\"" + on);
  EXPECT_EQ(behind(bw::from<line>().full_join<account>(joined()).with_trashed<account>().to_sql(), " from "),
            "\"shop\".\"order\" full join \"accounts\"" + on);
}

TEST(query_sql, clauses_stand_in_the_servers_order_and_values_are_numbered_as_they_stand) {
  const auto query = all_accounts()
                         .limit(7)
                         .order_by(bw::descending(bw::count() * 2))
                         .where(col<&account::version> == 3)
                         .select(col<&account::version> + 1, bw::count())
                         .group_by(col<&account::version>)
                         .having(bw::count() > 4);
  EXPECT_EQ(
      query.to_sql(),
      "select (\"accounts\".\"version\" + $1), count(*) from \"accounts\" where (\"accounts\".\"version\" = $2) "
      "and (\"accounts\".\"deleted_at\" is null) group by \"accounts\".\"version\" having (count(*) > $3) order by "
      "(count(*) * $4) desc limit $5");
  EXPECT_EQ(behind(query.to_sql(bw::with_values), " order by "), "(count(*) * '2') desc limit '7'");
}

TEST(query_sql, a_keyset_that_goes_one_way_is_one_comparison_of_rows) {
  EXPECT_EQ(
      behind(all_accounts().order_by(asc<&account::balance>).after(5, 7).to_sql(), " where "),
      "((\"accounts\".\"balance\", \"accounts\".\"id\") > ($1, $2)) and (\"accounts\".\"deleted_at\" is null) order "
      "by \"accounts\".\"balance\", \"accounts\".\"id\"");
  EXPECT_EQ(behind(bw::from<tag>().before("m").to_sql(), " where "),
            "(\"tags\".\"name\" < $1) order by \"tags\".\"name\" desc");
}

TEST(query_sql, a_keyset_that_goes_both_ways_is_spelt_out) {
  EXPECT_EQ(behind(all_accounts().order_by(desc<&account::balance>).after(5, 7).to_sql(bw::with_values), " where "),
            "(\"accounts\".\"balance\" < '5' or (\"accounts\".\"balance\" = '5' and (\"accounts\".\"id\" > '7'))) and "
            "(\"accounts\".\"deleted_at\" is null) order by \"accounts\".\"balance\" desc, \"accounts\".\"id\"");
}

TEST(query_sql, locks_come_last) {
  EXPECT_TRUE(all_accounts().for_update().to_sql().ends_with(" for update"));
  EXPECT_TRUE(all_accounts().for_no_key_update().nowait().to_sql().ends_with(" for no key update nowait"));
  EXPECT_TRUE(all_accounts().limit(1).for_share().skip_locked().to_sql().ends_with(" limit $1 for share skip locked"));
  EXPECT_TRUE(all_accounts().for_key_share().to_sql().ends_with(" for key share"));
}

TEST(query_sql, sensitive_values_stay_hidden_wherever_they_stand) {
  const auto owner = col<&account::owner>;
  for (const std::string& sql :
       {all_accounts().where(bw::lower(owner) == "s3cret").to_sql(bw::with_values),
        all_accounts().where(bw::coalesce(owner, "s3cret") == "s3cret").to_sql(bw::with_values),
        all_accounts().where(owner.in("s3cret")).to_sql(bw::with_values),
        all_accounts().where(bw::sql<bool>("? ~ ?", owner, "s3cret") == true).to_sql(bw::with_values),
        all_accounts().order_by(asc<&account::owner>).after("s3cret", 1).to_sql(bw::with_values),
        all_accounts()
            .select(bw::max(owner))
            .group_by(owner)
            .having(bw::max(owner) > "s3cret")
            .to_sql(bw::with_values)}) {
    EXPECT_EQ(sql.find("s3cret"), std::string::npos) << sql;
    EXPECT_NE(sql.find("'***'"), std::string::npos) << sql;
  }
}

TEST(query_sql, an_expressions_text_may_hold_quoted_question_marks_and_the_operator) {
  const auto sql = bw::sql<bool>(R"('?' || "?" ?? ? and ??| ?)", col<&account::id>, 1);
  EXPECT_EQ(behind(all_accounts().with_trashed().where(sql == true).to_sql(), " where "),
            R"((('?' || "?" ? "accounts"."id" and ?| $1) = $2))");
}

TEST(query_sql, a_sub_query_keeps_its_own_values_where_it_stands) {
  const auto inner = bw::from<line>().where(col<&line::product> == "p").select(col<&line::order_id>);
  EXPECT_EQ(behind(all_accounts()
                       .with_trashed()
                       .where(col<&account::id> > 1 && col<&account::id>.in(inner) && col<&account::id> < 9)
                       .to_sql(bw::with_values),
                   " where "),
            "(((\"accounts\".\"id\" > '1' and \"accounts\".\"id\" in (select \"order\".\"user.name\" from "
            "\"shop\".\"order\" where (\"order\".\"select\" = 'p'))) and \"accounts\".\"id\" < '9'))");
}

TEST(query_sql, a_patterns_wildcards_can_be_taken_literally) {
  EXPECT_EQ(bw::like_escape("100%_\\x"), "100\\%\\_\\\\x");
  EXPECT_EQ(bw::like_escape(""), "");
}

}  // namespace
