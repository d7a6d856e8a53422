#!/usr/bin/env bash
# Runs the tests of the ways of deploying with a real Docker engine: Compose on
# one machine, several machines, a Swarm.
#
#   deploy/tests/run.sh [BUILD]    BUILD: programs are taken from there, by default
#                                  build/release
#
# Where no engine answers, one is started if dockerd is installed and this is
# root (deploy/install-packages.sh --deploy), and ended again. Where there is none,
# that is said, and nothing fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build/release}")

not_run() {
  echo "NOT RUN: the tests of Docker, Compose and Swarm: $1"
  exit 0
}

folder=$(mktemp -d)
engine=
trap '[[ -z $engine ]] || { kill "$engine"; wait "$engine"; }; rm -rf "$folder"' EXIT

command -v docker >/dev/null || not_run 'there is no docker'
if ! docker info >/dev/null 2>&1; then
  if ! command -v dockerd >/dev/null || ((EUID != 0)); then
    not_run 'no Docker engine answers, and none can be started here'
  fi
  dockerd --pidfile "$folder/pid" >"$folder/dockerd.log" 2>&1 &
  engine=$!
  # `docker events` ends at once as long as there is no engine.
  for ((tries = 0; tries < 300; ++tries)); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || break
    read -rt 0.1 <> <(:) || true
  done
  if ! docker info >/dev/null 2>&1; then
    tail -n 3 "$folder/dockerd.log"
    engine=
    not_run 'the Docker engine does not start here (see above)'
  fi
fi
if ! docker-compose version >/dev/null 2>&1 && ! docker compose version >/dev/null 2>&1; then
  not_run 'there is no docker-compose'
fi
if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1 &&
  ! docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
  deploy/tests/base-image.sh || not_run 'there is no base image'
fi

deploy/tests/image.sh "$build"
export INTERNODE_SOURCE_DIR=$PWD INTERNODE_BUILD_DIR=$build INTERNODE_BIN_DIR=$build/bin
export PYTHONPATH=$PWD/tests/support:$PWD/deploy/tests PYTHONDONTWRITEBYTECODE=1
failed=0
for test in compose hosts swarm; do
  echo "== $test"
  /usr/bin/python3 "deploy/tests/${test}_test.py" || failed=1
done
if ((failed == 0)); then echo 'deploy: Compose, several machines and Swarm work'; fi
exit "$failed"
