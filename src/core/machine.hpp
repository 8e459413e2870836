#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace breakwater {

/// How many processors this process may use, and who says so.
struct processor_share {
  double count = 1;
  std::string said_by{};  ///< "cgroup quota", "processor affinity"
};

/// The least of the control group's CPU quota (version 2 or 1, of the group and all above it) and the processors that the
/// scheduler may use. `root` is the folder in which /proc and /sys are looked for: "" but in tests. Reads some small
/// files; what can not be read does not count.
[[nodiscard]] processor_share available_processors(const std::string& root = {});

/// The name of the platform that starts and freezes this process as requests come, by the variables that such platforms
/// set: "AWS Lambda", "Cloud Run", ... Nothing elsewhere.
[[nodiscard]] std::optional<std::string_view> serverless_platform(
    const std::function<const char*(const char*)>& variable);

}  // namespace breakwater
