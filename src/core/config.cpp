#include "config_fields.hpp"
#include "node_zones.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/dsn.hpp>

#include <utility>

namespace breakwater {
namespace {

/// The same server twice would count its connections and its vote twice.
void check_distinct_nodes(const std::vector<std::string>& nodes, std::vector<std::string>& problems) {
  // Where the service file has a say, equal names need not be equal servers.
  std::vector<std::pair<std::string, std::size_t>> seen;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto parsed = dsn::parse(nodes[i]);
    if (!parsed || parsed.value().get("service")) continue;
    std::string name = parsed.value().node_name() + " " + std::string(parsed.value().get("hostaddr").value_or(""));
    for (const auto& [other, position] : seen) {
      if (other != name) continue;
      problems.push_back("`nodes[" + std::to_string(i) + "]` is the same server as `nodes[" + std::to_string(position) +
                         "]`; each server may be given once");
      break;
    }
    seen.emplace_back(std::move(name), i);
  }
}

void check_zones(const config& settings, std::vector<std::string>& problems) {
  const node_zones zones = node_zones::read(settings.routing.node_zones, problems);
  if (!settings.routing.zone.empty() && settings.routing.node_zones.empty()) {
    problems.emplace_back(
        "`routing.zone` is set, but `routing.node_zones` does not say where the nodes are; give a list such as "
        "\"db2:5432=a, db3=b\"");
  }
  std::vector<std::string> names;
  for (const std::string& text : settings.nodes) {
    const auto parsed = dsn::parse(text);
    // Is reported already; or what its servers are called is not for us to say.
    if (!parsed || parsed.value().get("service")) return;
    for (const dsn& server : parsed.value().split_hosts()) names.push_back(server.node_name());
  }
  if (!names.empty()) zones.check_names(names, problems);
}

void check_together(const config& settings, std::vector<std::string>& problems) {
  if (settings.nodes.empty()) {
    problems.emplace_back(
        "`nodes` is empty; give the connection string of at least one server, such as "
        "\"postgresql://user@host:5432/database\" (or set BREAKWATER_NODES)");
  }
  check_distinct_nodes(settings.nodes, problems);
  if (settings.pool.size && settings.pool.min_idle > *settings.pool.size) {
    problems.push_back("`pool.min_idle` is " + std::to_string(settings.pool.min_idle) +
                       "; it must not be above `pool.size`, which is " + std::to_string(*settings.pool.size));
  }
  if (settings.retry.base > settings.retry.cap) {
    problems.push_back("`retry.base` is " + detail::print_duration(settings.retry.base) +
                       "; it must not be above `retry.cap`, which is " + detail::print_duration(settings.retry.cap));
  }
  if (settings.limiter.min > settings.limiter.max) {
    problems.push_back("`limiter.min` is " + std::to_string(settings.limiter.min) +
                       "; it must not be above `limiter.max`, which is " + std::to_string(settings.limiter.max));
  }
  if (settings.monitor.unsure_interval > settings.monitor.interval) {
    problems.push_back("`monitor.unsure_interval` is " + detail::print_duration(settings.monitor.unsure_interval) +
                       "; it must not be above `monitor.interval`, which is " +
                       detail::print_duration(settings.monitor.interval));
  }
  if (!settings.secrets.from.empty()) {
    if (auto read = secrets::from_text(settings.secrets.from); !read) {
      problems.push_back("`secrets.from`: " + std::string(read.error().text()));
    }
  }
  if (settings.ejection.base > settings.ejection.cap) {
    problems.push_back("`ejection.base` is " + detail::print_duration(settings.ejection.base) +
                       "; it must not be above `ejection.cap`, which is " +
                       detail::print_duration(settings.ejection.cap));
  }
  check_zones(settings, problems);
}

}  // namespace

result<config> config::from_dsn(std::string_view dsn) {
  if (auto parsed = breakwater::dsn::parse(dsn); !parsed) return std::move(parsed).error();
  return config{.nodes = {std::string(dsn)}};
}

result<void> validate(const config& settings) {
  std::vector<std::string> problems;
  for (const detail::field& row : detail::config_table()) detail::check_value(row, settings, row.name, problems);
  check_together(settings, problems);
  if (!problems.empty()) return detail::to_error("the configuration", problems);
  return success();
}

std::string to_string(const config& settings) {
  std::string out;
  for (const detail::field& row : detail::config_table()) {
    out.append(row.name).append(" = ").append(detail::print_value(row, settings)).append("\n");
  }
  out.append("secret_provider = ").append(settings.secret_provider ? "set\n" : "none\n");
  out.append("tenant_resolver = ").append(settings.tenant_resolver ? "set\n" : "none\n");
  out.append("observer = ").append(settings.observer ? "set\n" : "none\n");
  return out.append("auditor = ").append(settings.auditor ? "set\n" : "none\n");
}

std::vector<config_field> config_fields() {
  std::vector<config_field> fields;
  for (const detail::field& row : detail::config_table()) {
    fields.push_back({.name = std::string(row.name),
                      .variable = detail::variable_name("BREAKWATER_", row.name),
                      .type = detail::type_of(row),
                      .allowed = detail::allowed_of(row),
                      .default_value = detail::print_value(row, config{})});
  }
  return fields;
}

}  // namespace breakwater
