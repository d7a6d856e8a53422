#!/usr/bin/env bash
# Makes the image internode:test, which the tests here run.
#
#   deploy/tests/image.sh [BUILD]    BUILD: by default build/release
#
# Programs that were built on this machine are put on the run-time stage of
# deploy/Dockerfile if this machine is the same Debian as the base image, which
# takes seconds; else, or with --whole, the image is built as users build it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

whole=false
if [[ ${1:-} == --whole ]]; then
  whole=true
  shift
fi
build=${1:-build/release}

release_of() { sed -nE 's/^(ID|VERSION_ID)=//p' "$@" | tr -d '"\n'; }
base=$(docker run --rm --entrypoint cat debian:bookworm-slim /etc/os-release | release_of)

if $whole || [[ $(release_of /etc/os-release) != "$base" ]]; then
  docker build -q -f deploy/Dockerfile -t internode:test .
  exit
fi
docker build -q -f deploy/Dockerfile --target runtime -t internode:runtime . >/dev/null
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
for program in internode internode-scheduler internode-worker; do
  strip -o "$context/$program" "$build/bin/$program"
  chmod 755 "$context/$program"
done
printf 'FROM internode:runtime\nCOPY internode* /usr/local/bin/\n' >"$context/Dockerfile"
docker build -q -t internode:test "$context"
