#include "entities.hpp"

#include <gtest/gtest.h>

#include <array>
#include <list>
#include <set>
#include <string>
#include <vector>

namespace {

using bw::asc;
using bw::col;
using bw::condition;
using bw::desc;
using tests::account;
using tests::line;

/// A query that is only looked at.
bw::query<account> all_accounts() { return bw::query<account>(nullptr, bw::detail::every_row_of<account>()); }

/// What stands behind "where" for one condition.
std::string where(const condition<account>& wanted) {
  const std::string sql = all_accounts().with_trashed().where(wanted).to_sql();
  const auto at = sql.find(" where ");
  return at == std::string::npos ? "" : sql.substr(at + 7);
}

std::string where_values(const condition<account>& wanted) {
  const std::string sql = all_accounts().with_trashed().where(wanted).to_sql(bw::with_values);
  return sql.substr(sql.find(" where ") + 7);
}

TEST(condition, compares_a_column_with_a_value_on_either_side) {
  EXPECT_EQ(where(col<&account::id> == 1), "(\"accounts\".\"id\" = $1)");
  EXPECT_EQ(where(col<&account::id> != 1), "(\"accounts\".\"id\" <> $1)");
  EXPECT_EQ(where(1 < col<&account::id>), "(\"accounts\".\"id\" > $1)");
  EXPECT_EQ(where(1 <= col<&account::id>), "(\"accounts\".\"id\" >= $1)");
  EXPECT_EQ(where(1 > col<&account::id>), "(\"accounts\".\"id\" < $1)");
  EXPECT_EQ(where(1 >= col<&account::id>), "(\"accounts\".\"id\" <= $1)");
  EXPECT_EQ(where(col<&account::balance> < bw::numeric{"2.50"}), "(\"accounts\".\"balance\" < $1)");
}

TEST(condition, compares_columns_with_each_other) {
  EXPECT_EQ(where(col<&account::id> == col<&account::version>), "(\"accounts\".\"id\" = \"accounts\".\"version\")");
}

TEST(condition, keeps_the_order_of_its_values_however_it_is_nested) {
  const auto nested = ((col<&account::id> == 1 || col<&account::id> == 2) &&
                       !(col<&account::version> == 3 && col<&account::id>.in(4, 5))) ||
                      col<&account::version> == 6;
  EXPECT_EQ(where(nested),
            "((((\"accounts\".\"id\" = $1 or \"accounts\".\"id\" = $2) and not ((\"accounts\".\"version\" = $3 and "
            "\"accounts\".\"id\" = any($4)))) or \"accounts\".\"version\" = $5))");
  EXPECT_EQ(where_values(nested),
            "((((\"accounts\".\"id\" = '1' or \"accounts\".\"id\" = '2') and not ((\"accounts\".\"version\" = '3' and "
            "\"accounts\".\"id\" = any('{\"4\",\"5\"}')))) or \"accounts\".\"version\" = '6'))");
}

TEST(condition, a_top_level_or_does_not_escape_the_trash_scope) {
  const std::string sql = all_accounts().where(col<&account::id> == 1 || col<&account::id> == 2).to_sql();
  EXPECT_TRUE(
      sql.ends_with(" where ((\"accounts\".\"id\" = $1 or \"accounts\".\"id\" = $2)) and "
                    "(\"accounts\".\"deleted_at\" is null)"))
      << sql;
}

TEST(condition, an_empty_list_matches_nothing_and_its_opposite_everything) {
  EXPECT_EQ(where_values(col<&account::id>.in(std::vector<int>{})), "(\"accounts\".\"id\" = any('{}'))");
  EXPECT_EQ(where_values(col<&account::id>.not_in(std::vector<int>{})), "(\"accounts\".\"id\" <> all('{}'))");
}

TEST(condition, takes_lists_from_any_range) {
  const std::set<std::int64_t> keys{1, 2};
  const std::list<short> few{3};
  const std::array<unsigned, 2> more{4, 5};
  EXPECT_EQ(where_values(col<&account::id>.in(keys)), "(\"accounts\".\"id\" = any('{\"1\",\"2\"}'))");
  EXPECT_EQ(where_values(col<&account::id>.in(few)), "(\"accounts\".\"id\" = any('{\"3\"}'))");
  EXPECT_EQ(where_values(col<&account::id>.in(more)), "(\"accounts\".\"id\" = any('{\"4\",\"5\"}'))");
}

TEST(condition, null_compares_by_is_null_only) {
  EXPECT_EQ(where(col<&account::deleted_at> == std::nullopt), "(\"accounts\".\"deleted_at\" is null)");
  EXPECT_EQ(where(col<&account::deleted_at> != std::nullopt), "(\"accounts\".\"deleted_at\" is not null)");
  const std::optional<bw::timestamptz> absent;
  EXPECT_EQ(where(col<&account::deleted_at> == absent), "(\"accounts\".\"deleted_at\" is null)");
  EXPECT_EQ(where(col<&account::deleted_at> != absent), "(\"accounts\".\"deleted_at\" is not null)");
  EXPECT_EQ(where(col<&account::deleted_at> < absent), "(null::boolean)") << "nothing is smaller than NULL";
  EXPECT_EQ(where(!(col<&account::deleted_at> < absent)), "(not (null::boolean))") << "nor is anything not smaller";
}

TEST(condition, an_integer_beyond_the_columns_range_is_compared_not_cut) {
  EXPECT_EQ(where_values(col<&account::version> == 5'000'000'000), "(\"accounts\".\"version\" = '5000000000')");
  EXPECT_EQ(where_values(col<&account::id> < 18'446'744'073'709'551'615U),
            "(\"accounts\".\"id\" < '18446744073709551615')");
}

TEST(condition, text_compares_with_whatever_is_text) {
  const std::string owned = "ada";
  EXPECT_EQ(where(col<&account::owner> == "ada"), where(col<&account::owner> == owned));
  EXPECT_EQ(where(col<&account::owner> == std::string_view(owned)), where(owned == col<&account::owner>));
  EXPECT_EQ(where(col<&account::owner>.like("a%")), "(\"accounts\".\"owner\" like $1)");
  EXPECT_EQ(where(col<&account::owner>.ilike("A%")), "(\"accounts\".\"owner\" ilike $1)");
}

TEST(condition, sensitive_values_are_never_shown) {
  const auto secret = col<&account::owner> == "s3cr3t" || col<&account::owner>.in("s3cr3t", "s3cr3t") ||
                      col<&account::owner>.like("s3cr3t") || col<&account::owner>.between("s3cr3t", "s3cr3t");
  EXPECT_EQ(where_values(secret).find("s3cr3t"), std::string::npos);
  EXPECT_NE(where_values(secret).find("'***'"), std::string::npos);
}

TEST(condition, shown_values_are_quoted_as_literals) {
  using of_line = bw::query<line>;
  const of_line lines(nullptr, bw::detail::every_row_of<line>());
  const std::string sql =
      lines.where(col<&line::product> == "it's" && col<&line::note> == "a\\b'").to_sql(bw::with_values);
  EXPECT_NE(sql.find("= 'it''s'"), std::string::npos) << sql;
  EXPECT_NE(sql.find("= E'a\\\\b'''"), std::string::npos) << sql;
}

TEST(condition, put_together_at_run_time_starts_by_matching_all) {
  condition<account> wanted;
  EXPECT_TRUE(wanted.matches_all());
  EXPECT_EQ(where(wanted), "");
  wanted = wanted && col<&account::id> == 1;
  EXPECT_EQ(where(wanted), "(\"accounts\".\"id\" = $1)");
  wanted = wanted || condition<account>{};
  EXPECT_TRUE(wanted.matches_all()) << "anything, or all";
  EXPECT_EQ(where(!wanted), "(false)");
}

TEST(query, shows_order_limit_and_offset_as_it_sends_them) {
  const std::string sql =
      all_accounts().order_by(desc<&account::balance>, asc<&account::id>).limit(20).offset(40).to_sql();
  EXPECT_TRUE(
      sql.ends_with(" where (\"accounts\".\"deleted_at\" is null) order by \"accounts\".\"balance\" desc, "
                    "\"accounts\".\"id\" limit $1 offset $2"))
      << sql;
}

TEST(query, trash_is_left_out_unless_asked_for) {
  EXPECT_TRUE(all_accounts().to_sql().ends_with(" where (\"accounts\".\"deleted_at\" is null)"));
  EXPECT_TRUE(all_accounts().with_trashed().to_sql().ends_with(" from \"accounts\""));
  EXPECT_TRUE(all_accounts().only_trashed().to_sql().ends_with(" where (\"accounts\".\"deleted_at\" is not null)"));
}

TEST(query, is_a_value_that_can_be_used_twice) {
  const auto base = all_accounts().where(col<&account::id> > 1);
  const auto narrow = base.where(col<&account::version> == 2);
  EXPECT_EQ(base.to_sql().find("version\" ="), std::string::npos);
  EXPECT_NE(narrow.to_sql().find("version\" = $2"), std::string::npos);
}

TEST(query, alias_names_the_table_in_a_column) {
  EXPECT_EQ((col<&account::id, "other">.sql_name()), "\"other\".\"id\"");
}

}  // namespace
