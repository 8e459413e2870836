#include "tenant_setup.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace breakwater::detail {
namespace {

/// The server cuts longer names, and two tenants could then meet in one.
constexpr std::size_t longest_name = 63;
/// More settings than any policy reads; a list that is put together wrongly may be longer.
constexpr std::size_t most_settings = 16;

/// The statements for each number of settings, without and with a schema that has to be there. A few texts for all tenants.
struct setup_texts {
  std::array<std::string, most_settings + 1> plain;
  std::array<std::string, most_settings + 1> with_schema;

  setup_texts() {
    for (std::size_t count = 1; count <= most_settings; ++count) {
      std::string sql = "select ";
      for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) sql += ", ";
        sql.append("pg_catalog.set_config($").append(std::to_string(2 * i + 1));
        sql.append(", $").append(std::to_string(2 * i + 2)).append(", true)");
      }
      plain[count] = sql;
      // A schema that is not there, or that the role may not use, is passed over by the server in silence, and another one
      // searched. The first is an error of the function; the second is made one. Behind the settings, the role among them.
      const std::string name = "$" + std::to_string(2 * count + 1);
      with_schema[count].append(sql).append(", case when not pg_catalog.has_schema_privilege(").append(name);
      with_schema[count].append(
          ", 'usage') then pg_catalog.concat('the tenant''s schema may not be used by its role')::int end");
    }
  }
};

const setup_texts& texts() {
  static const setup_texts all;
  return all;
}

std::string quoted(std::string_view identifier) {
  std::string text = "\"";
  for (const char c : identifier) {
    if (c == '"') text += '"';
    text += c;
  }
  return text += '"';
}

result<void> check(const tenant_scope& scope) {
  const auto refuse = [](std::string text) { return error(errc::invalid_argument, "the tenant's scope " + text); };
  // To the server "none" is not a role but the end of one: its statements would run as the login role.
  if (scope.role == "none") return refuse("names the role none, which means the login role");
  for (const std::string& schema : scope.schemas) {
    if (schema.empty()) return refuse("has a schema without a name");
    if (schema.size() > longest_name) return refuse("has a schema whose name is longer than 63 bytes");
  }
  if (scope.role.size() > longest_name) return refuse("has a role whose name is longer than 63 bytes");
  for (const auto& [name, value] : scope.variables) {
    // One without is a setting of the server's, and some of those do not end with the transaction.
    if (name.find('.') == std::string::npos) {
      return refuse("sets \"" + name + "\"; a variable's name has a dot, such as app.tenant");
    }
  }
  const std::size_t count = scope.variables.size() + (scope.schemas.empty() ? 0 : 1) + (scope.role.empty() ? 0 : 1);
  if (count > most_settings) {
    return refuse("has " + std::to_string(count) + " settings; there may be " + std::to_string(most_settings));
  }
  return success();
}

}  // namespace

result<void> tenant_setup::set(const tenant_scope& scope) {
  if (scope.is_plain()) return success();
  BOOST_OUTCOME_TRY(check(scope));
  std::size_t count = 0;
  const auto add = [&](std::string_view name, std::string_view value) {
    values_.add_text(name);
    values_.add_text(value);
    ++count;
  };
  for (const auto& [name, value] : scope.variables) add(name, value);
  if (!scope.schemas.empty()) {
    std::string path;
    for (const std::string& schema : scope.schemas) path.append(path.empty() ? "" : ", ").append(quoted(schema));
    // Else it comes first: what a statement leaves there would hide a tenant's table from whoever is next.
    add("search_path", path + ", pg_temp");
  }
  // The last one: the login role may set what the tenant's may not.
  if (!scope.role.empty()) add("role", scope.role);
  if (!scope.schemas.empty()) values_.add_text(scope.schemas.front());
  const std::string& sql = scope.schemas.empty() ? texts().plain.at(count) : texts().with_schema.at(count);
  // Where a table's name means another table for each tenant, of types of its own, nothing that comes behind this is kept
  // prepared either: `postgres::shares_plans`.
  const bool shares_names = scope.schemas.empty() && (scope.role.empty() || !scope.variables.empty());
  what_ = {.sql = sql,
           .name = "tenant",
           .operation = "SELECT",
           .print = fingerprint(sql),
           .kind = statement_class::read,
           .prepare = shares_names};
  command_ = {.what = &what_, .values = &values_};
  if (values_.first_invalid()) return error(errc::invalid_argument, "the tenant's scope has text that can not be sent");
  return success();
}

}  // namespace breakwater::detail
