#pragma once

#include <string_view>

namespace breakwater {

/// The library's version, "major.minor.patch". (`bw::version` is the attribute of a mapped column.)
[[nodiscard]] std::string_view library_version() noexcept;

}  // namespace breakwater
