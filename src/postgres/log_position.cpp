#include "postgres/log_position.hpp"

#include <charconv>
#include <cstddef>

namespace breakwater::postgres {
namespace {

constexpr statement asking(std::string_view sql, std::string_view name) noexcept {
  return {.sql = sql, .name = name, .operation = "SELECT", .print = fingerprint(sql), .kind = statement_class::read};
}

constexpr std::string_view mode_sql = "select pg_catalog.current_setting('synchronous_commit')";

constexpr std::string_view position_sql =
    "select pg_catalog.pg_backend_pid(), pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), "
    "pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn()";
constexpr std::string_view position_and_server_sql =
    "select pg_catalog.pg_backend_pid(), pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), "
    "pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn(), c.system_identifier, "
    "pg_catalog.pg_postmaster_start_time(), pg_catalog.current_setting('wal_block_size') "
    "from pg_catalog.pg_control_system() c";

// "offset 0" keeps the subquery what it is: its row is made before anything of the list above it is looked at.
constexpr std::string_view place_sql =
    "select pg_catalog.pg_backend_pid(), case when x.replica then (select r.received_tli::pg_catalog.text "
    "from pg_catalog.pg_stat_wal_receiver r where r.status operator(pg_catalog.=) 'streaming') "
    "else pg_catalog.pg_walfile_name(x.at) end, x.at, x.replica, "
    "pg_catalog.current_setting('transaction_isolation') "
    "from (select pg_catalog.pg_is_in_recovery() as replica, case when pg_catalog.pg_is_in_recovery() "
    "then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_flush_lsn() end as at offset 0) x";
constexpr std::string_view place_and_server_sql =
    "select pg_catalog.pg_backend_pid(), case when x.replica then (select r.received_tli::pg_catalog.text "
    "from pg_catalog.pg_stat_wal_receiver r where r.status operator(pg_catalog.=) 'streaming') "
    "else pg_catalog.pg_walfile_name(x.at) end, x.at, x.replica, "
    "pg_catalog.current_setting('transaction_isolation'), c.system_identifier, "
    "pg_catalog.pg_postmaster_start_time(), pg_catalog.current_setting('wal_block_size') "
    "from (select pg_catalog.pg_is_in_recovery() as replica, case when pg_catalog.pg_is_in_recovery() "
    "then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_flush_lsn() end as at offset 0) x, "
    "pg_catalog.pg_control_system() c";

/// Where in the answers what stands; the server's columns are the last three of the long ones.
enum column : std::size_t { backend_column, timeline_column, position_column, insert_column };
enum place_column : std::size_t { replica_column = 3, isolation_column };
constexpr std::size_t server_columns = 3;

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) noexcept {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value, base);
  if (code != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

/// The first part of a log file's name; 0 where there is none.
std::uint32_t timeline_of_file(const cell& name) noexcept {
  constexpr std::size_t digits = 8;
  constexpr std::size_t length = 24;
  if (name.null || name.text.size() != length) return 0;
  return number<std::uint32_t>(name.text.substr(0, digits), 16).value_or(0);
}

/// What the answer says of the server: from its own columns, or from what is known, if it is the same one. `own` is how
/// many columns stand before those.
known_server server_of(const rows& answer, std::size_t own, int backend, const known_server& known) {
  const bool direct = number<int>(answer.at(0, backend_column).text) == backend;
  if (answer.columns() < own + server_columns) return direct ? known : known_server{};
  known_server told;
  told.system = static_cast<std::uint64_t>(number<std::int64_t>(answer.at(0, own).text).value_or(0));
  told.start = answer.at(0, own + 1).text;
  told.block_size = number<std::uint32_t>(answer.at(0, own + 2).text).value_or(0);
  if (told.system == known.system && told.start == known.start) return known;
  return told;
}

bool is_direct(const rows& answer, int backend) noexcept {
  return number<int>(answer.at(0, backend_column).text) == backend;
}

}  // namespace

const statement commit_mode_statement = asking(mode_sql, "commit");
const statement position_statement = asking(position_sql, "position");
const statement position_and_server_statement = asking(position_and_server_sql, "position");
const statement place_statement = asking(place_sql, "place");
const statement place_and_server_statement = asking(place_and_server_sql, "place");

std::optional<std::uint64_t> parse_position(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = number<std::uint32_t>(text.substr(0, slash), 16);
  const auto low = number<std::uint32_t>(text.substr(slash + 1), 16);
  if (!high || !low) return std::nullopt;
  constexpr unsigned half = 32;
  return (std::uint64_t{*high} << half) | *low;
}

causality_token unplaced_token(const known_server& server) noexcept {
  return server.is_primary ? causality_token::position_unknown(server.system, server.timeline)
                           : causality_token::position_unknown();
}

causality_token read_token(const rows& mode, const rows& position, int backend, known_server& server) {
  constexpr std::size_t own_columns = insert_column + 1;
  if (position.size() != 1 || position.columns() < own_columns) return unplaced_token(server);
  known_server told = server_of(position, own_columns, backend, server);
  told.timeline = timeline_of_file(position.at(0, timeline_column));
  told.is_primary = told.timeline != 0;
  const bool complete = told.is_known() && told.is_primary;
  server = complete && is_direct(position, backend) ? told : known_server{};
  if (!complete) return causality_token::position_unknown();

  const bool flushed = mode.size() == 1 && mode.columns() == 1 && !mode.at(0, 0).null && mode.at(0, 0).text != "off";
  auto place = parse_position(position.at(0, flushed ? position_column : insert_column).text);
  if (!place || (!flushed && told.block_size == 0)) {
    return causality_token::position_unknown(told.system, told.timeline);
  }
  if (!flushed) place = without_page_header(*place, told.block_size);
  return causality_token::at(told.system, told.timeline, *place);
}

std::optional<place> read_place(const rows& answer, int backend, known_server& server) {
  constexpr std::size_t own_columns = isolation_column + 1;
  if (answer.size() != 1 || answer.columns() < own_columns) return std::nullopt;
  known_server told = server_of(answer, own_columns, backend, server);
  if (!told.is_known()) return std::nullopt;
  place found{.system = told.system};
  found.is_replica = answer.at(0, replica_column).text == "t";
  found.per_statement = answer.at(0, isolation_column).text == "read committed";
  const cell timeline = answer.at(0, timeline_column);
  const cell position = answer.at(0, position_column);
  if (!timeline.null) {
    found.timeline = found.is_replica ? number<std::uint32_t>(timeline.text).value_or(0) : timeline_of_file(timeline);
  }
  const auto at = position.null ? std::nullopt : parse_position(position.text);
  if (!at) found.timeline = 0;
  found.position = at.value_or(0);

  if (found.timeline != 0) {
    told.timeline = found.timeline;
    told.position = found.position;
    told.is_primary = !found.is_replica;
  }
  server = is_direct(answer, backend) ? told : known_server{};
  return found;
}

}  // namespace breakwater::postgres
