#!/usr/bin/env bash
# clang-tidy on the headers of the folders given, through one source that includes all of them; quiet when they are clean. Called from
# the root by tools/lint.sh.
set -uo pipefail
probe=$(mktemp -d)
trap 'rm -r "$probe"' EXIT
for folder in "$@"; do
  for header in "$folder"/*.h; do echo "#include \"$PWD/$header\""; done
done >"$probe/all.cc"
folders=$(IFS='|' && echo "$*")
if ! out=$(clang-tidy-19 --quiet --config-file=.clang-tidy --header-filter="^$PWD/($folders)/[^/]*$" "$probe/all.cc" -- -std=c++2b \
  -Wno-deprecated-declarations '-DORBWATCH_VERSION="0"' '-DORBWATCH_ROOT=""' '-DORBWATCH_BUILD=""' -DORBWATCH_DUCKDB \
  -Isrc -Itests -isystem third_party/duckdb -isystem /usr/include/eigen3 2>&1); then
  grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' <<<"$out"
  exit 1
fi
