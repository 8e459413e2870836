#pragma once

namespace breakwater {

/// Asks `to_sql` for the values as well.
struct with_values_t {};
inline constexpr with_values_t with_values{};

}  // namespace breakwater
