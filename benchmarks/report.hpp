#pragma once

#include "benchmarks/harness.hpp"

#include <array>
#include <string>
#include <vector>

namespace breakwater::benchmarks {

/// Where figures come from, without which they mean nothing.
struct machine {
  std::string processor;
  std::size_t cpus = 0;
  std::string pinning;
  std::string kernel;
  std::string compiler;
  std::string build;
  std::string began;  ///< UTC, ISO 8601
  /// Runnable threads of the whole machine over 1, 5 and 15 minutes, before our own came to them.
  std::array<double, 3> load{};

  /// So much else was running that figures may be off.
  [[nodiscard]] bool is_busy() const noexcept;
};
[[nodiscard]] machine this_machine();

/// A table for people.
void print(const machine& here, const std::vector<finding>& findings);
/// report.json; false when it can not be written.
[[nodiscard]] bool write(const std::string& path, const machine& here, const std::vector<finding>& findings);

}  // namespace breakwater::benchmarks
