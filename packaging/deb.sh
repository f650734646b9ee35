#!/usr/bin/env bash
# Makes a Debian package of a build, or tries one out; `./dev package` calls it.
#
#   packaging/deb.sh build BUILD-FOLDER OUT-FOLDER   prints the package's path
#   packaging/deb.sh test PACKAGE                    unpacks it into a folder and runs what is in it
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  printf 'deb.sh: %s\n' "$*" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

build_package() {
  local build=$1 out=$2 version architecture root=$work/root depends file binaries
  version=$(sed -nE 's/^project\(orbwatch VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
  [[ -n $version ]] || die "no version in CMakeLists.txt"
  architecture=$(dpkg --print-architecture)
  # The same commit gives the same times in the package.
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
  export SOURCE_DATE_EPOCH

  cmake --install "$build" --prefix "$root/usr" --strip >&2
  install -D -m 644 packaging/orbwatch.yaml "$root/etc/orbwatch/orbwatch.yaml"
  install -D -m 644 LICENSE "$root/usr/share/doc/orbwatch/copyright"
  if [[ -f third_party/duckdb/LICENSE && -f $root/usr/lib/orbwatch/libduckdb.so ]]; then
    { printf '\n\nlibduckdb.so is DuckDB, under this licence:\n\n' && cat third_party/duckdb/LICENSE; } >>"$root/usr/share/doc/orbwatch/copyright"
  fi
  install -d "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d"
  "$root/usr/bin/orbwatch" completion bash >"$root/usr/share/bash-completion/completions/orbwatch"
  "$root/usr/bin/orbwatch" completion zsh >"$root/usr/share/zsh/vendor-completions/_orbwatch"
  "$root/usr/bin/orbwatch" completion fish >"$root/usr/share/fish/vendor_completions.d/orbwatch.fish"
  gzip -9n "$root/usr/share/man/man1/orbwatch.1" "$root/usr/share/doc/orbwatch/CHANGELOG.md"

  # What the binary needs, by the packages that its libraries come from. DuckDB comes along in the package itself.
  mkdir -p "$work/shlibs/debian"
  printf 'Source: orbwatch\nPackage: orbwatch\nArchitecture: any\n' >"$work/shlibs/debian/control"
  binaries=("-e$root/usr/bin/orbwatch")
  if [[ -f $root/usr/lib/orbwatch/libduckdb.so ]]; then binaries+=("-e$root/usr/lib/orbwatch/libduckdb.so"); fi
  install -d "$root/DEBIAN"
  depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O --ignore-missing-info -l"$root/usr/lib/orbwatch" "${binaries[@]}" | sed -n 's/^shlibs:Depends=//p')
  [[ $depends == *libc6* && $depends == *libssl3* ]] || die "dpkg-shlibdeps found too little: $depends"

  cat >"$root/DEBIAN/control" <<CONTROL
Package: orbwatch
Version: $version
Architecture: $architecture
Maintainer: The orbwatch authors <orbwatch@localhost>
Installed-Size: $(du -sk --apparent-size "$root/usr" "$root/etc" | awk '{sum += $1} END {print sum}')
Depends: $depends
Recommends: ca-certificates
Section: net
Priority: optional
Description: finds covert networks of hijacked routers in logs
 Reads the logs and flows that an organisation already has, learns what is normal and names log-ins, scans and
 connections that come through covert relay networks. As a service it takes syslog, RELP, NetFlow, IPFIX, sFlow,
 files and HTTP. The service is not started when the package is installed: see /usr/share/doc/orbwatch/docs/operations.md.
CONTROL
  echo /etc/orbwatch/orbwatch.yaml >"$root/DEBIAN/conffiles"
  for file in postinst postrm; do
    cat >"$root/DEBIAN/$file" <<'SCRIPT'
#!/bin/sh
# systemd learns of the units, new or gone. Nothing is started, stopped or enabled here.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
SCRIPT
    chmod 755 "$root/DEBIAN/$file"
  done
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  mkdir -p "$out"
  dpkg-deb --root-owner-group -Zxz --build "$root" "$out/orbwatch_${version}_$architecture.deb" >&2
  echo "$out/orbwatch_${version}_$architecture.deb"
}

test_package() {
  local root=$work/unpacked unit missing
  dpkg -x "$1" "$root"
  dpkg-deb -e "$1" "$work/control"
  grep -qx /etc/orbwatch/orbwatch.yaml "$work/control/conffiles" || die "the configuration is no conffile"
  # Nothing of the build tree may be needed.
  missing=$(ldd "$root/usr/bin/orbwatch" | grep 'not found' || true)
  [[ -z $missing ]] || die "libraries are missing: $missing"
  if [[ -f $root/usr/lib/orbwatch/libduckdb.so ]]; then
    ldd "$root/usr/bin/orbwatch" | grep -qE "libduckdb.so => $root/usr/(bin/\.\./)?lib/orbwatch/" || die "libduckdb.so comes from elsewhere"
  fi
  "$root/usr/bin/orbwatch" --version
  "$root/usr/bin/orbwatch" config check "$root/etc/orbwatch/orbwatch.yaml"
  # Relative paths of the example's feeds hold where it is installed. Its TAXII server is not there.
  "$root/usr/bin/orbwatch" feeds update --config "$root/usr/share/doc/orbwatch/examples/feeds.example.yaml" --feeds "$work/feeds" \
    example-nodes example-sightings example-bundle example-event example-harmless >/dev/null
  "$root/usr/bin/orbwatch" explain '<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = alice : user IP = 203.0.113.9' >/dev/null
  for unit in orbwatch.service orbwatch-hunt.service orbwatch-hunt.timer; do
    [[ -f $root/usr/lib/systemd/system/$unit ]] || die "$unit is missing"
  done
  [[ -f $root/usr/share/man/man1/orbwatch.1.gz && -s $root/usr/share/bash-completion/completions/orbwatch ]] || die "man page or completion is missing"
  echo "good: $1"
}

case "${1:-}" in
  build) build_package "$2" "$3" ;;
  test) test_package "$2" ;;
  *) die "build BUILD-FOLDER OUT-FOLDER, or test PACKAGE" ;;
esac
