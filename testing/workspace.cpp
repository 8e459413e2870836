#include "workspace.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace breakwater::testing::detail {
namespace {

/// Enough of a server's log to see why it did not start.
constexpr int lines_in_errors = 15;
/// A few times what a node's data and WAL come to in a test that writes a lot. In containers
/// /dev/shm is often 64 MiB.
constexpr std::uint64_t memory_per_node = std::uint64_t{1} << 30U;

error system_error(std::string_view doing, const std::string& path) {
  return {errc::internal, std::string(doing) + " " + path + ": " + std::generic_category().message(errno)};
}

std::optional<identity> find_user(const char* name) {
  std::array<char, 16384> texts{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name, &entry, texts.data(), texts.size(), &found) != 0 || !found) {
    return std::nullopt;
  }
  return identity{true, entry.pw_uid, entry.pw_gid, name};
}

/// initdb and postgres refuse to run as root.
result<identity> unprivileged_user() {
  if (::geteuid() != 0) return identity{false, ::geteuid(), ::getegid(), ""};
  for (const char* name : {"postgres", "nobody"}) {
    if (auto user = find_user(name); user && user->uid != 0) return std::move(*user);
  }
  return error(errc::internal,
               "the server can not run as root, and there is no user \"postgres\" or \"nobody\" to run "
               "it as; run the test as a non-root user");
}

/// No PGHOST, PGOPTIONS or LD_PRELOAD of the program's may reach the server and its tools.
std::vector<std::string> environment(const std::string& folder) {
  std::vector<std::string> result = {"LC_ALL=C", "TZ=UTC", "HOME=" + folder, "PGPASSFILE=" + folder + "/pgpass"};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"}) {
    if (const char* const value = std::getenv(name)) {
      result.push_back(std::string(name) + "=" + value);
    }
  }
  return result;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

result<workspace> workspace::open(const std::string& parent, std::string binaries) {
  workspace made;
  BOOST_OUTCOME_TRY(made.user_, unprivileged_user());
  made.binaries_ = std::move(binaries);
  made.folder_ = parent + "/breakwater-XXXXXX";
  if (!::mkdtemp(made.folder_.data())) return system_error("could not make a folder like", made.folder_);
  if (made.user_.change && ::chown(made.folder_.c_str(), made.user_.uid, made.user_.gid) != 0) {
    return system_error("could not hand over", made.folder_);
  }
  made.environment_ = environment(made.folder_);
  return made;
}

result<void> workspace::make_folder(const std::string& path) const {
  if (::mkdir(path.c_str(), S_IRWXU) != 0) {
    if (errno == EEXIST) return success();
    return system_error("could not make the folder", path);
  }
  if (user_.change && ::chown(path.c_str(), user_.uid, user_.gid) != 0) {
    return system_error("could not hand over", path);
  }
  return success();
}

result<unique_fd> workspace::create(const std::string& path, int flags) const {
  unique_fd file(::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file) return system_error("could not write", path);
  if (user_.change && ::fchown(file.get(), user_.uid, user_.gid) != 0) {
    return system_error("could not hand over", path);
  }
  return file;
}

result<void> workspace::write(const std::string& path, std::string_view text) const {
  const std::string draft = path + ".new";
  BOOST_OUTCOME_TRY(auto file, create(draft, O_TRUNC));
  if (!write_all(file.get(), text)) return system_error("could not write", draft);
  if (std::rename(draft.c_str(), path.c_str()) != 0) return system_error("could not write", path);
  return success();
}

result<unique_fd> workspace::open_log(const std::string& path) const { return create(path, O_APPEND); }

result<child_process> workspace::spawn(std::string_view program, std::vector<std::string> arguments,
                                       const std::string& in, const std::string& log) const {
  BOOST_OUTCOME_TRY(auto output, open_log(log));
  arguments.insert(arguments.begin(), binaries_ + "/" + std::string(program));
  return child_process::spawn({.arguments = std::move(arguments),
                               .environment = environment_,
                               .folder = in,
                               .run_as = user_,
                               .output = output.get()});
}

result<void> workspace::finish(child_process& child, std::string_view program, const std::string& log, deadline until) {
  if (!child.wait(until)) {
    child.signal(SIGKILL);
    return error(errc::deadline_exceeded, std::string(program) + " did not end in time" + last_lines(log));
  }
  if (child.succeeded()) return success();
  return error(errc::internal, std::string(program) + " " + child.state() + last_lines(log));
}

std::string parent_folder(const cluster_options& options) {
  if (!options.folder.empty()) return options.folder;
  if (const char* const chosen = std::getenv("TMPDIR"); chosen && *chosen) return chosen;
  // Thousands of small files are made and removed; ext4, for one, gets slower with each cluster in
  // a row.
  std::string memory = "/dev/shm";
  struct statvfs space {};
  if (!options.durable && ::access(memory.c_str(), W_OK | X_OK) == 0 && ::statvfs(memory.c_str(), &space) == 0 &&
      std::uint64_t{space.f_bavail} * space.f_frsize >= memory_per_node * (options.replicas + 1U)) {
    return memory;
  }
  return "/tmp";
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string last_lines(const std::string& path) {
  const std::string text = read_file(path);
  std::size_t begin = text.size();
  for (int lines = 0; begin > 0 && lines < lines_in_errors; ++lines) {
    const auto before = begin >= 2 ? text.rfind('\n', begin - 2) : std::string::npos;
    begin = before == std::string::npos ? 0 : before + 1;
  }
  std::string result;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    result += "\n  " + text.substr(begin, end - begin);
    begin = end + 1;
  }
  return result.empty() ? result : ":" + result;
}

}  // namespace breakwater::testing::detail
