#include <breakwater/core/tenancy.hpp>

#include <algorithm>

namespace breakwater::tenants {
namespace {

/// PostgreSQL cuts longer names, and two tenants could then meet in one schema.
constexpr std::size_t longest_name = 63;

/// A name that is put together from a tenant's, and so by whoever names tenants.
result<std::string> name_for(const std::string& prefix, std::string_view tenant) {
  std::string name = prefix + std::string(tenant);
  if (name.size() > longest_name) {
    return error(errc::invalid_argument,
                 "the tenant's name is too long: with its prefix it has " + std::to_string(name.size()) +
                     " bytes, and a name in the database at most " + std::to_string(longest_name));
  }
  // Reserved by the server: a tenant of such a name would search, or be, a part of the system.
  if (name.starts_with("pg_") || name == "information_schema") {
    return error(errc::invalid_argument, "the tenant's name leads to a name that the server reserves for itself");
  }
  return name;
}

}  // namespace

tenant_resolver by_variable(std::string variable, std::string role) {
  return [variable = std::move(variable), role = std::move(role)](std::string_view tenant) -> result<tenant_scope> {
    return tenant_scope{.role = role, .variables = {{variable, std::string(tenant)}}};
  };
}

tenant_resolver by_schema(std::string prefix, std::vector<std::string> shared) {
  return [prefix = std::move(prefix), shared = std::move(shared)](std::string_view tenant) -> result<tenant_scope> {
    BOOST_OUTCOME_TRY(auto name, name_for(prefix, tenant));
    if (name == "public") {
      return error(errc::invalid_argument, "the tenant's name leads to the schema public, which is everybody's");
    }
    tenant_scope scope{.schemas = {std::move(name)}};
    scope.schemas.insert(scope.schemas.end(), shared.begin(), shared.end());
    return scope;
  };
}

tenant_resolver by_role(std::string prefix) {
  return [prefix = std::move(prefix)](std::string_view tenant) -> result<tenant_scope> {
    BOOST_OUTCOME_TRY(auto name, name_for(prefix, tenant));
    return tenant_scope{.role = std::move(name)};
  };
}

tenant_resolver by_database(std::string prefix) {
  return [prefix = std::move(prefix)](std::string_view tenant) -> result<tenant_scope> {
    BOOST_OUTCOME_TRY(auto name, name_for(prefix, tenant));
    return tenant_scope{.database = std::move(name)};
  };
}

}  // namespace breakwater::tenants
