#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace breakwater {

/// Where the nodes are, as `routing.node_zones` says: "db2:5432=a, db3=b".
///
///     const auto zones = node_zones::read(settings.routing.node_zones, problems);
///     zones.of("db2:5432");   // "a"
///
/// A value.
class node_zones {
 public:
  /// Adds to `problems` what is wrong with the text; what is right in it is kept.
  [[nodiscard]] static node_zones read(std::string_view text, std::vector<std::string>& problems);

  /// The zone of the node with this name ("host:port"); empty where it is not known. An entry without a port means all
  /// servers of the host that have no entry of their own.
  [[nodiscard]] std::string_view of(std::string_view node) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// Adds to `problems` the entries that mean none of these nodes: misspelt, most likely.
  void check_names(const std::vector<std::string>& nodes, std::vector<std::string>& problems) const;

 private:
  struct entry {
    std::string node;
    std::string zone;
  };
  std::vector<entry> entries_;
};

}  // namespace breakwater
