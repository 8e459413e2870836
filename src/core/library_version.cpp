#include <breakwater/core/library_version.hpp>

namespace breakwater {

std::string_view library_version() noexcept { return BREAKWATER_VERSION; }

}  // namespace breakwater
