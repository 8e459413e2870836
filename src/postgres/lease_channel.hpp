#pragma once

#include "postgres/pool.hpp"
#include <breakwater/postgres/executor.hpp>

namespace breakwater::postgres {

/// Runs each single statement on a connection borrowed for it: the simplest channel.
///
/// Thread-safe, as its pool.
class lease_channel final : public channel {
 public:
  explicit lease_channel(pool& connections) noexcept : connections_(connections) {}
  [[nodiscard]] result<rows> run(const request& wanted) override;

 private:
  pool& connections_;
};

/// A borrowed connection that has not noticed its own end. Errors: as `pool::acquire`.
[[nodiscard]] result<lease> borrow_live(pool& connections, const request& wanted);

}  // namespace breakwater::postgres
