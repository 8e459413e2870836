#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace breakwater::testing {

/// One server of a `cluster`: which one it is and where it listens.
///
///     auto replica = cluster.replica(0);
///     (void)cluster.kill(replica);
///     std::cout << replica << '\n';       // replica-0 (127.0.0.1:15433)
///
/// The name says how the server was started, and stays: a promoted "replica-0" is still called
/// that. Only a cluster makes nodes. A value of a few bytes; threads may copy it freely. It
/// outlives its cluster harmlessly.
class node {
 public:
  /// Position in `cluster::nodes()`: 0 is the first primary, `replica(i)` is i + 1.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  /// "primary", "replica-0", "replica-1", ...; also the server's `cluster_name` and
  /// `application_name`.
  [[nodiscard]] std::string name() const;
  /// TCP port on 127.0.0.1; the same as long as the cluster lives, through every restart.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// Equal when index and port are; ordered by index first.
  friend auto operator<=>(const node&, const node&) noexcept = default;
  /// Prints "replica-0 (127.0.0.1:15433)".
  friend std::ostream& operator<<(std::ostream& out, const node& value);

 private:
  friend class cluster;
  node(std::size_t index, std::uint16_t port) noexcept : index_(index), port_(port) {}

  std::size_t index_;
  std::uint16_t port_;
};

/// "replica-0 (127.0.0.1:15433)", as printed.
[[nodiscard]] std::string to_string(const node& value);

}  // namespace breakwater::testing
