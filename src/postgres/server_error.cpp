#include "postgres/server_error.hpp"

#include <breakwater/postgres/sqlstate.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace breakwater::postgres {
namespace {

std::string_view field(const pg_result* result, int code) noexcept {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

/// The text of an error as far as it may be shown. RAISE chooses its own SQLSTATE, and its text may say anything.
std::string public_text(const sqlstate_row& row, std::string_view primary, std::string_view source_function) {
  const bool raised = source_function == "exec_stmt_raise";
  if (row.text_is_public && !raised && !primary.empty()) return first_line(primary);
  return "the server answered " + std::string(row.condition) + " (its text is withheld, it may quote values)";
}

/// Does the text quote this value? Very short values would be found in every text, and tell nothing.
bool quotes(std::string_view text, std::string_view value) {
  constexpr std::size_t shortest = 4;
  return value.size() >= shortest && text.find(value) != std::string_view::npos;
}

/// Does it quote an element of this array (as the library writes them: {"a","b \"c\"",7,NULL})?
bool quotes_element(std::string_view text, std::string_view array) {
  if (!array.starts_with('{')) return false;
  std::string element;
  bool inside = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const char c = array[i];
    if (c == '"') {
      inside = !inside;
    } else if (!inside && (c == '{' || c == ',' || c == '}')) {
      if (element != "NULL" && quotes(text, element)) return true;
      element.clear();
    } else {
      if (c == '\\' && i + 1 < array.size()) ++i;
      element.push_back(array[i]);
    }
  }
  return false;
}

/// Does it quote a part of this array, composite or range? Its marks are taken for separators wherever they stand, so that
/// what is nested is found however deep; too many parts are found, and none too few.
bool quotes_part(std::string_view text, std::string_view structure) {
  if (structure.empty() || std::string_view("{([").find(structure.front()) == std::string_view::npos) return false;
  constexpr std::string_view marks = "{}()[],\"\\";
  for (std::size_t at = 0; at < structure.size();) {
    const std::size_t end = std::min(structure.find_first_of(marks, at), structure.size());
    if (quotes(text, structure.substr(at, end - at)) && structure.substr(at, end - at) != "NULL") return true;
    at = end + 1;
  }
  return false;
}

/// Codes that say "the server does not know this name or type": of a mapped statement, the mapping is wrong.
constexpr bool is_schema_mismatch(std::string_view code) noexcept {
  return code == "42P01" || code == "42703" || code == "42804" || code == "42883" || code == "42846" ||
         code == "3F000" || code == "42704";
}

/// "FATAL:  28P01" ends the message of a connection the server refused; severity words may be translated.
std::string_view trailing_sqlstate(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  constexpr std::string_view separator = ":  ";
  if (text.size() < separator.size() + 5) return {};
  const std::string_view code = text.substr(text.size() - 5);
  if (!text.substr(0, text.size() - 5).ends_with(separator)) return {};
  const bool plausible =
      std::ranges::all_of(code, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  return plausible ? code : std::string_view{};
}

/// n of the parameter $n whose value Bind could not read, or 0. The server says it in the outermost, hence last, line
/// of CONTEXT: "unnamed portal parameter $3", in its own language, and where log_parameter_max_length_on_error is set
/// followed by " = 'value'". What else may end in "$3" there quotes its source, or has a colon before it.
std::size_t refused_parameter(std::string_view context) noexcept {
  const std::string_view line = context.substr(context.rfind('\n') + 1);
  const std::size_t dollar = line.find('$');
  if (dollar == std::string_view::npos) return 0;
  if (line.substr(0, dollar).find_first_of("\":'") != std::string_view::npos) return 0;
  std::size_t number = 0;
  const char* end = line.data() + line.size();
  const auto [at, failure] = std::from_chars(line.data() + dollar + 1, end, number);
  if (failure != std::errc{}) return 0;
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  return rest.empty() || rest.starts_with(" = ") ? number : 0;
}

}  // namespace

server_error read_server_error(const pg_result* result, const statement* what) {
  const std::string_view code = field(result, PG_DIAG_SQLSTATE);
  if (code.empty()) {
    // libpq's own words, as when the connection was lost; they quote nothing of the statement.
    return {.cause = error(errc::connection_failed, first_line(PQresultErrorMessage(result))), .fatal = true};
  }

  const sqlstate_row& row = sqlstate(code);
  const bool mismatch = what != nullptr && what->mapped && is_schema_mismatch(code);
  error cause(mismatch ? errc::mapping_mismatch : row.meaning,
              public_text(row, field(result, PG_DIAG_MESSAGE_PRIMARY), field(result, PG_DIAG_SOURCE_FUNCTION)));
  cause.with_sqlstate(code)
      .with_constraint(field(result, PG_DIAG_CONSTRAINT_NAME))
      .with_table(field(result, PG_DIAG_TABLE_NAME))
      .with_column(field(result, PG_DIAG_COLUMN_NAME));
  if (what != nullptr) cause.with_statement(what->name);

  const bool fatal = ends_session(result);
  if (fatal && is_poolers_farewell(code)) cause.with_code(errc::connection_failed);
  const bool replan = code == "0A000" && field(result, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
  return {.cause = std::move(cause),
          .fatal = fatal,
          .parameter = refused_parameter(field(result, PG_DIAG_CONTEXT)),
          .stale_plan = replan || code == "26000" || code == "42P05"};
}

bool ends_session(const pg_result* message) noexcept {
  std::string_view severity = field(message, PG_DIAG_SEVERITY_NONLOCALIZED);
  // Poolers send the other one only, in English. To take their last words for an ERROR would mean that the server had
  // refused what it may have done.
  if (severity.empty()) severity = field(message, PG_DIAG_SEVERITY);
  return severity == "FATAL" || severity == "PANIC";
}

void withhold_values(error& cause, const parameters& values) {
  const std::string text = cause.message();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string_view value = values.text(i);
    if (!quotes(text, value) && !quotes_element(text, value) && !quotes_part(text, value)) continue;
    cause.with_text("the server refused the statement (its text is withheld, it quotes a bound value)");
    return;
  }
}

bool is_suspect(const error& cause) noexcept {
  const remedy what = remedy_of(cause.sqlstate());
  return what == remedy::close || what == remedy::reconnect_once;
}

error read_connect_error(const pg_conn* failed) {
  const std::string_view text = PQerrorMessage(failed);
  const std::string_view code = trailing_sqlstate(text);
  if (code.empty()) {
    return error(errc::connection_failed, first_line(text)).with_poisoned_connection();
  }
  if (is_poolers_farewell(code)) {
    // libpq can not show its words and the SQLSTATE at once.
    return error(
               errc::connection_failed,
               "a pooler in front of the server refused the connection: it can not reach the server, or knows no such "
               "database or user, or has no place left; its log says which")
        .with_sqlstate(code)
        .with_poisoned_connection();
  }
  const sqlstate_row& row = sqlstate(code);
  return error(row.meaning, "the server refused the connection: " + std::string(row.condition))
      .with_sqlstate(code)
      .with_poisoned_connection();
}

}  // namespace breakwater::postgres
