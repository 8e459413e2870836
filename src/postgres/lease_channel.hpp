#pragma once

#include "postgres/pool.hpp"
#include <breakwater/postgres/executor.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace breakwater::postgres {

/// Runs each single statement on a connection borrowed for it: the simplest channel.
///
/// Thread-safe, as its pool.
class lease_channel final : public channel {
 public:
  explicit lease_channel(pool& connections) noexcept : connections_(connections) {}
  [[nodiscard]] result<rows> run(const request& wanted) override;
  /// Between a BEGIN and a COMMIT of their own, all under one Sync.
  [[nodiscard]] result<std::vector<rows>> run_batch(const request& wanted,
                                                    std::span<const batched_statement> statements) override;

 private:
  pool& connections_;
};

/// One of the statements left something behind in the session; see `changed_session`.
[[nodiscard]] bool leaves_session_changed(std::span<const batched_statement> statements,
                                          const std::vector<rows>& answers) noexcept;

/// \name A COPY on a connection borrowed for it; see `connection`.
/// @{
[[nodiscard]] result<std::size_t> copy_in(pool& connections, const request& wanted, copy_source& from);
[[nodiscard]] result<std::size_t> copy_out(pool& connections, const request& wanted, std::string_view shape,
                                           copy_sink& to);
/// @}

/// A borrowed connection that has not noticed its own end. Errors: as `pool::acquire`.
[[nodiscard]] result<lease> borrow_live(pool& connections, const request& wanted);

}  // namespace breakwater::postgres
