#pragma once

#include <breakwater/postgres/executor.hpp>

#include <memory>

namespace breakwater::detail {

/// The same executor for statements whose caller says that running them twice is as good as once.
[[nodiscard]] std::shared_ptr<executor> declared_idempotent(std::shared_ptr<executor> on);

}  // namespace breakwater::detail
