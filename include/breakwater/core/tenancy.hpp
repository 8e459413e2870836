#pragma once

#include <breakwater/core/result.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater {

/// What is particular to a tenant. What is left empty is as for everybody.
struct tenant_scope {
  /// A database of its own on the same servers, with pools of its own.
  std::string database{};
  /// Schemas that are searched for tables, the first one first.
  std::vector<std::string> schemas{};
  /// A role that its statements run as. The login role must be a member of it.
  std::string role{};
  /// Settings that policies or functions read, such as {"app.tenant", "acme"}. Names have a dot.
  std::vector<std::pair<std::string, std::string>> variables{};

  /// Nothing is to be set on a connection.
  [[nodiscard]] bool is_plain() const noexcept { return schemas.empty() && role.empty() && variables.empty(); }
  friend bool operator==(const tenant_scope&, const tenant_scope&) = default;
};

/// What is a tenant's, by its name (`session_options::tenant`). Called for every session with a tenant, on its caller's
/// thread, by many at once: it must be thread-safe and should be quick. An error of it (`not_found` for a tenant that there
/// is not) is the error of everything that the session is asked to do; so is an exception, without its text.
using tenant_resolver = std::function<result<tenant_scope>(std::string_view tenant)>;

/// The usual resolvers.
///
///     config.tenant_resolver = bw::tenants::by_variable("app.tenant", "shop_tenant");
///     bw::session session = db.session({.tenant = "acme"});
///
/// What a scope sets holds for the transaction in which a statement runs, and for nothing else: the library sets it with
/// `set_config(..., true)` in the same message as the transaction's BEGIN, so that no connection goes back to its pool
/// with it, whatever happens. A session without a tenant is refused wherever there is a resolver, unless it says
/// `.across_tenants = true`.
///
/// See docs/tenancy.md.
namespace tenants {

/// Row-level security: each transaction has `variable` set to the tenant's name, for policies to compare with, and runs as
/// `role`, where one is given. (Policies do not hold for superusers, for owners of a table unless it is FORCEd, nor for
/// roles with BYPASSRLS.)
[[nodiscard]] tenant_resolver by_variable(std::string variable, std::string role = {});
/// A schema for each tenant, of the name `prefix` + tenant, in front of the schemas `shared`.
[[nodiscard]] tenant_resolver by_schema(std::string prefix = {}, std::vector<std::string> shared = {});
/// A role for each tenant, of the name `prefix` + tenant.
[[nodiscard]] tenant_resolver by_role(std::string prefix = {});
/// A database for each tenant, of the name `prefix` + tenant.
[[nodiscard]] tenant_resolver by_database(std::string prefix = {});

}  // namespace tenants

/// See docs/tenancy.md.
struct tenancy_options {
  /// Databases of tenants whose pools are open at a time, beside the configured one; the one that was unused for longest
  /// is closed first, when nobody uses it. 1..10000.
  std::size_t max_databases = 50;
};

}  // namespace breakwater
