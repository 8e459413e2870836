#include "core/program_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

namespace breakwater {
namespace {

using clock = deadline::clock;

/// Between looks at a program that has closed its output and not ended: there is no waiting for both with a deadline
/// without taking the process's SIGCHLD away from it.
constexpr std::chrono::milliseconds between_looks{2};

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(); }
  [[nodiscard]] int get() const noexcept { return number_; }
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

/// The attributes and actions of posix_spawn, which have to be destroyed.
class spawn_plan {
 public:
  spawn_plan() noexcept {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  ~spawn_plan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  /// Returns an errno, or 0 and the process.
  [[nodiscard]] int start(const std::vector<std::string>& arguments, int output, pid_t& made) {
    // A group of its own, so that what it starts ends with it; no signal of ours blocked or ignored.
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (const std::string& each : arguments) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    return ::posix_spawn(&made, words.front(), &actions_, &attributes_, words.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

int milliseconds_left(deadline until) noexcept {
  if (until.is_never()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.remaining(clock::now())).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

/// Null: it printed this and closed its output. Else why not.
const char* read_all(int from, std::size_t most, deadline until, std::string& into) {
  for (;;) {
    pollfd waiting{.fd = from, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, milliseconds_left(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return "did not end before the deadline";
    std::array<char, 4096> part{};
    const auto got = ::read(from, part.data(), part.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return "could not be read from";
    if (got == 0) return nullptr;
    into.append(part.data(), static_cast<std::size_t>(got));
    std::ranges::fill(part, '\0');
    if (into.size() > most) return "printed too much";
  }
}

/// Its exit status as waitpid has it; nothing: the deadline came, or somebody else has collected it.
std::optional<int> await_end(pid_t process, deadline until, bool& collected_elsewhere) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR) {
      collected_elsewhere = true;
      return std::nullopt;
    }
    if (until.expired(clock::now())) return std::nullopt;
    std::this_thread::sleep_for(between_looks);
  }
}

void kill_all(pid_t group) {
  ::kill(-group, SIGKILL);
  bool ignored = false;
  (void)await_end(group, deadline::after(std::chrono::seconds(1)), ignored);
}

}  // namespace

result<std::string> program_output(const std::vector<std::string>& arguments, std::size_t most, deadline until) {
  if (arguments.empty() || arguments.front().empty()) return error(errc::invalid_argument, "no program is named");
  const std::string program = "the program " + arguments.front() + " ";
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return error(errc::resource_exhausted, program + "can not be run: " + std::strerror(errno));
  }
  const descriptor output(ends[0]);
  descriptor input(ends[1]);
  pid_t process = -1;
  if (const int failed = spawn_plan().start(arguments, input.get(), process); failed != 0) {
    return error(errc::invalid_argument, program + "can not be started: " + std::strerror(failed));
  }
  input.close();

  std::string printed;
  if (const char* const why = read_all(output.get(), most, until, printed); why != nullptr) {
    kill_all(process);
    return error(errc::invalid_argument, program + why);
  }
  bool collected_elsewhere = false;
  const auto status = await_end(process, until, collected_elsewhere);
  // A process that ignores SIGCHLD never learns how its children ended; then what was printed has to do.
  if (collected_elsewhere) return printed;
  if (!status) {
    kill_all(process);
    return error(errc::invalid_argument, program + "did not end before the deadline");
  }
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return printed;
  const std::string how = WIFEXITED(*status) ? "exited with status " + std::to_string(WEXITSTATUS(*status))
                                             : "was ended by signal " + std::to_string(WTERMSIG(*status));
  return error(errc::invalid_argument, program + how);
}

}  // namespace breakwater
