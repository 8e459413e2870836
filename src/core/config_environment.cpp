#include "config_fields.hpp"
#include "dsn_check.hpp"
#include "nearest.hpp"
#include <breakwater/core/config.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace breakwater {
namespace {

/// A variable's value, or empty where it is not set: one set to nothing counts as not set, since
/// that is how container tools pass on what was left out.
std::string_view variable(const std::string& name) noexcept {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

/// Fills `nodes` from the first of the three places that has any.
void read_nodes(config& settings, std::string_view prefix, std::vector<std::string>& problems) {
  const auto take_one = [&](const std::string& name) {
    const std::string_view value = variable(name);
    std::vector<detail::dsn_setting> parsed;
    if (auto problem = detail::read_dsn(value, parsed)) problems.push_back("`" + name + "`: " + *problem);
    settings.nodes = {std::string(value)};
  };
  const std::string one = detail::variable_name(prefix, "dsn");
  if (!variable(detail::variable_name(prefix, "nodes")).empty()) return;  // the table's row has read it
  if (!variable(one).empty()) {
    take_one(one);
  } else if (settings.nodes.empty() && !variable("DATABASE_URL").empty()) {
    take_one("DATABASE_URL");
  }
}

/// A variable that nobody reads is nearly always a misspelt one.
void refuse_unknown_variables(std::string_view prefix, std::vector<std::string>& problems) {
  std::vector<std::string> known{detail::variable_name(prefix, "dsn")};
  for (const detail::field& row : detail::config_table()) {
    known.push_back(detail::variable_name(prefix, row.name));
  }
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with(prefix) || std::ranges::find(known, name) != known.end()) continue;
    std::string problem = "the variable " + detail::quote_harmless(name) + " is not a setting";
    if (const auto near = detail::nearest(name, known); !near.empty()) {
      problem.append("; did you mean `").append(near).append("`?");
    }
    problems.push_back(std::move(problem));
  }
}

}  // namespace

result<config> config::from_environment(std::string_view prefix) { return from_environment(config{}, prefix); }

result<config> config::from_environment(config base, std::string_view prefix) {
  if (prefix.empty()) {
    return error(errc::invalid_argument, "the prefix of the environment variables must not be empty");
  }
  std::vector<std::string> problems;
  for (const detail::field& row : detail::config_table()) {
    const std::string name = detail::variable_name(prefix, row.name);
    const std::string_view text = variable(name);
    if (text.empty()) continue;
    if (detail::assign_text(row, base, text)) {
      detail::check_value(row, base, name, problems);
    } else {
      problems.push_back("`" + name + "` is " + detail::quote_harmless(text) + "; it must be " +
                         detail::expected_of(row));
    }
  }
  read_nodes(base, prefix, problems);
  refuse_unknown_variables(prefix, problems);
  if (!problems.empty()) return detail::to_error("the environment", problems);
  return base;
}

}  // namespace breakwater
