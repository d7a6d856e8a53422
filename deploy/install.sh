#!/usr/bin/env bash
# Installs the programs, systemd's units and a file of settings for each. What
# was changed in the files of settings stays; installing again is an update.
#
#   deploy/install.sh                      below /usr/local, as root
#   deploy/install.sh --secrets NAME       and makes certificates and tokens, on the
#                                          scheduler's machine: NAME is how workers
#                                          reach it; may be repeated
#   deploy/install.sh --prefix DIR         elsewhere
#   deploy/install.sh --destdir DIR        below DIR, for a package: no user is
#                                          made, no service touched
#   deploy/install.sh --build DIR          programs from there (build/release)
#   deploy/install.sh --uninstall          takes away what it installed; settings,
#                                          secrets and state stay
#
# Then: systemctl enable --now internode-scheduler, or internode-worker@1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=/usr/local
destdir=
build=$here/../build/release
uninstall=false
names=()

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }
die() {
  echo "error: $1" >&2
  exit "${2:-1}"
}

while (($# > 0)); do
  case $1 in
    --prefix | --destdir | --build | --secrets)
      [[ -n ${2:-} ]] || die "$1 needs a value" 2
      case $1 in
        --prefix) prefix=$2 ;;
        --destdir) destdir=$2 ;;
        --build) build=$2 ;;
        --secrets) names+=("$2") ;;
      esac
      shift
      ;;
    --uninstall) uninstall=true ;;
    -h | --help) usage; exit 0 ;;
    *) die "unknown option '$1'; options are --secrets, --prefix, --destdir, --build, --uninstall" 2 ;;
  esac
  shift
done
[[ $prefix == /* ]] || die "--prefix '$prefix': it begins with /" 2

readonly PROGRAMS=(internode internode-scheduler internode-worker)
readonly UNITS=(internode-scheduler.service internode-worker@.service)
bindir=$destdir$prefix/bin
unitdir=$destdir/etc/systemd/system
sysusers=$destdir/etc/sysusers.d/internode.conf
settings=$destdir/etc/internode
secrets=$settings/secrets

# Whether services of this machine are concerned, and run by systemd.
has_systemd() { [[ -z $destdir && -d /run/systemd/system ]]; }

if $uninstall; then
  if has_systemd; then
    systemctl disable --now internode-scheduler.service 'internode-worker@*.service' \
      >/dev/null 2>&1 || true
  fi
  for program in "${PROGRAMS[@]}" internode-secrets; do rm -f "$bindir/$program"; done
  for unit in "${UNITS[@]}"; do rm -f "$unitdir/$unit"; done
  rm -f "$sysusers" "$settings"/{scheduler,worker}.env.default
  if has_systemd; then systemctl daemon-reload; fi
  echo "uninstalled; $settings and the state stay"
  exit 0
fi

for program in "${PROGRAMS[@]}"; do
  [[ -x $build/bin/$program ]] ||
    die "there is no $build/bin/$program: build first, or name the folder with --build"
done

# To a file beside it, then renamed: a program that runs cannot be overwritten.
put() { # mode, file, target
  install -D -m "$1" "$2" "$3.new"
  mv -f "$3.new" "$3"
}

for program in "${PROGRAMS[@]}"; do put 0755 "$build/bin/$program" "$bindir/$program"; done
put 0755 "$here/internode-secrets.sh" "$bindir/internode-secrets"
filled=$(mktemp)
trap 'rm -f "$filled"' EXIT
for unit in "${UNITS[@]}"; do
  sed "s|@bindir@|$prefix/bin|" "$here/systemd/$unit" >"$filled"
  put 0644 "$filled" "$unitdir/$unit"
done
put 0644 "$here/systemd/internode.sysusers" "$sysusers"
for name in scheduler worker; do
  put 0644 "$here/systemd/$name.env" "$settings/$name.env.default"
  if [[ -e $settings/$name.env ]]; then
    echo "kept $settings/$name.env; what is new is in $name.env.default"
  else
    put 0644 "$here/systemd/$name.env" "$settings/$name.env"
  fi
done

if [[ -z $destdir ]] && ! getent passwd internode >/dev/null; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers "$sysusers"
  else
    useradd --system --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin internode
  fi
fi
install -d -m 0755 "$settings" "$secrets"
if ((${#names[@]} > 0)); then
  PATH=$bindir:$PATH internode-secrets "$secrets" "${names[@]}"
  # The scheduler reads its tokens anew when they change; the rest is handed to
  # the services by systemd.
  if [[ -z $destdir ]]; then chown -R internode:internode "$secrets/scheduler"; fi
fi
if has_systemd; then systemctl daemon-reload; fi
echo "installed below $destdir$prefix"
