#include "dsn_check.hpp"
#include <breakwater/core/dsn.hpp>

#include <algorithm>
#include <charconv>

namespace breakwater {
namespace {

constexpr std::uint16_t default_port = 5432;  // libpq's own

/// A value as libpq reads it back from a `keyword=value` list, on one line.
void append_value(std::string& out, std::string_view value) {
  const bool quoted = value.empty() || value.find_first_of(" '\\\t\n\r\f\v") != std::string_view::npos;
  if (quoted) out += '\'';
  for (const char c : value) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (c == '\'' || c == '\\') out += '\\';
    out += control ? '?' : c;
  }
  if (quoted) out += '\'';
}

}  // namespace

result<dsn> dsn::parse(std::string_view text) {
  std::vector<setting> settings;
  if (auto problem = detail::read_dsn(text, settings)) return error(errc::invalid_argument, std::move(*problem));
  return dsn(std::move(settings));
}

std::optional<std::string_view> dsn::get(std::string_view keyword) const noexcept {
  for (const auto& [name, value] : settings_) {
    if (name == keyword) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> dsn::hosts() const {
  auto hosts = detail::split_dsn_list(get("host").value_or(""));
  const auto addresses = detail::split_dsn_list(get("hostaddr").value_or(""));
  hosts.resize(std::max<std::size_t>({hosts.size(), addresses.size(), 1}));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (hosts[i].empty()) hosts[i] = addresses[i];
  }
  return hosts;
}

std::vector<std::uint16_t> dsn::ports() const {
  const auto given = detail::split_dsn_list(get("port").value_or(""));
  std::vector<std::uint16_t> ports(hosts().size(), default_port);
  for (std::size_t i = 0; i < ports.size() && !given.empty(); ++i) {
    std::string_view text = given.size() == 1 ? given[0] : given[i];  // one port stands for all hosts
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n\r\f\v"), text.size()));
    // Checked by parse(): a number, or empty for the default.
    std::from_chars(text.data(), text.data() + text.size(), ports[i]);
  }
  return ports;
}

std::string_view dsn::dbname() const noexcept { return get("dbname").value_or(""); }
std::string_view dsn::user() const noexcept { return get("user").value_or(""); }
bool dsn::has_password() const noexcept { return get("password").has_value(); }

result<dsn> dsn::with(std::string_view keyword, std::string_view value) const {
  const auto& known = detail::dsn_keywords();
  if (std::ranges::find(known, keyword) == known.end()) {
    // Not repeated: whoever swaps the two arguments must not find the password in the log.
    return error(errc::invalid_argument,
                 "the keyword to set is not one of libpq's" + detail::dsn_keyword_hint(keyword));
  }
  if (value.find('\0') != std::string_view::npos) {
    return error(errc::invalid_argument, "the value for `" + std::string(keyword) + "` has a NUL byte in it");
  }
  if (value.size() > max_dsn_length) {
    return error(errc::invalid_argument, "the value for `" + std::string(keyword) + "` is longer than " +
                                             std::to_string(max_dsn_length) + " bytes");
  }
  std::vector<setting> settings;
  for (const std::string_view name : known) {
    const std::string_view kept = name == keyword ? value : get(name).value_or("");
    if (!kept.empty()) settings.emplace_back(name, kept);
  }
  if (auto problem = detail::check_dsn_settings(settings)) {
    return error(errc::invalid_argument, std::move(*problem));
  }
  return dsn(std::move(settings));
}

std::vector<dsn> dsn::split_hosts() const {
  const std::size_t count = hosts().size();
  std::vector<dsn> servers(count, *this);
  for (std::size_t i = 0; i < count; ++i) {
    for (auto& [keyword, value] : servers[i].settings_) {
      if (keyword != "host" && keyword != "hostaddr" && keyword != "port") continue;
      const auto parts = detail::split_dsn_list(value);
      if (parts.size() > 1) value = std::string(parts[i]);
    }
    std::erase_if(servers[i].settings_, [](const setting& given) { return given.second.empty(); });
  }
  return servers;
}

std::string dsn::masked() const {
  std::string out;
  for (const auto& [keyword, value] : settings_) {
    if (!out.empty()) out += ' ';
    out.append(keyword).append("=");
    append_value(out, detail::dsn_setting_is_secret(keyword, value) ? "***" : std::string_view(value));
  }
  return out;
}

std::string dsn::node_name() const {
  const auto names = hosts();
  const auto numbers = ports();
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view host = names[i].empty() ? "[default]" : names[i];
    const bool is_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('/');
    if (!out.empty()) out += ',';
    if (is_ipv6) out += '[';
    // Only a folder may be other than ASCII, and not every metrics system takes any byte.
    for (const char c : host) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    if (is_ipv6) out += ']';
    out.append(":").append(std::to_string(numbers[i]));
  }
  return out;
}

dsn::connect_parameters dsn::keywords_and_values() const& {
  connect_parameters out;
  for (const auto& [keyword, value] : settings_) {
    out.keywords.push_back(keyword.c_str());
    out.values.push_back(value.c_str());
  }
  out.keywords.push_back(nullptr);
  out.values.push_back(nullptr);
  return out;
}

}  // namespace breakwater
