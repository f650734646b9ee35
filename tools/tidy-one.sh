#!/usr/bin/env bash
# clang-tidy on one source file, quiet when it is clean (clang-tidy counts suppressed warnings even with --quiet). Called from the root by tools/lint.sh.
set -uo pipefail
# Options of g++ that clang does not know are left out.
database=$(mktemp -d)
trap 'rm -r "$database"' EXIT
sed -E 's/ -mmem(set|cpy)-strategy=[^ "]*//g' build/release/compile_commands.json >"$database/compile_commands.json"
if ! out=$(clang-tidy-19 --quiet -p "$database" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations "$1" 2>&1); then
  grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' <<<"$out"
  exit 1
fi
