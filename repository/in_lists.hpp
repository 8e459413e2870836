#pragma once

#include "sql_lexer.hpp"
#include <breakwater/postgres/parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::detail {

/// What stands behind a placeholder that is an element of an `in (...)`.
struct rest_of_element {
  sql_lexer behind;        // behind the cast, where there is one
  std::string_view cast;   // from its `::`, or empty
  bool to_array = false;   // the cast's type is an array
  bool ends_list = false;  // the closing bracket is next, else a comma
};

/// From behind the placeholder. Nothing when it is a part of a longer expression.
[[nodiscard]] std::optional<rest_of_element> look_behind_placeholder(std::string_view sql, const sql_lexer& from);

/// Follows the brackets of one statement while it is copied to `out`, finds those of `in (...)`, and rewrites the words
/// before them where a list makes another comparison of it.
///
/// Told of every lexeme but white space, by `seen` and what fits of the others, before it is appended to `out`.
class in_lists {
 public:
  enum class nesting : std::uint8_t { parenthesis, subscript, constructor };

  explicit in_lists(std::string& out) noexcept : out_(out) {}

  /// A word is to be appended; `qualified`: a dot stands before it.
  void word(std::string_view text, bool qualified) noexcept;
  void open(nesting kind);
  void close(nesting kind);
  /// A comma is to be appended. False: leave it out, the element before it was an empty list.
  [[nodiscard]] bool comma() noexcept;
  /// Something was taken, whatever it is.
  void seen() noexcept;
  /// And it was an opening parenthesis or a comma.
  void begin_element() noexcept;

  /// The innermost open bracket is a subscript, `a[...]`.
  [[nodiscard]] bool in_subscript() const noexcept { return !open_.empty() && open_.back().kind == nesting::subscript; }
  /// What comes next begins an element of an `in (...)`.
  [[nodiscard]] bool at_element() const noexcept { return at_element_; }
  /// And it is the first one. REQUIRES at_element().
  [[nodiscard]] bool at_first_element() const noexcept { return !open_.back().has_comma; }
  /// The list that comes next is all there is: `in (` becomes `= any (`. REQUIRES at_first_element().
  void compare_with_array() { rename(open_.back()); }
  /// The element is an empty list, and nothing is appended for it. REQUIRES at_element().
  void vanish() noexcept;

 private:
  static constexpr std::size_t nowhere = std::string::npos;
  struct bracket {
    nesting kind = nesting::parenthesis;
    bool is_in = false;
    std::size_t in_at = nowhere;  // of the words, in `out`
    std::size_t not_at = nowhere;
    std::size_t comma_at = nowhere;  // of the comma before the current element
    bool has_comma = false;
    bool has_element = false;  // that was not an empty list
    bool has_empty = false;
    bool content = false;     // of the current element
    bool drop_comma = false;  // the next one
  };

  void rename(const bracket& in);

  std::string& out_;
  std::vector<bracket> open_;
  std::size_t not_at_ = nowhere;  // the word `not` is the last lexeme
  bracket in_{};                  // the word `in` is, where `is_in`
  bool at_element_ = false;
};

}  // namespace breakwater::detail
