#include <breakwater/postgres/composite_type.hpp>

#include <algorithm>

namespace breakwater::detail {
namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The rule of the server's record_out. An empty text is quoted, as nothing at all is NULL.
bool needs_quotes(std::string_view text) noexcept {
  if (text.empty()) return true;
  return std::ranges::any_of(
      text, [](char c) { return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || is_space(c); });
}

}  // namespace

void record_writer::add(parameters& field) {
  text_.push_back(text_.empty() ? '(' : ',');
  if (refused_ == nullptr) refused_ = field.refusal();
  if (!field.is_null(0)) {
    const std::string_view value = field.text(0);
    if (!needs_quotes(value)) {
      text_.append(value);
    } else {
      text_.push_back('"');
      for (const char c : value) {
        if (c == '"' || c == '\\') text_.push_back(c);
        text_.push_back(c);
      }
      text_.push_back('"');
    }
  }
  field.clear();
}

void record_writer::finish(parameters& out) {
  if (refused_ != nullptr) return out.refuse(refused_);
  text_.push_back(')');
  out.add_text(text_);  // which notices a NUL byte of a field
}

bool record_reader::next(text_part& out) {
  if (closed_ || rest_.empty()) return false;
  if (!opened_ && rest_.front() != '(') return false;
  // Past the bracket before the first field, or the comma before any other.
  opened_ = true;
  rest_.remove_prefix(1);
  if (rest_.empty()) return false;
  if (rest_.front() == ',' || rest_.front() == ')') {
    out = {.text = {}, .null = true};
  } else {
    unescaped_.clear();
    bool quoted = false;
    while (true) {
      if (rest_.empty()) return false;
      const char c = rest_.front();
      if (!quoted && (c == ',' || c == ')')) break;
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty()) return false;
        unescaped_.push_back(rest_.front());
        rest_.remove_prefix(1);
      } else if (c != '"') {
        unescaped_.push_back(c);
      } else if (quoted && !rest_.empty() && rest_.front() == '"') {
        unescaped_.push_back('"');
        rest_.remove_prefix(1);
      } else {
        quoted = !quoted;
      }
    }
    out = {.text = unescaped_, .null = false};
  }
  if (rest_.front() == ')') {
    closed_ = true;
    rest_.remove_prefix(1);
  }
  return true;
}

}  // namespace breakwater::detail
