#include <breakwater/postgres/sqlstate.hpp>

#include <algorithm>
#include <array>

namespace breakwater::postgres {
namespace {

constexpr bool public_text = true;
constexpr bool masked_text = false;

constexpr auto sorted_table() {
  std::array rows{
#define BREAKWATER_SQLSTATE(code, condition, meaning, text, what) \
  sqlstate_row{#code, #condition, errc::meaning, text, remedy::what},
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

std::string_view to_string(remedy value) noexcept {
  switch (value) {
    case remedy::none: return "none";
    case remedy::close: return "close";
    case remedy::rerun: return "rerun";
    case remedy::rerun_once: return "rerun_once";
    case remedy::root_cause: return "root_cause";
    case remedy::prepare_again: return "prepare_again";
    case remedy::reconnect: return "reconnect";
    case remedy::give_up: return "give_up";
    case remedy::connection_lost: return "connection_lost";
    case remedy::reconnect_paced: return "reconnect_paced";
    case remedy::find_primary: return "find_primary";
    case remedy::find_primary_if_ours: return "find_primary_if_ours";
    case remedy::resolve: return "resolve";
    case remedy::reconnect_once: return "reconnect_once";
    case remedy::primary_once: return "primary_once";
  }
  return "unknown";
}

std::span<const sqlstate_row> sqlstates() noexcept { return table; }

remedy remedy_of(std::string_view code) noexcept {
  if (const auto* exact = find(code)) return exact->remedy;
  return code.starts_with("XX") ? remedy::close : remedy::none;
}

const sqlstate_row& sqlstate(std::string_view code) noexcept {
  if (const auto* exact = find(code)) return *exact;
  if (code.size() == 5) {
    std::array<char, 5> general{code[0], code[1], '0', '0', '0'};
    if (const auto* of_class = find({general.data(), general.size()})) return *of_class;
  }
  return *find("XX000");
}

}  // namespace breakwater::postgres
