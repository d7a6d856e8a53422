#!/usr/bin/env bash
# Makes the image debian:bookworm-slim from Debian's packages, where no image
# registry can be reached. Does nothing if there is an image of that name.
#
#   deploy/tests/base-image.sh             as root; needs debootstrap
#   deploy/tests/base-image.sh --mirror URL
set -euo pipefail

readonly IMAGE=debian:bookworm-slim
mirror=http://deb.debian.org/debian

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

while (($# > 0)); do
  case $1 in
    --mirror)
      mirror=${2:?"--mirror needs a URL"}
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "error: unknown option '$1'; options are --mirror" >&2
      exit 2
      ;;
  esac
  shift
done

if docker image inspect "$IMAGE" >/dev/null 2>&1; then
  echo "base image: $IMAGE is there"
  exit 0
fi
if ! command -v debootstrap >/dev/null; then
  echo "error: there is no image $IMAGE and no debootstrap to make it with" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "error: debootstrap needs root" >&2
  exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
  tail -n 20 "$root.log" >&2
  echo "error: debootstrap failed; all that it said is in $root.log" >&2
  exit 1
}
rm -f "$root.log"
# As the official image has it: no documentation, no package lists; with the
# security updates, which a build takes with its own apt-get.
cat >"$root/etc/apt/sources.list" <<TEXT
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror%/debian}/debian-security bookworm-security main
TEXT
printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n' \
  >"$root/etc/dpkg/dpkg.cfg.d/docker"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/var/log/*.log
tar -C "$root" --numeric-owner -c . | docker import \
  -c 'CMD ["bash"]' -c 'ENV PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  - "$IMAGE" >/dev/null
echo "base image: made $IMAGE, $(docker image inspect -f '{{.Size}}' "$IMAGE") bytes"
