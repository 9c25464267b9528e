#!/usr/bin/env bash
# Makes sure that a Docker engine with buildx answers, and does nothing where one already does.
#
# On Debian 12 the distribution's own engine is too old for the registry cache (it has no containerd image store), so
# four packages come from Debian 13. They are installed through a private apt configuration: the machine's own sources,
# pins and package lists stay as they are, and nothing else can come from Debian 13 now or later.
#
# Usage: ci/docker-engine.sh            (as root, or as a user who may sudo)
# Environment: LEO_DOCKER_LOG           dockerd's log file (default /var/log/leo-dockerd.log)
#              LEO_DOCKER_WAIT_SECONDS  how long to wait for the engine (default 60)

set -euo pipefail

readonly packages=(docker.io docker-cli docker-buildx containerd)
readonly log_file=${LEO_DOCKER_LOG:-/var/log/leo-dockerd.log}
readonly wait_seconds=${LEO_DOCKER_WAIT_SECONDS:-60}

say() { printf 'docker-engine: %s\n' "$*" >&2; }

die() {
  say "error: $1"
  [ -z "${2:-}" ] || say "hint: $2"
  exit 1
}

engine_answers() {
  docker version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

# The URI that this machine already uses for a release of its own, from deb822 files and from one-line lists.
archive_uri() {
  local codename=$1 file
  {
    for file in /etc/apt/sources.list.d/*.sources; do
      [ ! -r "$file" ] || awk -v codename="$codename" '
        BEGIN { RS = ""; FS = "\n" }
        {
          uri = ""; found = 0; enabled = 1
          for (i = 1; i <= NF; i++) {
            if ($i ~ /^Enabled:[ \t]*no/) enabled = 0
            if ($i ~ /^URIs:/) { split($i, words, /[ \t]+/); uri = words[2] }
            if ($i ~ /^Suites:/) { n = split($i, suites, /[ \t]+/); for (j = 2; j <= n; j++) if (suites[j] == codename) found = 1 }
          }
          if (found && enabled && uri != "") print uri
        }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
      [ ! -r "$file" ] ||
        sed -n 's/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]\+\)\?\([^[:space:]]\+\)[[:space:]]\+'"$codename"'[[:space:]].*/\2/p' "$file"
    done
  } | sed -n 1p
}

install_packages() {
  [ -r /etc/os-release ] || die "this machine has no /etc/os-release" "install a Docker engine with buildx by hand"
  local codename
  codename=$(. /etc/os-release && printf '%s' "${ID:-}:${VERSION_CODENAME:-}")
  [ "$codename" = debian:bookworm ] ||
    die "only Debian 12 is set up by this script, this is ${codename/:/ }" "install a Docker engine (23 or newer) with the buildx plugin and start it"

  local uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  uri=$(archive_uri bookworm)
  [ -n "$uri" ] || die "no apt source for bookworm in /etc/apt" "add the Debian archive that this machine may reach to /etc/apt/sources.list"

  local apt_dir
  apt_dir=$(mktemp -d)
  # apt's own unprivileged user reads these.
  chmod 755 "$apt_dir"
  mkdir -p "$apt_dir/sources" "$apt_dir/preferences" "$apt_dir/lists/partial"
  local suite
  for suite in bookworm trixie; do
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$suite" "$keyring" >"$apt_dir/sources/$suite.sources"
  done
  {
    printf 'Package: %s\nPin: release n=trixie\nPin-Priority: 990\n\n' "${packages[*]}"
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: -1\n'
  } >"$apt_dir/preferences/leo"

  local apt=(
    env DEBIAN_FRONTEND=noninteractive apt-get -q -y
    -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt_dir/sources"
    -o Dir::Etc::Preferences=/dev/null -o "Dir::Etc::PreferencesParts=$apt_dir/preferences"
    -o "Dir::State::Lists=$apt_dir/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
    -o Acquire::Languages=none -o Acquire::Retries=3
  )
  say "installing ${packages[*]} from Debian 13"
  as_root "${apt[@]}" update >&2 || die "apt-get update failed" "see the messages above; is the archive reachable?"
  # A service must not be started by a package script: the engine is started below, with our configuration.
  local policy=/usr/sbin/policy-rc.d made_policy=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made_policy=yes
  fi
  local status=0
  as_root "${apt[@]}" install --no-install-recommends "${packages[@]}" iptables ca-certificates >&2 || status=$?
  [ "$made_policy" = no ] || as_root rm -f "$policy"
  as_root rm -rf "$apt_dir"
  [ "$status" -eq 0 ] || die "apt-get install failed" "see the messages above"
}

write_configuration() {
  local file=/etc/docker/daemon.json
  if [ -e "$file" ]; then
    say "keeping the existing $file"
    return
  fi
  as_root mkdir -p /etc/docker
  printf '{"features": {"containerd-snapshotter": true, "buildkit": true}}\n' | as_root tee "$file" >/dev/null
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
    return
  fi
  # A killed engine leaves its pid files behind, and a pid that was given to another process keeps it from starting.
  local pid_file
  for pid_file in /run/docker.pid /run/docker/containerd/containerd.pid; do
    if [ -e "$pid_file" ] && ! grep -qE '^(dockerd|containerd)$' "/proc/$(cat "$pid_file")/comm" 2>/dev/null; then
      as_root rm -f "$pid_file"
    fi
  done
  say "starting dockerd, its log is $log_file"
  as_root sh -c 'setsid nohup dockerd >>"$1" 2>&1 </dev/null &' sh "$log_file"
}

wait_for_engine() {
  local deadline=$((SECONDS + wait_seconds))
  until engine_answers; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      as_root tail -n 15 "$log_file" >&2 2>/dev/null || true
      die "no engine answered within $wait_seconds seconds" "the last lines of $log_file are above"
    fi
    sleep 0.5
  done
}

if engine_answers; then
  exit 0
fi
if ! command -v dockerd >/dev/null || ! docker buildx version >/dev/null 2>&1; then
  install_packages
fi
if ! docker version >/dev/null 2>&1; then
  write_configuration
  start_engine
fi
wait_for_engine
say "engine $(docker version --format '{{.Server.Version}}'), $(docker buildx version | cut -d' ' -f1-2)"
