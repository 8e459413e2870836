#include "postgres/copy_context.hpp"

#include <charconv>
#include <string>

namespace breakwater::postgres {
namespace {

/// Takes `prefix` off; false when it is not there.
bool take(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes one word and the space after it: "line", "column", or what they are in the server's language.
bool take_word(std::string_view& text) noexcept {
  const auto space = text.find(' ');
  if (space == std::string_view::npos || space == 0) return false;
  text.remove_prefix(space + 1);
  return true;
}

/// `rest` begins after the line's number: ", column balance: ...", or something else.
std::string_view column_of(std::string_view rest, std::span<const std::string_view> columns) noexcept {
  if (!take(rest, ", ") || !take_word(rest)) return {};
  std::string_view found;
  for (const std::string_view column : columns) {
    if (!rest.starts_with(column) || column.size() <= found.size()) continue;
    const std::string_view after = rest.substr(column.size());
    if (after.empty() || after.starts_with(": ") || after.starts_with(", ")) found = column;
  }
  return found;
}

copy_place read_line(std::string_view line, std::string_view table,
                     std::span<const std::string_view> columns) noexcept {
  copy_place place;
  if (!take(line, "COPY ") || !take(line, table) || !take(line, ", ") || !take_word(line)) return place;
  std::size_t row = 0;
  const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), row);
  if (failure != std::errc{}) return place;
  place.row = row;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  place.column = column_of(line, columns);
  return place;
}

}  // namespace

copy_place read_copy_context(std::string_view context, std::string_view table,
                             std::span<const std::string_view> columns) noexcept {
  // Functions that were running put lines of their own before it. The first that fits counts: what stands behind it
  // quotes data, which may look like anything.
  copy_place place;
  while (!context.empty() && !place.row) {
    const std::string_view line = context.substr(0, context.find('\n'));
    context.remove_prefix(line.size() == context.size() ? line.size() : line.size() + 1);
    place = read_line(line, table, columns);
  }
  return place;
}

}  // namespace breakwater::postgres
