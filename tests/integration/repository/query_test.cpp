// Queries over one entity, and bulk changes.

#include "support.hpp"

#include <algorithm>

namespace tests {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

class queries : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();

  /// Owners a, b, c, ... with balances 1, 2, 3, ...
  void SetUp() override {
    repository_test::SetUp();
    for (int i = 1; i <= 5; ++i) {
      ASSERT_OK(accounts.insert({.owner = std::string(1, static_cast<char>('a' + i - 1)), .balance = i}));
    }
  }
  static std::string owners(const bw::result<std::vector<account>>& found) {
    if (!found) return found.error().message();
    std::string all;
    for (const account& each : found.value()) all.append(each.owner);
    return all;
  }
};

TEST_F(queries, all_returns_the_matching_rows_in_order) {
  EXPECT_EQ(owners(accounts.where(col<&account::balance> > 2).order_by(desc<&account::balance>).limit(2).all()), "ed");
  EXPECT_EQ(owners(accounts.query().order_by(asc<&account::owner>).offset(3).all()), "de");
  EXPECT_EQ(owners(accounts.where(col<&account::balance> > 99).all()), "");
}

TEST_F(queries, conditions_nest_and_keep_their_values_in_order) {
  const auto wanted = (col<&account::balance> == 1 || col<&account::balance> == 2) ||
                      (col<&account::owner>.in("d", "e") && !(col<&account::balance> == 5));
  EXPECT_EQ(owners(accounts.where(wanted).order_by(asc<&account::owner>).all()), "abd");
  EXPECT_EQ(owners(accounts.where(col<&account::balance>.between(2, 3)).order_by(asc<&account::id>).all()), "bc");
}

TEST_F(queries, an_empty_list_is_false_and_its_opposite_true) {
  EXPECT_EQ(owners(accounts.where(col<&account::id>.in(std::vector<std::int64_t>{})).all()), "");
  EXPECT_EQ(accounts.where(col<&account::id>.not_in(std::vector<std::int64_t>{})).count().value(), 5);
}

TEST_F(queries, null_is_matched_by_nullopt_only) {
  const auto lines = session.repository<line>();
  ASSERT_OK(lines.insert({.order_id = 1, .number = 1, .product = "p"}));
  ASSERT_OK(lines.insert({.order_id = 1, .number = 2, .product = "p", .note = "n"}));
  EXPECT_EQ(lines.where(col<&line::note> == std::nullopt).one().value().number, 1);
  EXPECT_EQ(lines.where(col<&line::note> != std::nullopt).one().value().number, 2);
  EXPECT_EQ(lines.where(col<&line::note> != "x").one().value().number, 2) << "as in SQL, NULL is not unlike anything";
}

TEST_F(queries, an_or_at_the_top_never_shows_the_trash) {
  const auto first = accounts.where(col<&account::owner> == "a").one();
  ASSERT_OK(first);
  ASSERT_OK(accounts.remove(first.value().id));
  const auto either = col<&account::owner> == "a" || col<&account::owner> == "b";
  EXPECT_EQ(owners(accounts.where(either).all()), "b");
  EXPECT_EQ(owners(accounts.only_trashed().where(either).all()), "a");
  EXPECT_EQ(accounts.with_trashed().where(either).count().value(), 2);
  EXPECT_FALSE(accounts.where(col<&account::owner> == "a").exists().value());
}

TEST_F(queries, first_and_last_need_an_order) {
  EXPECT_EQ(accounts.query().order_by(asc<&account::balance>).first().value()->owner, "a");
  EXPECT_EQ(accounts.query().order_by(asc<&account::balance>).last().value()->owner, "e");
  EXPECT_EQ(accounts.where(col<&account::id> < 0).order_by(asc<&account::id>).first().value(), std::nullopt);
  EXPECT_ERROR(accounts.query().first(), errc::invalid_argument);
  EXPECT_ERROR(accounts.query().last(), errc::invalid_argument);
  EXPECT_ERROR(accounts.query().order_by(asc<&account::id>).limit(1).last(), errc::invalid_argument);
}

TEST_F(queries, one_is_exactly_one) {
  EXPECT_EQ(accounts.where(col<&account::owner> == "c").one().value().balance, 3);
  EXPECT_ERROR(accounts.where(col<&account::owner> == "z").one(), errc::not_found);
  EXPECT_ERROR(accounts.query().one(), errc::too_many_rows);
}

TEST_F(queries, count_and_exists_follow_limit_and_offset) {
  EXPECT_EQ(accounts.query().count().value(), 5);
  EXPECT_EQ(accounts.query().limit(2).count().value(), 2);
  EXPECT_EQ(accounts.query().offset(4).count().value(), 1);
  EXPECT_TRUE(accounts.query().exists().value());
  EXPECT_FALSE(accounts.query().limit(0).exists().value());
  EXPECT_ERROR(accounts.query().limit(-1).all(), errc::invalid_argument);
  EXPECT_ERROR(accounts.query().offset(-1).count(), errc::invalid_argument);
}

TEST_F(queries, what_to_sql_shows_is_what_the_server_runs) {
  const auto query = accounts.where(col<&account::owner>.in("a", "b")).order_by(asc<&account::id>).limit(3);
  ASSERT_OK(query.all());
  EXPECT_EQ(session.query("select count(*) from pg_prepared_statements where statement = ?", query.to_sql())
                .one<std::int64_t>()
                .value(),
            1);
}

TEST_F(queries, bulk_changes_without_a_condition_are_refused) {
  EXPECT_ERROR(accounts.query().delete_all(), errc::unsafe_operation);
  EXPECT_ERROR(accounts.query().update_all(bw::set<&account::balance>(bw::numeric{"0"})), errc::unsafe_operation);
  EXPECT_ERROR(accounts.where(bw::condition<account>{}).delete_all(), errc::unsafe_operation)
      << "a condition that matches all is none";
  EXPECT_EQ(truth("select count(*) || ' ' || sum(balance)::int from accounts where deleted_at is null"), "5 15");
}

TEST_F(queries, bulk_changes_return_how_many_rows_they_changed) {
  EXPECT_EQ(
      accounts.where(col<&account::balance> >= 4).update_all(bw::set<&account::balance>(bw::numeric{"9"})).value(), 2U);
  EXPECT_EQ(truth("select count(*) from accounts where balance = 9 and version = 2"), "2");
  EXPECT_EQ(accounts.where(col<&account::balance> == 9).delete_all().value(), 2U);
  EXPECT_EQ(truth("select count(*) from accounts where deleted_at is not null"), "2") << "into the trash";
  EXPECT_EQ(accounts.where(col<&account::balance> == 9).update_all(bw::set<&account::owner>("x")).value(), 0U)
      << "what is in the trash stays as it is";
  EXPECT_EQ(accounts.query().every_row().update_all(bw::set<&account::balance>(bw::numeric{"1"})).value(), 3U);
  EXPECT_EQ(accounts.query().every_row().delete_all().value(), 3U);
  EXPECT_ERROR(accounts.query().every_row().limit(1).delete_all(), errc::invalid_argument);
}

TEST_F(queries, bulk_changes_leave_the_trash_alone) {
  const auto all = col<&account::id> > 0;
  EXPECT_ERROR(accounts.only_trashed().where(all).delete_all(), errc::invalid_argument);
  EXPECT_ERROR(accounts.with_trashed().where(all).update_all(bw::set<&account::owner>("x")), errc::invalid_argument);
}

TEST_F(queries, what_is_not_smaller_than_null_is_not_everything) {
  const std::optional<bw::timestamptz> no_cutoff;
  EXPECT_EQ(accounts.where(!(col<&account::created_at> >= no_cutoff)).delete_all().value(), 0U);
  EXPECT_EQ(accounts.count().value(), 5);
}

TEST_F(queries, an_assigned_integer_is_never_cut_to_fit) {
  const auto lines = session.repository<ticket>();
  ASSERT_OK(lines.insert({}));
  EXPECT_ERROR(lines.query().every_row().update_all(bw::set<&ticket::priority>(5'000'000'000)), errc::data_error);
  EXPECT_EQ(truth("select priority from tickets"), "3");
}

TEST_F(queries, a_setting_does_not_reach_the_next_borrower) {
  ASSERT_OK(session.execute("set application_name = 'left behind'"));
  EXPECT_NE(session.query("select current_setting('application_name')").one<std::string>().value(), "left behind");
}

TEST_F(queries, an_error_of_a_procedure_does_not_claim_that_nothing_was_applied) {
  const auto halfway =
      session.execute("do $$ begin insert into tags values ('kept'); commit; raise exception 'too late'; end $$");
  EXPECT_ERROR(halfway, errc::data_error);
  EXPECT_EQ(halfway.error().applied(), bw::applied::unknown);
  EXPECT_EQ(truth("select name from tags"), "kept") << "so it would be a lie";
  EXPECT_ERROR(session.query("do $$ begin end $$").read_only().execute(), errc::invalid_argument);
}

TEST_F(queries, an_error_never_quotes_a_bound_value) {
  const auto cast = session.query("select ?::regclass", "s3cr3t_name").as<std::string>();
  EXPECT_FALSE(cast.has_value());
  EXPECT_EQ(cast.error().message().find("s3cr3t"), std::string::npos) << cast.error().message();
  const auto raised =
      session.execute("do $$ begin raise exception 'the key s3cr3t exists' using errcode = 'unique_violation'; end $$");
  EXPECT_ERROR(raised, errc::unique_violation);
  EXPECT_EQ(raised.error().message().find("s3cr3t"), std::string::npos) << raised.error().message();
}

TEST_F(queries, a_hundred_thousand_keys_are_one_value) {
  std::vector<std::int64_t> keys(100'000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<std::int64_t>(i);
  EXPECT_EQ(accounts.where(col<&account::id>.in(keys)).count().value(), 5);
}

TEST_F(queries, raw_sql_fills_any_struct_by_column_name) {
  struct report {
    std::string owner;
    bw::numeric total;
    std::optional<std::int64_t> nothing;
  };
  const auto rows = session
                        .query(
                            "select sum(balance) total, owner, null::bigint nothing from accounts where balance > "
                            ":least or owner = :name group by owner order by owner",
                            bw::arg("least", 4), bw::arg("name", "a"))
                        .as<report>();
  ASSERT_OK(rows);
  ASSERT_EQ(rows.value().size(), 2U);
  EXPECT_EQ(rows.value()[0].owner, "a");
  EXPECT_EQ(rows.value()[1].total, 5);
  EXPECT_EQ(rows.value()[1].nothing, std::nullopt);
}

TEST_F(queries, raw_sql_binds_placeholders_in_their_order) {
  const auto found = session
                         .query(
                             "select owner from accounts where (balance = ? or balance = ?) and not (owner = ? or "
                             "owner = any(?)) order by owner",
                             1, 2, "b", std::vector<std::string>{"c", "d"})
                         .as<std::string>();
  ASSERT_OK(found);
  EXPECT_EQ(found.value(), std::vector<std::string>{"a"});
  EXPECT_EQ((session.query("select (? + ?) * ? - ?", 1, 2, 3, 4).one<std::int64_t>().value()), 5);
  EXPECT_EQ((session.query("select '{\"a\": 1}'::jsonb ?? 'a'").one<bool>().value()), true);
}

}  // namespace
}  // namespace tests
