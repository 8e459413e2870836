#!/usr/bin/env bash
#
# Installs the build $BUILD and moves the result to $BREAKWATER_INSTALLED, where nothing may lead back to $SOURCE.

set -euo pipefail

first="$BREAKWATER_INSTALLED.first"
rm -rf "$BREAKWATER_INSTALLED" "$first"
"$CMAKE" --install "$BUILD" --prefix "$first" >/dev/null
mv "$first" "$BREAKWATER_INSTALLED"

# Of the files other builds read. (Libraries hold source paths as debug information and in assertions.)
if grep -rIlF -e "$SOURCE" -e "$first" "$BREAKWATER_INSTALLED"; then
  echo 'these installed files name the checkout, or the folder they were first installed in'
  exit 1
fi
