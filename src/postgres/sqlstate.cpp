#include <breakwater/postgres/sqlstate.hpp>

#include <algorithm>
#include <array>

namespace breakwater::postgres {
namespace {

constexpr bool public_text = true;
constexpr bool masked_text = false;

constexpr auto sorted_table() {
  std::array rows{
#define BREAKWATER_SQLSTATE(code, condition, meaning, text) sqlstate_row{#code, #condition, errc::meaning, text},
#include "postgres/sqlstates.inc"
#undef BREAKWATER_SQLSTATE
  };
  std::ranges::sort(rows, {}, &sqlstate_row::code);
  return rows;
}

constexpr auto table = sorted_table();

static_assert(std::ranges::adjacent_find(table, {}, &sqlstate_row::code) == table.end(),
              "a SQLSTATE stands twice in sqlstates.inc");
static_assert(std::ranges::all_of(table, [](const sqlstate_row& row) { return row.code.size() == 5; }));

const sqlstate_row* find(std::string_view code) noexcept {
  const auto at = std::ranges::lower_bound(table, code, {}, &sqlstate_row::code);
  return at != table.end() && at->code == code ? &*at : nullptr;
}

}  // namespace

std::span<const sqlstate_row> sqlstates() noexcept { return table; }

const sqlstate_row& sqlstate(std::string_view code) noexcept {
  if (const auto* exact = find(code)) return *exact;
  if (code.size() == 5) {
    std::array<char, 5> general{code[0], code[1], '0', '0', '0'};
    if (const auto* of_class = find({general.data(), general.size()})) return *of_class;
  }
  return *find("XX000");
}

}  // namespace breakwater::postgres
