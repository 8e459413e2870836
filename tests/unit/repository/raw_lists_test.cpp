// Lists in raw SQL: what becomes of `in (...)`.

#include <breakwater/repository/detail/raw_sql.hpp>
#include <breakwater/repository/raw_query.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using bw::errc;

/// Remembers what it was given.
class recorder : public bw::executor {
 public:
  bw::result<bw::rows> execute(const bw::statement& what, const bw::parameters& values) override {
    ++runs;
    seen = what;
    sent = values;
    return bw::rows();
  }
  int runs = 0;
  bw::statement seen{};
  bw::parameters sent{};
};

class raw_lists : public testing::Test {
 protected:
  template <class... Arguments>
  [[nodiscard]] bw::raw_query query(std::string_view sql, const Arguments&... arguments) const {
    return bw::raw_query(on, sql, arguments...);
  }
  /// The statement as it is sent; the error's text where there is one.
  template <class... Arguments>
  [[nodiscard]] std::string sent(std::string_view sql, const Arguments&... arguments) const {
    const auto made = query(sql, arguments...);
    const auto answer = made.rows();
    return answer ? made.to_sql() : answer.error().text();
  }
  [[nodiscard]] std::string values() const {
    std::string all;
    for (std::size_t i = 0; i < on->sent.size(); ++i) {
      all.append(all.empty() ? "" : "|").append(on->sent.is_null(i) ? "NULL" : std::string(on->sent.text(i)));
    }
    return all;
  }

  std::shared_ptr<recorder> on = std::make_shared<recorder>();
  const std::vector<int> ids{1, 2, 3};
  const std::vector<int> none{};
};

// ---- alone between the brackets -----------------------------------------------------------------

TEST_F(raw_lists, alone_in_an_in_is_one_array) {
  EXPECT_EQ(sent("select * from t where id in (?)", ids), "select * from t where id = any ($1)");
  EXPECT_EQ(values(), "{1,2,3}");
  EXPECT_EQ(sent("select * from t where id in (:ids)", bw::arg("ids", ids)), "select * from t where id = any ($1)");
  EXPECT_EQ(sent("select * from t where id in ($1)", ids), "select * from t where id = any ($1)");
  EXPECT_EQ(values(), "{1,2,3}");
}

TEST_F(raw_lists, alone_in_a_not_in_is_compared_with_all) {
  EXPECT_EQ(sent("id not in (?)", ids), "id <> all ($1)");
  EXPECT_EQ(sent("id not in (:ids)", bw::arg("ids", ids)), "id <> all ($1)");
  EXPECT_EQ(sent("not id in (?)", ids), "not id = any ($1)");
  EXPECT_EQ(sent("not (id) in (?)", ids), "not (id) = any ($1)");
}

TEST_F(raw_lists, the_text_is_the_same_for_any_length) {
  const std::string text = sent("id in (?)", none);
  EXPECT_EQ(text, "id = any ($1)");
  EXPECT_EQ(values(), "{}");
  EXPECT_EQ(sent("id in (?)", std::vector<int>(100'000, 7)), text);
  EXPECT_TRUE(on->seen.prepare);
}

TEST_F(raw_lists, spaces_comments_and_capitals_make_no_difference) {
  EXPECT_EQ(sent("id IN(?)", ids), "id = any($1)");
  EXPECT_EQ(sent("id In\n(\t? )", ids), "id = any\n(\t$1 )");
  EXPECT_EQ(sent("id in /* ( */ ( -- ?)\n ? /* , */ )", ids), "id = any /* ( */ ( -- ?)\n $1 /* , */ )");
  EXPECT_EQ(sent("id NOT\n--x\nIN(:a)", bw::arg("a", ids)), "id <>\n--x\nall($1)");
  EXPECT_EQ(sent("\"in\"not in(?)", ids), "\"in\"<> all($1)");
}

TEST_F(raw_lists, a_name_used_twice_is_one_array) {
  EXPECT_EQ(sent("a in (:ids) or b not in (:ids) or c = any(:ids)", bw::arg("ids", ids)),
            "a = any ($1) or b <> all ($1) or c = any($1)");
  EXPECT_EQ(values(), "{1,2,3}");
}

TEST_F(raw_lists, a_cast_of_the_list_casts_its_values) {
  EXPECT_EQ(sent("id in (?::bigint)", ids), "id = any ($1::bigint[])");
  EXPECT_EQ(sent("id in (?::int[])", ids), "id = any ($1::int[])");
  EXPECT_EQ(sent("id in (? :: int array)", ids), "id = any ($1:: int array)");
  EXPECT_EQ(sent("p in (:p::numeric(10, 2) /* money */)", bw::arg("p", ids)),
            "p = any ($1::numeric(10, 2)[] /* money */)");
  EXPECT_EQ(sent("k in (?::shop.\"kind\")", ids), "k = any ($1::shop.\"kind\"[])");
}

TEST_F(raw_lists, brackets_inside_brackets_are_told_apart) {
  EXPECT_EQ(sent("f(a, (b in (?)), g(x in (?, ?)))", ids, 4, 5), "f(a, (b = any ($1)), g(x in ($2, $3)))");
  EXPECT_EQ(sent("a in (select x from t where y in (?) and z not in (?))", ids, ids),
            "a in (select x from t where y = any ($1) and z <> all ($2))");
  EXPECT_EQ(sent("a in (select b[?] from t where c in (?))", 1, ids), "a in (select b[$1] from t where c = any ($2))");
}

TEST_F(raw_lists, a_list_of_optionals_and_an_optional_list_are_lists) {
  EXPECT_EQ(sent("id in (?)", std::vector<std::optional<int>>{1, std::nullopt}), "id = any ($1)");
  EXPECT_EQ(values(), "{1,NULL}");
  EXPECT_EQ(sent("id in (?)", std::optional<std::vector<int>>()), "id = any ($1)");
  EXPECT_EQ(values(), "NULL");
}

TEST_F(raw_lists, every_kind_of_range_is_a_list) {
  const std::array<std::int64_t, 2> two{8, 9};
  const std::string expected = "id = any ($1)";
  EXPECT_EQ(sent("id in (?)", two), expected);
  EXPECT_EQ(sent("id in (?)", std::span<const std::int64_t>(two)), expected);
  EXPECT_EQ(sent("id in (?)", std::vector<std::string>{"a", "b"}), expected);
  EXPECT_EQ(sent("id in (?)", std::initializer_list<int>{1, 2}), expected);
}

TEST_F(raw_lists, text_and_bytes_are_single_values) {
  EXPECT_EQ(sent("owner in (?)", std::string("ada")), "owner in ($1)");
  EXPECT_EQ(sent("owner in (?)", "ada"), "owner in ($1)");
  EXPECT_EQ(sent("digest in (?)", std::vector<std::byte>{std::byte{1}}), "digest in ($1)");
}

// ---- among others -------------------------------------------------------------------------------

TEST_F(raw_lists, among_others_each_of_its_values_is_a_parameter) {
  EXPECT_EQ(sent("id in (0, ?, ?) and x = ?", ids, 9, "y"), "id in (0, $1, $2, $3, $4) and x = $5");
  EXPECT_EQ(values(), "1|2|3|9|y");
  EXPECT_FALSE(on->seen.prepare) << "each length is a statement of its own";
  EXPECT_EQ(sent("id not in (:a, :b)", bw::arg("b", ids), bw::arg("a", std::vector<std::string>{"x\"y", "z\\"})),
            "id not in ($1, $2, $3, $4, $5)");
  EXPECT_EQ(values(), "x\"y|z\\|1|2|3");
}

TEST_F(raw_lists, values_used_twice_keep_their_numbers) {
  EXPECT_EQ(sent("a in (:ids, 0) or b in (0, :ids) or c in (:ids) or d = :x", bw::arg("x", 7), bw::arg("ids", ids)),
            "a in ($1, $2, $3, 0) or b in (0, $1, $2, $3) or c = any ($4) or d = $5");
  EXPECT_EQ(values(), "1|2|3|{1,2,3}|7");
}

TEST_F(raw_lists, a_cast_among_others_is_each_values) {
  EXPECT_EQ(sent("id in (0, ?::bigint)", ids), "id in (0, $1::bigint, $2::bigint, $3::bigint)");
}

TEST_F(raw_lists, an_empty_list_among_others_goes_away) {
  EXPECT_EQ(sent("id in (?, 1)", none), "id in (  1)");
  EXPECT_EQ(sent("id in (1, ?)", none), "id in (1  )");
  EXPECT_EQ(sent("id in (1, ?, 2)", none), "id in (1  , 2)");
  EXPECT_EQ(sent("id in (?, ?, 2)", none, none), "id in (    2)");
  EXPECT_EQ(sent("id in (?, ?)", none, ids), "id in (  $1, $2, $3)");
  EXPECT_EQ(values(), "1|2|3");
  EXPECT_EQ(sent("id in (?, ?)", none, none), "id = any (  '{}')");
  EXPECT_EQ(sent("id not in (?, ?)", none, none), "id <> all (  '{}')");
  EXPECT_EQ(sent("id in (:a, :a)", bw::arg("a", none)), "id = any (  '{}')");
  EXPECT_EQ(values(), "");
  EXPECT_FALSE(on->seen.prepare);
}

TEST_F(raw_lists, null_among_the_values_stays_null) {
  EXPECT_EQ(sent("id in (0, ?)", std::vector<std::optional<int>>{1, std::nullopt}), "id in (0, $1, $2)");
  EXPECT_EQ(values(), "1|NULL");
  EXPECT_EQ(sent("id in (0, ?)", std::optional<std::vector<int>>()), "id in (0, $1)");
  EXPECT_EQ(values(), "NULL");
}

TEST_F(raw_lists, more_values_than_the_protocol_takes_are_refused) {
  const std::vector<int> many(65'535, 1);
  EXPECT_EQ(query("id in (?, 0)", many).rows().has_value(), true);
  const auto refused = query("id in (?, ?)", many, 1).rows();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::invalid_argument);
  EXPECT_NE(refused.error().message().find("any("), std::string::npos) << refused.error().message();
  EXPECT_EQ(on->runs, 1);
}

TEST_F(raw_lists, a_numbered_placeholder_does_not_become_several) {
  const auto refused = query("id in ($1, $2)", ids, 4).rows();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::invalid_argument);
  EXPECT_NE(refused.error().message().find("$1"), std::string::npos);
  EXPECT_EQ(on->runs, 0);
}

TEST_F(raw_lists, sensitive_lists_stay_hidden) {
  const auto made =
      query("owner in (:o) or owner in ('x', :o)", bw::arg("o", std::vector<std::string>{"ada", "bob"}, bw::sensitive));
  const std::string shown = made.to_sql(bw::with_values);
  EXPECT_EQ(shown.find("ada"), std::string::npos) << shown;
  EXPECT_EQ(shown, "owner = any ('***') or owner in ('x', '***', '***')");
}

TEST_F(raw_lists, a_nul_byte_in_a_value_is_refused) {
  const std::vector<std::string> bad{"a", std::string("b\0c", 3)};
  EXPECT_NE(sent("o in (?)", bad).find("NUL"), std::string::npos);
  EXPECT_NE(sent("o in ('x', ?)", bad).find("NUL"), std::string::npos);
  EXPECT_EQ(on->runs, 0);
}

// ---- everywhere else ----------------------------------------------------------------------------

TEST_F(raw_lists, everywhere_else_a_list_is_the_array) {
  for (const std::string before : {"id = any(", "id <> all(", "values (", "unnest(", "s.in(", "\"in\"(", "in_x(",
                                   "id in (select ", "id in (1 + ", "id in ((", "cast("}) {
    EXPECT_EQ(sent(before + "?)", ids), before + "$1)");
    EXPECT_EQ(sent(before + ":ids)", bw::arg("ids", ids)), before + "$1)");
  }
  EXPECT_EQ(sent("id in (array_length(?, 1), 2)", ids), "id in (array_length($1, 1), 2)");
  EXPECT_EQ(sent("id in (?[1])", ids), "id in ($1[1])");
  EXPECT_EQ(sent("id in (? || '{4}')", ids), "id in ($1 || '{4}')");
  EXPECT_EQ(sent("id in (0, ?::int[])", ids), "id in (0, $1::int[])") << "for the server to refuse";
}

TEST_F(raw_lists, literals_and_comments_hide_the_words) {
  EXPECT_EQ(sent("select 'id in (' || ? || ')'", ids), "select 'id in (' || $1 || ')'");
  EXPECT_EQ(sent("select 'x in (?)', a in /*in*/ (?)", ids), "select 'x in (?)', a = any /*in*/ ($1)");
  EXPECT_EQ(sent("select $$ in ($$, ?", ids), "select $$ in ($$, $1");
  EXPECT_EQ(sent("in -- (\n ?", ids), "in -- (\n $1");
}

TEST_F(raw_lists, single_values_in_an_in_stay_as_they_are) {
  EXPECT_EQ(sent("id in (?)", 1), "id in ($1)");
  EXPECT_EQ(sent("id not in (?, ?)", 1, 2), "id not in ($1, $2)");
  EXPECT_EQ(sent("id in ()"), "id in ()");
}

TEST_F(raw_lists, any_sequence_of_bytes_is_answered) {
  constexpr std::string_view pieces[] = {"in", "not", " ", "(", ")", "?", ",", "::", "int", "[", "]", "'", "--\n", "."};
  std::mt19937 random(11);
  for (int round = 0; round < 50'000; ++round) {
    std::string sql;
    std::size_t questions = 0;
    for (std::size_t i = random() % 16; i > 0; --i) {
      const auto chosen = pieces[random() % std::size(pieces)];
      sql.append(chosen);
      questions += chosen == "?" ? 1 : 0;
    }
    constexpr std::array<std::string_view, 4> texts{"{}", R"({"1","2"})", "", "{NULL}"};
    std::vector<std::string_view> lists(questions);
    for (auto& each : lists) each = texts[random() % texts.size()];
    const auto made = breakwater::detail::rewrite_placeholders(sql, {}, questions, lists);
    if (!made) continue;
    std::size_t most = questions;
    for (const std::size_t list : made.value().expanded) {
      most += breakwater::detail::array_elements(lists[list])->size();
    }
    for (const std::size_t value : made.value().order) EXPECT_LT(value, most) << sql;
  }
}

TEST(array_elements, reads_what_array_text_writes) {
  const std::vector<std::optional<std::string>> values{"a", "", "null", std::nullopt, "x,y", "q\"b\\", "{}"};
  bw::parameters bound;
  bw::bind_array(bound, values);
  const auto elements = breakwater::detail::array_elements(bound.text(0));
  ASSERT_TRUE(elements);
  ASSERT_EQ(elements->size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(elements->is_null(i), !values[i]);
    EXPECT_EQ(elements->text(i), values[i].value_or(""));
  }
  EXPECT_EQ(breakwater::detail::array_elements("{}")->size(), 0U);
  EXPECT_EQ(breakwater::detail::array_elements("{1,2,NULL}")->size(), 3U);
  for (const std::string_view bad : {"", "{", "1,2", "{{1},{2}}", "{1,}", "{\"a}", "{\"a\"b}"}) {
    EXPECT_FALSE(breakwater::detail::array_elements(bad)) << bad;
  }
}

}  // namespace
