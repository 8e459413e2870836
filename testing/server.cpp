#include "server.hpp"

#include "wait_until.hpp"

#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

namespace breakwater::testing::detail {
namespace {

// Lines of postmaster.pid, from 0 (src/include/utils/pidfile.h of PostgreSQL).
constexpr std::size_t pid_line = 0;
constexpr std::size_t shared_memory_line = 6;
constexpr std::size_t status_line = 7;

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(std::move(line));
  return lines;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

/// The server processes that work in a data folder, whoever their parent is. All of one server do.
std::vector<pid_t> processes_in(const std::string& data, const std::string& program) {
  std::vector<pid_t> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
    const std::string process = "/proc/" + name;
    if (same_file(process + "/cwd", data) && same_file(process + "/exe", program)) {
      found.push_back(pid);
    }
  }
  return found;
}

/// Frees the System V segment of a server that could not do so itself. REQUIRES: all its processes
/// are gone.
void free_shared_memory(const std::vector<std::string>& pid_file) {
  if (pid_file.size() <= shared_memory_line) return;
  std::istringstream line(pid_file[shared_memory_line]);
  unsigned long key = 0;
  int id = 0;
  shmid_ds segment{};
  if (!(line >> key >> id) || ::shmctl(id, IPC_STAT, &segment) != 0) return;
  // The key proves that the number has not been given to somebody else's segment meanwhile.
  if (static_cast<unsigned long>(static_cast<unsigned>(segment.shm_perm.__key)) == key) {
    (void)::shmctl(id, IPC_RMID, nullptr);
  }
}

}  // namespace

server::server(std::string name, const workspace& space)
    : space_(&space),
      name_(std::move(name)),
      home_(space.folder() + "/" + name_),
      data_(home_ + "/data"),
      log_(home_ + "/server.log") {}

result<void> server::launch(deadline until) {
  BOOST_OUTCOME_TRY(sweep(until));
  log_size_at_launch_ = read_file(log_).size();
  BOOST_OUTCOME_TRY(process_, space_->spawn("postgres", {"-D", data_}, data_, log_));
  return success();
}

result<void> server::await_ready(deadline until) {
  // As pg_ctl does: the postmaster writes its state into its pid file. Connection attempts would
  // fill the log.
  bool ready = false;
  const bool decided = wait_until(until, [&] {
    ready = says_ready();
    return ready || !process_.is_running();
  });
  if (ready) return success();
  if (!decided) {
    return error(errc::deadline_exceeded, name_ + " did not take connections in time" + last_lines(log_));
  }
  return error(errc::connection_failed, "the server of " + name_ + " " + process_.state() + last_lines(log_));
}

bool server::says_ready() const {
  const auto lines = lines_of(data_ + "/postmaster.pid");
  return lines.size() > status_line && lines[pid_line] == std::to_string(process_.pid()) &&
         lines[status_line].starts_with("ready");
}

bool server::lost_its_port() const {
  return read_file(log_).find("Address already in use", log_size_at_launch_) != std::string::npos;
}

result<void> server::stop(deadline until) {
  process_.signal(SIGINT);
  if (process_.is_running() && !process_.wait(until)) {
    return error(errc::deadline_exceeded, name_ + " did not stop in time" + last_lines(log_));
  }
  return success();
}

result<void> server::kill(deadline until) {
  // The postmaster first: from then on there are no new processes.
  process_.signal(SIGKILL);
  if (process_.is_running() && !process_.wait(until)) {
    return error(errc::deadline_exceeded, "the postmaster of " + name_ + " outlived SIGKILL");
  }
  return sweep(until);
}

void server::reload() noexcept { process_.signal(SIGHUP); }

/// What a killed postmaster leaves would hinder the next: orphans with shared memory attached, its
/// segment, and a pid file whose number may since belong to another process.
result<void> server::sweep(deadline until) {
  const std::string program = space_->binaries() + "/postgres";
  const bool gone = wait_until(until, [&] {
    const auto processes = processes_in(data_, program);
    for (const pid_t pid : processes) (void)::kill(pid, SIGKILL);
    return processes.empty();
  });
  if (!gone) return error(errc::deadline_exceeded, "processes of " + name_ + " outlived SIGKILL");
  const std::string pid_file = data_ + "/postmaster.pid";
  free_shared_memory(lines_of(pid_file));
  (void)std::remove(pid_file.c_str());
  return success();
}

}  // namespace breakwater::testing::detail
