#!/usr/bin/env bash
#
# Builds the consumer project against the installation in $BREAKWATER_INSTALLED, and runs it:
#   check.sh gcc | clang | pkg-config

set -euo pipefail

way="$1"
project="$(cd "$(dirname "$0")" && pwd)/project"
work="$BREAKWATER_INSTALLED.$way"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# require <command> <Debian package> [<lowest major version>]
require() {
  if ! command -v "$1" >/dev/null; then
    echo "this test needs $1. Install it: apt-get install $2"
    exit 1
  fi
  local version=''
  version="$("$1" -dumpversion 2>/dev/null || true)"
  if [[ -n "${3:-}" ]] && ((${version%%.*} < $3)); then
    echo "this test needs $1 >= $3, and here it is $version. Install a newer one: apt-get install $2"
    exit 1
  fi
}

with_cmake() {
  # Our headers as if they were the user's own, not system headers in which warnings are hidden.
  "$CMAKE" -S "$project" -B "$work" -G Ninja -DCMAKE_CXX_COMPILER="$1" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON -DCMAKE_CXX_FLAGS="${warnings[*]}" -DCMAKE_PREFIX_PATH="$BREAKWATER_INSTALLED"
  "$CMAKE" --build "$work"
  "$work/consumer"
  "$work/consumer_of_core"
}

with_pkg_config() {
  PKG_CONFIG_PATH="$(dirname "$(find "$BREAKWATER_INSTALLED" -name breakwater.pc)")"
  # Matters only when the libraries are shared.
  LD_LIBRARY_PATH="$(dirname "$PKG_CONFIG_PATH")"
  export PKG_CONFIG_PATH LD_LIBRARY_PATH
  local flags
  mkdir -p "$work"
  for flags in '' --static; do
    # Not quoted: these are lists of flags. The installed path has no spaces.
    g++ -std=c++20 "${warnings[@]}" $(pkg-config --cflags breakwater) "$project/main.cpp" -o "$work/consumer" \
      $(pkg-config $flags --libs breakwater)
    "$work/consumer"
  done
}

rm -rf "$work"
case "$way" in
  gcc)
    require g++ g++ 12
    with_cmake g++
    ;;
  clang)
    require clang++ clang 14
    with_cmake clang++
    ;;
  pkg-config)
    require g++ g++ 12
    require pkg-config pkg-config
    with_pkg_config
    ;;
esac
