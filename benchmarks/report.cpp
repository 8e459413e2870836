#include "benchmarks/report.hpp"

#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace breakwater::benchmarks {
namespace {

/// A fifth of the machine taken by others is seen in every figure of several threads.
constexpr double busy_part = 0.2;

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown";
}

std::string kernel_version() {
  utsname name{};
  return ::uname(&name) == 0 ? std::string(name.sysname) + " " + name.release : "unknown";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

/// Three digits that count.
std::string figure(double value, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.2f%s" : value < 100 ? "%.1f%s" : "%.0f%s", value, unit);
  return text.data();
}

const char* verdict(const finding& of) {
  const auto met = of.met();
  return !met ? "" : *met ? "met" : "MISSED";
}

std::string target_text(const finding& of) {
  if (!of.target) return "";
  const std::string limit = figure(of.target->limit, of.target->of_ratio ? "x" : (" " + of.unit).c_str());
  return (of.better == better::lower ? "<= " : ">= ") + limit;
}

}  // namespace

bool machine::is_busy() const noexcept { return load[0] > busy_part * static_cast<double>(cpus); }

machine this_machine() {
  machine here{.processor = processor_name(),
               .cpus = usable_cpus().size(),
               .pinning = describe_pinning(),
               .kernel = kernel_version(),
               .compiler = __VERSION__,
               .build = BUILD_TYPE,
               .began = utc_now()};
  if (::getloadavg(here.load.data(), static_cast<int>(here.load.size())) < 1) here.load = {};
  return here;
}

void print(const machine& here, const std::vector<finding>& findings) {
  std::printf("%s, %s, compiler %s, %s\n%s\nload when it began: %.2f %.2f %.2f\n", here.processor.c_str(),
              here.kernel.c_str(), here.compiler.c_str(), here.build.c_str(), here.pinning.c_str(), here.load[0],
              here.load[1], here.load[2]);
  if (here.is_busy())
    std::printf("WARNING: the machine was busy with other work; look at the spread, and measure again\n");
  if (here.build != "Release") std::printf("WARNING: not an optimised build (make bench makes one)\n");
  std::printf("\n%-4s %-58s %10s %10s %8s %10s %-7s %7s  %s\n", "id", "what", "ours", "reference", "ratio", "target",
              "", "spread", "reference is");
  for (const finding& each : findings) {
    const std::string unit = " " + each.unit;
    std::printf("%-4s %-58s %10s %10s %8s %10s %-7s %6.0f%%  %s\n", each.id.c_str(), each.name.c_str(),
                figure(each.ours, unit.c_str()).c_str(), figure(each.reference, unit.c_str()).c_str(),
                figure(each.ratio, "x").c_str(), target_text(each).c_str(), verdict(each), 100 * each.spread,
                each.reference_name.c_str());
  }
}

bool write(const std::string& path, const machine& here, const std::vector<finding>& findings) {
  using nlohmann::ordered_json;
  ordered_json results = ordered_json::array();
  for (const finding& each : findings) {
    ordered_json result{{"id", each.id},
                        {"name", each.name},
                        {"unit", each.unit},
                        {"ours", each.ours},
                        {"reference", each.reference},
                        {"reference_name", each.reference_name},
                        {"ratio", each.ratio},
                        {"target", nullptr},
                        {"target_of", nullptr},
                        {"better", each.better == better::lower ? "lower" : "higher"},
                        {"met", nullptr},
                        {"rounds", each.rounds},
                        {"spread", each.spread}};
    if (each.target) {
      result["target"] = each.target->limit;
      result["target_of"] = each.target->of_ratio ? "ratio" : "ours";
      result["met"] = each.met().value_or(false);
    }
    results.push_back(std::move(result));
  }
  const ordered_json report{{"machine",
                             {{"processor", here.processor},
                              {"cpus", here.cpus},
                              {"pinning", here.pinning},
                              {"kernel", here.kernel},
                              {"compiler", here.compiler},
                              {"build", here.build},
                              {"began", here.began},
                              {"load", here.load},
                              {"busy", here.is_busy()}}},
                            {"results", results}};
  std::ofstream file(path);
  file << report.dump(2) << '\n';
  file.close();
  return !file.fail();
}

}  // namespace breakwater::benchmarks
