#include "node_zones.hpp"

#include <algorithm>

namespace breakwater {
namespace {

// Entries are called by their number: what stands in the wrong place may be a connection string with its password.
std::string entry_name(std::size_t position) {
  return "`routing.node_zones`: entry " + std::to_string(position + 1) + " ";
}

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "db3" of "db3:5432".
std::string_view host_of(std::string_view node) noexcept { return node.substr(0, node.rfind(':')); }

}  // namespace

node_zones node_zones::read(std::string_view text, std::vector<std::string>& problems) {
  node_zones out;
  if (trim(text).empty()) return out;
  for (std::size_t position = 0;; ++position) {
    const auto end = text.find(',');
    const std::string_view item = trim(text.substr(0, end));
    const auto sign = item.rfind('=');
    const bool whole = sign != std::string_view::npos;
    const std::string_view node = trim(item.substr(0, sign));
    const std::string_view zone = whole ? trim(item.substr(sign + 1)) : std::string_view{};
    if (node.empty() || zone.empty()) {
      problems.push_back(entry_name(position) +
                         "is not a node and its zone; give a list such as \"db2:5432=a, db3=b\"");
    } else if (std::ranges::find(out.entries_, node, &entry::node) != out.entries_.end()) {
      problems.push_back(entry_name(position) + "names a node that an entry before it names; each may be given once");
    } else {
      out.entries_.push_back({std::string(node), std::string(zone)});
    }
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string_view node_zones::of(std::string_view node) const noexcept {
  for (const std::string_view name : {node, host_of(node)}) {
    const auto found = std::ranges::find(entries_, name, &entry::node);
    if (found != entries_.end()) return found->zone;
  }
  return {};
}

void node_zones::check_names(const std::vector<std::string>& nodes, std::vector<std::string>& problems) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto is_meant = [&](const std::string& node) {
      return entries_[i].node == node || entries_[i].node == host_of(node);
    };
    if (std::ranges::any_of(nodes, is_meant)) continue;
    std::string known;
    for (const std::string& node : nodes) known.append(known.empty() ? "" : ", ").append(node);
    problems.push_back(entry_name(i) + "is for none of the nodes, which are " + known);
  }
}

}  // namespace breakwater
