#include <breakwater/repository/detail/copy_lines.hpp>

namespace breakwater::detail {
namespace {

/// What the character after a backslash stands for. The server writes no numeric escapes.
char unescape(char c) noexcept {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return c;
  }
}

cell read_field(std::string_view field, std::string& unescaped) {
  if (field == "\\N") return {.text = {}, .null = true};
  const auto first = field.find('\\');
  if (first == std::string_view::npos) return {.text = field};
  const std::size_t from = unescaped.size();
  unescaped.append(field.substr(0, first));
  for (std::size_t i = first; i < field.size(); ++i) {
    const bool escaped = field[i] == '\\' && i + 1 < field.size();
    unescaped.push_back(escaped ? unescape(field[++i]) : field[i]);
  }
  return {.text = std::string_view(unescaped).substr(from)};
}

}  // namespace

bool split_copy_line(std::string_view line, std::string& unescaped, std::span<cell> cells) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  unescaped.clear();
  unescaped.reserve(line.size());  // so that what the cells refer to does not move
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    if (count == cells.size()) return false;
    const auto end = line.find('\t');  // one inside a value is escaped
    cells[count] = read_field(line.substr(0, end), unescaped);
    more = end != std::string_view::npos;
    if (more) line.remove_prefix(end + 1);
  }
  return count == cells.size();
}

error bad_copy_line(const table_view& table, std::size_t row) {
  return error(errc::protocol_error, "a row of the COPY has not as many columns as the mapping")
      .with_table(table.name.table)
      .with_row(row);
}

result<std::size_t> run_copy_out(executor& on, const query_state& all, copy_sink& to, std::string_view name) {
  const std::string select = all.select_sql().text;
  const std::string sql = "copy (" + select + ") to stdout";
  return on.copy_out({.sql = sql,
                      .name = name,
                      .operation = "COPY",
                      .table = all.table.name.table,
                      .print = fingerprint(sql),
                      .kind = statement_class::read,
                      .mapped = true,
                      .prepare = false},
                     select + " limit 0", to);
}

}  // namespace breakwater::detail
