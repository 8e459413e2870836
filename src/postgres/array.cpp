#include <breakwater/postgres/array.hpp>

#include <algorithm>

namespace breakwater::detail {
namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// In any case.
constexpr bool is_null_word(std::string_view text) noexcept {
  constexpr std::string_view null = "null";
  return std::ranges::equal(text, null, [](char c, char wanted) { return c == wanted || c == wanted - 'a' + 'A'; });
}

/// The rule of the server's array_out.
bool needs_quotes(std::string_view text) noexcept {
  if (text.empty() || is_null_word(text)) return true;
  return std::ranges::any_of(
      text, [](char c) { return c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || is_space(c); });
}

/// "[2:4]" or "[-1:0]", moved over.
bool skip_bounds(std::string_view& text) noexcept {
  std::string_view rest = text;
  const auto number = [&rest] {
    if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    rest.remove_prefix(digits);
    return digits > 0;
  };
  const auto one = [&rest](char wanted) {
    if (rest.empty() || rest.front() != wanted) return false;
    rest.remove_prefix(1);
    return true;
  };
  if (!one('[') || !number() || !one(':') || !number() || !one(']')) return false;
  text = rest;
  return true;
}

}  // namespace

void array_writer::separate() {
  if (!first_) text_.push_back(',');
  first_ = false;
}

void array_writer::open() {
  separate();
  text_.push_back('{');
  first_ = true;
}

void array_writer::close() {
  text_.push_back('}');
  first_ = false;
}

void array_writer::add(parameters& element) {
  separate();
  if (refused_ == nullptr) refused_ = element.refusal();
  const std::string_view value = element.text(0);
  if (element.is_null(0)) {
    text_.append("NULL");
  } else if (!needs_quotes(value)) {
    text_.append(value);
  } else {
    text_.push_back('"');
    for (const char c : value) {
      if (c == '"' || c == '\\') text_.push_back('\\');
      text_.push_back(c);
    }
    text_.push_back('"');
  }
  element.clear();
}

void array_writer::finish(parameters& out, std::uint32_t type) {
  if (refused_ != nullptr) {
    out.refuse(refused_);
  } else {
    out.add_text(text_, type);  // which notices a NUL byte of an element
  }
}

array_reader::array_reader(std::string_view text) noexcept : rest_(text) {
  skip_spaces();
  std::string_view after = rest_;
  while (skip_bounds(after)) {
  }
  if (after.size() < rest_.size() && !after.empty() && after.front() == '=') rest_ = after.substr(1);
}

void array_reader::skip_spaces() noexcept {
  while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
}

bool array_reader::take(char wanted) noexcept {
  skip_spaces();
  if (rest_.empty() || rest_.front() != wanted) return false;
  rest_.remove_prefix(1);
  return true;
}

bool array_reader::at_end() noexcept {
  skip_spaces();
  return rest_.empty();
}

bool array_reader::element(text_part& out) {
  if (take('"')) return quoted(out);
  const std::size_t end = std::min(rest_.find_first_of(",}{\"\\"), rest_.size());
  if (end == rest_.size() || (rest_[end] != ',' && rest_[end] != '}')) return false;
  std::string_view found = rest_.substr(0, end);
  while (!found.empty() && is_space(found.back())) found.remove_suffix(1);
  if (found.empty()) return false;
  rest_.remove_prefix(end);
  out = {.text = found, .null = is_null_word(found)};
  return true;
}

bool array_reader::quoted(text_part& out) {
  const std::size_t plain = rest_.find_first_of("\"\\");
  if (plain == std::string_view::npos) return false;
  if (rest_[plain] == '"') {
    out = {.text = rest_.substr(0, plain), .null = false};
    rest_.remove_prefix(plain + 1);
    return true;
  }
  unescaped_.clear();
  while (true) {
    const std::size_t stop = rest_.find_first_of("\"\\");
    if (stop == std::string_view::npos) return false;
    unescaped_.append(rest_.substr(0, stop));
    const bool escape = rest_[stop] == '\\';
    rest_.remove_prefix(stop + 1);
    if (!escape) break;
    if (rest_.empty()) return false;
    unescaped_.push_back(rest_.front());
    rest_.remove_prefix(1);
  }
  out = {.text = unescaped_, .null = false};
  return true;
}

}  // namespace breakwater::detail
