#include "in_lists.hpp"

#include <breakwater/postgres/array.hpp>
#include <breakwater/repository/detail/raw_sql.hpp>

#include <algorithm>
#include <utility>

namespace breakwater::detail {
namespace {

/// `wanted` is in lower case.
bool is_keyword(std::string_view word, std::string_view wanted) noexcept {
  return std::ranges::equal(word, wanted, [](char c, char lower) { return c == lower || c == lower - 'a' + 'A'; });
}

}  // namespace

std::optional<rest_of_element> look_behind_placeholder(std::string_view sql, const sql_lexer& from) {
  rest_of_element rest{.behind = from, .cast = {}};
  sql_lexer ahead = from;
  std::size_t cast_begin = 0;
  std::size_t depth = 0;  // of parentheses in the cast's type: numeric(10, 2)
  for (bool in_cast = false;;) {
    const sql_lexeme next = ahead.next();
    const std::string_view text = sql.substr(next.begin, next.end - next.begin);
    if (next.kind == sql_token::space) continue;
    if (next.kind == sql_token::punctuation) {
      if (depth == 0 && (text == ")" || text == ",")) {
        rest.ends_list = text == ")";
        return rest;
      }
      if (text == "::" && !in_cast) {
        in_cast = true;
        cast_begin = next.begin;
      } else if (!in_cast || (text == ")" && depth == 0)) {
        return std::nullopt;
      }
      if (text == "(") ++depth;
      if (text == ")") --depth;
    } else if (!in_cast || (next.kind != sql_token::word && next.kind != sql_token::quoted_name &&
                            next.kind != sql_token::number)) {
      return std::nullopt;
    }
    rest.to_array = text == "]" || (next.kind == sql_token::word && is_keyword(text, "array"));
    rest.cast = sql.substr(cast_begin, next.end - cast_begin);
    rest.behind = ahead;
  }
}

void in_lists::word(std::string_view text, bool qualified) noexcept {
  const std::size_t at_not = std::exchange(not_at_, nowhere);
  in_ = {};
  if (qualified) return;
  if (is_keyword(text, "not")) not_at_ = out_.size();
  if (is_keyword(text, "in")) in_ = {.is_in = true, .in_at = out_.size(), .not_at = at_not};
}

void in_lists::open(nesting kind) {
  bracket opened = std::exchange(in_, {});
  opened.kind = kind;
  opened.is_in = opened.is_in && kind == nesting::parenthesis;
  open_.push_back(opened);
}

void in_lists::close(nesting kind) {
  const bool parenthesis = kind == nesting::parenthesis;
  if (open_.empty() || (open_.back().kind == nesting::parenthesis) != parenthesis) return;
  const bracket closed = open_.back();
  open_.pop_back();
  // Nothing but empty lists: no row, and with `not` every row.
  if (closed.is_in && closed.has_empty && !closed.has_element && !closed.content) {
    rename(closed);
    out_.append("'{}'");
  }
}

bool in_lists::comma() noexcept {
  if (open_.empty() || !open_.back().is_in) return true;
  bracket& in = open_.back();
  in.has_comma = true;
  in.has_element = in.has_element || in.content;
  const bool wanted = !std::exchange(in.drop_comma, false);
  in.comma_at = wanted ? out_.size() : nowhere;
  return wanted;
}

void in_lists::seen() noexcept {
  at_element_ = false;
  if (open_.empty()) return;
  open_.back().content = true;
}

void in_lists::begin_element() noexcept {
  if (open_.empty() || !open_.back().is_in) return;
  open_.back().content = false;
  at_element_ = true;
}

void in_lists::vanish() noexcept {
  bracket& in = open_.back();
  in.has_empty = true;
  in.content = false;
  if (in.comma_at == nowhere) {
    in.drop_comma = true;
  } else {
    out_[in.comma_at] = ' ';
  }
  at_element_ = false;
}

void in_lists::rename(const bracket& in) {
  constexpr std::size_t in_size = 2;
  constexpr std::size_t not_size = 3;
  if (in.not_at == nowhere) {
    out_.replace(in.in_at, in_size, "= any");
  } else {
    out_.replace(in.in_at, in_size, "all");
    out_.replace(in.not_at, not_size, "<>");
  }
}

std::optional<parameters> array_elements(std::string_view text) {
  parameters elements;
  array_reader reader(text);
  if (!reader.open()) return std::nullopt;
  text_part element;
  while (!reader.close()) {
    if (elements.size() > 0 && !reader.comma()) return std::nullopt;
    if (!reader.element(element)) return std::nullopt;
    element.null ? elements.add_null() : elements.add_text(element.text);
  }
  if (!reader.at_end()) return std::nullopt;
  return elements;
}

}  // namespace breakwater::detail
