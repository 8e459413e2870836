#include "config_fields.hpp"
#include "dsn_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

// How configuration is written as text: durations, lists of connection strings, names of variables,
// and the quoting of values in errors.

namespace breakwater::detail {
namespace {

struct unit {
  std::string_view name;
  std::int64_t milliseconds;
};
/// PostgreSQL's own units of time, largest first.
constexpr std::array units{unit{"d", 86'400'000}, unit{"h", 3'600'000}, unit{"min", 60'000}, unit{"s", 1'000},
                           unit{"ms", 1}};

constexpr std::string_view blanks = " \t\n\r\f\v";

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Length of the first connection string in `text`, up to its separator. Inside a quoted value of a
/// `keyword=value` list nothing separates; in a URI a quote is a character like any other.
std::size_t length_of_node(std::string_view text) noexcept {
  const bool is_uri = is_dsn_uri(text.substr(std::min(text.find_first_not_of(blanks), text.size())));
  bool quoted = false;
  char last = '\0';  // the last character that is not blank: a quote opens a value only behind `=`
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!quoted && (c == ';' || c == '\n')) return i;
    if (!is_uri && c == '\\') {
      ++i;
      last = '\\';
      continue;
    }
    if (!is_uri && c == '\'' && (quoted || last == '=')) quoted = !quoted;
    if (blanks.find(c) == std::string_view::npos) last = c;
  }
  return text.size();
}

}  // namespace

std::string variable_name(std::string_view prefix, std::string_view field_name) {
  std::string name(prefix);
  for (const char c : field_name) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '.' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
  text = trim(text);
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::string_view name = trim(text);
  for (const unit& row : units) {
    if (name != row.name && !(name.empty() && row.milliseconds == 1)) continue;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (number > most / row.milliseconds || number < -(most / row.milliseconds)) return std::nullopt;
    return milliseconds(number * row.milliseconds);
  }
  return std::nullopt;
}

std::string print_duration(milliseconds value) {
  for (const unit& row : units) {
    if (value.count() == 0 || value.count() % row.milliseconds != 0) continue;
    return std::to_string(value.count() / row.milliseconds).append(row.name);
  }
  return "0ms";
}

std::vector<std::string> split_nodes(std::string_view text) {
  std::vector<std::string> nodes;
  while (!text.empty()) {
    const std::size_t length = length_of_node(text);
    const std::string_view node = trim(text.substr(0, length));
    if (!node.empty()) nodes.emplace_back(node);
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return nodes;
}

std::string quote_harmless(std::string_view text) {
  // No `:`, `@`, `/` or `=`: a connection string that strayed into the wrong field is not repeated.
  const auto harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.+- ").find(c) != std::string_view::npos;
  };
  if (text.empty()) return "empty";
  if (text.size() <= 64 && std::ranges::all_of(text, harmless)) return "\"" + std::string(text) + "\"";
  return "text of " + std::to_string(text.size()) + " bytes";
}

error to_error(std::string_view where, const std::vector<std::string>& problems) {
  std::string text(where);
  text.append(problems.size() == 1 ? " has a mistake: " : " has " + std::to_string(problems.size()) + " mistakes: ");
  for (std::size_t i = 0; i < problems.size(); ++i) text.append(i == 0 ? "" : "; ").append(problems[i]);
  return error(errc::invalid_argument, std::move(text));
}

}  // namespace breakwater::detail
