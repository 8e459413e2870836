// Lists and other particulars of raw SQL, as a server understands them.

#include "support.hpp"

#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace tests {
namespace {

class raw_lists : public repository_test {
 protected:
  bw::session session = on_primary();

  /// The numbers from 1 to 5 for which the condition is true.
  template <class... Arguments>
  [[nodiscard]] std::string which(const std::string& condition, const Arguments&... arguments) {
    const auto found = session
                           .query(
                               "select coalesce(string_agg(n::text, ',' order by n), '') from generate_series(1, 5) n "
                               "where " +
                                   condition,
                               arguments...)
                           .template one<std::string>();
    return found ? found.value() : found.error().message();
  }
  const std::vector<int> ids{2, 4};
  const std::vector<int> none{};
};

TEST_F(raw_lists, in_and_not_in_take_lists_of_any_length) {
  EXPECT_EQ(which("n in (?)", ids), "2,4");
  EXPECT_EQ(which("n not in (?)", ids), "1,3,5");
  EXPECT_EQ(which("n in (?)", none), "");
  EXPECT_EQ(which("n not in (?)", none), "1,2,3,4,5");
  EXPECT_EQ(which("n NOT /* ( */ IN -- \n ( :ids ) or n in (:ids)", bw::arg("ids", ids)), "1,2,3,4,5");
  std::vector<std::int64_t> many(100'000);
  std::iota(many.begin(), many.end(), 3);
  EXPECT_EQ(which("n in (?)", many), "3,4,5");
}

TEST_F(raw_lists, null_in_a_list_follows_sql) {
  const std::vector<std::optional<int>> with_null{2, std::nullopt};
  EXPECT_EQ(which("n in (?)", with_null), "2");
  EXPECT_EQ(which("n not in (?)", with_null), "") << "not known to differ from NULL";
  EXPECT_EQ(which("n in (5, ?)", with_null), "2,5");
  EXPECT_EQ(which("n not in (5, ?)", with_null), "");
  EXPECT_EQ(which("n in (?)", std::optional<std::vector<int>>()), "");
}

TEST_F(raw_lists, among_others_lists_are_their_values) {
  EXPECT_EQ(which("n in (1, ?, 5)", ids), "1,2,4,5");
  EXPECT_EQ(which("n not in (?, ?)", ids, 1), "3,5");
  EXPECT_EQ(which("n in (1, ?)", none), "1");
  EXPECT_EQ(which("n not in (?, 1, ?)", none, none), "2,3,4,5");
  EXPECT_EQ(which("n in (?, ?)", none, none), "");
  EXPECT_EQ(which("n not in (?, ?)", none, none), "1,2,3,4,5");
  EXPECT_EQ(which("n in (:a, 1) and n::text in ('9', :t)", bw::arg("a", ids),
                  bw::arg("t", std::vector<std::string>{"2", "it's"})),
            "2");
}

TEST_F(raw_lists, casts_and_other_places_work) {
  const std::vector<std::string> texts{"2", "4"};
  EXPECT_EQ(which("n in (?::int)", texts), "2,4");
  EXPECT_EQ(which("n in (?::int[])", texts), "2,4");
  EXPECT_EQ(which("n::numeric(10, 2) in (?::numeric(10, 2))", texts), "2,4");
  EXPECT_EQ(which("n in (1, ?::int)", texts), "1,2,4");
  EXPECT_EQ(which("n = any(?)", ids), "2,4");
  EXPECT_EQ(which("n in (select unnest(?::int[]))", ids), "2,4");
  EXPECT_EQ(which("n = array_length(?::int[], 1)", ids), "2");
  EXPECT_EQ(which("not n in (?) is true", ids), "1,3,5");
  EXPECT_EQ(which("n + 1 in (?) and true", ids), "1,3");
}

TEST_F(raw_lists, a_list_of_texts_is_never_sql) {
  ASSERT_OK(session.repository<tag>().insert({.name = "'); drop table tags; --"}));
  const std::vector<std::string> hostile{"'); drop table tags; --", "\"},{\"", "\\", "NULL"};
  for (const char* sql : {"select name from tags where name in (?)", "select name from tags where name in ('x', ?)"}) {
    const auto found = session.query(sql, hostile).one<std::string>();
    ASSERT_OK(found);
    EXPECT_EQ(found.value(), hostile.front());
  }
  EXPECT_EQ(truth("select count(*) from tags"), "1");
}

TEST_F(raw_lists, the_prepared_statement_is_one_for_all_lengths) {
  const auto prepared = [&] {
    return session.transact([&](bw::transaction& tx) -> bw::result<std::int64_t> {
      for (int length = 0; length < 5; ++length) {
        BOOST_OUTCOME_TRY(
            tx.query("select 'in a list' where 1 in (?)", std::vector<int>(static_cast<std::size_t>(length), 1))
                .rows());
        BOOST_OUTCOME_TRY(
            tx.query("select 'among others' where 1 in (0, ?)", std::vector<int>(static_cast<std::size_t>(length), 1))
                .rows());
      }
      return tx
          .query(
              "select count(*) from pg_prepared_statements where statement like 'select ''in a list%' or statement "
              "like 'select ''among%'")
          .one<std::int64_t>();
    });
  };
  EXPECT_EQ(prepared().value(), 1);
}

// ---- placeholders on a server -------------------------------------------------------------------

struct sums {
  std::int64_t sum;
  std::string text;
};

TEST_F(raw_lists, arithmetic_with_four_placeholders_fills_a_struct) {
  const auto made =
      session.query("select (?::int + ?) * ? - ?::bigint as sum, ':literal ?' as text", 1, 2, 3, 4).one<sums>();
  ASSERT_OK(made);
  EXPECT_EQ(made.value().sum, 5);
  EXPECT_EQ(made.value().text, ":literal ?");
}

TEST_F(raw_lists, named_values_are_reused_and_literals_left_alone) {
  const auto made = session
                        .query("select (:n + :n)::bigint as sum, ':n' || :t::text || $$:t$$ /* :x */ as text -- :y\n",
                               bw::arg("n", 2), bw::arg("t", "-"))
                        .one<sums>();
  ASSERT_OK(made);
  EXPECT_EQ(made.value().sum, 4);
  EXPECT_EQ(made.value().text, ":n-:t");
  watcher().clear();
  EXPECT_ERROR(session.query("select :missing", bw::arg("given", 1)).rows(), errc::invalid_argument);
  EXPECT_ERROR(session.query("select :missing").rows(), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty()) << "nothing was sent";
}

TEST_F(raw_lists, operators_with_a_question_mark_reach_the_server) {
  const auto is = [&](std::string_view sql, const auto&... arguments) {
    const auto answer = session.query(sql, arguments...).template one<bool>();
    EXPECT_TRUE(succeeds(answer)) << sql;
    return answer && answer.value();
  };
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ?? ?", "a"));
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ? :key", bw::arg("key", "a")));
  EXPECT_TRUE(is("select '{\"a\": 1}'::jsonb ?| ?", std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(is("select '{\"a\": 1}'::jsonb ?& :keys", bw::arg("keys", std::vector<std::string>{"a", "b"})));
  EXPECT_TRUE(is("select '{\"a\": [1, 2]}'::jsonb @? '$.a[*] ? (@ > 1)' and ? = 1 -- ?", 1));
}

TEST_F(raw_lists, columns_that_do_not_fit_the_struct_are_named) {
  const auto missing = session.query("select 1::bigint as sum").one<sums>();
  EXPECT_ERROR(missing, errc::mapping_mismatch);
  EXPECT_NE(missing.error().message().find("text"), std::string::npos);
  const auto extra = session.query("select 1::bigint as sum, 'x' as text, 2 as more");
  EXPECT_ERROR(extra.one<sums>(), errc::mapping_mismatch);
  EXPECT_NE(extra.one<sums>().error().message().find("more"), std::string::npos);
  ASSERT_OK(extra.allow_extra_columns().one<sums>());
}

}  // namespace
}  // namespace tests
