#!/bin/sh
# Makes what a scheduler, its workers and its clients need to trust each other:
# a CA with certificates, and tokens. What is there already stays.
#
#   internode-secrets DIR [NAME...]       NAME: a DNS name or IP address by which
#                                         workers and clients reach the scheduler
#   internode-secrets DIR --renew [NAME...]   the certificates anew, the CA kept
#
# In DIR, each folder for one party and nobody else:
#
#   ca/         the CA with its key: stays where it was made
#   scheduler/  server.crt, server.key, ca.crt, tokens (hashed)
#   worker/     ca.crt, token; tokens (hashed) of who may read its metrics
#   client/     ca.crt, token of an administrator
#   monitor/    ca.crt; token, worker-token: may read the metrics of the two
#
# More tokens: internode token create --tokens DIR/scheduler/tokens --role …
set -eu

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

case ${1:-} in
  -h | --help) usage; exit 0 ;;
  '' | -*)
    echo "error: name the folder first; see internode-secrets --help" >&2
    exit 2
    ;;
esac
dir=$1
shift
mode=--if-missing
if [ "${1:-}" = --renew ]; then
  mode=--renew
  shift
fi
umask 077

# Each NAME becomes a pair of words.
count=$#
while [ "$count" -gt 0 ]; do
  set -- "$@" --name "$1"
  shift
  count=$((count - 1))
done

for party in ca scheduler worker client monitor; do mkdir -p "$dir/$party"; done
internode tls init "$dir/ca/tls" "$mode" "$@"

# By renaming: whoever reads it meanwhile sees the old or the new one.
give() { # file of the CA's folder, folder
  cp "$dir/ca/tls/$1" "$2/.$1.new"
  mv -f "$2/.$1.new" "$2/$1"
}
for party in scheduler worker client monitor; do give ca.crt "$dir/$party"; done
give server.crt "$dir/scheduler"
give server.key "$dir/scheduler"

token() { # list, role, name, file
  internode token create --tokens "$dir/$1" --role "$2" --name "$3" \
    --expires never --out "$dir/$4" --if-missing
}
token scheduler/tokens worker workers worker/token
token scheduler/tokens admin admin client/token
token scheduler/tokens read monitor monitor/token
token worker/tokens read monitor monitor/worker-token
