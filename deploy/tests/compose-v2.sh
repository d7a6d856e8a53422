#!/usr/bin/env bash
# Prints the path of Compose v2, which Debian 12 has not: what is installed, or
# the program of Debian 13's package, unpacked into DIR. Installs nothing.
#
#   deploy/tests/compose-v2.sh DIR
set -euo pipefail
dir=$(realpath -m "${1:?"say where it may be unpacked"}")

for program in ~/.docker/cli-plugins/docker-compose \
  /usr/{local/,}lib{exec,}/docker/cli-plugins/docker-compose \
  "$(command -v docker-compose || true)" "$dir/docker-compose"; do
  if [[ -x $program && $("$program" version --short 2>/dev/null) =~ ^v?[2-9]\. ]]; then
    echo "$program"
    exit 0
  fi
done

# An apt of its own: this machine's lists and packages stay as they are.
mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" \
  >"$work/sources.list"
options=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
  -o "Dir::State::Lists=$work/lists" -o "Dir::State::Status=$work/status"
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= -o Acquire::Languages=none
  -o Acquire::Retries=3)
if ! { apt-get "${options[@]}" update && cd "$work" &&
  apt-get "${options[@]}" download docker-compose; } >"$work/log" 2>&1; then
  tail -n 3 "$work/log" >&2
  exit 1
fi
dpkg-deb --fsys-tarfile "$work"/docker-compose_*.deb |
  tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$work/docker-compose"
chmod 755 "$work/docker-compose"
mv "$work/docker-compose" "$dir/docker-compose"
echo "$dir/docker-compose"
