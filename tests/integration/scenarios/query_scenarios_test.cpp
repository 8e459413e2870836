// Queries from end to end, by conditions and in raw SQL.

#include "blog.hpp"

#include <cstdint>
#include <optional>
#include <tuple>

namespace scenarios {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

struct Report {
  std::string name;
  std::int64_t posts{};
  std::optional<std::int64_t> points;
};

class scenarios_query : public blog_scenario {
 protected:
  /// The ids of the live posts for which a raw condition is true.
  template <class... Arguments>
  [[nodiscard]] std::string which(const std::string& condition, const Arguments&... arguments) {
    const auto found =
        session
            .query(
                "select coalesce(string_agg(id::text, ' ' order by id), '') from posts where deleted_at is "
                "null and (" +
                    condition + ")",
                arguments...)
            .template one<std::string>();
    return found ? found.value() : found.error().message();
  }
  [[nodiscard]] std::string which(const bw::condition<Post>& condition) {
    return ids(posts.where(condition).order_by(asc<&Post::id>).all());
  }
  static std::string ids(const bw::result<std::vector<Post>>& found) {
    return listed(found, [](const Post& each) { return std::to_string(each.id); });
  }
  /// All pages of a query, forward and then backward, each with a bar behind it.
  template <class Query>
  static std::string walk(const Query& query, std::int64_t size) {
    const auto shown = [](const bw::page<Post>& page) { return ids(page.items) + "|"; };
    std::string seen;
    auto at = query.page(size);
    while (at) {
      seen += shown(at.value());
      if (at.value().next_cursor.empty()) break;
      at = query.after(at.value().next_cursor).page(size);
    }
    while (at && !at.value().previous_cursor.empty()) {
      at = query.before(at.value().previous_cursor).page(size);
      if (at) seen += "<" + shown(at.value());
    }
    return at ? seen : at.error().message();
  }
};

// ---- 16: conditions -------------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s16_arguments_keep_their_order) {
  EXPECT_EQ(which(col<&Post::score> > 20 && col<&Post::id> < 6 && col<&Post::title> != "p4"), "3 5");
  EXPECT_EQ(which("score > ? and id < ? and title <> ?", 20, 6, "p4"), "3 5");
  const auto query = posts.where(col<&Post::score> > 20 && col<&Post::id> < 6).where(col<&Post::title> != "p4");
  const std::string shown = query.to_sql(bw::with_values);
  EXPECT_NE(shown.find("\"score\" > '20'"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\"id\" < '6'"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\"title\" <> 'p4'"), std::string::npos) << shown;
}

TEST_F(scenarios_query, s16_an_or_with_two_placeholders) {
  EXPECT_EQ(which(col<&Post::id> == 2 || col<&Post::id> == 4), "2 4");
  EXPECT_EQ(which("id = ? or id = ?", 2, 4), "2 4");
  EXPECT_EQ(ids(posts.where(col<&Post::id> == 2 || col<&Post::id> == 4).where(col<&Post::score> > 30).all()), "4")
      << "the or is one condition";
}

TEST_F(scenarios_query, s16_and_or_and_in_nest) {
  const auto wanted = (col<&Post::rank> == 1 && (col<&Post::id> == 1 || col<&Post::title>.in("p3", "p4"))) ||
                      (col<&Post::id>.in(std::vector<std::int64_t>{8, 9, 10, 11}) && !(col<&Post::rank> == 4));
  EXPECT_EQ(which(wanted), "1 3 8 9");
  EXPECT_EQ(which("(rank = ? and (id = ? or title in (?, ?))) or (id in (?) and not rank = ?)", 1, 1, "p3", "p4",
                  std::vector<std::int64_t>{8, 9, 10, 11}, 4),
            "1 3 8 9");
}

TEST_F(scenarios_query, s16_an_empty_in_is_false) {
  const std::vector<std::int64_t> none;
  EXPECT_EQ(which(col<&Post::id>.in(none)), "");
  EXPECT_EQ(which(col<&Post::id>.in(none) || col<&Post::id> == 1), "1");
  EXPECT_EQ(which(!col<&Post::id>.in(none)), "1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(which(col<&Post::id>.not_in(none)), "1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(which("id in (?)", none), "");
  EXPECT_EQ(which("id not in (?)", none), "1 2 3 4 5 6 7 8 9 10");
}

TEST_F(scenarios_query, s16_null_comparisons_are_sqls) {
  EXPECT_EQ(which(col<&Post::rank> == std::nullopt), "6 7");
  EXPECT_EQ(which(col<&Post::rank> == std::optional<std::int32_t>()), "6 7");
  EXPECT_EQ(which(col<&Post::rank> != std::nullopt), "1 2 3 4 5 8 9 10");
  EXPECT_EQ(which(col<&Post::rank>.is_null()), "6 7");
  EXPECT_EQ(which(col<&Post::rank> != 1), "4 5 8 9 10") << "NULL is not known to differ";
  EXPECT_EQ(which(!(col<&Post::rank> == 1)), "4 5 8 9 10");
  EXPECT_EQ(which(col<&Post::rank> < std::optional<std::int32_t>()), "");
  EXPECT_EQ(which("rank = ?", std::optional<std::int32_t>()), "");
  EXPECT_EQ(which("rank is not distinct from ?", std::optional<std::int32_t>()), "6 7");
}

// ---- 17: named parameters -------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s17_named_parameters_are_reused) {
  EXPECT_EQ(which("id = :n or score = :n + :n + 10 or id = :m", bw::arg("n", 10), bw::arg("m", 1)), "1 3 10");
}

TEST_F(scenarios_query, s17_a_list_is_expanded) {
  const std::vector<int> some{2, 4};
  EXPECT_EQ(which("id in (:ids)", bw::arg("ids", some)), "2 4");
  EXPECT_EQ(which("id not in (:ids) and id < 5", bw::arg("ids", some)), "1 3");
  EXPECT_EQ(which("id in (1, :ids) or id in (:ids, 7)", bw::arg("ids", some)), "1 2 4 7");
  EXPECT_EQ(which("title in (:titles)", bw::arg("titles", std::vector<std::string>{"p3", "it's"})), "3");
}

TEST_F(scenarios_query, s17_casts_and_literals_are_left_alone) {
  EXPECT_EQ(which("id::text = :n and ':literal' = ':lit' || 'eral' and score::numeric(10, 2) > 5", bw::arg("n", "2")),
            "2");
  EXPECT_EQ(which("id = :n::int", bw::arg("n", "3")), "3");
  EXPECT_EQ(
      which("title = :t || $$:x$$ or title = 'p' || /* :y */ :n::text -- :z\n", bw::arg("t", "p"), bw::arg("n", 4)),
      "4");
}

TEST_F(scenarios_query, s17_a_missing_name_is_an_error_and_nothing_is_sent) {
  const auto missing = session.query("select :given::int, :missing::int", bw::arg("given", 1)).rows();
  EXPECT_ERROR(missing, errc::invalid_argument);
  EXPECT_NE(missing.error().message().find("missing"), std::string::npos) << missing.error().message();
  EXPECT_ERROR(session.execute("delete from posts where id = :id"), errc::invalid_argument);
  EXPECT_ERROR(session.execute("delete from posts where id = :id", bw::arg("it", 1)), errc::invalid_argument);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(truth("select count(*) from posts"), "11");
}

// ---- 18: raw SQL ----------------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s18_jsonb_operators_with_a_question_mark) {
  const auto is = [&](std::string_view sql, const auto&... arguments) {
    const auto answer = session.query(sql, arguments...).template one<bool>();
    EXPECT_OK(answer) << sql;
    return answer && answer.value();
  };
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ?? ?", "a"));
  EXPECT_FALSE(is("select '{\"a\": 1}'::jsonb ?? ?", "b"));
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ? :key", bw::arg("key", "a")));
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ?| ?", std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(is("select '{\"a\": 1}'::jsonb ?& ?", std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(is("select '{\"a\": [1, 2]}'::jsonb @? '$.a[*] ? (@ > 1)' and ? = 1", 1));
}

TEST_F(scenarios_query, s18_dollar_quotes_and_comments_hold_no_placeholders) {
  const auto text = session
                        .query(
                            "select $$? :a $1$$ || $tag$ $$ ? $tag$ || ? -- ? :b\n"
                            "  /* ? /* nested :c */ ? */ || 'it''s ?' || E'\\'?' as \"? :d\"",
                            "!")
                        .one<std::string>();
  ASSERT_OK(text);
  EXPECT_EQ(text.value(), "? :a $1 $$ ? !it's ?'?");
}

TEST_F(scenarios_query, s18_arithmetic_with_four_placeholders) {
  EXPECT_EQ(session.query("select (? + ?) * ? - ?", 1, 2, 3, 4).one<std::int64_t>().value(), 5);
  EXPECT_EQ(session.query("select ? - ? / ? * ?", 100, 60, 3, 2).one<std::int64_t>().value(), 60);
}

TEST_F(scenarios_query, s18_into_an_aggregate_struct) {
  const auto found =
      session
          .query(
              "select sum(p.score) points, a.name, count(p.id) posts from authors a left join posts p on "
              "p.author_id = a.id and p.deleted_at is null where a.id < ? group by a.id order by a.id",
              4)
          .as<Report>();
  EXPECT_EQ(listed(found,
                   [](const Report& each) {
                     return each.name + ":" + std::to_string(each.posts) + ":" +
                            (each.points ? std::to_string(*each.points) : "-");
                   }),
            "ada:2:30 bob:2:70 cid:0:-");
}

// ---- 19: joins and groups -------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s19_inner_left_right_full_and_cross_joins) {
  const auto on = col<&Post::author_id> == col<&Author::id>;
  const auto pairs = [](const auto& joined) {
    const auto rows = joined.where(!(col<&Post::id> > 6))
                          .order_by(asc<&Post::id>, asc<&Author::id>)
                          .select(bw::coalesce(col<&Author::name>, "-"), bw::coalesce(col<&Post::title>, "-"))
                          .all();
    return listed(rows, [](const auto& row) {
      const std::optional<std::string> name = std::get<0>(row);
      const std::optional<std::string> title = std::get<1>(row);
      return name.value_or("?") + "/" + title.value_or("?");
    });
  };
  EXPECT_EQ(pairs(authors.query().join<Post>(on)), "ada/p1 ada/p2 bob/p3 bob/p4");
  EXPECT_EQ(pairs(authors.query().right_join<Post>(on)), "ada/p1 ada/p2 bob/p3 bob/p4 -/p5 -/p6");
  EXPECT_EQ(names(authors.query().left_join<Post>(on).where(col<&Post::id>.is_null()).all()), "cid");
  EXPECT_EQ(authors.query().left_join<Post>(on).count().value(), 5);
  EXPECT_EQ(authors.query().full_join<Post>(on).count().value(), 4 + 1 + 6) << "matched, cid, and posts of nobody";
  EXPECT_EQ(authors.query().cross_join<Post>().count().value(), 3 * 10);
  EXPECT_EQ(truth("select count(*) from (select 1 from (select * from authors where deleted_at is null) a full join "
                  "(select * from posts where deleted_at is null) p on p.author_id = a.id) t"),
            "11");
}

TEST_F(scenarios_query, s19_rows_of_joined_entities_come_as_they_are) {
  const auto rows = authors.query()
                        .left_join<Post>(col<&Post::author_id> == col<&Author::id>)
                        .order_by(asc<&Author::id>, asc<&Post::id>)
                        .select(bw::row_of<Author>, bw::row_of<Post>)
                        .all();
  EXPECT_EQ(listed(rows,
                   [](const std::tuple<Author, std::optional<Post>>& row) {
                     return std::get<0>(row).name + "/" + (std::get<1>(row) ? std::get<1>(row)->title : "-");
                   }),
            "ada/p1 ada/p2 bob/p3 bob/p4 cid/-");
}

TEST_F(scenarios_query, s19_aliases_join_a_table_to_itself) {
  const auto taught = authors.query()
                          .left_join<Author, "mentor">(col<&Author::mentor_id> == col<&Author::id, "mentor">)
                          .order_by(asc<&Author::id>)
                          .select(col<&Author::name>, col<&Author::name, "mentor">)
                          .all();
  EXPECT_EQ(listed(taught, [](const auto& row) { return std::get<0>(row) + "<" + std::get<1>(row).value_or("-"); }),
            "ada<- bob<ada cid<ada");
}

TEST_F(scenarios_query, s19_group_by_having_and_aggregates) {
  const auto by_author = authors.query()
                             .left_join<Post>(col<&Post::author_id> == col<&Author::id>)
                             .select<Report>(col<&Author::name>, bw::count(col<&Post::id>), bw::sum(col<&Post::score>))
                             .group_by(col<&Author::id>, col<&Author::name>)
                             .order_by(asc<&Author::id>);
  const auto shown = [](const bw::result<std::vector<Report>>& found) {
    return listed(found, [](const Report& each) {
      return each.name + ":" + std::to_string(each.posts) + ":" + (each.points ? std::to_string(*each.points) : "-");
    });
  };
  EXPECT_EQ(shown(by_author.all()), "ada:2:30 bob:2:70 cid:0:-");
  EXPECT_EQ(shown(by_author.having(bw::sum(col<&Post::score>) > 30).all()), "bob:2:70");
  EXPECT_EQ(posts.query()
                .select(bw::count(), bw::count(col<&Post::rank>), bw::count_distinct(col<&Post::rank>),
                        bw::min(col<&Post::score>), bw::max(col<&Post::score>), bw::avg(col<&Post::score>))
                .one()
                .value(),
            (std::tuple{std::int64_t{10}, std::int64_t{8}, std::int64_t{4}, std::optional(std::int32_t{10}),
                        std::optional(std::int32_t{100}), std::optional(bw::numeric{"55"})}));
  EXPECT_EQ(posts.query().sum<&Post::score>().value(), 550);
  EXPECT_EQ(posts.where(col<&Post::id> < 0).sum<&Post::score>().value(), std::nullopt);
}

TEST_F(scenarios_query, s19_distinct_rows_come_once) {
  const auto ranks = posts.query().select(col<&Post::rank>).distinct().order_by(asc<&Post::rank>);
  EXPECT_EQ(ranks.all().value(), (std::vector<std::optional<std::int32_t>>{1, 2, 3, 4, std::nullopt}));
  EXPECT_EQ(ranks.count().value(), 5);
}

// ---- 20: single rows ------------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s20_first_and_last_of_an_order) {
  EXPECT_EQ(posts.query().order_by(asc<&Post::score>).first().value()->id, 1);
  EXPECT_EQ(posts.query().order_by(asc<&Post::score>).last().value()->id, 10);
  EXPECT_EQ(posts.query().order_by(desc<&Post::rank>, asc<&Post::id>).first().value()->id, 6) << "NULLs first";
  EXPECT_FALSE(posts.where(col<&Post::id> < 0).order_by(asc<&Post::id>).first().value());
  EXPECT_FALSE(posts.where(col<&Post::id> < 0).order_by(asc<&Post::id>).last().value());
}

TEST_F(scenarios_query, s20_first_and_last_without_an_order_are_a_clear_error) {
  for (const auto& refused : {posts.query().first(), posts.query().last()}) {
    EXPECT_ERROR(refused, errc::invalid_argument);
    EXPECT_NE(refused.error().message().find("order_by"), std::string::npos) << refused.error().message();
  }
  EXPECT_EQ(sent(), "");
}

TEST_F(scenarios_query, s20_one_is_exactly_one) {
  EXPECT_EQ(posts.where(col<&Post::title> == "p3").one().value().id, 3);
  EXPECT_ERROR(posts.where(col<&Post::id>.in(1, 2)).one(), errc::too_many_rows);
  EXPECT_ERROR(posts.where(col<&Post::id> < 0).one(), errc::not_found);
}

// ---- 21 and 22: pages -----------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s21_keyset_after_3_gives_4_5_6_and_before_8_gives_6_7_in_order) {
  const auto by_id = posts.query().order_by(asc<&Post::id>);
  EXPECT_EQ(ids(by_id.after(3).page(3).value().items), "4 5 6");
  EXPECT_EQ(ids(by_id.after(3).limit(3).all()), "4 5 6");
  EXPECT_EQ(ids(by_id.before(8).page(2).value().items), "6 7");
  EXPECT_EQ(ids(by_id.before(8).limit(2).all()), "6 7");
}

TEST_F(scenarios_query, s21_keyset_ties_are_resolved_by_the_key) {
  const auto by_rank = posts.where(col<&Post::rank> != std::nullopt).order_by(asc<&Post::rank>);
  EXPECT_EQ(ids(by_rank.after(1, 2).limit(3).all()), "3 4 5");
  EXPECT_EQ(ids(by_rank.before(2, 5).limit(2).all()), "3 4");
  EXPECT_EQ(walk(by_rank, 2), "1 2|3 4|5 8|9 10|<5 8|<3 4|<1 2|") << "no page skips or repeats one";
}

TEST_F(scenarios_query, s21_keyset_of_two_columns_with_nulls) {
  EXPECT_EQ(walk(posts.query().order_by(asc<&Post::rank>, desc<&Post::score>), 3),
            "3 2 1|5 4 9|8 10 7|6|<8 10 7|<5 4 9|<3 2 1|");
  EXPECT_EQ(walk(posts.query().order_by(desc<&Post::author_id>, asc<&Post::rank>.nulls_first()), 4),
            "6 7 8 9|10 5 3 4|1 2|<10 5 3 4|<6 7 8 9|");
  EXPECT_EQ(walk(posts.query().order_by(desc<&Post::rank>, asc<&Post::score>), 4),
            "6 7 10 8|9 4 5 1|2 3|<9 4 5 1|<6 7 10 8|");
}

TEST_F(scenarios_query, s22_an_offset_page_beyond_the_end_keeps_the_total_and_has_no_items) {
  const auto by_id = posts.query().order_by(asc<&Post::id>);
  const auto last = by_id.page(3, 4);
  ASSERT_OK(last);
  EXPECT_EQ(ids(last.value().items), "9 10");
  EXPECT_EQ(last.value().total, 10);
  const auto beyond = by_id.page(7, 4);
  ASSERT_OK(beyond);
  EXPECT_TRUE(beyond.value().items.empty());
  EXPECT_EQ(beyond.value().total, 10);
  EXPECT_EQ(beyond.value().page_count(), 3);
}

// ---- 23: days -------------------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s23_date_ranges_are_half_open_in_the_sessions_time_zone) {
  const auto seen = [&](const std::string& zone, bw::date from, bw::date to) {
    std::string found;
    EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("set local time zone '" + zone + "'"));
      found = ids(tx.repository<Post>().query().created_between(from, to).order_by(asc<&Post::id>).all());
      return bw::success();
    }));
    return found;
  };
  const bw::date first{"2026-03-01"};
  const bw::date second{"2026-03-02"};
  EXPECT_EQ(seen("UTC", first, second), "1 2") << "the last microsecond belongs to it, the next midnight does not";
  EXPECT_EQ(seen("UTC", first, first), "");
  EXPECT_EQ(seen("UTC", second, bw::date{"2026-03-04"}), "3 4 5");
  EXPECT_EQ(seen("Australia/Brisbane", first, second), "1") << "days begin ten hours earlier";
  EXPECT_EQ(seen("America/New_York", first, second), "2 3") << "and five hours later";
  const auto moments =
      posts.query().created_between(bw::timestamptz{"2026-03-02 00:00+00"}, bw::timestamptz{"2026-03-02 12:00+00"});
  EXPECT_EQ(ids(moments.all()), "3") << "moments do not depend on a zone";
}

TEST_F(scenarios_query, s23_on_date_gives_one_day) {
  const auto seen = [&](const std::string& zone, bw::date day) {
    std::string found;
    EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.execute("set local time zone '" + zone + "'"));
      found = ids(tx.repository<Post>().query().on_date(day).order_by(asc<&Post::id>).all());
      return bw::success();
    }));
    return found;
  };
  EXPECT_EQ(seen("UTC", bw::date{"2026-03-01"}), "1 2");
  EXPECT_EQ(seen("UTC", bw::date{"2026-03-02"}), "3 4");
  EXPECT_EQ(seen("UTC", bw::date{"2026-03-03"}), "5");
  EXPECT_EQ(seen("UTC", bw::date{"2026-03-04"}), "");
  EXPECT_EQ(seen("Australia/Brisbane", bw::date{"2026-03-02"}), "2 3 4");
}

// ---- 24: showing it -------------------------------------------------------------------------------------------------

TEST_F(scenarios_query, s24_to_sql_is_what_is_sent) {
  const auto shown_and_sent = [&](const auto& make) {
    EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
      const auto query = make(tx);
      BOOST_OUTCOME_TRY(const auto backend, tx.query("select pg_backend_pid()").template one<std::int32_t>());
      BOOST_OUTCOME_TRY(query.all());
      EXPECT_EQ(truth("select query from pg_stat_activity where pid = " + std::to_string(backend)), query.to_sql());
      return bw::success();
    }));
  };
  shown_and_sent([](bw::transaction& tx) {
    return tx.repository<Post>()
        .where(col<&Post::title>.in("p1", "p2") && (col<&Post::score> > 5 || col<&Post::rank> == std::nullopt))
        .order_by(desc<&Post::score>)
        .limit(3);
  });
  shown_and_sent([](bw::transaction& tx) {
    return tx.repository<Author>()
        .query()
        .left_join<Post>(col<&Post::author_id> == col<&Author::id>)
        .where(col<&Author::email> != "x")
        .select(col<&Author::name>, bw::count(col<&Post::id>))
        .group_by(col<&Author::name>)
        .having(bw::count() > 0);
  });
}

TEST_F(scenarios_query, s24_with_values_sensitive_ones_are_masked) {
  const auto query = authors.where(col<&Author::email> == "ada@secret" && col<&Author::name> == "o'ada");
  const std::string shown = query.to_sql(bw::with_values);
  EXPECT_NE(shown.find("\"email\" = '***'"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\"name\" = 'o''ada'"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("secret"), std::string::npos) << shown;
  EXPECT_EQ(query.to_sql().find("ada"), std::string::npos) << "without values there are none";
  const auto raw = session.query("select 1 from authors where email = :email and name = :name",
                                 bw::arg("email", "ada@secret", bw::sensitive), bw::arg("name", "ada"));
  EXPECT_EQ(raw.to_sql(bw::with_values), "select 1 from authors where email = '***' and name = 'ada'");
}

}  // namespace
}  // namespace scenarios
