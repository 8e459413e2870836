#include "dsn_check.hpp"

#include <cstddef>

// Finds out again, in steps that follow libpq's own, where its parser stopped. It answers with
// positions, known keywords and names of parts, never with the text found there.

namespace breakwater::detail {
namespace {

constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_known(std::string_view keyword) {
  for (const std::string_view known : dsn_keywords()) {
    if (known == keyword) return true;
  }
  return false;
}

/// "`port`", or where the word is no keyword and so may be part of a secret: "setting number 3".
std::string name_setting(std::string_view keyword, std::size_t number) {
  if (is_known(keyword)) return "`" + std::string(keyword) + "`";
  return "setting number " + std::to_string(number);
}

/// Walks over a `keyword=value` list by the rules of libpq's conninfo_parse.
class keyword_list {
 public:
  explicit keyword_list(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] std::string explain() {
    for (std::size_t number = 1;; ++number) {
      skip_blanks();
      if (at_end()) return "the connection string is not valid";
      const std::string_view keyword = read_keyword();
      skip_blanks();
      if (at_end() || text_[at_] != '=') return no_equals_sign(keyword, number);
      ++at_;
      skip_blanks();
      if (!skip_value()) return "the value of " + name_setting(keyword, number) + " has no closing quote";
      if (!is_known(keyword)) {
        return name_setting(keyword, number) + " is not a keyword of libpq" + dsn_keyword_hint(keyword) +
               " (a value with spaces must stand in single quotes)";
      }
    }
  }

 private:
  [[nodiscard]] bool at_end() const noexcept { return at_ >= text_.size(); }
  void skip_blanks() noexcept {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  std::string_view read_keyword() noexcept {
    const std::size_t first = at_;
    while (!at_end() && text_[at_] != '=' && !is_blank(text_[at_])) ++at_;
    return text_.substr(first, at_ - first);
  }
  /// False when a quoted value does not end.
  bool skip_value() noexcept {
    const bool quoted = !at_end() && text_[at_] == '\'';
    if (quoted) ++at_;
    for (; !at_end(); ++at_) {
      if (quoted ? text_[at_] == '\'' : is_blank(text_[at_])) {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    }
    return !quoted;
  }
  static std::string no_equals_sign(std::string_view keyword, std::size_t number) {
    if (number == 1 && keyword.find("://") != std::string_view::npos) {
      return "the URI's scheme is not postgresql:// or postgres://";
    }
    return "there is no `=` behind " + name_setting(keyword, number) +
           "; a connection string is a list of keyword=value, or a URI that starts with "
           "postgresql:// "
           "(a value with spaces must stand in single quotes)";
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string explain_brackets(std::string_view authority) {
  for (const std::string_view host : split_dsn_list(authority)) {
    if (!host.starts_with('[')) continue;
    const auto close = host.find(']');
    if (close == std::string_view::npos) return "the IPv6 address in the URI has no closing `]`";
    if (close == 1) return "the IPv6 address in the URI is empty";
    if (close + 1 < host.size() && host[close + 1] != ':') {
      return "in the URI an IPv6 address in `[]` must be followed by `:`, `/`, `,` or `?`";
    }
  }
  return {};
}

std::string explain_parameters(std::string_view query) {
  for (std::size_t number = 1; !query.empty(); ++number) {
    const auto next = query.find('&');
    const std::string_view parameter = query.substr(0, next);
    const auto equals = parameter.find('=');
    const std::string_view keyword = parameter.substr(0, equals);
    const std::string name =
        is_known(keyword) ? "`" + std::string(keyword) + "`" : "parameter number " + std::to_string(number);
    if (equals == std::string_view::npos) return name + " in the URI has no `=` and value";
    if (parameter.find('=', equals + 1) != std::string_view::npos) {
      return name + " in the URI has a second `=`; write it as %3D";
    }
    if (keyword == "ssl") return "`ssl` in the URI may only be `true`; use `sslmode`";
    if (!is_known(keyword) && keyword.find('%') == std::string_view::npos) {
      return name + " in the URI is not a keyword of libpq" + dsn_keyword_hint(keyword);
    }
    if (next == std::string_view::npos) break;
    query.remove_prefix(next + 1);
  }
  return {};
}

/// Explains by the rules of libpq's conninfo_uri_parse_options.
std::string explain_uri(std::string_view uri) {
  for (auto at = uri.find('%'); at != std::string_view::npos; at = uri.find('%', at + 1)) {
    const std::string_view escape = uri.substr(at, 3);
    const std::string where = " at position " + std::to_string(at + 1) + " of the URI ";
    if (escape.size() < 3 || !is_hex(escape[1]) || !is_hex(escape[2])) {
      return "the `%`" + where + "is not followed by two hexadecimal digits; a `%` itself is written %25";
    }
    if (escape == "%00") return "the %00" + where + "is not allowed: no value can hold a NUL byte";
  }
  uri.remove_prefix(uri.find("://") + 3);
  if (const auto at = uri.find_first_of("@/"); at != std::string_view::npos && uri[at] == '@') {
    uri.remove_prefix(at + 1);
  }
  if (std::string text = explain_brackets(uri.substr(0, uri.find_first_of("/?"))); !text.empty()) return text;
  if (const auto query = uri.find('?'); query != std::string_view::npos) {
    if (std::string text = explain_parameters(uri.substr(query + 1)); !text.empty()) return text;
  }
  return "the URI is not valid; it looks like "
         "\"postgresql://user@host:5432/database?keyword=value\", and any other "
         "character than letters, digits and -._~ must be written as %XX";
}

}  // namespace

std::string explain_refused_dsn(std::string_view text) {
  return is_dsn_uri(text) ? explain_uri(text) : keyword_list(text).explain();
}

}  // namespace breakwater::detail
