#!/usr/bin/env bash
# Shows Internode at work on a fresh Debian 12 machine: installs what is missing,
# builds, makes a cube of simulated observations, starts a local cluster (a
# scheduler and worker processes), runs a function over each of the cube's pixels
# on it, and looks into the file of segments.
#
#   deploy/demo.sh [FUNCTION]     by default ccdc; harmonic, stats, noop
#
# May be run again and again. Everything goes to DEMO_DIR (build/demo).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

function=${1:-ccdc}
demo_dir=${DEMO_DIR:-build/demo}
build_dir=build/demo-release
jobs=${JOBS:-$(nproc)}
cube=$demo_dir/cube.nc
segments=$demo_dir/$function.nc

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
  exit 0
fi

say() { printf '\n== %s\n' "$*"; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}

# One column of the first records, under its name; times as dates (of which
# ncdump complains where there is none).
first_records() { # variable
  printf '%s\n' "$1"
  ncdump -t -v "$1" "$segments" 2>/dev/null | sed '1,/^data:/d' | tr -d '\n "' |
    sed -E 's/.*=(.*);.*/\1/' | tr ',' '\n' | sed -n '1,8p'
}

say 'Packages that Internode is built from'
deploy/install-packages.sh --demo

say "Building the programs (log: $demo_dir/build.log)"
mkdir -p "$demo_dir"
if ! {
  cmake -S . -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DINTERNODE_BUILD_TESTS=OFF -DINTERNODE_BUILD_BENCHMARKS=OFF &&
    cmake --build "$build_dir" -j "$jobs" --target \
      internode internode-scheduler internode-worker
} >"$demo_dir/build.log" 2>&1; then
  tail -n 40 "$demo_dir/build.log" >&2
  echo "error: the build failed (all of it: $demo_dir/build.log)" >&2
  exit 1
fi
PATH=$PWD/$build_dir/bin:$PATH
run internode --version

say 'A cube of 120 x 120 pixels and 300 dates, with breaks that are known'
run internode simulate "$cube" --size y=120,x=120 --dates 300 --seed 7 \
  --storage-chunks y=40,x=40 --deflate 4 --overwrite
run internode cube info "$cube"

say "Every pixel through '$function', on a local cluster of $jobs worker processes"
run internode run "$function" "$cube" -o "$segments" \
  --nprocs "$jobs" --nthreads 1 --overwrite

say 'The same on threads of one process: the same bytes'
threads=$demo_dir/$function-threads.nc
run internode run "$function" "$cube" -o "$threads" \
  --executor threads "$jobs" --overwrite --quiet
run cmp "$segments" "$threads"
(cd "$demo_dir" && sha256sum "$function.nc" "$function-threads.nc")

say 'What is in the file'
run internode segments info "$segments"
printf '$ ncdump -h %s\n' "$segments"
ncdump -h "$segments" >"$demo_dir/header.txt"
sed -n '1,12p' "$demo_dir/header.txt"
echo "  ... (all of it: $demo_dir/header.txt)"

say 'The first records: the pixel, and the dates between which it was stable'
for variable in py px t_start t_end; do
  first_records "$variable" >"$demo_dir/$variable.txt"
done
(cd "$demo_dir" && paste py.txt px.txt t_start.txt t_end.txt) |
  awk '{printf "%4s %4s  %-12s %-12s\n", $1, $2, $3, $4}'

say "Done. The segments are in $segments"
cat <<TEXT
Any program that reads NetCDF-4 opens them:
  python3 -c "import xarray; print(xarray.open_dataset('$segments'))"
Next: 'internode --help', README.md
TEXT
