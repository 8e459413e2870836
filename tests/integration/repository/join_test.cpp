// Queries over several tables.

#include "forum.hpp"

#include <tuple>

namespace tests {
namespace {

using bw::asc;
using bw::col;

class joins : public forum_test {
 protected:
  /// "ada:alpha" for each row of a person and a post, "-" where there is none.
  template <class Row>
  static std::string pair(const Row& row) {
    const auto name = [](const auto& of) -> std::string {
      if constexpr (requires { of->name; }) {
        return of ? of->name : "-";
      } else if constexpr (requires { of->title; }) {
        return of ? of->title : "-";
      } else if constexpr (requires { of.name; }) {
        return of.name;
      } else {
        return of.title;
      }
    };
    return name(std::get<0>(row)) + ":" + name(std::get<1>(row));
  }
};

TEST_F(joins, an_inner_join_answers_matching_live_rows_of_both) {
  const auto both = people.query().join<post>(col<&post::author_id> == col<&person::id>);
  EXPECT_EQ(names(both.order_by(asc<&post::id>).all()), "ada ada bob");
  const auto rows = both.order_by(asc<&post::id>).select(bw::row_of<person>, bw::row_of<post>).all();
  static_assert(std::is_same_v<decltype(rows), const bw::result<std::vector<std::tuple<person, post>>>>);
  EXPECT_EQ(listed(rows, [](const auto& row) { return pair(row); }), "ada:alpha ada:beta bob:gamma");
}

TEST_F(joins, a_left_join_keeps_who_has_none_and_shows_no_trash) {
  const auto rows = people.query()
                        .left_join<post>(col<&post::author_id> == col<&person::id>)
                        .order_by(asc<&person::id>, asc<&post::id>)
                        .select(bw::row_of<person>, bw::row_of<post>)
                        .all();
  static_assert(std::is_same_v<decltype(rows), const bw::result<std::vector<std::tuple<person, std::optional<post>>>>>);
  EXPECT_EQ(listed(rows, [](const auto& row) { return pair(row); }), "ada:alpha ada:beta bob:gamma cid:-");
}

TEST_F(joins, a_right_join_keeps_the_other_side_and_shows_no_trash) {
  const auto rows = people.query()
                        .right_join<post>(col<&post::author_id> == col<&person::id>)
                        .order_by(asc<&post::id>)
                        .select(bw::row_of<person>, bw::row_of<post>)
                        .all();
  static_assert(std::is_same_v<decltype(rows), const bw::result<std::vector<std::tuple<std::optional<person>, post>>>>);
  // dan is in the trash: his post stays, without him. The trashed post does not.
  EXPECT_EQ(listed(rows, [](const auto& row) { return pair(row); }), "ada:alpha ada:beta bob:gamma -:delta -:orphan");
}

TEST_F(joins, a_full_join_keeps_both_sides_and_shows_no_trash) {
  const auto rows = people.query()
                        .full_join<post>(col<&post::author_id> == col<&person::id>)
                        .order_by(asc<&post::id>, asc<&person::id>)
                        .select(bw::row_of<person>, bw::row_of<post>)
                        .all();
  EXPECT_EQ(listed(rows, [](const auto& row) { return pair(row); }),
            "ada:alpha ada:beta bob:gamma -:delta -:orphan cid:-");
}

TEST_F(joins, a_cross_join_pairs_all_live_rows) {
  EXPECT_EQ(people.query().cross_join<post>().count().value(), 3 * 5);
  EXPECT_EQ(people.query().with_trashed().cross_join<post>().count().value(), 4 * 5);
  EXPECT_EQ((people.query().cross_join<post>().with_trashed<post>().count().value()), 3 * 6);
}

TEST_F(joins, a_table_joins_itself_under_an_alias) {
  const auto pairs = people.query()
                         .left_join<person, "boss">(col<&person::boss_id> == col<&person::id, "boss">)
                         .order_by(asc<&person::id>)
                         .select(col<&person::name>, col<&person::name, "boss">)
                         .all();
  static_assert(std::is_same_v<decltype(pairs),
                               const bw::result<std::vector<std::tuple<std::string, std::optional<std::string>>>>>,
                "a column that an outer join may leave NULL is an optional");
  EXPECT_EQ(listed(pairs, [](const auto& row) { return std::get<0>(row) + "<" + std::get<1>(row).value_or("-"); }),
            "ada<- bob<ada cid<ada");
}

TEST_F(joins, conditions_may_be_on_either_side_and_an_or_shows_no_trash_of_either) {
  const auto both = people.query().join<post>(col<&post::author_id> == col<&person::id>);
  const auto either = col<&person::name> == "bob" || col<&post::score> > 5;
  EXPECT_EQ(names(both.where(either).order_by(asc<&post::id>).all()), "ada ada bob");
  EXPECT_EQ(both.where(col<&post::title> == "trashed").count().value(), 0);
  EXPECT_EQ(both.where(col<&person::name> == "dan").exists().value(), false);
  EXPECT_EQ(names(both.with_trashed<post>().where(col<&post::title> == "trashed").all()), "ada");
  EXPECT_EQ(names(both.with_trashed().where(col<&post::title> == "delta").all()), "dan");
  EXPECT_EQ(names(both.only_trashed().all()), "dan");
}

TEST_F(joins, three_tables_and_a_condition_built_at_run_time) {
  bw::condition<person> wanted;
  wanted = wanted && col<&person::name> != "cid";
  const auto rows = posts.query()
                        .join<person>(col<&post::author_id> == col<&person::id>)
                        .left_join<person, "boss">(col<&person::boss_id> == col<&person::id, "boss">)
                        .where(wanted)
                        .order_by(asc<&post::id>)
                        .select(col<&post::title>, col<&person::name>, col<&person::name, "boss">)
                        .all();
  EXPECT_EQ(listed(rows, [](const auto& row) { return std::get<0>(row) + std::get<2>(row).value_or("-"); }),
            "alpha- beta- gammaada");
}

TEST_F(joins, locks_are_on_the_first_tables_rows) {
  const auto query = people.query().left_join<post>(col<&post::author_id> == col<&person::id>).for_update();
  EXPECT_TRUE(query.to_sql().ends_with(" for update of \"people\"")) << query.to_sql();
  EXPECT_EQ(query.all().value().size(), 4U);
}

}  // namespace
}  // namespace tests
