#include "server_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace breakwater::testing::detail {
namespace {

constexpr unsigned most_replicas = 16;

/// Settings by which the cluster finds its servers and their logs; changed, it could not.
constexpr std::array<std::string_view, 11> reserved = {
    "port",       "listen_addresses", "unix_socket_directories", "data_directory", "config_file",
    "hba_file",   "ident_file",       "logging_collector",       "cluster_name",   "log_destination",
    "lc_messages"};

error not_allowed(std::string_view member, std::string_view why) {
  return {errc::invalid_argument, "cluster_options::" + std::string(member) + " " + std::string(why)};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

result<void> validate_name(std::string_view member, const std::string& name) {
  if (name.empty()) return not_allowed(member, "is empty");
  if (name.size() > longest_name) return not_allowed(member, "is longer than 63 bytes");
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return not_allowed(member, "has a control character");
  }
  return success();
}

result<void> validate_setting(const std::string& name, const std::string& value) {
  const bool is_name = !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '$';
  });
  if (!is_name) return not_allowed("settings", "has a name that is none: \"" + name + "\"");
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(reserved.begin(), reserved.end(), lower) != reserved.end()) {
    return not_allowed("settings", "may not set " + name + ", which the cluster depends on");
  }
  if (std::any_of(value.begin(), value.end(), is_control)) {
    return not_allowed("settings", "has a value with a control character, for " + name);
  }
  return success();
}

/// A value as postgresql.conf wants it: in quotes, where backslashes are escapes.
std::string quoted(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += c;
    result += c;
  }
  return result + "'";
}

std::string doubled(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += c;
    result += c;
  }
  return result + quote;
}

/// The same on every node. Comments say why where the value is not the server's default.
constexpr std::string_view common_settings = R"(
unix_socket_directories = ''        # TCP only: no paths that can be too long
max_connections = 100
shared_buffers = 32MB
dynamic_shared_memory_type = mmap   # in the data folder: /dev/shm would keep a killed server's
huge_pages = off
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d %a '
lc_messages = 'C'

wal_level = replica
min_wal_size = 32MB
max_wal_size = 256MB                # the folder may be in memory
max_wal_senders = 40                # 16 replicas, twice while they are copied, and guests
max_replication_slots = 40
hot_standby = on
wal_retrieve_retry_interval = 100ms # a replica finds its returning primary at once
wal_receiver_status_interval = 1s
wal_receiver_timeout = 10s
wal_sender_timeout = 10s

# On even when nothing is durable: SIGKILL can cut an 8 kB write in two, at a page of the kernel.
full_page_writes = on
)";

}  // namespace

result<void> validate(const cluster_options& options) {
  if (options.replicas > most_replicas) return not_allowed("replicas", "is more than 16");
  if (options.synchronous_replicas > options.replicas) {
    return not_allowed("synchronous_replicas", "is more than cluster_options::replicas");
  }
  BOOST_OUTCOME_TRY(validate_name("database", options.database));
  BOOST_OUTCOME_TRY(validate_name("user", options.user));
  for (const std::string_view taken : {"postgres", "template0", "template1"}) {
    if (options.database == taken) return not_allowed("database", "names one that every server has");
  }
  if (options.user == superuser) return not_allowed("user", "is \"postgres\", the superuser");
  if (options.user.starts_with("pg_")) {
    return not_allowed("user", "starts with \"pg_\", which the server reserves");
  }
  if (std::any_of(options.password.begin(), options.password.end(), is_control)) {
    return not_allowed("password", "has a control character");
  }
  for (const auto& [name, value] : options.settings) {
    BOOST_OUTCOME_TRY(validate_setting(name, value));
  }
  if (options.start_timeout.count() <= 0) return not_allowed("start_timeout", "is not positive");
  if (options.operation_timeout.count() <= 0) {
    return not_allowed("operation_timeout", "is not positive");
  }
  return success();
}

std::string postgresql_conf(const cluster_options& options, const node_settings& node, const std::string& folder) {
  std::string text = "listen_addresses = '" + std::string(loopback) + "'\n";
  text += "port = " + std::to_string(node.port) + "\n";
  text += "cluster_name = " + quoted(node.name) + "\n";
  text += common_settings;
  text += options.durable ? "fsync = on\n" : "fsync = off\n";
  if (node.upstream_port != 0) {
    text += "primary_conninfo = " + quoted(replication_conninfo(node.name, node.upstream_port, folder)) + "\n";
    text += "primary_slot_name = " + quoted(slot_name(node.name)) + "\n";
  }
  if (node.synchronous) {
    text += "synchronous_standby_names = 'ANY " + std::to_string(options.synchronous_replicas) + " (";
    for (unsigned i = 0; i < options.replicas; ++i) {
      text += (i == 0 ? "\"replica-" : ", \"replica-") + std::to_string(i) + "\"";
    }
    text += ")'\n";
  }
  text += "\n# cluster_options::settings\n";
  for (const auto& [name, value] : options.settings) text += name + " = " + quoted(value) + "\n";
  return text;
}

std::string pg_hba_conf() {
  return "host all all 127.0.0.1/32 scram-sha-256\n"
         "host replication " +
         std::string(superuser) + " 127.0.0.1/32 scram-sha-256\n";
}

std::string replication_conninfo(const std::string& name, std::uint16_t port, const std::string& folder) {
  // Values in the quotes of connection strings, whose rules are those of postgresql.conf.
  return "host=" + std::string(loopback) + " port=" + std::to_string(port) + " user=" + std::string(superuser) +
         " passfile=" + quoted(folder + "/pgpass") + " application_name=" + name +
         " sslmode=disable gssencmode=disable";
}

std::string slot_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string sql_literal(std::string_view text) { return doubled(text, '\''); }

std::string sql_identifier(std::string_view name) { return doubled(name, '"'); }

std::string uri_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      result += c;
    } else {
      result += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
    }
  }
  return result;
}

}  // namespace breakwater::testing::detail
