#include "core/machine.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace breakwater {
namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "200000 100000" of cpu.max: two processors; "max 100000": no bound.
std::optional<double> quota_v2(const std::string& folder) {
  const auto line = first_line(folder + "/cpu.max");
  if (!line) return std::nullopt;
  const auto blank = line->find(' ');
  if (blank == std::string::npos) return std::nullopt;
  const auto quota = number(std::string_view(*line).substr(0, blank));
  const auto period = number(std::string_view(*line).substr(blank + 1));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

std::optional<double> quota_v1(const std::string& folder) {
  const auto quota_line = first_line(folder + "/cpu.cfs_quota_us");
  const auto period_line = first_line(folder + "/cpu.cfs_period_us");
  if (!quota_line || !period_line) return std::nullopt;
  const auto quota = number(*quota_line);
  const auto period = number(*period_line);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;  // -1: no bound
  return *quota / *period;
}

/// Does a list such as "cpu,cpuacct" hold `cpu`?
bool names_cpu(std::string_view controllers) {
  while (true) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

/// The least quota of a group and those above it. Inside a container the group's own path may not exist: what is mounted
/// is the container's group, at the top.
template <class Quota>
void lower(std::optional<double>& least, const std::string& top, std::string path, const Quota& quota) {
  while (true) {
    if (const auto found = quota(top + path)) least = std::min(least.value_or(*found), *found);
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return;
    path.resize(slash);
  }
}

std::optional<double> cgroup_quota(const std::string& root) {
  std::optional<double> least;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/a/b" of version 2, "4:cpu,cpuacct:/a/b" of version 1
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      lower(least, root + "/sys/fs/cgroup", std::move(path), quota_v2);
    } else if (names_cpu(controllers)) {
      lower(least, root + "/sys/fs/cgroup/cpu", path, quota_v1);
      lower(least, root + "/sys/fs/cgroup/cpu,cpuacct", std::move(path), quota_v1);
    }
  }
  return least;
}

double schedulable() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

processor_share available_processors(const std::string& root) {
  const double allowed = schedulable();
  const auto quota = cgroup_quota(root);
  if (quota && *quota < allowed) return {.count = *quota, .said_by = "cgroup quota"};
  return {.count = allowed, .said_by = "processor affinity"};
}

std::optional<std::string_view> serverless_platform(const std::function<const char*(const char*)>& variable) {
  struct marker {
    const char* variable;
    std::string_view platform;
  };
  // What the platforms document that they set in every instance.
  constexpr std::array markers{
      marker{"AWS_LAMBDA_FUNCTION_NAME", "AWS Lambda"},
      marker{"FUNCTIONS_WORKER_RUNTIME", "Azure Functions"},
      marker{"FUNCTION_TARGET", "Cloud Functions"},
      marker{"K_SERVICE", "Cloud Run"},
      marker{"VERCEL", "Vercel"},
  };
  for (const marker& each : markers) {
    const char* const value = variable(each.variable);
    if (value != nullptr && *value != '\0') return each.platform;
  }
  return std::nullopt;
}

}  // namespace breakwater
