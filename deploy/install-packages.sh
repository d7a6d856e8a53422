#!/usr/bin/env bash
# Installs the Debian packages that Internode needs and that are not there yet.
#
#   deploy/install-packages.sh          what the programs are built from
#   deploy/install-packages.sh --run    only what the built programs run with
#   deploy/install-packages.sh --demo   also what ./deploy/demo.sh needs
#   deploy/install-packages.sh --test   also what ./tests/run.sh needs
#   deploy/install-packages.sh --deploy and what its tests with Docker need
#   deploy/install-packages.sh --list   prints the names, installs nothing
#                                       (--test --list: all of them)
#
# Needs root, or sudo, only if something is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kinds='build'
list_only=false

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

for arg in "$@"; do
  case $arg in
    --run) kinds='run' ;;
    --demo) kinds='build|demo' ;;
    --test) kinds='build|demo|test' ;;
    --deploy) kinds='build|demo|test|deploy' ;;
    --list) list_only=true ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "error: unknown option '$arg'; options are --run, --demo, --test, --deploy, --list" >&2
      exit 2
      ;;
  esac
done

mapfile -t packages < <(
  sed -nE "s/^([a-z0-9][a-z0-9.+-]*) +# ($kinds): .*/\1/p" "$here/packages.txt"
)

if $list_only; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  cat >&2 <<TEXT
error: this is no Debian system (no dpkg and apt-get here), so nothing was
installed. Internode needs, under the names that your system gives them:
$(grep -E "^[a-z0-9].*# ($kinds): " "$here/packages.txt" | sed 's/^/  /')
TEXT
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "packages: all ${#packages[@]} are installed"
  exit 0
fi
echo "packages: installing ${missing[*]}"

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "error: installing needs root and there is no sudo; as root, run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

# apt is quiet unless it fails; then all that it said is shown.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "error: apt-get $1 failed (see above)" >&2
    exit 1
  fi
}
apt update
apt install --no-install-recommends "${missing[@]}"
echo "packages: installed ${#missing[@]}"
