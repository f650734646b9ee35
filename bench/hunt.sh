#!/usr/bin/env bash
# Speed of whole hunts with the built binary, from simulated logs: lines a second on one core and on two, from plain and gzip
# files, with a store, and whether cost grows linearly. Prints a Markdown table; docs/performance.md holds one run of it.
#
#   bench/hunt.sh [LINES] [ORBWATCH]     default 3,000,000 lines, build/release/src/orbwatch
set -euo pipefail
lines=${1:-3000000}
orbwatch=${2:-build/release/src/orbwatch}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seconds CORES COMMAND...: the best of three wall times, bound to the first CORES cores.
seconds() {
  local cores=$1 best=999999 t
  shift
  for _ in 1 2 3; do
    t=$( { TIMEFORMAT=%R; time taskset -c "0-$((cores - 1))" "$@" >/dev/null 2>&1; } 2>&1 )
    best=$(awk -v a="$best" -v b="$t" 'BEGIN { print (b < a) ? b : a }')
  done
  echo "$best"
}
row() { awk -v what="$1" -v n="$2" -v t="$3" 'BEGIN { printf "| %s | %d | %.2f | %.2f |\n", what, n, t, n / t / 1e6 }'; }
# world NAME LINES: Cisco ASA logs only, plain.
world() {
  "$orbwatch" simulate --seed 100 --lines "$2" --out "$work/$1.all" >/dev/null
  mkdir "$work/$1"
  cp "$work/$1.all"/asa-* "$work/$1/"
  gunzip "$work/$1"/*.gz
  rm -rf "$work/$1.all"
}
count() { cat "$1"/* | wc -l; }

world plain "$lines"
n=$(count "$work/plain")
mkdir "$work/gzip"
for f in "$work/plain"/*; do gzip -c "$f" >"$work/gzip/${f##*/}.gz"; done
world tenth "$((lines / 10))"
few=$(count "$work/tenth")

echo '| hunt over Cisco ASA logs | lines | seconds | million lines a second |'
echo '|---|---|---|---|'
one=$(seconds 1 "$orbwatch" hunt "$work/plain" -q --json --threads 1)
row 'plain, one core' "$n" "$one"
two=$(seconds 2 "$orbwatch" hunt "$work/plain" -q --json --threads 2)
row 'plain, two cores' "$n" "$two"
row 'gzip, one core' "$n" "$(seconds 1 "$orbwatch" hunt "$work/gzip" -q --json --threads 1)"
row 'plain with --db, one core' "$n" "$(seconds 1 "$orbwatch" hunt "$work/plain" -q --json --threads 1 --db "$work/hunt.db")"
tenth=$(seconds 1 "$orbwatch" hunt "$work/tenth" -q --json --threads 1)
row 'a tenth, plain, one core' "$few" "$tenth"
echo
awk -v a="$one" -v b="$two" 'BEGIN { printf "Two cores: %.2f times one. ", a / b }'
awk -v n="$n" -v t="$one" -v m="$few" -v u="$tenth" 'BEGIN { printf "%.2f times the lines take %.2f times the time.\n", n / m, t / u }'
