#!/usr/bin/env bash
# What `./dev lint` runs after the packages are there and build/release is configured: tools/lint.sh [--changed|--quick|--deep].
# Every stage runs, each says how long it took; the exit code is 1 if any found something.
# --changed: the checks of .clang-tidy only on files that differ from main. --quick: without them. --deep: clang-tidy itself on every file,
# which adds one check to those of clangd and takes three times as long (see tools/tidy-one.sh).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

failed=()
stage() {
  local name=$1 begin=$SECONDS
  shift
  echo "lint: $name"
  if "$@"; then
    echo "lint: $name: clean, $((SECONDS - begin)) s"
  else
    echo "lint: $name: NOT CLEAN, $((SECONDS - begin)) s" >&2
    failed+=("$name")
  fi
}

# Tracked and new files of this tree, without ignored ones. Works without git, too (a source archive).
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      if [[ -f $file ]]; then echo "$file"; fi
    done | sort -u
  else
    local pattern
    for pattern in "$@"; do
      find . \( -path ./build -o -path ./third_party \) -prune -o -type f -path "./${pattern#./}" -print
    done | sed 's|^\./||' | sort -u
  fi
}

formatting() {
  local wrong
  wrong=$(files '*.cc' '*.h' | xargs -r -P "$(nproc)" -n 16 clang-format-19 --dry-run -Werror 2>&1 | grep -oE '^[^: ]+:[0-9]+:[0-9]+: error' | cut -d: -f1 | sort | uniq -c)
  [[ -z $wrong ]] || {
    echo "$wrong"
    echo "  (lines that ./dev fmt would change)"
    return 1
  }
}

# clang-tidy can be switched off by a later line of its list without a word, so it is shown code that is wrong in known ways.
naming_rules_are_on() {
  local probe wrong out missed=0
  probe=$(mktemp -d)
  cp .clang-tidy "$probe/"
  cat >"$probe/probe.cc" <<'CODE'
struct wrong_type {};
enum class Right { wrong_enumerator };
constexpr int wrong_constant = 1;
const int other_wrong_constant = 2;
class Members {
 public:
  int wrong_public_() { return wrong_member; }
  int WrongField = 0;

 protected:
  int wrong_protected = 0;

 private:
  int wrong_member = 0;
};
int WrongFunction(int WrongParameter) {
  int WrongVariable = WrongParameter;
  return WrongVariable + wrong_constant + other_wrong_constant;
}
CODE
  out=$(clang-tidy-19 --quiet --config-file="$probe/.clang-tidy" "$probe/probe.cc" -- -std=c++2b 2>/dev/null)
  for wrong in wrong_type wrong_enumerator wrong_constant other_wrong_constant wrong_public_ WrongField wrong_protected wrong_member WrongFunction \
    WrongParameter WrongVariable; do
    if ! grep -q "'$wrong' \[readability-identifier-naming" <<<"$out"; then
      echo ".clang-tidy: the wrong name $wrong is not reported" >&2
      missed=1
    fi
  done
  rm -rf "$probe"
  return $missed
}

tidy() {
  local database=build/release/compile_commands.json base all
  [[ -f $database ]] || {
    echo "no $database: cmake --preset release" >&2
    return 1
  }
  # Only what the build knows: a file without its flags cannot be judged.
  all=$(comm -12 <(files '*.cc') <(sed -n "s|^ *\"file\": \"$PWD/\(.*\)\",\{0,1\}$|\1|p" "$database" | sort -u))
  if [[ ${1:-} == --changed ]]; then
    base=$(git merge-base HEAD main) || return 1
    all=$(comm -12 <(echo "$all") <({ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u))
  fi
  [[ -n $all ]] || return 0
  # One file a process, so that both cores stay busy to the end. GCC's flags that clang does not know are passed over.
  local deep=()
  if [[ ${1:-} == --deep ]]; then deep=(--deep); fi
  echo "$all" | xargs -P "$(nproc)" -n 1 tools/tidy-one.sh "${deep[@]}"
}

headers() {
  local wrong=0
  # Those of the program many folders at once; those of tests, which may define the same names, folder by folder.
  files 'src/*.h' | xargs -r -n 1 dirname | sort -u | xargs -r -P "$(nproc)" -n 8 tools/tidy-headers.sh || wrong=1
  files 'tests/*.h' | xargs -r -n 1 dirname | sort -u | xargs -r -P "$(nproc)" -n 1 tools/tidy-headers.sh || wrong=1
  return $wrong
}

scripts() {
  local all
  mapfile -t all < <(files dev .ci/run '*.sh')
  shellcheck "${all[@]}"
}

# Trailing spaces, tabs, carriage returns, a missing end of line, left-over conflict marks, overlong lines, links to files that are not there.
# Data is exempt: goldens, fuzz inputs and examples are kept as devices wrote them.
text() {
  local file wrong=0 target link
  while read -r file; do
    case "$file" in tests/golden/* | fuzz/regressions/* | examples/* | LICENSE | LICENSES/* | *.svg | *.png | *.csv) continue ;; esac
    grep -Iq . "$file" 2>/dev/null || continue
    grep -nHE '[[:blank:]]+$' "$file" && echo "  (trailing space)" && wrong=1
    grep -nHE $'^ *\t' "$file" && echo "  (indented with a tab)" && wrong=1
    grep -nH $'\r' "$file" && echo "  (carriage return)" && wrong=1
    grep -nHE '^(<<<<<<<|>>>>>>>) ' "$file" && echo "  (conflict mark)" && wrong=1
    [[ -z $(tail -c1 "$file") ]] || { echo "$file: no end of line at its end" && wrong=1; }
    [[ $file == *.md ]] || continue
    while read -r link; do
      target=${link%%#*}
      [[ -z $target || -e $(dirname "$file")/$target ]] || { echo "$file: link to $target, which is not there" && wrong=1; }
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:')
  done < <(files '*')
  return $wrong
}

# Frequent misspellings.
spelling() {
  local words='teh|recieve[sd]?|seperate[sd]?|occured|occurence|adress(es)?|lenght|wich|untill|succesful(ly)?|neccessary|existant|accross|publically|threshhold|wether'
  files '*.md' '*.cc' '*.h' '*.sh' '*.cmake' | grep -v '^tools/lint\.sh$' | xargs -r -d '\n' grep -nwEi -- "$words" && return 1
  return 0
}

stage "clang-format" formatting
stage "shellcheck" scripts
stage "text" text
stage "spelling" spelling
[[ ${1:-} == --quick ]] || {
  stage "naming rules are on" naming_rules_are_on
  stage "checks of .clang-tidy" tidy "$@"
  [[ ${1:-} == --deep ]] || stage "checks of .clang-tidy in headers" headers
}
if ((${#failed[@]})); then
  echo "lint: not clean: ${failed[*]}" >&2
  exit 1
fi
echo "lint: clean"
