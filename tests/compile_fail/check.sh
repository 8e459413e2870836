#!/usr/bin/env bash
#
# Checks one file of code that must not compile:   check.sh <file> <compiler> <flag>...
#
#   // expect: column 'nickname' .* is not mapped     an extended regular expression the compiler's output must match;
#                                                     any number, all must match
#   // expect-gcc: ...    // expect-clang: ...        only for that compiler
#
#   #ifdef BREAKWATER_EXPECT_OK
#     the right form: with the macro defined, the file must compile. Without this check, a forgotten include would look
#     like the error we want.
#   #else
#     the wrong form
#   #endif

set -euo pipefail

file="$1"
shift
compile=("$@" -fsyntax-only -fdiagnostics-color=never)
export LC_ALL=C

family=gcc
if "$1" --version | grep -qi clang; then family=clang; fi

fail() {
  printf '%s: %s\n' "$file" "$1"
  printf '%s\n' "${2:-}" | head -n 60
  exit 1
}

expected="$(sed -n -E "s#^[[:space:]]*// expect(-$family)?: *(.*[^[:space:]])[[:space:]]*\$#\2#p" "$file")"
[[ -n "$expected" ]] || fail "has no '// expect: <regular expression>' for $family"

output="$("${compile[@]}" -DBREAKWATER_EXPECT_OK "$file" 2>&1)" || fail 'the right form does not compile:' "$output"

if output="$("${compile[@]}" "$file" 2>&1)"; then
  fail 'compiles, and must not'
fi
while IFS= read -r regex; do
  grep -qE -e "$regex" <<<"$output" || fail "is refused, but nothing says '$regex'. The compiler says:" "$output"
done <<<"$expected"
