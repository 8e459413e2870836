#!/usr/bin/env bash
#
# Brings a machine to where Breakwater builds: installs the Debian packages that are missing, and makes sure there is
# a libpqxx new enough, building one into .deps/ where the system's is too old. Running it again costs next to
# nothing, and two runs at the same time wait for each other.
#
#   scripts/bootstrap.sh [group...]     groups of packaging/debian-packages.txt; default: build test

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
package_list="$root/packaging/debian-packages.txt"
deps="$root/.deps"
log="$deps/bootstrap.log"

# libpqxx 7.10 has the calls we use; version 8 needs a newer compiler than g++ 12.
pqxx_minimum=7.10
pqxx_below=8
pqxx_prefix="$deps/libpqxx"
# Written last, and named after how libpqxx was built: change the name whenever build_pqxx changes, and every copy built
# the old way is built again.
pqxx_stamp="$pqxx_prefix/.complete-static-pic-cxx20-no-source-location"

say() { printf 'bootstrap: %s\n' "$*"; }

fail() {
  printf 'bootstrap: %s\n' "$@" >&2
  exit 1
}

# Runs a command with its output in the log; on failure shows the end of the log and says what to do about it.
#   logged <what was being done> <what to do> command...
logged() {
  local doing="$1" advice="$2"
  shift 2
  printf '\n### %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null && return
  {
    echo "bootstrap: $doing failed. The end of $log:"
    tail -n 15 "$log" | sed 's/^/    /'
    echo "bootstrap: $advice"
  } >&2
  exit 1
}

# ---- Debian packages -------------------------------------------------------------------------------------------------

# The wanted groups' lines of the list ("a" or "a | b"), without comments.
wanted_packages() {
  local line group=''
  while IFS= read -r line; do
    case "$line" in
      '' | '#'*) ;;
      '['*) group="${line//[\[\]]/}" ;;
      *) if [[ " $* " == *" $group "* ]]; then printf '%s\n' "$line"; fi ;;
    esac
  done <"$package_list"
}

# Those of which no alternative is installed.
missing_packages() {
  local installed line alternative
  # Unknown packages make dpkg-query fail, although it answers for the others.
  installed=" $(wanted_packages "$@" | tr -d ' ' | tr '|' '\n' |
    xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
    sed -n 's/^installed //p' | tr '\n' ' ' || true) "
  wanted_packages "$@" | while IFS= read -r line; do
    for alternative in ${line//|/ }; do
      [[ "$installed" == *" $alternative "* ]] && continue 2
    done
    printf '%s\n' "$line"
  done
}

# Of "a | b", the first this release of the distribution knows; a when it knows none (no package lists yet).
choose_alternatives() {
  local line alternative chosen
  while IFS= read -r line; do
    chosen="${line%% *}"
    for alternative in ${line//|/ }; do
      if [[ -n "$(apt-cache show --no-all-versions "$alternative" 2>/dev/null)" ]]; then
        chosen="$alternative"
        break
      fi
    done
    printf '%s\n' "$chosen"
  done
}

# How to become root without being asked: empty when we are, "sudo" when it asks for no password.
privilege() {
  if ((EUID == 0)); then
    echo ''
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    echo 'sudo -n'
  else
    return 1
  fi
}

install_missing_packages() {
  local missing packages sudo
  missing="$(missing_packages "$@")"
  [[ -n "$missing" ]] || return 0
  # Not quoted where used: it is either nothing or a command with its option.
  sudo="$(privilege)" || fail 'packages are missing, and installing them takes root. Run this, then try again:' \
    "    sudo apt-get update && sudo apt-get install -y $(choose_alternatives <<<"$missing" | xargs)"

  say "updating the package lists"
  logged 'updating the package lists' 'Check the network and the machine'\''s apt sources, then run this again.' \
    $sudo apt-get update
  packages="$(choose_alternatives <<<"$missing" | xargs)"
  say "installing $packages"
  without_system_cluster "$sudo" \
    logged 'installing packages' "Try it by hand: apt-get install $packages" \
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
  stop_services "$sudo" "$packages"
}

# Installing these starts a service on a fixed port, now and with the machine. We only want the programs: the service of one
# that was not there before is switched off again. Where there is no systemd nothing was started.
#   stop_services <sudo> <packages that were installed>
stop_services() {
  local sudo="$1" package
  command -v systemctl >/dev/null || return 0
  for package in pgbouncer patroni etcd-server; do
    [[ " $2 " != *" $package "* ]] || $sudo systemctl disable --now "${package%-server}" >>"$log" 2>&1 || true
  done
}

# Installing the Postgres server makes and starts a cluster on port 5432. We only want its binaries: while the packages
# are installed, and only if Postgres was not there before, a setting tells its scripts so.
#   without_system_cluster <sudo> command...
without_system_cluster() {
  local sudo="$1" setting=/etc/postgresql-common/createcluster.d/breakwater-bootstrap.conf
  shift
  if [[ -e /etc/postgresql-common ]]; then
    "$@"
    return
  fi
  $sudo mkdir -p "${setting%/*}"
  echo 'create_main_cluster = false' | $sudo tee "$setting" >/dev/null
  # logged ends the script on failure; the trap removes the setting then too.
  trap "$sudo rm -f '$setting'" EXIT
  "$@"
  $sudo rm -f "$setting"
  trap - EXIT
}

# ---- libpqxx ---------------------------------------------------------------------------------------------------------

version_at_least() { [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

pqxx_version_fits() {
  [[ -n "$1" ]] && version_at_least "$1" "$pqxx_minimum" && ! version_at_least "$1" "$pqxx_below"
}

system_pqxx_fits() { pqxx_version_fits "$(pkg-config --modversion libpqxx 2>/dev/null || true)"; }

packaged_pqxx_fits() {
  pqxx_version_fits "$(apt-cache policy libpqxx-dev 2>/dev/null | sed -n 's/^ *Candidate: \([0-9.]*\).*/\1/p')"
}

codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# The suite whose libpqxx source package we build: the stable release after this machine's.
next_suite() {
  case "$(codename)" in
    bookworm) echo trixie ;;
    *) return 1 ;;
  esac
}

# Copies one of the machine's apt source files ($1) into the folder $2, as deb-src of the suite $3. Only the release's own
# suite and the component main are kept: updates, security, backports and other repositories have no libpqxx for us.
# What says how to reach and trust the archive (address, signed-by, other options) stays as the machine has it.
derive_sources() {
  local file="$1" folder="$2" suite="$3" target own
  target="$folder/$(basename "$file")"
  own="$(codename)|oldstable|stable"
  case "$file" in
    *.sources)
      awk -v suite="$suite" -v own="(^| )($own)( |$)" '
        function has(text, word) { return (" " text " ") ~ (" " word " ") }
        function flush() {
          # The values from "Field: a b", continued on lines that begin with a space.
          if (has(value["types"], "deb") && has(value["components"], "main") && tolower(value["enabled"]) !~ /no/ &&
              value["suites"] ~ own)
            printf "Types: deb-src\nSuites: %s\nComponents: main\n%s\n", suite, kept
          delete value; kept = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[^ \t]/ {
          field = tolower($0); sub(/:.*/, "", field)
          value[field] = $0; sub(/^[^:]*:[ \t]*/, "", value[field])
        }
        /^[ \t]/ { line = $0; sub(/^[ \t]+/, "", line); value[field] = value[field] " " line }
        field !~ /^(types|suites|components|enabled|architectures)$/ { kept = kept $0 "\n" }
        END { flush() }' "$file" >"$target"
      ;;
    *)
      sed -n -E "s/^deb([[:space:]]+(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+)($own)[[:space:]]+(.*[[:space:]])?main([[:space:]].*)?$/deb-src\1$suite main/p" \
        "$file" >"$target"
      ;;
  esac
}

# Downloads libpqxx' source package into $1/source, leaving the system's apt configuration and lists alone. apt verifies
# it all the way from the archive's signature, with the machine's keys.
download_pqxx() {
  local work="$1" suite="$2" file
  mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,source}
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
    [[ ! -f "$file" ]] || derive_sources "$file" "$work/sources" "$suite"
  done
  find "$work/sources" -type f -empty -delete
  [[ -n "$(ls -A "$work/sources")" ]] ||
    fail "no apt source of this machine offers its own release's main component, so there is nowhere to get libpqxx." \
      "Install libpqxx >= $pqxx_minimum and < $pqxx_below by other means, visible to pkg-config, and run this again."

  cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/sources";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
// Hooks of the machine are about its own package lists, not these.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  # apt gives up root for downloads, so its own user must be able to write here.
  if ((EUID == 0)) && id _apt >/dev/null 2>&1; then
    chmod 755 "$work"
    chown -R _apt "$work"/{lists,cache,source}
  fi

  say "fetching libpqxx' source package from Debian $suite"
  # One unreachable source among several is no reason to stop: whether libpqxx arrives decides.
  apt-get -c "$work/apt.conf" update >>"$log" 2>&1 </dev/null || true
  (cd "$work/source" && logged "downloading libpqxx' source package" \
    "Check that the machine's Debian archive can be reached, and has the suite $suite; then run this again." \
    apt-get -c "$work/apt.conf" -q source --download-only --only-source libpqxx)
}

build_pqxx() {
  local work="$1" advice="Run this again; if it fails again, look into the log." version
  (cd "$work/source" && logged "unpacking libpqxx" "$advice" dpkg-source --extract libpqxx_*.dsc "$work/libpqxx")
  version="$(<"$work/libpqxx/VERSION")"
  pqxx_version_fits "$version" ||
    fail "the archive has libpqxx $version, and we need >= $pqxx_minimum and < $pqxx_below." \
      "Install one by other means, visible to pkg-config, and run this again."

  say "building libpqxx $version into .deps/ (half a minute)"
  # Position independent, because it may end up inside a shared breakwater. C++20 as in our build: its headers offer
  # more there, and the library must have it too. Its headers remember what this compiler can do, so what clang 14 cannot
  # do (std::source_location) is left out: our users may compile with it.
  logged 'configuring libpqxx' "$advice" cmake -S "$work/libpqxx" -B "$work/build" -G Ninja \
    -DCMAKE_INSTALL_PREFIX="$pqxx_prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_STANDARD=20 -DPQXX_HAVE_SOURCE_LOCATION=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DSKIP_BUILD_TEST=ON -DBUILD_DOC=OFF
  logged 'building libpqxx' "$advice" cmake --build "$work/build"
  rm -rf "$pqxx_prefix"
  logged 'installing libpqxx into .deps/' "$advice" cmake --install "$work/build"
  mkdir -p "$pqxx_prefix/share/doc"
  cp "$work/libpqxx/COPYING" "$pqxx_prefix/share/doc/COPYING"
}

provide_pqxx() {
  local suite work sudo
  [[ ! -f "$pqxx_stamp" ]] || return 0
  ! system_pqxx_fits || return 0

  if packaged_pqxx_fits && sudo="$(privilege)"; then
    say 'installing libpqxx-dev'
    logged 'installing libpqxx-dev' 'Try it by hand: apt-get install libpqxx-dev' \
      $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpqxx-dev
    return
  elif packaged_pqxx_fits; then
    fail 'libpqxx-dev is missing. Run this, then try again:' '    sudo apt-get install -y libpqxx-dev'
  fi

  suite="$(next_suite)" ||
    fail "this system has no libpqxx >= $pqxx_minimum and < $pqxx_below, and it is not one we know to build it for." \
      'Install one, visible to pkg-config, and run this again.'
  work="$(mktemp -d "${TMPDIR:-/tmp}/breakwater-bootstrap.XXXXXX")"
  trap "rm -rf '$work'" EXIT
  download_pqxx "$work" "$suite"
  build_pqxx "$work"
  rm -rf "$work"
  trap - EXIT
  touch "$pqxx_stamp"
}

# ---- the whole -------------------------------------------------------------------------------------------------------

explain_other_systems() {
  local tool missing=''
  for tool in c++ cmake ninja pkg-config pg_config; do
    command -v "$tool" >/dev/null || missing+=" $tool"
  done
  [[ -z "$missing" ]] && system_pqxx_fits && return
  fail "this is not a Debian system (it has no dpkg or apt), so you have to install what Breakwater needs:" \
    '    g++ >= 12 or clang++ >= 14, cmake >= 3.25, ninja, pkg-config (ccache if you like)' \
    "    libpq, Boost >= 1.81 (headers), libpqxx >= $pqxx_minimum and < $pqxx_below (visible to pkg-config)" \
    '    for the tests: PostgreSQL >= 15 server binaries, GoogleTest with GoogleMock, clang++' \
    '    for `make lint`: clang-format, clang-tidy, cppcheck; for `make coverage`: gcovr' \
    "not found here:${missing:- libpqxx of that version}"
}

main() {
  local groups=("$@")
  ((${#groups[@]})) || groups=(build test)
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    explain_other_systems
    return
  fi

  mkdir -p "$deps"
  exec 9>"$deps/bootstrap.lock"
  flock 9
  : >"$log"
  install_missing_packages "${groups[@]}"
  provide_pqxx
}

main "$@"
