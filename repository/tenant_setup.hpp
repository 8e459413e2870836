#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/core/tenancy.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <span>

namespace breakwater::detail {

/// The statement that makes a transaction a tenant's: it sets what the scope says, for this transaction and for nothing
/// else. Stays where it is: what it hands out points into it.
class tenant_setup {
 public:
  /// Nothing is to be set.
  tenant_setup() noexcept = default;
  tenant_setup(const tenant_setup&) = delete;
  tenant_setup& operator=(const tenant_setup&) = delete;

  /// REQUIRES that it is empty. Errors: `invalid_argument` for what would not stay within the transaction, or leads to
  /// another role or schema than it says.
  [[nodiscard]] result<void> set(const tenant_scope& scope);

  /// What has to run before anything else in a transaction; nothing where nothing is to be set.
  [[nodiscard]] std::span<const batched_statement> before() const noexcept {
    return {&command_, command_.what == nullptr ? std::size_t{0} : std::size_t{1}};
  }

 private:
  statement what_{};
  parameters values_{};
  batched_statement command_{};
};

}  // namespace breakwater::detail
