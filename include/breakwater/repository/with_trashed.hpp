#pragma once

namespace breakwater {

/// Asks `include` and `load` for related rows in the trash as well.
struct with_trashed_t {};
inline constexpr with_trashed_t with_trashed{};

}  // namespace breakwater
