#!/usr/bin/env bash
#
# clang-format, clang-tidy and cppcheck over our code; one line each says how it went, after whatever it found.
#
#   scripts/lint.sh <build dir with compile_commands.json> [<parallel jobs>]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build="$1"
jobs="${2:-2}"
findings="$(mktemp)"
trap 'rm -f "$findings"' EXIT

[[ -f "$build/compile_commands.json" ]] || { echo "lint: there is no $build/compile_commands.json; run make configure" >&2; exit 1; }

report() {  # <tool> <what was looked at> <exit code>
  if (($3 == 0)); then
    echo "lint: $1: clean ($2)"
  else
    cat "$findings"
    echo "lint: $1: FAILED ($2)"
    failed=1
  fi
}

failed=0

code=0
mapfile -d '' files < <(scripts/cpp_files.sh)
printf '%s\0' "${files[@]}" | xargs -0 -r clang-format --dry-run -Werror >"$findings" 2>&1 || code=$?
report clang-format "${#files[@]} files; make format repairs them" $code

code=0
scripts/clang_tidy.py "$build" "$jobs" >"$findings" 2>&1 || code=$?
report clang-tidy "$(tail -n 1 "$findings")" $code

code=0
# Templates and macros of libraries are beyond it: it looks at our sources, with our headers only.
cppcheck --quiet --std=c++20 --language=c++ --inline-suppr --error-exitcode=1 -j "$jobs" \
  --enable=warning,performance,portability --suppressions-list=scripts/cppcheck-suppressions.txt \
  -I include -I src -i build -i .deps \
  $(for folder in src resilience repository observability testing tools examples benchmarks sim e2e; do
      [[ -d $folder ]] && echo "$folder"; done) >"$findings" 2>&1 || code=$?
report cppcheck 'sources' $code

exit $failed
