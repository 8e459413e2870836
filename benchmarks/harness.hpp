#pragma once

// What a benchmark is made of. One file, and one line in CMakeLists.txt:
//
//     void measure(runner& with) {
//       thing ours; other theirs;
//       with.compare({.id = "P9", .name = "pool: acquire and release", .ours = nanoseconds_per_call(1, ...),
//                     .reference_name = "std::mutex", .reference = nanoseconds_per_call(1, ...),
//                     .target = at_most_times(3.0)});
//     }
//     const suite registered("P9", &measure);

#include "benchmarks/measuring.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater::benchmarks {

enum class better : std::uint8_t { lower, higher };

/// What is to be reached.
struct goal {
  double limit = 0;
  bool of_ratio = true;  ///< else of our own figure
};
/// Ours divided by the reference.
[[nodiscard]] constexpr goal times_reference(double limit) noexcept { return {.limit = limit, .of_ratio = true}; }
/// Our figure, whatever the reference's.
[[nodiscard]] constexpr goal absolute(double limit) noexcept { return {.limit = limit, .of_ratio = false}; }

/// Our side and another one, measured in turns.
struct comparison {
  std::string id;
  std::string name;
  std::string unit = "ns";
  side ours;
  std::string reference_name;
  side reference;
  benchmarks::better better = better::lower;
  std::optional<goal> target = {};  ///< none: for information
};

/// What came of it: medians over all rounds.
struct finding {
  std::string id;
  std::string name;
  std::string unit;
  double ours = 0;
  double reference = 0;
  std::string reference_name;
  double ratio = 0;  ///< the median of the rounds' own ratios, in each of which both sides had the same neighbours
  std::optional<goal> target;
  benchmarks::better better = better::lower;
  int rounds = 0;
  double spread =
      0;  ///< between the rounds' quartiles, as part of the median: of the ratio, or of what the target is of

  /// Nothing where there is no target.
  [[nodiscard]] std::optional<bool> met() const noexcept;
};

/// Runs comparisons. For one thread.
class runner {
 public:
  /// One warm-up of each side, then A B A B ... Says on the standard error what it is about.
  void compare(const comparison& wanted);
  [[nodiscard]] const std::vector<finding>& findings() const noexcept { return findings_; }

 private:
  std::vector<finding> findings_;
};

/// A file's benchmarks, known to the program by being there.
class suite {
 public:
  using function = void (*)(runner&);
  suite(std::string_view id, function measure);

  [[nodiscard]] std::string_view id() const noexcept { return id_; }
  void run(runner& with) const { measure_(with); }
  /// All of them, by their numbers.
  [[nodiscard]] static std::vector<const suite*> all();

 private:
  std::string_view id_;
  function measure_;
};

}  // namespace breakwater::benchmarks
