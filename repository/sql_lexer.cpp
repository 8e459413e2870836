#include "sql_lexer.hpp"

namespace breakwater::detail {
namespace {

constexpr std::string_view operator_characters = "~!@#^&|`?+-*/%<>=";

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_newline(char c) noexcept { return c == '\n' || c == '\r'; }
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || is_newline(c) || c == '\f' || c == '\v'; }
constexpr bool is_operator(char c) noexcept { return operator_characters.find(c) != std::string_view::npos; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool in_tag(char c) noexcept { return starts_word(c) || is_digit(c); }

}  // namespace

bool starts_word(char c) noexcept {
  // Every byte of a character beyond ASCII is a letter to PostgreSQL.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool continues_word(char c) noexcept { return starts_word(c) || is_digit(c) || c == '$'; }

sql_lexeme sql_lexer::next() noexcept {
  const std::size_t begin = position_;
  const sql_token kind = begin == sql_.size() ? sql_token::end : scan();
  return {kind, begin, position_};
}

std::string_view sql_lexer::take_name() noexcept {
  const std::size_t begin = position_;
  while (in_tag(at(position_))) ++position_;
  return sql_.substr(begin, position_ - begin);
}

sql_token sql_lexer::scan() noexcept {
  const char c = at(position_);
  if (is_space(c)) {
    skip_spaces();
    return sql_token::space;
  }
  if (follows(position_, '-', '-')) {
    skip_line();
    return sql_token::space;
  }
  if (follows(position_, '/', '*')) return block_comment();
  if (starts_word(c)) return word();
  if (c == '\'') return quoted(sql_token::string);
  if (c == '"') return quoted(sql_token::quoted_name);
  if (is_digit(c) || (c == '.' && is_digit(at(position_ + 1)))) return number();
  if (c == '$') return dollar();
  if (is_operator(c)) return operators();
  position_ += follows(position_, ':', ':') || follows(position_, ':', '=') ? 2 : 1;
  return sql_token::punctuation;
}

/// Comments nest.
sql_token sql_lexer::block_comment() noexcept {
  std::size_t depth = 0;
  while (position_ < sql_.size()) {
    if (follows(position_, '/', '*')) {
      ++depth;
      position_ += 2;
    } else if (follows(position_, '*', '/')) {
      position_ += 2;
      if (--depth == 0) return sql_token::space;
    } else {
      ++position_;
    }
  }
  return without_end("comment");
}

/// A word, or a string or name whose prefix looks like one. A prefix is one only if the quote
/// follows at once.
sql_token sql_lexer::word() noexcept {
  const char prefix = lower(at(position_));
  if (at(position_ + 1) == '\'') {
    if (prefix == 'e') {
      ++position_;
      return escape_string();
    }
    if (prefix == 'b' || prefix == 'x' || prefix == 'n') {
      ++position_;
      return quoted(sql_token::string);
    }
  }
  if (prefix == 'u' && at(position_ + 1) == '&') {
    const char quote = at(position_ + 2);
    if (quote == '\'' || quote == '"') {
      position_ += 2;
      return quoted(quote == '"' ? sql_token::quoted_name : sql_token::string);
    }
  }
  while (continues_word(at(position_))) ++position_;
  return sql_token::word;
}

sql_token sql_lexer::number() noexcept {
  skip_digits();
  if (at(position_) == '.' && at(position_ + 1) != '.') {  // 1..10 is a range of two whole numbers
    ++position_;
    skip_digits();
  }
  if (lower(at(position_)) == 'e') {
    const char sign = at(position_ + 1);
    const std::size_t digits = position_ + (sign == '+' || sign == '-' ? 2 : 1);
    if (is_digit(at(digits))) {
      position_ = digits;
      skip_digits();
    }
  }
  return sql_token::number;
}

/// $1, or $tag$...$tag$ with a tag that may be empty, or a lone dollar.
sql_token sql_lexer::dollar() noexcept {
  std::size_t tag_end = position_ + 1;
  if (is_digit(at(tag_end))) {
    ++position_;
    skip_digits();
    return sql_token::parameter;
  }
  while (in_tag(at(tag_end))) ++tag_end;
  if (at(tag_end) != '$') {
    ++position_;
    return sql_token::punctuation;
  }
  const std::string_view delimiter = sql_.substr(position_, tag_end + 1 - position_);
  const std::size_t close = sql_.find(delimiter, tag_end + 1);
  if (close == std::string_view::npos) return without_end("dollar-quoted string");
  position_ = close + delimiter.size();
  return sql_token::string;
}

/// The run ends where a comment begins.
sql_token sql_lexer::operators() noexcept {
  while (is_operator(at(position_)) && !follows(position_, '-', '-') && !follows(position_, '/', '*')) {
    ++position_;
  }
  return sql_token::operators;
}

/// From the opening quote; a doubled one is part of the text. A backslash means nothing here.
sql_token sql_lexer::quoted(sql_token kind) noexcept {
  const char quote = at(position_++);
  while (position_ < sql_.size()) {
    if (sql_[position_++] != quote) continue;
    if (at(position_) != quote) return kind;
    ++position_;
  }
  return without_end(kind == sql_token::string ? "string" : "quoted name");
}

/// From the opening quote of E'...': a backslash protects what follows it.
sql_token sql_lexer::escape_string() noexcept {
  ++position_;
  while (position_ < sql_.size()) {
    const char c = sql_[position_++];
    if (c == '\\') {
      if (position_ < sql_.size()) ++position_;
    } else if (c == '\'') {
      if (at(position_) == '\'') {
        ++position_;
      } else if (const std::size_t more = continued_string(position_); more != 0) {
        position_ = more;
      } else {
        return sql_token::string;
      }
    }
  }
  return without_end("string");
}

/// A string goes on in the next quotes if a line end stands between, and then still is an E string.
/// Returns where, behind the quote, or 0.
std::size_t sql_lexer::continued_string(std::size_t from) const noexcept {
  bool new_line = false;
  while (from < sql_.size()) {
    if (is_space(sql_[from])) {
      new_line = new_line || is_newline(sql_[from]);
      ++from;
    } else if (follows(from, '-', '-')) {
      while (from < sql_.size() && !is_newline(sql_[from])) ++from;
    } else {
      return new_line && sql_[from] == '\'' ? from + 1 : 0;
    }
  }
  return 0;
}

sql_token sql_lexer::without_end(std::string_view what) noexcept {
  problem_ = what;
  position_ = sql_.size();
  return sql_token::broken;
}

void sql_lexer::skip_spaces() noexcept {
  while (is_space(at(position_))) ++position_;
}
void sql_lexer::skip_line() noexcept {
  while (position_ < sql_.size() && !is_newline(sql_[position_])) ++position_;
}
void sql_lexer::skip_digits() noexcept {
  while (is_digit(at(position_))) ++position_;
}

}  // namespace breakwater::detail
