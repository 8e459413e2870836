#!/usr/bin/env bash
#
# Lists our C++ files, tracked and new, NUL-separated, relative to the checkout.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  # -o: new files too, but not ignored ones. A file deleted and not yet committed is still listed, hence the check.
  git ls-files -z --cached --others --exclude-standard -- '*.hpp' '*.cpp' |
    while IFS= read -r -d '' file; do
      if [[ -f "$file" ]]; then printf '%s\0' "$file"; fi
    done
else
  # Unpacked from an archive.
  find . -path ./build -prune -o -path ./.deps -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -printf '%P\0'
fi
