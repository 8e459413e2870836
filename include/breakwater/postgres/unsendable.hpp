#pragma once

#include <breakwater/core/error.hpp>
#include <breakwater/postgres/parameters.hpp>

#include <string_view>

namespace breakwater {

/// Why the first value that can not be sent (`parameters::first_invalid`) can not: `invalid_argument` for a text with a
/// NUL byte, `data_error` for what its codec refused. `which` says which it is, as in `for column "owner"`; empty: the
/// column where it is known, else its number. For the library's own use. REQUIRES that there is such a value.
[[nodiscard]] error unsendable(const parameters& values, std::string_view which = {});

}  // namespace breakwater
