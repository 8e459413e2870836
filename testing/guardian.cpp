#include "guardian.hpp"

#include <breakwater/core/deadline.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace breakwater::testing::detail {
namespace {

/// The script's own limits add up to less; after this we believe that something ended the
/// guardian's world.
constexpr auto release_timeout = std::chrono::seconds(30);

// Why /bin/sh with a fixed script, and not a fork of ourselves: a fork would keep a copy of the
// program's memory alive, could call nothing that another thread or a sanitizer may have locked,
// and would look like the program to whoever ends it by name. A helper binary of our own would have
// to be installed and found. A shell is a fresh process that is there on every system; paths reach
// it as arguments, never as text of the script.
//
// Servers are known by what they are and where they work (/proc), not by recorded process numbers,
// which would miss orphans of a killed postmaster and could name a stranger after a while. `-ef`
// follows the links of /proc without a process for each.
//
// First SIGQUIT (immediate shutdown), with which a postmaster frees its System V segment. Whoever
// is left after two seconds is killed, and the segment is freed by the number in postmaster.pid
// (its seventh line).
constexpr const char* script = R"sh(
folder=$1 binaries=$2
shift 2
trap '' HUP INT TERM

signal_servers() {
  signal=$1 found=1
  shift
  for process in /proc/[0-9]*; do
    for program in postgres initdb pg_basebackup pgbouncer; do
      [ "$process/exe" -ef "$binaries/$program" ] || continue
      for place in "$@"; do
        [ "$process/cwd" -ef "$place" ] || continue
        kill -s "$signal" "${process#/proc/}" 2>/dev/null && found=0
      done
    done
  done
  return "$found"
}

pause() { sleep 0.01 2>/dev/null || sleep 1; }

read -r _

signal=QUIT round=0
while signal_servers "$signal" "$folder" "$@" && [ "$round" -lt 400 ]; do
  round=$((round + 1)) signal=0
  [ "$round" -lt 200 ] || signal=KILL
  pause
done

for place in "$@"; do
  [ -f "$place/postmaster.pid" ] || continue
  segment=$(sed -n '7s/^ *[0-9][0-9]*  *\([0-9][0-9]*\) *$/\1/p' "$place/postmaster.pid")
  [ -z "$segment" ] || ipcrm -m "$segment" 2>/dev/null
done

round=0
until rm -rf -- "$folder" || [ "$round" -ge 100 ]; do
  round=$((round + 1))
  pause
done
[ ! -e "$folder" ]
)sh";

command guardian_command(const guardian::charge& what, int input) {
  command sh;
  sh.arguments = {"/bin/sh", "-c", script, "breakwater-guardian", what.folder, what.binaries};
  sh.arguments.insert(sh.arguments.end(), what.server_folders.begin(), what.server_folders.end());
  // Our own identity, not the servers': whatever we could make, it can remove.
  sh.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  sh.input = input;
  return sh;
}

}  // namespace

result<guardian> guardian::post(charge what) {
  // A socket rather than a pipe, because writing to it can not raise SIGPIPE.
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return error(errc::internal,
                 "could not make a socket pair for the cluster's guardian: " + std::generic_category().message(errno));
  }
  guardian posted;
  posted.lifeline_ = unique_fd(ends[0]);
  const unique_fd theirs(ends[1]);
  BOOST_OUTCOME_TRY(posted.process_, child_process::spawn(guardian_command(what, theirs.get())));
  posted.charge_ = std::move(what);
  posted.owner_ = ::getpid();
  return posted;
}

bool guardian::release() noexcept {
  if (!lifeline_) return false;
  if (::getpid() != owner_) {
    lifeline_.reset();
    return false;
  }
  // A line as well as the close: a process forked from ours without exec may still hold a copy of
  // this end.
  (void)::send(lifeline_.get(), "\n", 1, MSG_NOSIGNAL);
  lifeline_.reset();
  const auto until = deadline::after(release_timeout);
  if (process_.wait(until) && process_.succeeded()) return true;
  // Somebody ended the guardian before us. A second one finds its standard input at its end and
  // starts at once.
  if (auto second = child_process::spawn(guardian_command(charge_, -1))) {
    (void)second.value().wait(until);
  }
  return true;
}

}  // namespace breakwater::testing::detail
