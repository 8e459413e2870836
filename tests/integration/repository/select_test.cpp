// What a query answers besides entities: columns, expressions, groups, aggregates; and conditions beyond comparisons.

#include "forum.hpp"

#include <tuple>

namespace tests {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

struct author_report {
  std::string name;
  std::int64_t posts{};
  std::int64_t points{};
  std::optional<bw::numeric> average;
};

class selections : public forum_test {
 protected:
  auto with_posts() const { return people.query().left_join<post>(col<&post::author_id> == col<&person::id>); }
};

TEST_F(selections, one_column_is_a_list_of_its_values) {
  EXPECT_EQ(people.query().order_by(asc<&person::id>).select(col<&person::name>).all().value(),
            (std::vector<std::string>{"ada", "bob", "cid"}));
  EXPECT_EQ(people.query().order_by(asc<&person::id>).pluck<&person::rank>().all().value(),
            (std::vector<std::optional<std::int32_t>>{3, 1, std::nullopt}));
}

TEST_F(selections, several_columns_are_a_tuple) {
  const auto rows = posts.query().order_by(asc<&post::id>).limit(1).select(col<&post::id>, col<&post::title>).all();
  EXPECT_EQ(rows.value(), (std::vector<std::tuple<std::int64_t, std::string>>{{1, "alpha"}}));
}

TEST_F(selections, groups_and_aggregates_fill_a_struct) {
  const auto report =
      with_posts()
          .select<author_report>(col<&person::name>, bw::count(col<&post::id>),
                                 bw::coalesce(bw::sum(col<&post::score>), 0), bw::avg(col<&post::score>))
          .group_by(col<&person::id>, col<&person::name>)
          .order_by(bw::descending(bw::count(col<&post::id>)), asc<&person::name>)
          .all();
  ASSERT_OK(report);
  ASSERT_EQ(report.value().size(), 3U);
  EXPECT_EQ(report.value()[0].name, "ada");
  EXPECT_EQ(report.value()[0].posts, 2);
  EXPECT_EQ(report.value()[0].points, 30) << "the trashed post does not count";
  EXPECT_EQ(report.value()[0].average, bw::numeric{"15"});
  EXPECT_EQ(report.value()[2].name, "cid");
  EXPECT_EQ(report.value()[2].posts, 0);
  EXPECT_EQ(report.value()[2].average, std::nullopt);
}

TEST_F(selections, having_leaves_groups_out) {
  const auto busy = with_posts()
                        .select(col<&person::name>)
                        .group_by(col<&person::name>)
                        .having(bw::count(col<&post::id>) >= 1 && bw::max(col<&post::score>) < 30);
  EXPECT_EQ(busy.all().value(), std::vector<std::string>{"ada"});
  EXPECT_EQ(busy.count().value(), 1) << "counted are groups";
  EXPECT_TRUE(busy.exists().value());
}

TEST_F(selections, aggregates_have_the_servers_types) {
  const auto all = posts.query();
  static_assert(std::is_same_v<decltype(all.sum<&post::score>()), bw::result<std::optional<std::int64_t>>>);
  static_assert(std::is_same_v<decltype(all.sum<&post::id>()), bw::result<std::optional<bw::numeric>>>);
  static_assert(std::is_same_v<decltype(all.avg<&post::score>()), bw::result<std::optional<bw::numeric>>>);
  EXPECT_EQ(all.sum<&post::score>().value(), 150);
  EXPECT_EQ(all.sum<&post::id>().value(), bw::numeric{"15"});
  EXPECT_EQ(all.avg<&post::score>().value(), bw::numeric{"30"});
  EXPECT_EQ(all.min<&post::title>().value(), "alpha");
  EXPECT_EQ(all.max<&post::created_at>().value(), bw::timestamptz{"2026-03-03 00:00+00"});
  const auto none = all.where(col<&post::id> < 0);
  EXPECT_EQ(none.sum<&post::score>().value(), std::nullopt) << "of no rows there is no sum";
  EXPECT_EQ(none.select(bw::count()).one().value(), 0);
  EXPECT_EQ(all.select(bw::count_distinct(col<&post::author_id>)).one().value(), 4);
}

TEST_F(selections, distinct_rows_come_once) {
  EXPECT_EQ(posts.query().select(col<&post::author_id>).all().value().size(), 5U);
  const auto authors = posts.query().select(col<&post::author_id>).distinct().order_by(asc<&post::author_id>);
  EXPECT_EQ(authors.all().value(), (std::vector<std::int64_t>{1, 2, 4, 77}));
  EXPECT_EQ(authors.count().value(), 4);
  EXPECT_EQ(
      titles(
          posts.query().distinct_on(col<&post::author_id>).order_by(asc<&post::author_id>, desc<&post::score>).all()),
      "beta gamma delta orphan")
      << "each author's best post";
}

TEST_F(selections, nulls_stand_where_they_are_put) {
  EXPECT_EQ(names(people.query().order_by(asc<&person::rank>).all()), "bob ada cid");
  EXPECT_EQ(names(people.query().order_by(desc<&person::rank>).all()), "cid ada bob");
  EXPECT_EQ(names(people.query().order_by(asc<&person::rank>.nulls_first()).all()), "cid bob ada");
  EXPECT_EQ(names(people.query().order_by(desc<&person::rank>.nulls_last()).all()), "ada bob cid");
  EXPECT_EQ(people.query().order_by(desc<&person::rank>.nulls_last()).last().value()->name, "cid");
  EXPECT_EQ(people.query().order_by(asc<&person::rank>.nulls_first()).last().value()->name, "ada");
}

TEST_F(selections, an_order_may_be_by_an_expression) {
  EXPECT_EQ(titles(posts.query().order_by(bw::descending(col<&post::score> % 20), asc<&post::id>).all()),
            "alpha gamma orphan beta delta");
  EXPECT_EQ(names(people.query()
                      .order_by(bw::ascending(bw::sql<int>("? <> ?", col<&person::name>, "bob")), asc<&person::name>)
                      .all()),
            "bob ada cid");
}

TEST_F(selections, expressions_are_computed_by_the_server) {
  const auto one = posts.where(col<&post::id> == 2);
  EXPECT_EQ(one.select(col<&post::score> * 2 + 1).one().value(), 41);
  EXPECT_EQ(one.select(100 - col<&post::score>).one().value(), 80);
  EXPECT_EQ(one.select(bw::upper(col<&post::title>)).one().value(), "BETA");
  EXPECT_EQ(one.select(bw::length(col<&post::title>)).one().value(), 4);
  EXPECT_EQ(one.select(bw::sql<bw::date>("date_trunc('day', ? at time zone 'utc')::date", col<&post::created_at>))
                .one()
                .value(),
            bw::date{"2026-03-01"});
  EXPECT_EQ(posts.where(col<&post::score> + 5 > 50).pluck<&post::title>().all().value(),
            std::vector<std::string>{"orphan"});
  EXPECT_EQ(names(people.where(bw::coalesce(col<&person::rank>, 0) == 0).all()), "cid");
}

TEST_F(selections, a_half_built_selection_may_be_paged_and_bounded) {
  const auto all = posts.query().order_by(desc<&post::score>).select(col<&post::title>);
  EXPECT_EQ(all.first().value(), "orphan");
  EXPECT_EQ(all.limit(2).all().value(), (std::vector<std::string>{"orphan", "delta"}));
  EXPECT_ERROR(all.one(), errc::too_many_rows);
  EXPECT_ERROR(all.where(col<&post::id> < 0).one(), errc::not_found);
}

TEST_F(selections, a_sub_query_stands_in_a_list) {
  const auto authors = posts.where(col<&post::score> >= 30).select(col<&post::author_id>);
  EXPECT_EQ(names(people.where(col<&person::id>.in(authors)).all()), "bob");
  EXPECT_EQ(names(people.where(col<&person::id>.not_in(authors)).order_by(asc<&person::id>).all()), "ada cid");
  // A NULL in the list does not make "not in" unknown for everybody.
  const auto bosses = people.query().select(col<&person::boss_id>);
  EXPECT_EQ(names(people.where(col<&person::id>.not_in(bosses)).order_by(asc<&person::id>).all()), "bob cid");
}

TEST_F(selections, a_sub_query_may_look_at_the_query_around_it) {
  const auto own_posts = bw::from<post>().outer<person>().where(col<&post::author_id> == col<&person::id>);
  EXPECT_EQ(names(people.where(bw::exists(own_posts)).order_by(asc<&person::id>).all()), "ada bob");
  EXPECT_EQ(names(people.where(!bw::exists(own_posts)).all()), "cid");
  EXPECT_EQ(names(people.where(bw::exists(own_posts.where(col<&post::title> == "trashed"))).all()), "")
      << "the trash is left out inside as well";
  EXPECT_EQ(people.query()
                .order_by(asc<&person::id>)
                .select(bw::scalar(own_posts.select(bw::max(col<&post::score>))))
                .all()
                .value(),
            (std::vector<std::optional<std::int32_t>>{20, 30, std::nullopt}));
}

TEST_F(selections, a_sub_query_has_no_session_of_its_own) {
  EXPECT_ERROR(bw::from<post>().all(), errc::invalid_argument);
  EXPECT_ERROR(bw::from<post>().count(), errc::invalid_argument);
  EXPECT_ERROR(bw::from<post>().page(1), errc::invalid_argument);
  EXPECT_ERROR(bw::from<post>().every_row().delete_all(), errc::invalid_argument);
}

TEST_F(selections, json_is_looked_into) {
  const auto& data = col<&post::data>;
  EXPECT_EQ(titles(posts.where(data.contains(bw::json::parse(R"({"lang": "en"})").value())).all()), "alpha");
  EXPECT_EQ(titles(posts.where(data.has_key("by")).all()), "alpha");
  EXPECT_EQ(
      titles(posts.where(data.has_any_key(std::vector<std::string>{"by", "lang"})).order_by(asc<&post::id>).all()),
      "alpha beta");
  EXPECT_EQ(titles(posts.where(data.has_all_keys(std::vector<std::string>{"by", "lang"})).all()), "alpha");
  EXPECT_EQ(titles(posts.where(bw::json_text(data, "by", "app") == "web").all()), "alpha");
  EXPECT_EQ(posts.where(bw::json_text(data, "lang") == std::nullopt).count().value(), 3);
}

TEST_F(selections, time_ranges_are_half_open_in_the_sessions_time_zone) {
  EXPECT_EQ(
      titles(
          posts.query().created_between(bw::date{"2026-03-01"}, bw::date{"2026-03-02"}).order_by(asc<&post::id>).all()),
      "alpha beta");
  EXPECT_EQ(titles(posts.query().on_date(bw::date{"2026-03-02"}).order_by(asc<&post::id>).all()), "gamma delta");
  EXPECT_EQ(titles(posts.query()
                       .created_between(bw::timestamptz{"2026-03-02 00:00+00"}, bw::timestamptz{"2026-03-02 12:00+00"})
                       .all()),
            "gamma");
  EXPECT_EQ(titles(posts.where(col<&post::created_at>.on_date(bw::date{"2026-03-03"})).all()), "orphan");
  // The same day, where it begins ten hours earlier.
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("set local time zone 'Australia/Brisbane'"));
    EXPECT_EQ(titles(tx.repository<post>().query().on_date(bw::date{"2026-03-02"}).order_by(asc<&post::id>).all()),
              "beta gamma delta");
    EXPECT_EQ(titles(tx.repository<post>().query().on_date(bw::date{"2026-03-03"}).all()), "orphan");
    return bw::success();
  }));
}

TEST_F(selections, scopes_of_ones_own_are_functions) {
  const auto popular = [](auto query, int least) { return query.where(col<&post::score> >= least); };
  EXPECT_EQ(titles(posts.query().scope(popular, 40).order_by(asc<&post::id>).all()), "delta orphan");
}

TEST_F(selections, increments_are_computed_by_the_server) {
  EXPECT_EQ(posts.where(col<&post::author_id> == 1).update_all(bw::set<&post::score>(col<&post::score> + 1)).value(),
            2U);
  EXPECT_EQ(truth("select string_agg(score::text, ' ' order by id) from forum.posts"), "11 21 30 40 50 99");
  EXPECT_EQ(posts.where(col<&post::id> == 1)
                .update_all(bw::set<&post::title>(bw::upper(col<&post::title>)),
                            bw::set<&post::score>(col<&post::score> * 2 - col<&post::author_id>))
                .value(),
            1U);
  EXPECT_EQ(truth("select title || score from forum.posts where id = 1"), "ALPHA21");
  EXPECT_EQ(people.patch(1, bw::set<&person::rank>(col<&person::rank> + 1)).value().rank, 4);
  EXPECT_ERROR(posts.where(col<&post::id> == 1).update_all(bw::set<&post::score>(col<&post::score> + 2'147'483'647)),
               errc::data_error);
}

TEST_F(selections, a_pattern_from_a_user_is_escaped) {
  behind_the_back("update forum.posts set title = '100%_\\' where id = 1");
  EXPECT_EQ(posts.where(col<&post::title>.like(bw::like_escape("100%_\\"))).count().value(), 1);
  EXPECT_EQ(posts.where(col<&post::title>.like(bw::like_escape("%"))).count().value(), 0);
  EXPECT_EQ(posts.where(col<&post::title>.like(bw::like_escape("100%") + "%")).count().value(), 1);
}

TEST_F(selections, the_plan_can_be_looked_at) {
  const auto plan = posts.where(col<&post::id> == 1).explain();
  ASSERT_OK(plan);
  EXPECT_NE(plan.value().find("posts"), std::string::npos) << plan.value();
  EXPECT_NE(posts.where(col<&post::id> == 1).explain({.analyze = true}).value().find("actual"), std::string::npos);
}

TEST_F(selections, a_query_that_comes_again_with_other_values_is_prepared_once) {
  const auto query = [&](int i) {
    return with_posts()
        .where(col<&post::score> > i && col<&person::name>.in(std::vector<std::string>(std::size_t(i), "x")))
        .order_by(asc<&post::id>)
        .limit(i)
        .select(col<&post::title>);
  };
  for (int i = 0; i < 5; ++i) ASSERT_OK(query(i).all());
  EXPECT_EQ(query(0).to_sql(), query(4).to_sql());
  EXPECT_EQ(session.query("select count(*) from pg_prepared_statements where statement = ?", query(9).to_sql())
                .one<std::int64_t>()
                .value(),
            1);
}

TEST_F(selections, workers_share_a_queue_by_skipping_what_is_locked) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    const auto first = tx.repository<post>().query().order_by(asc<&post::id>).limit(2).for_update().skip_locked().all();
    EXPECT_EQ(titles(first), "alpha beta");
    bw::session other = on_primary();
    EXPECT_ERROR(other.transact([&](bw::transaction& beside) -> bw::result<void> {
      const auto queue = beside.repository<post>().query().order_by(asc<&post::id>).limit(2);
      EXPECT_EQ(titles(queue.for_update().skip_locked().all()), "gamma delta");
      BOOST_OUTCOME_TRY(queue.for_share().nowait().all());
      return bw::success();
    }),
                 errc::lock_not_available);
    return bw::success();
  }));
}

TEST_F(selections, clauses_that_do_not_go_together_are_refused_before_anything_is_sent) {
  watcher().clear();
  EXPECT_ERROR(posts.query().skip_locked().all(), errc::invalid_argument);
  EXPECT_ERROR(posts.query().select(col<&post::title>).distinct().for_update().all(), errc::invalid_argument);
  EXPECT_ERROR(posts.query().for_update().count(), errc::invalid_argument);
  EXPECT_ERROR(posts.query().order_by(asc<&post::id>).every_row().delete_all(), errc::invalid_argument);
  EXPECT_ERROR(posts.query().distinct_on(col<&post::author_id>).every_row().delete_all(), errc::invalid_argument);
  EXPECT_ERROR(posts.query().distinct_on(col<&post::author_id>).order_by(asc<&post::author_id>).last(),
               errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

}  // namespace
}  // namespace tests
