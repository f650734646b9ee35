#!/usr/bin/env bash
# clang-tidy on one source file, quiet when it is clean (clang-tidy counts suppressed warnings even with --quiet). Called from the root by tools/lint.sh.
set -uo pipefail
if ! out=$(clang-tidy-19 --quiet -p build/release --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations "$1" 2>&1); then
  grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' <<<"$out"
  exit 1
fi
