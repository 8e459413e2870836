#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace breakwater::testing::detail {

/// Whom a child runs as.
struct identity {
  bool change = false;  ///< false: as ourselves, and the rest is about ourselves
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name = {};
};

/// What to run, without a shell in between.
struct command {
  std::vector<std::string> arguments;         ///< the first is the program's path
  std::vector<std::string> environment = {};  ///< all of it: nothing is inherited
  std::string folder = "/";
  identity run_as = {};
  int input = -1;   ///< descriptor for standard input; -1: /dev/null
  int output = -1;  ///< descriptor for standard output and error; -1: /dev/null
};

/// A running child. Not thread-safe. Its destructor does nothing: ending processes is the
/// guardian's work.
class child_process {
 public:
  child_process() noexcept = default;

  /// Starts a program in a session of its own (a Ctrl-C in the terminal is not for it), with no
  /// descriptors but the three, no blocked signals and default dispositions. Errors:
  /// `errc::internal`, with what failed.
  [[nodiscard]] static result<child_process> spawn(const command& what);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Whether it runs (a zombie does not); collects its status otherwise.
  [[nodiscard]] bool is_running() noexcept;
  /// Waits for its end; false if the deadline came first.
  [[nodiscard]] bool wait(deadline until) noexcept;
  /// REQUIRES: it ended. True for exit status 0.
  [[nodiscard]] bool succeeded() const noexcept;
  /// "exited with status 1", "was ended by signal 9" or "is running".
  [[nodiscard]] std::string state() const;
  /// Sends a signal if it runs.
  void signal(int number) noexcept;

 private:
  explicit child_process(pid_t pid) noexcept : pid_(pid) {}

  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace breakwater::testing::detail
