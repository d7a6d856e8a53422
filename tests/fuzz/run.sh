#!/usr/bin/env bash
# Fuzzes every target with libFuzzer, under the address and undefined behaviour
# sanitizers, JOBS (by default 2) at a time, from the corpus in the repository.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]      60 seconds each by default
#
# Needs clang 14 or later; builds in build/fuzz. New inputs are kept in
# build/fuzz/corpus; an input that breaks a target is left in build/fuzz/found,
# and the script ends with 1, with the command that shows it again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-60}
shift || true
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo "error: '$seconds' is no number of seconds; usage: tests/fuzz/run.sh [SECONDS [TARGET...]]" >&2
  exit 2
fi
build=$root/build/fuzz
jobs=${JOBS:-2}
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for folder in "$root"/tests/fuzz/corpus/*/; do
    targets+=("$(basename "$folder")")
  done
fi

cxx=${CXX:-}
if ! [[ $cxx == *clang* ]]; then
  cxx=$(command -v clang++ || command -v clang++-14 ||
        { echo "error: there is no clang++" >&2; exit 2; })
fi
cmake -S "$root" -B "$build" -G Ninja \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_C_COMPILER="${cxx/clang++/clang}" \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
  -DCMAKE_CXX_FLAGS="-fsanitize=fuzzer-no-link -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION" \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 \
  -DINTERNODE_BUILD_BENCHMARKS=OFF \
  -DINTERNODE_SANITIZE=address,undefined > /dev/null
cmake --build "$build" -j "$jobs" --target "${targets[@]}"

fuzz() { # target
  local log=$build/found/$1.log
  mkdir -p "$build/corpus/$1"
  rm -f "$log.failed"
  "$build/bin/$1" -max_total_time="$seconds" -timeout=25 \
    -rss_limit_mb=3000 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$build/found/$1-" \
    "$build/corpus/$1" "$root/tests/fuzz/corpus/$1" >"$log" 2>&1 ||
    touch "$log.failed"
}

mkdir -p "$build/found"
for target in "${targets[@]}"; do
  while (($(jobs -pr | wc -l) >= jobs)); do wait -n; done
  fuzz "$target" &
done
wait

failed=()
for target in "${targets[@]}"; do
  log=$build/found/$target.log
  echo "== $target: ${seconds} s"
  tail -n 40 "$log"
  [ ! -e "$log.failed" ] || failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "error: found by ${failed[*]}; again: $build/bin/TARGET $build/found/FILE" >&2
  exit 1
fi
