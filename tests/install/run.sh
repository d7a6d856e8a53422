#!/usr/bin/env bash
# Installs a build into a temporary folder, and builds and runs a program
# against it that knows nothing of the repository.
#
#   tests/install/run.sh BUILD_DIR
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "$1")
folder=$(mktemp -d)
daemons=()
end() {
  if ((${#daemons[@]} > 0)); then
    kill "${daemons[@]}" || true
    wait "${daemons[@]}" || true
  fi
  rm -rf "$folder"
}
trap end EXIT

cmake --install "$build" --prefix "$folder/prefix" >"$folder/install.log" ||
  { cat "$folder/install.log"; exit 1; }

# Without a trace of the repository, its headers and its build.
cp -r tests/install/consumer "$folder/consumer"
cmake -S "$folder/consumer" -B "$folder/build" -G Ninja \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$folder/prefix"
cmake --build "$folder/build"

expect() { # what, expected, actual
  if [[ $2 != "$3" ]]; then
    printf 'error: %s\nexpected:\n%s\ngot:\n%s\n' "$1" "$2" "$3" >&2
    exit 1
  fi
}
chunks=$("$folder/build/consumer")
expect 'the program prints other selections' 14 "$(wc -l <<<"$chunks")"
expect 'the first selection is another' 'y=0:3 x=0:1' "$(head -n 1 <<<"$chunks")"
expect 'the last selection is another' 'y=3:5 x=6:7' "$(tail -n 1 <<<"$chunks")"

# The example that the documentation shows.
cp -r docs/examples/map_collect "$folder/map_collect"
cmake -S "$folder/map_collect" -B "$folder/map_collect_build" -G Ninja \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$folder/prefix"
cmake --build "$folder/map_collect_build"
"$folder/prefix/bin/internode" simulate "$folder/cube.nc" --size y=6,x=5 \
  --dates 100
sync=$("$folder/map_collect_build/greenest" "$folder/cube.nc")
threads=$("$folder/map_collect_build/greenest" "$folder/cube.nc" \
  --executor threads 3)
expect 'threads change what the example prints' "$sync" "$threads"
expect 'the example misses pixels' 30 \
  "$(cut -d ' ' -f 1,2 <<<"$sync" | sort -u | wc -l)"

# A job on a local cluster of the installed daemons.
cp -r docs/examples/run_job "$folder/run_job"
cmake -S "$folder/run_job" -B "$folder/run_job_build" -G Ninja \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$folder/prefix"
cmake --build "$folder/run_job_build"
lines=$(INTERNODE_BIN_DIR="$folder/prefix/bin" \
  "$folder/run_job_build/run_job" harmonic "$folder/cube.nc" \
  "$folder/cluster.nc")
expect 'the cluster has other workers' 1 "$(grep -c '^Workers: 2$' <<<"$lines")"
"$folder/prefix/bin/internode" run harmonic "$folder/cube.nc" \
  -o "$folder/sync.nc" --executor sync
cmp "$folder/sync.nc" "$folder/cluster.nc"

# A function of one's own, on the workers of a local cluster.
cmake -S docs/examples/function_cpp -B "$folder/function" -G Ninja \
  -DINTERNODE_INCLUDE_DIR="$folder/prefix/include"
cmake --build "$folder/function"
for executor in --executor=sync --nprocs=2; do
  "$folder/prefix/bin/internode" run greenest "$folder/cube.nc" \
    -o "$folder/greenest$executor.nc" --function-path "$folder/function" \
    "$executor"
done
cmp "$folder/greenest--executor=sync.nc" "$folder/greenest--nprocs=2.nc"

# Both on daemons that run already: the operator gives the function to a worker.
mkfifo "$folder/ready"
"$folder/prefix/bin/internode-scheduler" -q --listen 127.0.0.1:0 --http off \
  --state-dir "$folder/state" --ready-fd 9 9>"$folder/ready" &
daemons+=($!)
read -r ready <"$folder/ready"
address=$(sed -E 's/.*"address":"([^"]*)".*/\1/' <<<"$ready")
"$folder/prefix/bin/internode-worker" "$address" -q --nworkers 2 \
  --data-root "$folder" --function-path "$folder/function" &
daemons+=($!)
"$folder/run_job_build/run_job" harmonic "$folder/cube.nc" \
  "$folder/daemons.nc" "$address"
cmp "$folder/sync.nc" "$folder/daemons.nc"
"$folder/prefix/bin/internode" run greenest "$folder/cube.nc" \
  -o "$folder/greenest_daemons.nc" --scheduler "$address"
cmp "$folder/greenest--executor=sync.nc" "$folder/greenest_daemons.nc"

# No installed header may ask for more than Abseil's few.
if grep -rnE '#include [<"](hdf5|H5|grpc|google/|base/|core/|cube/|functions/)' \
  "$folder/prefix/include"; then
  echo 'error: an installed header includes what is not installed' >&2
  exit 1
fi

"$folder/prefix/bin/internode" --version
echo 'install: a program outside the repository builds and runs'
