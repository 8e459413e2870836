#include "dsn_check.hpp"

#include "nearest.hpp"
#include <breakwater/core/dsn.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <new>

// Kept apart from the type `dsn`: what is asked of a connection string, and how a refusal is
// worded. No message of this file may hold a piece of the input, because any piece may be the
// password: a quote that is not closed or a `/` that was not escaped moves the password into
// whichever field comes next.

namespace breakwater::detail {
namespace {

struct free_options {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using options_ptr = std::unique_ptr<PQconninfoOption, free_options>;

/// libpq's parser; null when it refuses. Its own message quotes the input and is thrown away.
options_ptr parse_with_libpq(const std::string& text) {
  char* message = nullptr;
  options_ptr options(PQconninfoParse(text.c_str(), &message));
  const bool out_of_memory = !options && message == nullptr;
  PQfreemem(message);
  if (out_of_memory) throw std::bad_alloc();
  return options;
}

struct known_keyword {
  std::string name;
  bool secret;
};

/// Keywords that newer versions of libpq have as debugging options, which it does not hide, though
/// they are as good as the password.
constexpr std::array<std::string_view, 3> more_secrets{"scram_client_key", "scram_server_key", "oauth_client_secret"};

const std::vector<known_keyword>& known_keywords() {
  // Never destroyed: views of the names live as long as the program.
  static const auto& keywords = *[] {
    auto* names = new std::vector<known_keyword>;
    const options_ptr options = parse_with_libpq("postgresql://");
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      const std::string_view name = option->keyword;
      const bool secret =
          std::string_view(option->dispchar) == "*" || std::ranges::find(more_secrets, name) != more_secrets.end();
      names->push_back({std::string(name), secret});
    }
    return names;
  }();
  return keywords;
}

std::string_view value_of(const std::vector<dsn_setting>& settings, std::string_view keyword) noexcept {
  for (const auto& [name, value] : settings) {
    if (name == keyword) return value;
  }
  return {};
}

constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Names, and addresses with their scope ("fe80::1%eth0"). An internationalised name is given in
/// its ASCII form: the resolver takes no other.
constexpr bool is_host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(".-_:%").find(c) != std::string_view::npos;
}

/// What a keyword of a fixed set of values allows. libpq checks these only when it connects.
struct allowed_values {
  std::string_view keyword;
  std::array<std::string_view, 6> values;
};
constexpr std::array enumerated{
    allowed_values{"sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
    allowed_values{"channel_binding", {"disable", "prefer", "require"}},
    allowed_values{"gssencmode", {"disable", "prefer", "require"}},
    allowed_values{"target_session_attrs", {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
};

constexpr std::array<std::string_view, 6> whole_numbers{"connect_timeout",     "keepalives",       "keepalives_idle",
                                                        "keepalives_interval", "keepalives_count", "tcp_user_timeout"};

/// libpq's integers may have blanks around them.
std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<int> to_int(std::string_view text) noexcept {
  text = trim(text);
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> check_enumerated(const std::vector<dsn_setting>& settings) {
  for (const allowed_values& row : enumerated) {
    const std::string_view value = value_of(settings, row.keyword);
    if (value.empty() || std::ranges::find(row.values, value) != row.values.end()) continue;
    std::string text = "`" + std::string(row.keyword) + "` has a value that is not allowed; allowed are";
    for (const std::string_view allowed : row.values) {
      if (!allowed.empty()) text.append(text.ends_with("are") ? " " : ", ").append(allowed);
    }
    return text;
  }
  return std::nullopt;
}

std::optional<std::string> check_numbers(const std::vector<dsn_setting>& settings) {
  for (const std::string_view keyword : whole_numbers) {
    const std::string_view value = value_of(settings, keyword);
    if (!value.empty() && !to_int(value)) return "`" + std::string(keyword) + "` must be a whole number";
  }
  return std::nullopt;
}

std::optional<std::string> check_ports(const std::vector<dsn_setting>& settings, std::size_t hosts) {
  const auto ports = split_dsn_list(value_of(settings, "port"));
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].empty()) continue;  // the default
    const auto port = to_int(ports[i]);
    if (port && *port >= 1 && *port <= 65535) continue;
    std::string text = "`port`";
    if (ports.size() > 1) text.append(" number ").append(std::to_string(i + 1));
    return text +
           " must be a whole number in 1..65535 (in a URI, a `/`, `?`, `#` or `@` in the password "
           "must be "
           "written as %2F, %3F, %23 or %40)";
  }
  if (ports.size() > 1 && ports.size() != hosts) {
    return "`port` lists " + std::to_string(ports.size()) + " ports for " + std::to_string(hosts) +
           " host(s); give one port for all or one for each";
  }
  return std::nullopt;
}

/// Hosts go into errors and metric labels, so nothing else may pass for one: "db1password=..." is a
/// blank forgotten in a `keyword=value` list.
std::optional<std::string> check_hosts(std::string_view keyword, const std::vector<std::string_view>& hosts) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const bool is_folder = keyword == "host" && (hosts[i].starts_with('/') || hosts[i].starts_with('@'));
    const bool right =
        is_folder ? std::ranges::none_of(hosts[i], is_control) : std::ranges::all_of(hosts[i], is_host_character);
    if (right) continue;
    std::string text = "`" + std::string(keyword) + "`";
    if (hosts.size() > 1) text.append(" number ").append(std::to_string(i + 1));
    return text + " has a character in it that no host name or address has";
  }
  return std::nullopt;
}

/// In a URI, a second `@`, or one behind the host's `/`, is nearly always the rest of a password:
/// libpq ends the password at the first one, and would take what follows for a host or a database.
bool has_stray_at_sign(std::string_view uri) noexcept {
  uri.remove_prefix(uri.find("://") + 3);
  const auto first = uri.find_first_of("@/");
  if (first != std::string_view::npos && uri[first] == '@') uri.remove_prefix(first + 1);
  return uri.substr(0, uri.find('?')).find('@') != std::string_view::npos;
}

}  // namespace

const std::vector<std::string_view>& dsn_keywords() {
  static const auto& names = *[] {
    auto* views = new std::vector<std::string_view>;
    for (const known_keyword& keyword : known_keywords()) views->push_back(keyword.name);
    return views;
  }();
  return names;
}

bool dsn_setting_is_secret(std::string_view keyword, std::string_view value) {
  return std::ranges::any_of(known_keywords(), [&](const known_keyword& known) {
    return known.secret && (known.name == keyword || value.find(known.name + "=") != std::string_view::npos);
  });
}

std::string dsn_keyword_hint(std::string_view unknown) {
  const std::string_view near = nearest(unknown, dsn_keywords());
  return near.empty() ? std::string{} : "; did you mean `" + std::string(near) + "`?";
}

bool is_dsn_uri(std::string_view text) noexcept {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

std::vector<std::string_view> split_dsn_list(std::string_view list) {
  std::vector<std::string_view> parts;
  if (list.empty()) return parts;
  for (;;) {
    const auto comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

std::optional<std::string> check_dsn_settings(const std::vector<dsn_setting>& settings) {
  const auto hosts = split_dsn_list(value_of(settings, "host"));
  const auto addresses = split_dsn_list(value_of(settings, "hostaddr"));
  if (auto problem = check_hosts("host", hosts)) return problem;
  if (auto problem = check_hosts("hostaddr", addresses)) return problem;
  if (!hosts.empty() && !addresses.empty() && hosts.size() != addresses.size()) {
    return "`hostaddr` lists " + std::to_string(addresses.size()) + " addresses for " + std::to_string(hosts.size()) +
           " host(s); they must be as many";
  }
  if (auto problem = check_ports(settings, std::max<std::size_t>({hosts.size(), addresses.size(), 1}))) return problem;
  if (auto problem = check_enumerated(settings)) return problem;
  return check_numbers(settings);
}

std::optional<std::string> read_dsn(std::string_view text, std::vector<dsn_setting>& settings) {
  if (trim(text).empty()) {
    return "the connection string is empty; it looks like \"postgresql://user@host:5432/database\" "
           "or "
           "\"host=... port=5432 user=... dbname=...\"";
  }
  if (text.size() > max_dsn_length) {
    return "the connection string is " + std::to_string(text.size()) + " bytes long; at most " +
           std::to_string(max_dsn_length) + " are allowed";
  }
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return "the connection string has a NUL byte at position " + std::to_string(nul + 1);
  }
  const options_ptr options = parse_with_libpq(std::string(text));
  if (!options) return explain_refused_dsn(text);
  if (is_dsn_uri(text) && has_stray_at_sign(text)) {
    return "the URI has a bare `@` in its host or database name; write it as %40, and if it "
           "belongs to the "
           "password, write the password's `@` as %40 and its `/` as %2F";
  }
  settings.clear();
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && option->val[0] != '\0') settings.emplace_back(option->keyword, option->val);
  }
  return check_dsn_settings(settings);
}

}  // namespace breakwater::detail
