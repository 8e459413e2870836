#include <breakwater/repository/detail/sql_fragment.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace breakwater::detail {
namespace {

void append_literal(std::string& out, const parameters& values, std::size_t i) {
  if (values.is_null(i)) {
    out.append("null");
    return;
  }
  if (values.is_sensitive(i)) {
    out.append("'***'");
    return;
  }
  const std::string_view text = values.text(i);
  // With a backslash inside, only the E form means the same whatever standard_conforming_strings says.
  const bool escape = text.find('\\') != std::string_view::npos;
  out.append(escape ? "E'" : "'");
  for (const char c : text) {
    if (c == '\'' || (escape && c == '\\')) out.push_back(c);
    out.push_back(c);
  }
  out.push_back('\'');
}

}  // namespace

void append_value(parameters& to, const parameters& from, std::size_t i) { to.append(from, i); }

std::string numbered(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find(sql_fragment::placeholder, at), text.size());
    out.append(text.substr(at, next - at));
    at = next + 1;
    if (next == text.size()) break;
    std::array<char, 20> digits{};
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), ++number).ptr;
    out.push_back('$');
    out.append(static_cast<const char*>(digits.data()), end);
  }
  return out;
}

std::string with_values_inlined(const sql_fragment& statement) {
  std::string out;
  std::size_t next = 0;
  for (const char c : statement.text) {
    if (c == sql_fragment::placeholder) {
      append_literal(out, statement.values, next++);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace breakwater::detail
