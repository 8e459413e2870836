#include "server_binaries.hpp"

#include "child_process.hpp"
#include "unique_fd.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace breakwater::testing::detail {
namespace {

namespace fs = std::filesystem;

/// The first with pg_get_wal_replay_pause_state(), which tells a requested pause from one that
/// holds.
constexpr int oldest_version = 14;
constexpr const char* environment_variable = "BW_TEST_PG_BIN";
constexpr std::string_view how_to_install =
    "Install the server with `apt-get install -y postgresql` (Debian, Ubuntu) or `dnf install -y "
    "postgresql-server` (Fedora, RHEL), or name the folder of its programs in BW_TEST_PG_BIN or "
    "cluster_options::binaries.";

error missing(std::string_view what) {
  return {errc::invalid_argument, std::string(what) + " " + std::string(how_to_install)};
}

bool is_program(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

/// Where the programs really are (folders on PATH often hold links), or nothing.
std::optional<std::string> real_folder(const fs::path& folder) {
  std::error_code failed;
  const fs::path server = fs::canonical(folder / "postgres", failed);
  if (failed || !server.has_parent_path()) return std::nullopt;
  const fs::path real = server.parent_path();
  for (const char* program : {"initdb", "postgres", "pg_basebackup"}) {
    if (!is_program(real / program)) return std::nullopt;
  }
  return real.string();
}

std::vector<fs::path> path_folders() {
  std::vector<fs::path> folders;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty()) {
    const auto end = rest.find(':');
    if (end != 0) folders.emplace_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return folders;
}

/// A program's standard output, or nothing if it failed.
std::optional<std::string> output_of(std::vector<std::string> arguments, deadline until) {
  const unique_fd output(::memfd_create("breakwater-output", MFD_CLOEXEC));
  command what{.arguments = std::move(arguments), .environment = {"LC_ALL=C"}, .output = output.get()};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"}) {
    if (const char* const value = std::getenv(name)) {
      what.environment.push_back(std::string(name) + "=" + value);
    }
  }
  auto child = child_process::spawn(what);
  if (!child || !child.value().wait(until) || !child.value().succeeded()) return std::nullopt;
  std::array<char, 4096> text{};
  const auto size = ::pread(output.get(), text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  std::string result(text.data(), static_cast<std::size_t>(size));
  result.erase(result.find_last_not_of(" \n") + 1);
  return result;
}

std::optional<std::string> folder_of_pg_config(deadline until) {
  for (const auto& folder : path_folders()) {
    if (!is_program(folder / "pg_config")) continue;
    if (auto bin = output_of({(folder / "pg_config").string(), "--bindir"}, until)) {
      return real_folder(*bin);
    }
  }
  return std::nullopt;
}

/// The number a version's folder name ends with: 15 of "/usr/lib/postgresql/15", 16 of
/// "/usr/pgsql-16"; else -1.
int version_in(const std::string& name) {
  const auto digits = name.find_last_not_of("0123456789") + 1;
  const auto length = name.size() - digits;
  return length == 0 || length > 4 ? -1 : std::atoi(name.c_str() + digits);
}

std::optional<std::string> newest_of_the_packages() {
  std::vector<std::pair<int, fs::path>> found;
  for (const char* parent : {"/usr/lib/postgresql", "/usr"}) {
    std::error_code failed;
    for (fs::directory_iterator entry(parent, failed), end; !failed && entry != end; entry.increment(failed)) {
      const auto name = entry->path().filename().string();
      const bool is_version = parent != std::string_view("/usr") || name.starts_with("pgsql-");
      if (is_version && version_in(name) > 0) {
        found.emplace_back(version_in(name), entry->path() / "bin");
      }
    }
  }
  std::sort(found.rbegin(), found.rend());
  for (const auto& [version, folder] : found) {
    if (auto real = real_folder(folder)) return real;
  }
  return std::nullopt;
}

result<std::string> search(deadline until) {
  if (auto folder = folder_of_pg_config(until)) return *folder;
  if (auto folder = newest_of_the_packages()) return *folder;
  for (const auto& folder : path_folders()) {
    if (auto real = real_folder(folder)) return *real;
  }
  return missing("No PostgreSQL server programs (initdb, postgres, pg_basebackup) were found.");
}

result<std::string> chosen(std::string_view where, const std::string& folder) {
  if (auto real = real_folder(folder)) return *real;
  return missing(std::string(where) + " names " + folder +
                 ", which does not have the programs initdb, postgres and pg_basebackup.");
}

result<void> check_version(const std::string& folder, deadline until) {
  // "postgres (PostgreSQL) 15.4 (Debian 15.4-1)"
  const auto text = output_of({folder + "/postgres", "--version"}, until);
  if (!text && until.expired(deadline::clock::now())) return errc::deadline_exceeded;
  const auto after_name = text ? text->find(") ") : std::string::npos;
  const int version = after_name == std::string::npos ? 0 : std::atoi(text->c_str() + after_name + 2);
  if (version >= oldest_version) return success();
  return missing("The server in " + folder + " is " + (text ? "\"" + *text + "\"" : "unable to run") +
                 "; PostgreSQL 14 or newer is needed.");
}

}  // namespace

result<std::string> find_server_binaries(const std::string& wanted, deadline until) {
  const char* const from_environment = std::getenv(environment_variable);
  auto folder = [&]() -> result<std::string> {
    if (!wanted.empty()) return chosen("cluster_options::binaries", wanted);
    if (from_environment && *from_environment) return chosen(environment_variable, from_environment);
    return search(until);
  }();
  BOOST_OUTCOME_TRY(auto found, std::move(folder));
  BOOST_OUTCOME_TRY(check_version(found, until));
  return found;
}

}  // namespace breakwater::testing::detail
