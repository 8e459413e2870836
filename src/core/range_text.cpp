#include <breakwater/core/detail/decimal.hpp>
#include <breakwater/core/detail/range_text.hpp>

#include <algorithm>

namespace breakwater::detail {
namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool needs_quotes(std::string_view text) noexcept {
  if (text.empty()) return true;
  return std::ranges::any_of(text, [](char c) {
    return c == '"' || c == '\\' || c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || is_space(c);
  });
}

void append_quoted(std::string& to, std::string_view text) {
  if (!needs_quotes(text)) {
    to.append(text);
    return;
  }
  to.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') to.push_back(c);
    to.push_back(c);
  }
  to.push_back('"');
}

/// A bound's text, up to the comma or bracket that ends it.
bool take_bound(std::string_view& text, std::string& out) {
  out.clear();
  bool quoted = false;
  while (!text.empty()) {
    const char c = text.front();
    if (!quoted && (c == ',' || c == ')' || c == ']')) return true;
    text.remove_prefix(1);
    if (c == '\\') {
      if (text.empty()) return false;
      out.push_back(text.front());
      text.remove_prefix(1);
    } else if (c != '"') {
      out.push_back(c);
    } else if (quoted && !text.empty() && text.front() == '"') {
      out.push_back('"');
      text.remove_prefix(1);
    } else {
      quoted = !quoted;
    }
  }
  return false;
}

}  // namespace

void skip_range_spaces(std::string_view& text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

bool take_range(std::string_view& text, range_text& out) {
  constexpr std::string_view empty_word = "empty";
  skip_range_spaces(text);
  out = {};
  if (text.size() >= empty_word.size() && is_word(text.substr(0, empty_word.size()), empty_word)) {
    text.remove_prefix(empty_word.size());
    out.empty = true;
    return true;
  }
  if (text.empty() || (text.front() != '[' && text.front() != '(')) return false;
  out.lower_inclusive = text.front() == '[';
  text.remove_prefix(1);
  out.has_lower = !text.starts_with(',');
  if (out.has_lower && !take_bound(text, out.lower)) return false;
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  out.has_upper = !text.starts_with(')') && !text.starts_with(']');
  if (out.has_upper && !take_bound(text, out.upper)) return false;
  if (text.empty() || (text.front() != ')' && text.front() != ']')) return false;
  out.upper_inclusive = text.front() == ']';
  text.remove_prefix(1);
  return true;
}

void append_range(std::string& to, const range_text& from) {
  if (from.empty) {
    to.append("empty");
    return;
  }
  to.push_back(from.lower_inclusive ? '[' : '(');
  if (from.has_lower) append_quoted(to, from.lower);
  to.push_back(',');
  if (from.has_upper) append_quoted(to, from.upper);
  to.push_back(from.upper_inclusive ? ']' : ')');
}

}  // namespace breakwater::detail
