#!/usr/bin/env bash
# Runs the libFuzzer targets of build/fuzz: fuzz/run.sh [minutes, default 5] [target], FUZZ_JOBS at a time (default 2). The corpus of a target
# grows in build/fuzz/corpus/<target> and is seeded with the goldens of its format. The input of a finding is kept in
# fuzz/regressions/<target>/, where ctest replays it from then on; the other targets go on. The last lines name the targets that
# found something; then the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-5}
only=${2:-}
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || { echo "fuzz: minutes must be a number, not '$minutes'" >&2; exit 2; }
jobs=${FUZZ_JOBS:-2}
[[ $jobs =~ ^[1-9][0-9]?$ ]] || { echo "fuzz: FUZZ_JOBS must be a number from 1 to 99, not '$jobs'" >&2; exit 2; }
seconds=$(awk -v m="$minutes" 'BEGIN { s = int(m * 60); print s < 1 ? 1 : s }')

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:symbolize=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
[[ -x /usr/bin/llvm-symbolizer-19 ]] && export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19

targets=()
for program in build/fuzz/fuzz/fuzz_*; do
  [[ -f $program && -x $program ]] || continue
  name=${program##*/fuzz_}
  if [[ -z $only || $name == "$only" ]]; then targets+=("$name"); fi
done
((${#targets[@]})) || { echo "fuzz: no target '${only:-at all}' in build/fuzz/fuzz (./dev build fuzz)" >&2; exit 2; }
mkdir -p build/fuzz/logs

one() {
  local name=$1 corpus=build/fuzz/corpus/$1 log=build/fuzz/logs/$1.log seeds=()
  mkdir -p "$corpus" "fuzz/regressions/$name"
  local golden=tests/golden/$name
  [[ $name == text || $name == envelope ]] && golden=tests/golden
  for dir in "fuzz/regressions/$name" "$golden"; do
    [[ -d $dir ]] && seeds+=("$dir")
  done
  echo "fuzz: $name for $seconds s, log in $log"
  local code=0
  "build/fuzz/fuzz/fuzz_$name" "$corpus" "${seeds[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="fuzz/regressions/$name/" -print_final_stats=1 >"$log" 2>&1 || code=$?
  rmdir --ignore-fail-on-non-empty "fuzz/regressions/$name"
  if ((code)); then
    echo "fuzz: $name FOUND SOMETHING (exit $code):"
    tail -n 60 "$log"
    return 1
  fi
  echo "fuzz: $name clean: $(grep -E 'number_of_executed_units|average_exec_per_sec' "$log" | awk '{ printf "%s %s ", $1, $2 }')"
}

found=build/fuzz/found
: >"$found"
running=0
for name in "${targets[@]}"; do
  if ((running >= jobs)); then
    wait -n || true
    running=$((running - 1))
  fi
  { one "$name" || echo "$name" >>"$found"; } &
  running=$((running + 1))
done
wait
if [[ -s $found ]]; then
  echo "fuzz: found something: $(tr '\n' ' ' <"$found")"
  exit 1
fi
echo "fuzz: ${#targets[@]} targets clean"
