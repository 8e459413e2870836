#include "child_process.hpp"

#include "unique_fd.hpp"
#include "wait_until.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

namespace breakwater::testing::detail {
namespace {

/// Where the child tells its parent why it could not become the program; closed by a successful
/// exec.
constexpr int report_fd = 3;
/// Descriptors of ours that are to be moved to 0..3 in the child must not be there already.
constexpr int first_free_fd = 10;
/// Where close_range() is missing: how far to close one by one.
constexpr rlim_t most_descriptors = 65536;

enum class step : int { descriptors, change_user, enter_folder, run_program };

struct failure {
  step at;
  int error_number;
};

std::string_view describe(step at) {
  switch (at) {
    case step::descriptors: return "arrange its descriptors";
    case step::change_user: return "change to the unprivileged user (run the test as a non-root user)";
    case step::enter_folder:
      return "enter its folder (may the user it runs as enter TMPDIR or cluster_options::folder?)";
    case step::run_program: return "run it (may the user it runs as execute it?)";
  }
  return "start";
}

/// All the child needs, made before the fork: afterwards it may not allocate.
struct prepared {
  std::vector<char*> argv, envp;
  const char* folder;
  const identity* run_as;
  int input, output, report;
  int last_fd;
};

// Between fork() and exec() in a process with threads only async-signal-safe calls are allowed:
// another thread may have held malloc's lock, or a sanitizer's, at the fork. Hence plain system
// calls from here on.

[[noreturn]] void give_up(step at) noexcept {
  const failure why{at, errno};
  [[maybe_unused]] const auto written = ::write(report_fd, &why, sizeof why);
  ::_exit(127);
}

void reset_signals() noexcept {
  struct sigaction normal {};
  normal.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &normal, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_others(int last_fd) noexcept {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, report_fd + 1, UINT_MAX, 0) == 0) return;
#endif
  for (int fd = report_fd + 1; fd <= last_fd; ++fd) ::close(fd);
}

bool change_user(const identity& to) noexcept {
  // Not glibc's functions of the same names: they take locks to change all threads of the process
  // alike.
  return ::syscall(SYS_setgroups, 1, &to.gid) == 0 && ::syscall(SYS_setresgid, to.gid, to.gid, to.gid) == 0 &&
         ::syscall(SYS_setresuid, to.uid, to.uid, to.uid) == 0;
}

[[noreturn]] void become(const prepared& p) noexcept {
  reset_signals();
  ::setsid();
  ::umask(S_IRWXG | S_IRWXO);
  if (::dup2(p.report, report_fd) < 0) ::_exit(127);
  if (::fcntl(report_fd, F_SETFD, FD_CLOEXEC) != 0 || ::dup2(p.input, STDIN_FILENO) < 0 ||
      ::dup2(p.output, STDOUT_FILENO) < 0 || ::dup2(p.output, STDERR_FILENO) < 0) {
    give_up(step::descriptors);
  }
  close_others(p.last_fd);
  if (p.run_as->change && !change_user(*p.run_as)) give_up(step::change_user);
  if (::chdir(p.folder) != 0) give_up(step::enter_folder);
  ::execve(p.argv[0], p.argv.data(), p.envp.data());
  give_up(step::run_program);
}

// Back in the parent's world.

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

unique_fd out_of_the_way(int fd) { return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, first_free_fd)); }

int last_descriptor() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = most_descriptors;
  return static_cast<int>(std::min(limit.rlim_cur, most_descriptors)) - 1;
}

error start_error(const command& what, std::string_view to_do, int error_number) {
  return {errc::internal, "could not start " + what.arguments.front() + ": failed to " + std::string(to_do) + ": " +
                              std::generic_category().message(error_number)};
}

/// Forks with all signals blocked, so that no handler of the program's runs in the child.
pid_t fork_and_become(const prepared& p) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(p);
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error_number;
  return pid;
}

/// What the child reported, or nothing once it has become the program.
std::optional<failure> read_report(int fd) {
  failure why{};
  ssize_t size = 0;
  do {
    size = ::read(fd, &why, sizeof why);
  } while (size < 0 && errno == EINTR);
  if (size == static_cast<ssize_t>(sizeof why)) return why;
  return std::nullopt;
}

}  // namespace

result<child_process> child_process::spawn(const command& what) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return start_error(what, "make a pipe", errno);
  unique_fd report_in(ends[0]);
  unique_fd report_out(ends[1]);
  const unique_fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));

  const auto input = out_of_the_way(what.input >= 0 ? what.input : nothing.get());
  const auto output = out_of_the_way(what.output >= 0 ? what.output : nothing.get());
  auto report = out_of_the_way(report_out.get());
  if (!input || !output || !report) return start_error(what, "duplicate a descriptor", errno);

  const prepared p{pointers(what.arguments),
                   pointers(what.environment),
                   what.folder.c_str(),
                   &what.run_as,
                   input.get(),
                   output.get(),
                   report.get(),
                   last_descriptor()};
  const pid_t pid = fork_and_become(p);
  if (pid < 0) return start_error(what, "fork", errno);

  report.reset();
  report_out.reset();
  if (const auto why = read_report(report_in.get())) {
    (void)::waitpid(pid, nullptr, 0);
    return start_error(what, describe(why->at), why->error_number);
  }
  return child_process(pid);
}

bool child_process::is_running() noexcept {
  if (pid_ < 0 || status_) return false;
  int status = 0;
  const pid_t answer = ::waitpid(pid_, &status, WNOHANG);
  if (answer == pid_) {
    status_ = status;
  } else if (answer < 0 && errno == ECHILD && ::kill(pid_, 0) != 0) {
    // The program ignores SIGCHLD or waits for any child, so the status went elsewhere: count it as
    // a failure.
    status_ = SIGKILL;
  }
  return !status_;
}

bool child_process::wait(deadline until) noexcept {
  return wait_until(until, [&] { return !is_running(); });
}

bool child_process::succeeded() const noexcept { return status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0; }

std::string child_process::state() const {
  if (pid_ < 0) return "was not started";
  if (!status_) return "is running";
  if (WIFEXITED(*status_)) return "exited with status " + std::to_string(WEXITSTATUS(*status_));
  return "was ended by signal " + std::to_string(WTERMSIG(*status_));
}

void child_process::signal(int number) noexcept {
  if (is_running()) ::kill(pid_, number);
}

}  // namespace breakwater::testing::detail
