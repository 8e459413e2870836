#pragma once

#include <breakwater/core/errc.hpp>

#include <span>
#include <string_view>

namespace breakwater::postgres {

/// One SQLSTATE of the server and what the library makes of it.
struct sqlstate_row {
  std::string_view code;       ///< five characters, e.g. "23505"
  std::string_view condition;  ///< the manual's condition name, e.g. "unique_violation"
  errc meaning;
  bool text_is_public;  ///< the server's primary message holds names only, never values
};

/// Every SQLSTATE the library knows, sorted by code. Lives for the whole program.
[[nodiscard]] std::span<const sqlstate_row> sqlstates() noexcept;

/// The row of `code`; where the code itself is unknown its class's general row ("..000"), else the row of
/// XX000, internal_error. Never fails.
[[nodiscard]] const sqlstate_row& sqlstate(std::string_view code) noexcept;

}  // namespace breakwater::postgres
