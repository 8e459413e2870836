#include <breakwater/repository/detail/raw_sql.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using breakwater::errc;
using breakwater::detail::rewrite_placeholders;

using names = std::vector<std::string_view>;
using order = std::vector<std::size_t>;

/// The text rewritten for that many positional arguments; the error's message where there is one.
std::string positional(std::string_view sql, std::size_t count) {
  auto made = rewrite_placeholders(sql, {}, count);
  return made ? made.assume_value().text : made.error().message();
}
std::string named(std::string_view sql, const names& given) {
  auto made = rewrite_placeholders(sql, given, 0);
  return made ? made.assume_value().text : made.error().message();
}

/// Texts without a placeholder stay as they are, whatever the arguments' kind would be.
void expect_untouched(std::string_view sql) {
  EXPECT_EQ(positional(sql, 0), sql);
  // A name that occurs in none of the texts; its use behind them shows that the scanner found the
  // end.
  EXPECT_EQ(named(std::string(sql) + "\n,:zz9", {"zz9"}), std::string(sql) + "\n,$1");
}

void expect_refused(std::string_view sql, const names& given, std::size_t count, std::string_view part) {
  const auto made = rewrite_placeholders(sql, given, count);
  ASSERT_FALSE(made) << sql;
  EXPECT_EQ(made.error().code(), errc::invalid_argument) << sql;
  EXPECT_EQ(made.error().applied(), breakwater::applied::no) << sql;
  EXPECT_NE(made.error().message().find(part), std::string::npos) << made.error().message();
}

// ---- placeholders -------------------------------------------------------------------------------

TEST(raw_sql, question_marks_are_numbered_from_left_to_right) {
  EXPECT_EQ(positional("select ? where a = ? and b in (?, ?)", 4), "select $1 where a = $2 and b in ($3, $4)");
  EXPECT_EQ(rewrite_placeholders("?, ?", {}, 2).value().order, (order{0, 1}));
}

TEST(raw_sql, numbered_placeholders_pass_through) {
  EXPECT_EQ(positional("select $2, $1, $2", 2), "select $2, $1, $2");
  EXPECT_EQ(rewrite_placeholders("select $2, $1, $2", {}, 2).value().order, (order{0, 1}));
}

TEST(raw_sql, a_name_used_twice_is_one_parameter) {
  const names given{"b", "a"};
  const auto made = rewrite_placeholders("select :a, :b, :a", given, 0);
  ASSERT_TRUE(made);
  EXPECT_EQ(made.value().text, "select $1, $2, $1");
  EXPECT_EQ(made.value().order, (order{1, 0}));
}

TEST(raw_sql, names_are_letters_digits_and_underscores_of_any_script) {
  EXPECT_EQ(named("select :_a1,:größe,:名", {"_a1", "größe", "名"}), "select $1,$2,$3");
  EXPECT_EQ(named("select :Least, :least", {"least", "Least"}), "select $1, $2");
}

TEST(raw_sql, a_placeholder_never_grows_together_with_its_neighbours) {
  EXPECT_EQ(positional("name like?", 1), "name like $1");
  EXPECT_EQ(positional("?and?", 2), "$1 and $2");
  EXPECT_EQ(positional("select ?1", 1), "select $1 1");
  EXPECT_EQ(positional("1?", 1), "1 $1");
  EXPECT_EQ(positional("$?", 1), "$ $1");
  EXPECT_EQ(positional("größe=?", 1), "größe=$1");
  EXPECT_EQ(positional("like?größe", 1), "like $1 größe");
  EXPECT_EQ(named("in:ids", {"ids"}), "in $1");
  EXPECT_EQ(named(":a$$?$$", {"a"}), "$1 $$?$$");
}

TEST(raw_sql, an_empty_statement_or_only_comments_is_no_error) {
  expect_untouched("");
  expect_untouched(" \t\r\n\f");
  expect_untouched("-- ? :a $1");
  expect_untouched("/* ? :a */ -- ' \" $$");
  expect_untouched(";;");
}

// ---- literals -----------------------------------------------------------------------------------

TEST(raw_sql, strings_hide_placeholders) {
  expect_untouched("select '? :a $1 -- /* \" $$'");
  expect_untouched("select 'it''s ?'");
  expect_untouched("select ''");
  expect_untouched("select '''' || '?'");
  expect_untouched("select 'a'\n'?'");
}

TEST(raw_sql, a_backslash_in_a_plain_string_is_a_backslash) {
  EXPECT_EQ(positional(R"(select '\', ?)", 1), R"(select '\', $1)");
  EXPECT_EQ(positional(R"(select U&'\', ?)", 1), R"(select U&'\', $1)");
  EXPECT_EQ(positional(R"(select N'\', ?)", 1), R"(select N'\', $1)");
  EXPECT_EQ(positional(R"(select some'\', ?)", 1), R"(select some'\', $1)");
}

TEST(raw_sql, a_backslash_in_an_escape_string_protects_the_quote) {
  expect_untouched(R"(select E'\'?')");
  expect_untouched(R"(select e'\\', E'''?', E'a\'''?')");
  EXPECT_EQ(positional(R"(select E'\\',?)", 1), R"(select E'\\',$1)");
  EXPECT_EQ(positional(R"(select e'\'', ?)", 1), R"(select e'\'', $1)");
  EXPECT_EQ(positional(R"(select 1E'\'?', ?)", 1), R"(select 1E'\'?', $1)");
}

TEST(raw_sql, an_escape_string_goes_on_in_the_next_line) {
  expect_untouched("select E'a'\n  '\\'?'");
  expect_untouched("select E'a' -- it's\n -- more '\n '\\'?'");
  EXPECT_EQ(positional("select E'a' '\\', ?", 1), "select E'a' '\\', $1");  // no line end between
  EXPECT_EQ(positional("select E'a'\n, '\\', ?", 1), "select E'a'\n, '\\', $1");
  EXPECT_EQ(positional("select E'a'\n-- b", 0), "select E'a'\n-- b");
}

TEST(raw_sql, strings_with_other_prefixes_hide_placeholders) {
  expect_untouched("select B'01?', x'1?', N'?', U&'?\\0041', u&'''?'");
  expect_untouched("select U&'d!0061t!+000061?' UESCAPE '!'");
  EXPECT_EQ(positional("select u&?", 1), "select u&$1");
}

TEST(raw_sql, quoted_names_hide_placeholders) {
  expect_untouched(R"(select "?" , "a""?" , "a'" , ":a" , "--" , U&"?\0041")");
  EXPECT_EQ(positional(R"(select "it's" = ?)", 1), R"(select "it's" = $1)");
  EXPECT_EQ(positional(R"(select "\" = ?)", 1), R"(select "\" = $1)");
}

TEST(raw_sql, dollar_quotes_hide_placeholders) {
  expect_untouched("select $$ ? :a $1 ' \" /* -- $$");
  expect_untouched("do $body$ begin perform '$$ ?'; end $body$");
  expect_untouched("select $a$ $b$ ? $b$ $a$");
  expect_untouched("select $a$ ? $A$ ? $a $a$");
  expect_untouched("select $_1$?$_1$ , $größe$?$größe$");
  EXPECT_EQ(positional("select $a$$b$a$, ?", 1), "select $a$$b$a$, $1");
  EXPECT_EQ(positional("select $$a$$, ?, $$b$$", 1), "select $$a$$, $1, $$b$$");
}

TEST(raw_sql, a_dollar_inside_a_name_opens_no_quote) {
  EXPECT_EQ(positional("select a$b$ , ? , a$b$", 1), "select a$b$ , $1 , a$b$");
  EXPECT_EQ(positional("select a$1 = ?", 1), "select a$1 = $1");
  EXPECT_EQ(positional("select é$$, ?", 1), "select é$$, $1");
}

TEST(raw_sql, a_tag_does_not_begin_with_a_digit) {
  EXPECT_EQ(positional("select $1, $1", 1), "select $1, $1");
  EXPECT_EQ(positional("select $1$$?$$", 1), "select $1 $$?$$");
}

// ---- comments -----------------------------------------------------------------------------------

TEST(raw_sql, comments_hide_placeholders_and_quotes) {
  EXPECT_EQ(positional("select 1 -- it's ?\n, ?", 1), "select 1 -- it's ?\n, $1");
  EXPECT_EQ(positional("select 1 -- it's ?\r, ?", 1), "select 1 -- it's ?\r, $1");
  EXPECT_EQ(positional("select /* it's \" $$ ? */ ?", 1), "select /* it's \" $$ ? */ $1");
  EXPECT_EQ(named("select /* :a */ :a -- :a", {"a"}), "select /* :a */ $1 -- :a");
}

TEST(raw_sql, block_comments_nest) {
  EXPECT_EQ(positional("/* /* ? */ ? */ ?", 1), "/* /* ? */ ? */ $1");
  EXPECT_EQ(positional("/*/**/?*/?", 1), "/*/**/?*/$1");
  EXPECT_EQ(positional("/**/?", 1), "/**/$1");
  EXPECT_EQ(positional("/***/?/*/*/**/*/*/", 1), "/***/$1/*/*/**/*/*/");
}

TEST(raw_sql, comment_openers_inside_literals_open_nothing) {
  EXPECT_EQ(positional("select '/*', '--', \"/*\", $$--$$, ?", 1), "select '/*', '--', \"/*\", $$--$$, $1");
}

TEST(raw_sql, a_comment_ends_a_run_of_operator_characters) {
  EXPECT_EQ(positional("a=?--'\n+?/*'*/", 2), "a=$1--'\n+$2/*'*/");
  EXPECT_EQ(positional("1*/**/?", 1), "1*/**/$1");
}

// ---- operators ----------------------------------------------------------------------------------

TEST(raw_sql, operators_of_postgres_with_a_question_mark_are_operators) {
  for (const std::string_view op : {"?|", "?&", "@?", "?#", "?-", "?-|", "?||", "?@", "?~", "?@>", "?<@"}) {
    const std::string sql = "a " + std::string(op) + " b and a" + std::string(op) + "'x'";
    EXPECT_EQ(positional(sql, 0), sql);
    EXPECT_EQ(positional(sql + " = ?", 1), sql + " = $1");
  }
}

TEST(raw_sql, a_doubled_question_mark_is_the_operator) {
  EXPECT_EQ(positional("tags ?? ?", 1), "tags ? $1");
  EXPECT_EQ(positional("tags ???", 1), "tags ?$1");
  EXPECT_EQ(positional("tags ??| array['a']", 0), "tags ?| array['a']");
  EXPECT_EQ(positional("data @?? '$.a'", 0), "data @? '$.a'");
  EXPECT_EQ(positional("'?? '", 0), "'?? '");
  EXPECT_EQ(named("tags ?? :a", {"a"}), "tags ? $1");
}

TEST(raw_sql, a_question_mark_beside_other_operators_is_a_placeholder) {
  EXPECT_EQ(positional("a=? and b>=?and c<>?", 3), "a=$1 and b>=$2 and c<>$3");
  EXPECT_EQ(positional("select ?+1, 1+?, -?, ?*?, ?=?, ?||?", 9), "select $1+1, 1+$2, -$3, $4*$5, $6=$7, $8||$9");
  EXPECT_EQ(positional("a->>?", 1), "a->>$1");
  EXPECT_EQ(positional("a @@?", 1), "a @@$1");
  EXPECT_EQ(positional("f(x => ?, y =>?)", 2), "f(x => $1, y =>$2)");
  EXPECT_EQ(positional("?::int, ?::text[]", 2), "$1::int, $2::text[]");
}

TEST(raw_sql, with_named_arguments_question_marks_are_operators) {
  EXPECT_EQ(named("tags ? :a and tags ?| :b", {"a", "b"}), "tags ? $1 and tags ?| $2");
}

TEST(raw_sql, an_operator_that_may_be_meant_as_a_placeholder_is_named_in_the_error) {
  expect_refused("a like ?||'%'", {}, 1, R"("?||" at byte 7 is an operator)");
}

// ---- colons -------------------------------------------------------------------------------------

TEST(raw_sql, casts_are_no_placeholders) {
  expect_untouched("select a::text, 'x'::int, b ::  text");
  EXPECT_EQ(named("select :a::int, :b ::text", {"a", "b"}), "select $1::int, $2 ::text");
  EXPECT_EQ(named("select a::text = :text", {"text"}), "select a::text = $1");
  EXPECT_EQ(named("select a:::b", {"b"}), "select a::$1");
}

TEST(raw_sql, named_notation_is_no_placeholder) {
  EXPECT_EQ(named("select f(a := :a, b:=:b)", {"a", "b"}), "select f(a := $1, b:=$2)");
  expect_untouched("select f(a:=1)");
}

TEST(raw_sql, slices_are_no_placeholders) {
  expect_untouched("select a[1:2], a[:2], a[1:], a[:], a[1:n], a[i:n], a[i : n]");
  expect_untouched("select a[f(1):n], a[b[1]:n], a['1':n], a[:n], a[(1) :n]");
  EXPECT_EQ(named("select a[1:n], a[i:n], :n", {"n"}), "select a[1:n], a[i:n], $1");
}

TEST(raw_sql, placeholders_stand_in_subscripts_and_slices) {
  EXPECT_EQ(named("select a[:i], a[1: :i], a[:i:2], a[:i : :j]", {"i", "j"}),
            "select a[$1], a[1: $1], a[$1:2], a[$1 : $2]");
  EXPECT_EQ(named("select a[f(:i)], a[1 + :i]", {"i"}), "select a[f($1)], a[1 + $1]");
  EXPECT_EQ(named("select a[case when :i then 1 end]", {"i"}), "select a[case when $1 then 1 end]");
  EXPECT_EQ(positional("select a[?:?]", 2), "select a[$1:$2]");
}

TEST(raw_sql, placeholders_stand_in_array_constructors) {
  EXPECT_EQ(named("select array[:a, :b], ARRAY [[:a],[:b, :a]]", {"a", "b"}),
            "select array[$1, $2], ARRAY [[$1],[$2, $1]]");
  expect_refused("select array[:a]", {}, 0, ":a has no argument");
  expect_refused("select array[:a, :b]", {"a"}, 0, ":b has no argument");
}

TEST(raw_sql, the_colon_of_json_object_is_no_placeholder) {
  expect_untouched("select json_object('a':b, 'c' : d, \"e\":f, lower('g'):h, 1:i)");
  EXPECT_EQ(named("select json_object('a':'b', 'a': :a, :a:c)", {"a"}), "select json_object('a':'b', 'a': $1, $1:c)");
}

TEST(raw_sql, a_placeholder_may_follow_a_parenthesis) {
  EXPECT_EQ(named("select distinct on (x) :a", {"a"}), "select distinct on (x) $1");
}

TEST(raw_sql, other_colons_are_left_to_the_server) { expect_untouched("select :'a', :\"b\", : c"); }

// ---- errors -------------------------------------------------------------------------------------

TEST(raw_sql, counts_of_placeholders_and_arguments_have_to_agree) {
  expect_refused("select ?, ?", {}, 1,
                 "too few arguments: the statement has 2 placeholders ?, and 1 argument was given");
  expect_refused("select ?", {}, 0, "write ?? for the operator ?");
  expect_refused("select ?", {}, 2,
                 "too many arguments: the statement has 1 placeholder ?, and 2 arguments were given");
  expect_refused("select 1", {}, 1, "too many arguments");
  expect_refused("select $1, $3", {}, 2, "too few arguments: the statement's placeholders go up to $3");
  expect_refused("select $1", {}, 2, "too many arguments");
}

TEST(raw_sql, a_name_needs_an_argument_and_an_argument_a_use) {
  expect_refused("select :owner", {"name"}, 0, "the placeholder :owner has no argument");
  expect_refused("select :owner", {}, 0, ":owner has no argument; give it bw::arg(\"owner\", ...)");
  expect_refused("select :a", {"a", "b"}, 0, "the argument named \"b\" is not used");
  expect_refused("select ':a'", {"a"}, 0, "the argument named \"a\" is not used");
  expect_refused("select :a", {"a", "a"}, 0, "\"a\" is given twice");
}

TEST(raw_sql, kinds_of_placeholders_are_not_mixed) {
  expect_refused("select ?, $1", {}, 2, "can not be mixed");
  expect_refused("select :a, ?", {"a"}, 1, "can not be mixed");
  expect_refused("select :a, $1", {"a"}, 0, "$1 is numbered, but the arguments are named");
  expect_refused("select :a, ?", {}, 1, "the arguments are positional");
}

TEST(raw_sql, what_is_opened_has_to_end) {
  expect_refused("select 'a", {}, 0, "the string that begins at byte 7 of the statement has no end");
  expect_refused("select 'a''", {}, 0, "string that begins at byte 7");
  expect_refused("select E'\\'", {}, 0, "string that begins at byte 7");
  expect_refused("select E'\\", {}, 0, "string that begins at byte 7");
  expect_refused("select E'a'\n'b", {}, 0, "string that begins at byte 7");
  expect_refused("select \"a", {}, 0, "quoted name that begins at byte 7");
  expect_refused("select U&\"a", {}, 0, "quoted name that begins at byte 7");
  expect_refused("select $a$ $b$", {}, 0, "dollar-quoted string that begins at byte 7");
  expect_refused("select /* /* */", {}, 0, "comment that begins at byte 7");
  expect_refused("select /*/", {}, 0, "comment that begins at byte 7");
}

TEST(raw_sql, a_nul_byte_is_refused) {
  expect_refused(std::string_view("select '\0'", 10), {}, 0, "NUL byte at byte 8");
}

TEST(raw_sql, numbers_beyond_the_protocol_are_refused) {
  expect_refused("select $0", {}, 1, "at byte 7 is not between $1 and $65535");
  expect_refused("select $65536", {}, 1, "at byte 7");
  expect_refused("select $99999999999999999999999", {}, 1, "at byte 7");
  std::string many = "?";
  for (int i = 1; i < 65536; ++i) many += ",?";
  expect_refused(many, {}, 65536, "more than 65535");
}

// ---- properties ---------------------------------------------------------------------------------

struct piece {
  std::string_view sql;
  bool placeholder = false;
};

TEST(raw_sql, any_sequence_of_tokens_is_rewritten_token_by_token) {
  constexpr piece pieces[] = {
      {"?", true},
      {"?", true},
      {"?", true},
      {"'it''s ? :a'"},
      {"E'\\'?'"},
      {"\"?\"\"\""},
      {"$$?$$"},
      {"$t$ $$ ? $t$"},
      {"a::text"},
      {"--'?\n"},
      {"/* /*?*/ ' */"},
      {"a$1"},
      {"?|"},
      {"@?"},
      {"1.5e+3"},
      {"x[1:n]"},
      {"json_object('k':v)"},
      {"f(a := 1)"},
      {"U&'\\'"},
      {"größe"},
      {"<>"},
      {";"},
      {"U&\"?\" UESCAPE '!'"},
      {"->>"},
  };
  std::mt19937 random(20240229);
  for (int round = 0; round < 20000; ++round) {
    std::string sql;
    std::string expected;
    std::size_t count = 0;
    const std::size_t length = random() % 12;
    for (std::size_t i = 0; i < length; ++i) {
      const piece& chosen = pieces[random() % std::size(pieces)];
      sql.append(chosen.sql).append(" ");
      expected.append(chosen.placeholder ? "$" + std::to_string(++count) : std::string(chosen.sql)).append(" ");
    }
    ASSERT_EQ(positional(sql, count), expected);
  }
}

TEST(raw_sql, any_sequence_of_bytes_is_answered) {
  constexpr std::string_view alphabet = "'\"$?:E\\/*-[]()a1\n =|&@U,";
  const names given{"a"};
  std::mt19937 random(7);
  for (int round = 0; round < 50000; ++round) {
    std::string sql(random() % 24, '\0');
    const bool any = round % 4 == 0;
    for (char& c : sql) {
      c = any ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()];
    }
    const auto by_place = rewrite_placeholders(sql, {}, random() % 3);
    if (by_place) {
      // What comes out has no placeholder but $n, so rewriting it changes nothing more.
      const std::string& text = by_place.value().text;
      if (text.find('?') == std::string::npos) {
        EXPECT_EQ(positional(text, by_place.value().order.size()), text) << sql;
      }
    }
    const auto by_name = rewrite_placeholders(sql, given, 0);
    if (by_name) {
      EXPECT_EQ(by_name.value().order.size(), 1U) << sql;
    }
  }
}

}  // namespace
