// Measures what docs/performance.md lists. Exit code 0 also where a target is missed: a measurement is no test.
//
//   benchmarks [--filter P9]... [--quick] [--json <path>] [--list]

#include "benchmarks/harness.hpp"
#include "benchmarks/report.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace breakwater::benchmarks;

struct order {
  std::vector<std::string_view> ids;  // none: all
  std::string json;
  bool list = false;
  bool valid = true;
};

order read(const std::vector<std::string_view>& arguments) {
  order wanted;
  for (std::size_t i = 0; i < arguments.size() && wanted.valid; ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--quick") {
      time_allowed() = quick_patience;
    } else if (arguments[i] == "--list") {
      wanted.list = true;
    } else if (arguments[i] == "--filter" && has_value) {
      wanted.ids.push_back(arguments[++i]);
    } else if (arguments[i] == "--json" && has_value) {
      wanted.json = arguments[++i];
    } else {
      wanted.valid = false;
    }
  }
  return wanted;
}

/// While a process has one thread only, the C library's locks do without atomic operations: no service is like that.
class company {
 public:
  company()
      : other_([this](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          wake_.wait(lock, stop, [] { return false; });
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread other_;
};

int run(const order& wanted) {
  const machine here = this_machine();
  const company never_alone;
  runner with;
  bool any = false;
  for (const suite* each : suite::all()) {
    if (!wanted.ids.empty() && std::ranges::find(wanted.ids, each->id()) == wanted.ids.end()) continue;
    any = true;
    if (wanted.list) {
      std::printf("%s\n", std::string(each->id()).c_str());
      continue;
    }
    each->run(with);
  }
  if (!any) {
    std::fprintf(stderr, "benchmarks: no benchmark has this id; --list names them\n");
    return 1;
  }
  if (wanted.list) return 0;
  print(here, with.findings());
  if (wanted.json.empty()) return 0;
  if (!write(wanted.json, here, with.findings())) {
    std::fprintf(stderr, "benchmarks: %s can not be written\n", wanted.json.c_str());
    return 1;
  }
  std::printf("\nwritten to %s\n", wanted.json.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const order wanted = read({argv + 1, argv + argc});
    if (!wanted.valid) {
      std::fprintf(stderr, "usage: benchmarks [--filter <id>]... [--quick] [--json <path>] [--list]\n");
      return 2;
    }
    return run(wanted);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "benchmarks: %s\n", failure.what());
    return 1;
  }
}
