#!/usr/bin/env bash
#
# Builds the fuzzers with clang and runs each on its corpus:   run.sh <build folder> [<seconds for all together> | merge]
#
# What a fuzzer finds on its way is kept in <build folder>/found/<target> and taken up by the next run. An input that breaks
# something is left in <build folder>/broken, and its name printed: put it into tests/fuzz/corpus/<target>, where the unit
# test replays it, and mend the code. `merge` adds to the corpus what was found and covers more than it does.
#
# BREAKWATER_FUZZ_SECONDS, where it is set, takes the place of the seconds given.

set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
build="$1"
seconds="${2:-60}"
[[ "$seconds" == merge ]] || seconds="${BREAKWATER_FUZZ_SECONDS:-$seconds}"

# More than these bytes hold nothing that fewer could not: the longest tokens are short.
longest_input=512

command -v clang++ >/dev/null || { echo 'the fuzzers need clang++. Install it: apt-get install clang libclang-rt-dev'; exit 1; }
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
  clang++ -x c++ -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null; then
  echo "clang++ has no libFuzzer or sanitizers. Install them: apt-get install libclang-rt-dev"
  exit 1
fi

cmake --preset fuzz -S "$root" -B "$build" >/dev/null
cmake --build "$build" --target fuzzers

targets=()
for folder in "$here"/corpus/*/; do targets+=("$(basename "$folder")"); done

export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
failed=()
for target in "${targets[@]}"; do
  found="$build/found/$target"
  mkdir -p "$found" "$build/broken"
  options=(-max_len="$longest_input" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -artifact_prefix="$build/broken/$target-")
  dictionary="$here/dictionaries/$target"
  [[ ! -f "$dictionary" ]] || options+=("-dict=$dictionary")
  if [[ "$seconds" == merge ]]; then
    "$build/tests/fuzz/fuzz_$target" "${options[@]}" -use_counters=0 -set_cover_merge=1 "$here/corpus/$target" "$found"
    echo "fuzz: $target has $(find "$here/corpus/$target" -type f | wc -l) inputs in its corpus"
    continue
  fi
  each=$((seconds / ${#targets[@]}))
  echo "fuzz: $target for $((each > 0 ? each : 1)) s"
  log="$build/$target.log"
  if "$build/tests/fuzz/fuzz_$target" "${options[@]}" -max_total_time=$((each > 0 ? each : 1)) -print_final_stats=1 "$found" \
    "$here/corpus/$target" >"$log" 2>&1; then
    grep -E 'number_of_executed_units' "$log"
  else
    failed+=("$target")
    tail -n 40 "$log"
  fi
done

if ((${#failed[@]} > 0)); then
  echo "fuzz: FAILED: ${failed[*]}; the inputs are in $build/broken"
  exit 1
fi
