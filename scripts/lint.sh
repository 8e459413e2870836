#!/usr/bin/env bash
#
# clang-format, clang-tidy and cppcheck over our code; one line each says how it went, after whatever it found.
#
#   scripts/lint.sh <build dir with compile_commands.json> [<parallel jobs>]
#
# clang-tidy takes seconds per file. A file is therefore remembered as clean under a hash of everything that went into
# it, and not looked at again until one of those things changes.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build="$1"
jobs="${2:-2}"
database="$build/compile_commands.json"
remembered="$build/clang-tidy-clean"
findings="$(mktemp)"
trap 'rm -f "$findings"' EXIT

[[ -f "$database" ]] || { echo "lint: there is no $database; run make configure" >&2; exit 1; }

# One line per translation unit of ours: file, folder to compile in, command.
translation_units() {
  python3 - "$database" "$PWD" <<'END'
import json, os, sys
for unit in json.load(open(sys.argv[1])):
    file = os.path.relpath(unit["file"], sys.argv[2])
    if not file.startswith(("..", "build/", ".deps/")):
        print(file, unit["directory"], unit["command"], sep="\t")
END
}

# Checks the translation unit "file<TAB>folder<TAB>command" unless it is known to be clean.
tidy() {
  local file folder command words preprocessed key
  IFS=$'\t' read -r file folder command <<<"$1"
  read -ra words <<<"$command"
  # Without the launcher, the output and the mode: only what decides the text the compiler sees.
  [[ "${words[0]}" == *ccache ]] && words=("${words[@]:1}")
  command="${words[*]}"
  command="${command%% -o *}"
  # -C keeps comments, in which NOLINT may stand; -dD keeps macros, whose names are checked.
  preprocessed="$(cd "$folder" && eval "$command" -E -C -dD "$PWD_ROOT/$file" 2>/dev/null | sha1sum)"
  key="$(printf '%s\n' "$preprocessed" "$CONFIG_HASH" | sha1sum | cut -d' ' -f1)"
  [[ ! -e "$REMEMBERED/$key" ]] || return 0
  clang-tidy --quiet -p "$BUILD" "$file" 2> >(grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >&2) ||
    return 1
  touch "$REMEMBERED/$key"
}

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
mkdir -p "$remembered"
export -f tidy
export PWD_ROOT="$PWD" BUILD="$build" REMEMBERED="$PWD/$remembered" CONFIG_HASH
CONFIG_HASH="$(cat .clang-tidy tests/.clang-tidy <(clang-tidy --version) | sha1sum)"
mapfile -t units < <(translation_units)
printf '%s\0' "${units[@]}" | xargs -0 -r -n 1 -P "$jobs" bash -c 'tidy "$1"' tidy >"$findings" 2>&1 || code=$?
report clang-tidy "${#units[@]} translation units" $code
find "$remembered" -type f -mtime +14 -delete

code=0
# Templates and macros of libraries are beyond it: it looks at our sources, with our headers only.
cppcheck --quiet --std=c++20 --language=c++ --inline-suppr --error-exitcode=1 -j "$jobs" \
  --enable=warning,performance,portability --suppressions-list=scripts/cppcheck-suppressions.txt \
  -I include -I src -i build -i .deps \
  $(for folder in src resilience repository observability testing tools examples; do
      [[ -d $folder ]] && echo "$folder"; done) >"$findings" 2>&1 || code=$?
report cppcheck 'sources' $code

exit $failed
