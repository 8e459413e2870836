#include "tenant_session.hpp"

#include "session_state.hpp"
#include "tenant_databases.hpp"

#include <new>
#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

/// The server cuts longer names, and two tenants could then meet in one.
constexpr std::size_t longest_name = 63;

result<tenant_scope> ask(const tenant_resolver& resolver, const std::string& tenant) {
  try {
    return resolver(tenant);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return error(errc::internal, "the tenant resolver threw an exception");
  }
}

result<tenant_scope> scope_of(const config& settings, const session_options& options) {
  const bool has_tenants = static_cast<bool>(settings.tenant_resolver);
  if (options.tenant.empty()) {
    if (!has_tenants || options.across_tenants) return tenant_scope{};
    return error(errc::unsafe_operation,
                 "the session has no tenant, and would see what is everybody's; give session_options::tenant, or "
                 ".across_tenants = true where that is meant");
  }
  if (options.across_tenants) {
    return error(errc::invalid_argument,
                 "the session has a tenant and .across_tenants = true; it can have one of them");
  }
  if (!has_tenants) {
    return error(errc::unsafe_operation,
                 "the session has a tenant, and nothing knows what is a tenant's; set config.tenant_resolver");
  }
  BOOST_OUTCOME_TRY(auto scope, ask(settings.tenant_resolver, options.tenant));
  if (scope == tenant_scope{}) {
    return error(errc::unsafe_operation,
                 "the tenant resolver says nothing that tells this tenant from others; it shall return an error for a "
                 "tenant that there is not");
  }
  if (scope.database.size() > longest_name) {
    return error(errc::invalid_argument, "the tenant's database has a name of more than 63 bytes");
  }
  return scope;
}

}  // namespace

std::shared_ptr<session_state> make_session(const std::shared_ptr<database_state>& of, session_options options,
                                            source_location where) {
  result<tenant_scope> scope = scope_of(of->settings(), options);
  std::shared_ptr<database_state> on = of;
  std::optional<error> refusal;
  tenant_scope is_of;
  if (scope) {
    is_of = std::move(scope).value();
  } else {
    refusal = std::move(scope).error();
  }
  if (!is_of.database.empty()) {
    if (auto opened = of->of_tenants().get(is_of.database)) {
      on = std::move(opened).value();
    } else {
      refusal = std::move(opened).error();
    }
  }
  auto made = std::make_shared<session_state>(std::move(on), std::move(options), where);
  if (!refusal) {
    if (auto belongs = made->belong_to(is_of); !belongs) refusal = std::move(belongs).error();
  }
  if (refusal) made->refuse_all(std::move(*refusal));
  return made;
}

}  // namespace breakwater::detail
