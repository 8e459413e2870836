#include "benchmarks/measuring.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <numeric>
#include <thread>
#include <utility>

namespace breakwater::benchmarks {
namespace {

using clock = std::chrono::steady_clock;

double nanoseconds(clock::duration of) { return std::chrono::duration<double, std::nano>(of).count(); }

double time_slice(const loop& calls, std::size_t count) {
  const auto started = clock::now();
  calls(0, count);
  return nanoseconds(clock::now() - started);
}

/// How many calls fill a slice.
std::size_t calibrate(const loop& calls) {
  const double wanted = nanoseconds(time_allowed().slice);
  for (std::size_t count = 1;; count *= 2) {
    const double took = time_slice(calls, count);
    if (took < wanted / 4) continue;
    return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(count) * wanted / took));
  }
}

double fastest_slice(const loop& calls, std::size_t count) {
  double best = time_slice(calls, count);
  for (int i = 1; i < time_allowed().slices; ++i) best = std::min(best, time_slice(calls, count));
  return best / static_cast<double>(count);
}

double mean_of_threads(unsigned threads, const loop& calls, std::size_t count) {
  std::vector<double> figures(threads);
  std::atomic<bool> over{false};
  std::barrier start(static_cast<std::ptrdiff_t>(threads) + 1);
  std::vector<std::jthread> running;
  running.reserve(threads);
  for (unsigned thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      const pinned here({cpu_of_thread(thread)});
      std::size_t made = 0;
      start.arrive_and_wait();
      const auto started = clock::now();
      while (!over.load(std::memory_order_relaxed)) {
        calls(thread, count);
        made += count;
      }
      figures[thread] = nanoseconds(clock::now() - started) / static_cast<double>(made);
    });
  }
  start.arrive_and_wait();
  std::this_thread::sleep_for(time_allowed().concurrent_round);
  over.store(true, std::memory_order_relaxed);
  running.clear();
  return std::accumulate(figures.begin(), figures.end(), 0.0) / static_cast<double>(threads);
}

}  // namespace

patience& time_allowed() noexcept {
  static patience allowed;
  return allowed;
}

const std::vector<int>& usable_cpus() {
  static const std::vector<int> cpus = [] {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    std::vector<int> found;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
      for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &allowed)) found.push_back(cpu);
      }
    }
    if (found.empty()) found.push_back(0);
    return found;
  }();
  return cpus;
}

int cpu_of_thread(unsigned thread) {
  const auto& cpus = usable_cpus();
  return cpus[cpus.size() - 1 - thread % cpus.size()];
}

std::vector<int> server_cpus() {
  auto cpus = usable_cpus();
  if (cpus.size() > 1) cpus.pop_back();
  return cpus;
}

std::string describe_pinning() {
  const auto& cpus = usable_cpus();
  const auto first = std::to_string(cpus.front());
  const auto last = std::to_string(cpus.back());
  if (cpus.size() == 1) return "everything shares CPU " + first;
  const std::string others = cpus.size() == 2 ? "CPU " + first : "the others";
  return std::to_string(cpus.size()) + " CPUs; a single thread on CPU " + last + ", servers and background on " +
         others + ", several threads one by one from CPU " + last + " down, round and round";
}

pinned::pinned(const std::vector<int>& cpus) {
  CPU_ZERO(&before_);
  ::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &wanted);
  ::sched_setaffinity(0, sizeof wanted, &wanted);
}

pinned::~pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }

side nanoseconds_per_call_of(unsigned threads, loop calls) {
  return [threads, calls = std::move(calls), count = std::size_t{0}]() mutable {
    const pinned here({cpu_of_thread(0)});
    if (count == 0) count = calibrate(calls);
    return threads == 1 ? fastest_slice(calls, count) : mean_of_threads(threads, calls, count);
  };
}

}  // namespace breakwater::benchmarks
