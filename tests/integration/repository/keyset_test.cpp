// Pages: by keyset and by number.

#include "forum.hpp"

namespace tests {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

class pages : public forum_test {
 protected:
  /// Ten people: 1 to 10, ranks with ties and NULLs: 1, 1, 1, 2, 2, -, -, 3, 3, 4.
  void SetUp() override {
    forum_test::SetUp();
    behind_the_back(
        "truncate people; insert into people select i, 'p' || i, null, "
        "(array[1, 1, 1, 2, 2, null, null, 3, 3, 4])[i] from generate_series(1, 10) i");
  }
  static std::string ids(const bw::result<std::vector<person>>& found) {
    return listed(found, [](const person& each) { return std::to_string(each.id); });
  }
  static std::string ids(const bw::page<person>& of) { return ids(bw::result<std::vector<person>>(of.items)); }

  /// All pages of a query, forward by next_cursor, then backward by previous_cursor: each with a bar behind it.
  template <class Query>
  static std::string walk(const Query& query, std::int64_t size) {
    std::string seen;
    auto at = query.page(size);
    for (int i = 0; i < 20; ++i) {
      if (!at) return at.error().message();
      seen.append(ids(at.value())).append("|");
      if (at.value().next_cursor.empty()) break;
      at = query.after(at.value().next_cursor).page(size);
    }
    for (int i = 0; i < 20 && at && !at.value().previous_cursor.empty(); ++i) {
      at = query.before(at.value().previous_cursor).page(size);
      if (!at) return at.error().message();
      seen.append("<").append(ids(at.value())).append("|");
    }
    return seen;
  }
};

TEST_F(pages, after_and_before_a_key_give_the_neighbours_in_order) {
  const auto by_id = people.query().order_by(asc<&person::id>);
  EXPECT_EQ(ids(by_id.after(3).limit(3).all()), "4 5 6");
  EXPECT_EQ(ids(by_id.before(8).limit(2).all()), "6 7");
  EXPECT_EQ(ids(people.query().after(3).limit(3).all()), "4 5 6") << "without an order it is the key's";
  EXPECT_EQ(ids(by_id.after(2).before(5).all()), "3 4");
  EXPECT_EQ(by_id.after(3).count().value(), 7);
  EXPECT_FALSE(by_id.after(10).exists().value());
}

TEST_F(pages, a_descending_order_goes_the_other_way) {
  const auto down = people.query().order_by(desc<&person::id>);
  EXPECT_EQ(ids(down.after(8).limit(3).all()), "7 6 5");
  EXPECT_EQ(ids(down.before(3).limit(2).all()), "5 4");
}

TEST_F(pages, ties_are_resolved_by_the_key) {
  const auto by_rank = people.where(col<&person::rank> != std::nullopt).order_by(asc<&person::rank>);
  EXPECT_EQ(ids(by_rank.after(1, 2).limit(3).all()), "3 4 5");
  EXPECT_EQ(ids(by_rank.before(2, 5).limit(2).all()), "3 4");
}

TEST_F(pages, two_columns_with_nulls_are_walked_completely_in_any_order) {
  EXPECT_EQ(walk(people.query().order_by(asc<&person::rank>), 3), "1 2 3|4 5 8|9 10 6|7|<9 10 6|<4 5 8|<1 2 3|");
  EXPECT_EQ(walk(people.query().order_by(asc<&person::rank>.nulls_first()), 4),
            "6 7 1 2|3 4 5 8|9 10|<3 4 5 8|<6 7 1 2|");
  EXPECT_EQ(walk(people.query().order_by(desc<&person::rank>), 4), "6 7 10 8|9 4 5 1|2 3|<9 4 5 1|<6 7 10 8|");
  EXPECT_EQ(walk(people.query().order_by(desc<&person::rank>.nulls_last(), desc<&person::id>), 4),
            "10 9 8 5|4 3 2 1|7 6|<4 3 2 1|<10 9 8 5|");
  EXPECT_EQ(ids(people.query().order_by(asc<&person::rank>).after(std::optional<int>(), 6).all()), "7");
}

TEST_F(pages, an_order_may_be_by_expressions_and_joined_columns) {
  EXPECT_EQ(walk(people.query().order_by(bw::descending(col<&person::id> % 3)), 4),
            "2 5 8 1|4 7 10 3|6 9|<4 7 10 3|<2 5 8 1|");
  behind_the_back("update people set boss_id = 11 - id where id <= 5");
  const auto by_boss = people.query()
                           .left_join<person, "boss">(col<&person::boss_id> == col<&person::id, "boss">)
                           .order_by(bw::ascending(col<&person::id, "boss">));
  EXPECT_EQ(walk(by_boss, 4), "5 4 3 2|1 6 7 8|9 10|<1 6 7 8|<5 4 3 2|");
}

TEST_F(pages, a_page_stays_where_it_is_when_rows_before_it_come_and_go) {
  const auto by_id = people.query().order_by(asc<&person::id>);
  const auto first = by_id.page(3).value();
  EXPECT_EQ(first.previous_cursor, "");
  behind_the_back("delete from people where id in (2, 3); insert into people values (0, 'new')");
  const auto second = by_id.after(first.next_cursor).page(3).value();
  EXPECT_EQ(ids(second), "4 5 6");
  EXPECT_EQ(ids(by_id.before(second.previous_cursor).page(3).value()), "0 1");
}

TEST_F(pages, the_page_size_and_the_ends_are_exact) {
  const auto by_id = people.query().order_by(asc<&person::id>);
  EXPECT_EQ(walk(by_id, 5), "1 2 3 4 5|6 7 8 9 10|<1 2 3 4 5|");
  EXPECT_EQ(walk(by_id, 10), "1 2 3 4 5 6 7 8 9 10|");
  EXPECT_EQ(walk(by_id, 100), "1 2 3 4 5 6 7 8 9 10|");
  EXPECT_EQ(walk(by_id.where(col<&person::id> < 0), 5), "|");
}

TEST_F(pages, a_selection_has_pages_too) {
  const auto page = people.query().order_by(asc<&person::rank>).select(col<&person::name>).page(2).value();
  EXPECT_EQ(page.items, (std::vector<std::string>{"p1", "p2"}));
  const auto next =
      people.query().order_by(asc<&person::rank>).select(col<&person::name>).after(page.next_cursor).page(2).value();
  EXPECT_EQ(next.items, (std::vector<std::string>{"p3", "p4"}));
}

TEST_F(pages, numbered_pages_know_the_total) {
  watcher().clear();
  const auto third = people.query().order_by(desc<&person::id>).page(3, 4).value();
  EXPECT_EQ(watcher().operations().size(), 1U) << "the total comes with the page";
  EXPECT_EQ(ids(third), "2 1");
  EXPECT_EQ(third.total, 10);
  EXPECT_EQ(third.number, 3);
  EXPECT_EQ(third.page_count(), 3);
  EXPECT_EQ(ids(people.query().page(1, 3).value()), "1 2 3") << "without an order it is the key's";
  EXPECT_EQ(ids(people.query().order_by(asc<&person::rank>).page(2, 3).value()), "4 5 8") << "ties by the key";
}

TEST_F(pages, a_page_beyond_the_end_keeps_the_total_and_has_no_items) {
  const auto beyond = people.query().order_by(asc<&person::id>).page(5, 4).value();
  EXPECT_TRUE(beyond.items.empty());
  EXPECT_EQ(beyond.total, 10);
  EXPECT_EQ(people.where(col<&person::id> < 0).page(1, 4).value().total, 0);
}

TEST_F(pages, groups_have_numbered_pages) {
  const auto ranks =
      people.query().select(col<&person::rank>, bw::count()).group_by(col<&person::rank>).order_by(asc<&person::rank>);
  const auto page = ranks.page(2, 2).value();
  EXPECT_EQ(page.total, 5);
  EXPECT_EQ(page.items, (std::vector<std::tuple<std::optional<std::int32_t>, std::int64_t>>{{3, 2}, {4, 1}}));
}

TEST_F(pages, what_does_not_fit_the_order_is_refused_before_anything_is_sent) {
  const auto by_rank = people.query().order_by(asc<&person::rank>);
  watcher().clear();
  EXPECT_ERROR(by_rank.after(1).all(), errc::invalid_argument) << "the key's value is missing";
  EXPECT_ERROR(by_rank.after(1, 2, 3).all(), errc::invalid_argument);
  EXPECT_ERROR(by_rank.after("one", 2).all(), errc::invalid_argument);
  EXPECT_ERROR(by_rank.after(1, nullptr).all(), errc::invalid_argument) << "a key is never NULL";
  EXPECT_ERROR(people.query().page(0), errc::invalid_argument);
  EXPECT_ERROR(people.query().page(0, 5), errc::invalid_argument);
  EXPECT_ERROR(people.query().page(1, -1), errc::invalid_argument);
  EXPECT_ERROR(people.query().page(9'000'000'000'000'000'000, 5), errc::invalid_argument);
  EXPECT_ERROR(people.query().limit(3).page(2), errc::invalid_argument);
  EXPECT_ERROR(people.query().select(col<&person::rank>).distinct().after(1).all(), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(pages, a_cursor_of_another_query_or_a_damaged_one_is_refused) {
  const auto by_rank = people.query().order_by(asc<&person::rank>);
  const std::string cursor = by_rank.page(2).value().next_cursor;
  EXPECT_ERROR(people.query().order_by(desc<&person::rank>).after(cursor).all(), errc::invalid_argument);
  EXPECT_ERROR(people.query().after(cursor).all(), errc::invalid_argument);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string damaged = cursor;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    EXPECT_ERROR(by_rank.after(damaged).all(), errc::invalid_argument) << damaged;
    EXPECT_ERROR(by_rank.after(cursor.substr(0, i)).all(), errc::invalid_argument) << i;
  }
  EXPECT_EQ(ids(by_rank.after(cursor).limit(2).all()), "3 4");
}

TEST_F(pages, cursors_carry_any_text_exactly) {
  behind_the_back(
      "update people set name = case id when 1 then '' when 2 then 'a:1n\"\\' when 3 then '\xF0\x9F\x98\x80' else name "
      "end");
  const auto by_name =
      people.query().order_by(bw::ascending(bw::sql<std::string>("? collate \"C\"", col<&person::name>)));
  EXPECT_EQ(walk(by_name, 1), "1|2|10|4|5|6|7|8|9|3|<9|<8|<7|<6|<5|<4|<10|<2|<1|");
}

TEST_F(pages, a_sensitive_order_makes_no_cursors) {
  const auto accounts = session.repository<account>();
  const auto by_owner = accounts.query().order_by(asc<&account::owner>);
  EXPECT_ERROR(by_owner.page(2), errc::invalid_argument);
  EXPECT_OK(by_owner.page(1, 2)) << "numbers tell nothing";
}

TEST_F(pages, an_index_answers_a_keyset_whose_columns_go_one_way) {
  behind_the_back("insert into people select i, 'p' from generate_series(100, 5000) i; analyze people");
  const auto plan = people.query().after(3000).limit(3).explain();
  EXPECT_NE(plan.value().find("people_pkey"), std::string::npos) << plan.value();
}

}  // namespace
}  // namespace tests
