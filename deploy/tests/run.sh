#!/usr/bin/env bash
# Runs the tests of the ways of deploying with a real Docker engine: the image,
# Compose on one machine and with Prometheus, several machines, a Swarm.
#
#   deploy/tests/run.sh [--image IMAGE] [--only TEST] [BUILD]
#
#   BUILD    programs are taken from there, by default build/release
#   --image  this image, as it is; by default one is made of those programs
#   --only   one of the tests: image, compose, monitoring, hosts, swarm, compose-v2
#
# Where no engine answers, one is started if dockerd is installed and this is
# root (deploy/install-packages.sh --deploy), and ended again. Where there is none,
# that is said, and nothing fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }
tests='image compose monitoring hosts swarm compose-v2'
image=
while [[ ${1:-} == -* ]]; do
  case $1 in
    --image)
      image=${2:?"--image needs a name"}
      shift
      ;;
    --only)
      if [[ " $tests " != *" ${2:?"--only needs a name"} "* ]]; then
        echo "error: there is no test '$2'; there are $tests" >&2
        exit 2
      fi
      tests=$2
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "error: unknown option '$1'; options are --image, --only" >&2
      exit 2
      ;;
  esac
  shift
done
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

if [[ -z $image ]]; then
  if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1 &&
    ! docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
    deploy/tests/base-image.sh || not_run 'there is no base image'
  fi
  deploy/tests/image.sh "$build"
  image=internode:test
fi

export INTERNODE_SOURCE_DIR=$PWD INTERNODE_BUILD_DIR=$build INTERNODE_BIN_DIR=$build/bin
export INTERNODE_TEST_IMAGE=$image
export PYTHONPATH=$PWD/tests/support:$PWD/deploy/tests PYTHONDONTWRITEBYTECODE=1
failed=0
worked=()
run() { # name, environment
  echo "== $1"
  if env "${@:2}" /usr/bin/python3 "deploy/tests/${1%-v2}_test.py"; then
    worked+=("$1")
  else
    failed=1
  fi
}
for test in $tests; do
  if [[ $test != *-v2 ]]; then
    run "$test"
  elif compose=$(deploy/tests/compose-v2.sh "$build/compose-v2"); then
    run "$test" INTERNODE_TEST_COMPOSE="$compose"
  else
    echo 'NOT RUN: the tests with Compose v2: there is none, and Debian 13 is not reached'
  fi
done
echo "deploy: these work: ${worked[*]:-none}"
exit "$failed"
