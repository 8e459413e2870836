#pragma once

// Timing: loops that the compiler leaves alone, threads that stay where they are put.
//
//     side ours = nanoseconds_per_call(1, [&](unsigned /*thread*/) { keep(things.lookup(key)); });

#include <sched.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace breakwater::benchmarks {

/// Measures one round of one side and returns its figure.
using side = std::function<double()>;

/// How long measuring may take; set once, before the first benchmark.
struct patience {
  /// Of each side of a comparison, in turns.
  int rounds = 9;
  /// One slice of a round. Shorter than a scheduler's time slice, so that most slices are not interrupted.
  std::chrono::nanoseconds slice = std::chrono::milliseconds(2);
  /// Slices of a round on one thread.
  int slices = 40;
  /// A round on several threads; many of the scheduler's time slices, so that all of them have their share.
  std::chrono::nanoseconds concurrent_round = std::chrono::milliseconds(250);
};
/// Enough to see that it works, and roughly where the figures are.
inline constexpr patience quick_patience{.rounds = 3,
                                         .slice = std::chrono::milliseconds(1),
                                         .slices = 10,
                                         .concurrent_round = std::chrono::milliseconds(60)};
[[nodiscard]] patience& time_allowed() noexcept;

/// Has `value` computed although nobody looks at it.
template <class T>
void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// \name Where what runs. With one CPU everything shares it.
/// @{
/// The CPUs that this process was given.
[[nodiscard]] const std::vector<int>& usable_cpus();
/// The CPU of a measuring thread: from the last one down, round and round.
[[nodiscard]] int cpu_of_thread(unsigned thread);
/// Those for servers and background threads: all but the first measuring thread's.
[[nodiscard]] std::vector<int> server_cpus();
/// All of that in words, for reports.
[[nodiscard]] std::string describe_pinning();

/// Keeps this thread on some CPUs while the object lives. Threads and processes that it starts meanwhile stay there for
/// good.
class pinned {
 public:
  explicit pinned(const std::vector<int>& cpus);
  ~pinned();
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;

 private:
  cpu_set_t before_{};
};
/// @}

/// Calls something so often, on behalf of this thread.
using loop = std::function<void(unsigned thread, std::size_t calls)>;

/// Nanoseconds that a call of a loop takes, as the caller sees them.
///
/// On one thread a round's figure is that of its fastest slice: whatever else runs on the machine only ever adds. On
/// several threads, which run side by side for the whole round, it is the mean of theirs; with more threads than CPUs it
/// contains the waiting for one.
[[nodiscard]] side nanoseconds_per_call_of(unsigned threads, loop calls);

/// The same for a callable, which is called with the number of its thread.
template <class Call>
[[nodiscard]] side nanoseconds_per_call(unsigned threads, const Call& call) {
  return nanoseconds_per_call_of(threads, [call](unsigned thread, std::size_t calls) {
    for (; calls > 0; --calls) call(thread);
  });
}

}  // namespace breakwater::benchmarks
