#!/usr/bin/env bash
# The checks of .clang-tidy on one source file, quiet when it is clean. Called from the root by tools/lint.sh: tidy-one.sh [--deep] FILE.
# clangd runs them on the file alone, not on every header of the standard library again: a third of the time. It leaves out
# bugprone-use-after-move, and it does not look into headers: tools/lint.sh shows these to clang-tidy once a folder. --deep: clang-tidy
# on the file and its headers, with everything.
set -uo pipefail
deep=
if [[ $1 == --deep ]]; then
  deep=1
  shift
fi
if [[ -z $deep ]]; then
  out=$(clangd-19 --enable-config --check="$1" --check-locations=0 --check-completion=0 --background-index=0 --pch-storage=memory 2>&1)
  # What clang itself warns of is g++'s business, which builds with -Werror.
  found=$(sed -nE 's|^E\[[^]]*\] (\[[^]-][^]]*\]) Line ([0-9]+): (.*)|'"$1"':\2: \3 \1|p' <<<"$out")
  if [[ -n $found ]] || ! grep -q 'All checks completed' <<<"$out"; then
    echo "${found:-$out}"
    exit 1
  fi
  exit 0
fi
# Options of g++ that clang does not know are left out.
database=$(mktemp -d)
trap 'rm -r "$database"' EXIT
sed -E 's/ -mmem(set|cpy)-strategy=[^ "]*//g' build/release/compile_commands.json >"$database/compile_commands.json"
if ! out=$(clang-tidy-19 --quiet -p "$database" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations "$1" 2>&1); then
  grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' <<<"$out"
  exit 1
fi
