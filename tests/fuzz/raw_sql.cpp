#include "repository/sql_lexer.hpp"
#include "targets.hpp"
#include <breakwater/repository/detail/raw_sql.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fuzz {
namespace {

using bw::detail::sql_lexeme;
using bw::detail::sql_lexer;
using bw::detail::sql_token;

struct scanned {
  std::vector<sql_lexeme> lexemes;
  bool broken = false;
  bool complete = true;  // every byte is in exactly one lexeme
};

scanned scan(std::string_view sql) {
  scanned out;
  sql_lexer lexer(sql);
  std::size_t at = 0;
  while (true) {
    const sql_lexeme found = lexer.next();
    if (found.kind == sql_token::end) break;
    out.complete = out.complete && found.begin == at && found.end > found.begin && found.end <= sql.size();
    if (!out.complete) return out;
    at = found.end;
    out.lexemes.push_back(found);
    if (found.kind == sql_token::broken) {
      out.broken = true;
      return out;
    }
  }
  out.complete = at == sql.size();
  return out;
}

std::string_view text_of(std::string_view sql, const sql_lexeme& of) { return sql.substr(of.begin, of.end - of.begin); }

/// Literals, quoted names and comments, one after the other: what no placeholder is looked for in.
std::string untouchables(std::string_view sql, const scanned& of) {
  std::string all;
  for (const sql_lexeme& each : of.lexemes) {
    const std::string_view text = text_of(sql, each);
    const bool comment = each.kind == sql_token::space && (text.starts_with("--") || text.starts_with("/*"));
    if (comment || each.kind == sql_token::string || each.kind == sql_token::quoted_name)
      all.append(text).push_back('\n');
  }
  return all;
}

/// In ":a$x", ":b'1'" and ":u&'x'" a placeholder's name ends where an ordinary word or a literal's prefix would not. What
/// follows is then split otherwise than by the lexer alone, and the two can not be compared.
bool name_ends_early(std::string_view sql) {
  constexpr std::string_view goes_on = "$'\"&";
  for (std::size_t i = sql.find(':'); i != std::string_view::npos; i = sql.find(':', i + 1)) {
    std::size_t end = i + 1;
    while (end < sql.size() && sql[end] != '$' && bw::detail::continues_word(sql[end])) ++end;
    if (end > i + 1 && end < sql.size() && goes_on.find(sql[end]) != std::string_view::npos) return true;
  }
  return false;
}

/// The number of $n, or 0 for one that is too long.
std::size_t number_of(std::string_view parameter) {
  std::size_t number = 0;
  std::from_chars(parameter.data() + 1, parameter.data() + parameter.size(), number);
  return number;
}

/// Taken apart and put together, the rewritten text is itself, but for the numbers of its parameters.
bool survives_inlining(std::string_view text, const scanned& before, std::size_t parameters) {
  bw::parameters values;
  for (std::size_t i = 0; i < parameters; ++i) values.add_text("x");
  const std::string again = bw::detail::numbered(bw::detail::with_values_of(text, values).text);
  const scanned after = scan(again);
  return after.complete && !after.broken &&
         std::ranges::equal(before.lexemes, after.lexemes, [&](const sql_lexeme& a, const sql_lexeme& b) {
           return a.kind == b.kind && (a.kind == sql_token::parameter || text_of(text, a) == text_of(again, b));
         });
}

verdict check_rewritten(std::string_view sql, const scanned& source, bool comparable, const bw::detail::raw_sql& made,
                        std::size_t arguments) {
  const scanned result = scan(made.text);
  if (!result.complete) return "the lexer loses its place in a rewritten statement";
  if (result.broken) return "a rewritten statement is broken";
  if (comparable && untouchables(sql, source) != untouchables(made.text, result))
    return "a literal or comment was touched";
  std::vector<bool> seen(made.order.size());
  for (const sql_lexeme& each : result.lexemes) {
    if (each.kind != sql_token::parameter) continue;
    const std::size_t number = number_of(text_of(made.text, each));
    if (number == 0 || number > seen.size()) return "a parameter has no value";
    seen[number - 1] = true;
  }
  const bool numbered =
      std::ranges::find(source.lexemes, sql_token::parameter, &sql_lexeme::kind) != source.lexemes.end();
  // Of $1 ... $n written by hand any but the last may be missing: the server has a word for that.
  if (!numbered && !std::ranges::all_of(seen, [](bool each) { return each; })) return "a value has no parameter";
  if (!std::ranges::all_of(made.order, [&](std::size_t i) { return i < arguments; })) return "a value is no argument";
  if (sql.find_first_of("?:$") == std::string_view::npos && sql != made.text) return "a plain statement was changed";
  if (!survives_inlining(made.text, result, made.order.size())) return "a second look at a rewritten statement differs";
  return nullptr;
}

/// For some of the arguments the text of a list; for one input in three none is.
std::vector<std::string_view> lists_of(unsigned choice, std::size_t arguments) {
  static constexpr std::array<std::string_view, 3> texts{"{1,2,3}", R"({"a b",NULL,"\\\""})", "{}"};
  if (choice % 3 == 0) return {};
  std::vector<std::string_view> lists(arguments);
  for (std::size_t i = 0; i < arguments; i += choice % 3) lists[i] = texts.at((choice / 3 + i) % texts.size());
  return lists;
}

/// How many values there are once the lists that are named are taken apart.
std::size_t count_values(const bw::detail::raw_sql& made, const std::vector<std::string_view>& lists,
                         std::size_t arguments) {
  std::size_t count = arguments;
  for (const std::size_t list : made.expanded) {
    const auto elements = bw::detail::array_elements(list < lists.size() ? lists[list] : "");
    if (elements) count += elements->size();
  }
  return count;
}

}  // namespace

verdict raw_sql(std::string_view input) {
  static const std::vector<std::string_view> names{"a", "b", "ab", "user_id"};
  const auto choice = input.empty() ? 0U : static_cast<unsigned char>(input.front());
  const std::string_view sql = input.substr(input.empty() ? 0 : 1);
  const bool named = choice % 2 == 1;
  const std::size_t count = choice / 2 % 5;

  const scanned source = scan(sql);
  if (!source.complete) return "the lexer loses its place";
  const std::span<const std::string_view> given(names.data(), named ? std::min(count, names.size()) : 0);
  const std::size_t arguments = named ? given.size() : count;
  const std::vector<std::string_view> lists = lists_of(choice / 10, arguments);
  const auto made = bw::detail::rewrite_placeholders(sql, given, named ? 0 : count, lists);
  if (!made) return made.error().code() == bw::errc::invalid_argument ? nullptr : "an error of another kind";
  const bool as_the_lexer = !named || !name_ends_early(sql);
  if (as_the_lexer && source.broken) return "a broken statement was accepted";
  // A list's cast is repeated for each element, and may hold a quoted name.
  return check_rewritten(sql, source, as_the_lexer && lists.empty(), made.value(),
                         count_values(made.value(), lists, arguments));
}

}  // namespace fuzz
