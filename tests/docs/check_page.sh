#!/usr/bin/env bash
#
# Compares a page of the documentation with what the program that makes it prints now:   check_page.sh <program> <page>

set -euo pipefail

if ! diff -u "$2" <("$1"); then
  echo "$2 is not what $1 prints; run: make docs" >&2
  exit 1
fi
