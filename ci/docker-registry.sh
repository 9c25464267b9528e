#!/usr/bin/env bash
# Debian's `docker-registry` for the tests of pushing, on Debian and its relatives. Does nothing where it is on the path.
#
# The package is unpacked, not installed: installing it starts a registry that listens on every address. The tests start
# their own, on loopback.

set -euo pipefail

command -v docker-registry >/dev/null && exit 0

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n -- "$@"; fi
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# The package is read by apt's own user.
chmod 0755 "$folder"
apt-get -q download docker-registry </dev/null ||
  { as_root apt-get -q -y update </dev/null && apt-get -q download docker-registry </dev/null; }
dpkg-deb --extract docker-registry_*.deb unpacked
as_root install -m 0755 unpacked/usr/bin/docker-registry /usr/local/bin/docker-registry
