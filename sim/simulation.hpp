#pragma once

#include "sim/application.hpp"
#include "sim/faults.hpp"
#include "sim/history.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace breakwater::sim {

/// What came of one run.
struct report {
  std::uint64_t seed = 0;
  std::uint64_t trace = 0;  ///< of all that happened: the same seed gives the same
  std::vector<fault> faults{};
  std::vector<violation> violations{};
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t told_unknown = 0;
  std::uint64_t resolved = 0;  ///< by the guard
  std::uint64_t retries = 0;
  std::uint64_t connects = 0;
  std::uint64_t breakers_opened = 0;
  double throughput_before = 0.0;  ///< successes per second
  double throughput_after = 0.0;
  double lowest_return = 1.0;  ///< of one process: after by before

  [[nodiscard]] bool holds() const noexcept { return violations.empty(); }
};

/// One run: clients, two servers and faults, all from `seed`, in virtual time. Throws nothing but std::bad_alloc.
[[nodiscard]] report simulate(std::uint64_t seed, defect planted = defect::none);

/// The report for people: the faults with their times, and what was broken.
[[nodiscard]] std::string describe(const report& run);

}  // namespace breakwater::sim
