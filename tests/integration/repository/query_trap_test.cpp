// Where a query could answer something else than it says, and must not.

#include "forum.hpp"

#include <tuple>

namespace tests {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

class traps : public forum_test {
 protected:
  static std::string ids(const bw::result<std::vector<std::int64_t>>& found) {
    return listed(found, [](std::int64_t each) { return std::to_string(each); });
  }
};

TEST_F(traps, a_sub_query_that_could_not_run_by_itself_keeps_the_whole_from_running) {
  const auto chosen = [&](const std::string& cursor) {
    return people.where(
        col<&person::id>.in(people.query().order_by(asc<&person::id>).after(cursor).limit(2).select(col<&person::id>)));
  };
  watcher().clear();
  EXPECT_ERROR(chosen("bwk1.damaged").delete_all(), errc::data_error) << "or the first two would be gone";
  EXPECT_ERROR(chosen("bwk1.damaged").all(), errc::data_error);
  EXPECT_ERROR(people.where(bw::exists(bw::from<post>().limit(-1))).all(), errc::data_error);
  EXPECT_ERROR(people.where(col<&person::id>.in(bw::from<post>().select(col<&post::author_id>).skip_locked())).all(),
               errc::data_error);
  EXPECT_TRUE(watcher().operations().empty());
  EXPECT_EQ(truth("select count(*) from people where deleted_at is null"), "3");
}

TEST_F(traps, every_bulk_change_has_the_same_guard) {
  const auto refuses = [](const auto& query, errc why) {
    EXPECT_ERROR(query.delete_all(), why);
    EXPECT_ERROR(query.delete_all_returning(), why);
    EXPECT_ERROR(query.purge_all(), why);
    EXPECT_ERROR(query.update_all(bw::set<&person::name>("x")), why);
    EXPECT_ERROR(query.update_all_returning(bw::set<&person::name>("x")), why);
  };
  refuses(people.query(), errc::unsafe_operation);
  const auto some = people.where(col<&person::id> > 0);
  refuses(some.limit(1), errc::invalid_argument);
  refuses(some.distinct_on(col<&person::rank>), errc::invalid_argument);
  refuses(some.skip_locked(), errc::invalid_argument);
  EXPECT_EQ(truth("select string_agg(name, ' ' order by id) from people where deleted_at is null"), "ada bob cid");
}

TEST_F(traps, a_keyset_over_a_join_shows_each_pair) {
  behind_the_back(
      "insert into forum.posts (id, author_id, title, score, created_at) select i, 1, 'p' || i, i, now() "
      "from generate_series(10, 14) i");
  const auto pairs = people.query()
                         .join<post>(col<&post::author_id> == col<&person::id>)
                         .order_by(asc<&person::id>)
                         .select(col<&person::name>, col<&post::id>);
  std::string seen;
  auto at = pairs.page(2);
  for (int i = 0; i < 10 && at; ++i) {
    for (const auto& [name, id] : at.value().items) seen.append(name).append(std::to_string(id)).append(" ");
    if (at.value().next_cursor.empty()) break;
    at = pairs.after(at.value().next_cursor).page(2);
  }
  EXPECT_EQ(seen, "ada1 ada2 ada10 ada11 ada12 ada13 ada14 bob3 ");
}

TEST_F(traps, what_an_outer_join_leaves_null_has_its_place_in_a_keyset) {
  const auto by_score = people.query()
                            .left_join<post>(col<&post::author_id> == col<&person::id>)
                            .order_by(asc<&post::score>)
                            .select(col<&person::id>);
  EXPECT_EQ(ids(by_score.all()), "1 1 2 3");
  std::string seen;
  auto at = by_score.page(1);
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(at);
    for (const std::int64_t id : at.value().items) seen.append(std::to_string(id)).append(" ");
    if (at.value().next_cursor.empty()) break;
    at = by_score.after(at.value().next_cursor).page(1);
  }
  EXPECT_EQ(seen, "1 1 2 3 ");
  const auto by_person = people.query()
                             .right_join<post>(col<&post::author_id> == col<&person::id>)
                             .order_by(asc<&person::id>)
                             .select(col<&post::id>);
  EXPECT_EQ(ids(by_person.after(1, 2).all()), "3 4 5") << "posts of nobody come last";
}

TEST_F(traps, an_answer_that_keeps_coming_ends_at_the_deadline) {
  // The socket is readable all the time, so that no wait ever times out by itself.
  bw::session hurried = db().session({.timeout = 50ms, .consistency = bw::consistency::primary});
  const auto much = hurried.query("select repeat('x', 1000) from generate_series(1, 300000)").read_only().rows();
  EXPECT_ERROR(much, errc::deadline_exceeded);
}

TEST_F(traps, first_does_not_answer_the_row_nearest_to_the_end) {
  EXPECT_ERROR(people.query().order_by(asc<&person::id>).before(3).first(), errc::invalid_argument);
}

TEST_F(traps, a_cursor_knows_the_values_in_its_order) {
  const auto by_rest = [&](int divisor) { return people.query().order_by(bw::ascending(col<&person::id> % divisor)); };
  const std::string cursor = by_rest(3).page(1).value().next_cursor;
  EXPECT_OK(by_rest(3).after(cursor).all());
  EXPECT_ERROR(by_rest(5).after(cursor).all(), errc::invalid_argument);
}

TEST_F(traps, a_selected_aggregate_is_one_row) {
  const auto nobody = people.where(col<&person::id> < 0).select(bw::count());
  EXPECT_EQ(nobody.all().value(), std::vector<std::int64_t>{0});
  EXPECT_EQ(nobody.count().value(), 1);
  EXPECT_TRUE(nobody.exists().value());
}

TEST_F(traps, integers_that_no_row_can_have_match_none) {
  behind_the_back("alter table people alter rank type smallint");
  EXPECT_EQ(people.where(col<&person::rank>.in(1, 5'000'000'000)).count().value(), 1);
  EXPECT_EQ(people.where(col<&person::rank>.not_in(1, 5'000'000'000)).count().value(), 1);
  EXPECT_EQ(names(people.get_many(std::vector<unsigned long long>{1, 18'446'744'073'709'551'615U, 2})), "ada bob");
}

TEST_F(traps, sensitive_values_stay_hidden_behind_functions_and_sub_queries) {
  const auto secret = bw::from<account>().select(col<&account::owner>).limit(1);
  EXPECT_EQ(people.where(bw::scalar(secret) == "s3cret").to_sql(bw::with_values).find("s3cret"), std::string::npos);
  EXPECT_ERROR(people.query().order_by(bw::ascending(bw::scalar(secret))).page(1), errc::invalid_argument);
}

TEST_F(traps, a_checked_version_is_a_claimed_version) {
  const auto accounts = session.repository<account>();
  const auto ada = accounts.insert({.owner = "ada"}).value();
  const auto claimed = accounts.patch(ada.id, bw::set<&account::version>(ada.version));
  ASSERT_OK(claimed);
  EXPECT_EQ(claimed.value().version, 2);
  EXPECT_ERROR(accounts.patch(ada.id, bw::set<&account::version>(ada.version)), errc::stale_version);
}

TEST_F(traps, a_write_of_many_rows_that_fails_leaves_nothing_in_the_transaction_either) {
  const auto accounts = session.repository<account>();
  const auto old = accounts.insert({.owner = "old"}).value();
  ASSERT_OK(accounts.remove(old.id));
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    const std::vector<account> rows{{.owner = "new"}, {.owner = "old"}};
    EXPECT_ERROR(tx.repository<account>().upsert_many(rows, bw::conflict<&account::owner>), errc::unique_violation);
    return bw::success();  // goes on all the same
  }));
  EXPECT_EQ(truth("select count(*) from accounts where owner = 'new'"), "0");
}

TEST_F(traps, upserted_rows_leave_the_same_columns_to_their_defaults) {
  const auto tickets = session.repository<ticket>();
  const auto urgent = tickets.insert({.state = "urgent", .priority = 1}).value();
  const std::vector<ticket> mixed{{.id = urgent.id, .priority = 5}, {.id = urgent.id, .state = "x", .priority = 5}};
  EXPECT_ERROR(tickets.upsert_many(mixed, bw::conflict<&ticket::state>), errc::invalid_argument);
  EXPECT_EQ(truth("select state from tickets"), "urgent");
}

}  // namespace
}  // namespace tests
