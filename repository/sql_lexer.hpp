#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::detail {

/// What a piece of SQL is, as far as placeholders care.
enum class sql_token : std::uint8_t {
  space,        ///< white space, or one comment
  word,         ///< a keyword or an unquoted name
  quoted_name,  ///< "name" or U&"name"
  string,       ///< '...' with whatever prefix, or $tag$...$tag$
  number,
  parameter,    ///< $1
  operators,    ///< a run of operator characters, which may be several operators, or placeholders
  punctuation,  ///< any other single character; `::` and `:=`
  end,
  broken  ///< a quote or comment without an end; `sql_lexer::problem` says which
};

struct sql_lexeme {
  sql_token kind = sql_token::end;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Splits SQL by the rules of PostgreSQL's own scanner (src/backend/parser/scan.l), with
/// standard_conforming_strings on, the default since 9.1. Nothing is copied; every byte belongs to
/// exactly one lexeme.
///
/// For one thread at a time.
class sql_lexer {
 public:
  explicit sql_lexer(std::string_view sql) noexcept : sql_(sql) {}

  [[nodiscard]] sql_lexeme next() noexcept;
  /// The letters, digits and underscores that follow, taken as they are: the name after a colon.
  [[nodiscard]] std::string_view take_name() noexcept;
  /// What has no end: "string", "comment", ...
  [[nodiscard]] std::string_view problem() const noexcept { return problem_; }

 private:
  [[nodiscard]] char at(std::size_t index) const noexcept { return index < sql_.size() ? sql_[index] : '\0'; }
  [[nodiscard]] bool follows(std::size_t index, char first, char second) const noexcept {
    return at(index) == first && at(index + 1) == second;
  }
  [[nodiscard]] sql_token scan() noexcept;
  [[nodiscard]] sql_token block_comment() noexcept;
  [[nodiscard]] sql_token word() noexcept;
  [[nodiscard]] sql_token number() noexcept;
  [[nodiscard]] sql_token dollar() noexcept;
  [[nodiscard]] sql_token operators() noexcept;
  [[nodiscard]] sql_token quoted(sql_token kind) noexcept;
  [[nodiscard]] sql_token escape_string() noexcept;
  [[nodiscard]] std::size_t continued_string(std::size_t from) const noexcept;
  [[nodiscard]] sql_token without_end(std::string_view what) noexcept;
  void skip_spaces() noexcept;
  void skip_line() noexcept;
  void skip_digits() noexcept;

  std::string_view sql_;
  std::size_t position_ = 0;
  std::string_view problem_;
};

/// A character that continues a name, so that what is written after a name needs a space between.
[[nodiscard]] bool continues_word(char c) noexcept;
/// A character that a name begins with.
[[nodiscard]] bool starts_word(char c) noexcept;

}  // namespace breakwater::detail
