#!/usr/bin/env bash
# Builds and checks everything. Ends with a line `N passed, N failed` and with
# 0 only if nothing failed.
#
#   tests/run.sh               the steps that a change has to pass
#   tests/run.sh --thorough    and clang-tidy, and the address sanitizer over all
#                              other tests
#   tests/run.sh --only STEP   that step and what it needs; may be repeated
#   tests/run.sh --list        the steps
#
# What each step says is in build/logs/STEP.log. Reference data is looked for in
# INTERNODE_SHARED_DATA (by default ../shared/data from the repository): where it
# is missing, the tests that need it are skipped, but fail if CI is set.
# JOBS sets how many processors are used, by default all.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly STEPS=(packages shared-data format text shell layers build tests install
  deploy headers asan-core tsan fuzz tidy asan)
readonly THOROUGH_STEPS=(tidy asan)
# What has to be done first, where something is.
declare -rA NEEDS=([build]=packages [format]=packages [shell]=packages [tests]=build
  [headers]=build [install]=build [deploy]=build [tidy]=build [fuzz]=packages
  [asan-core]=packages [asan]=packages [tsan]=packages)

# A step that mostly waits, and the next one, which is begun beside it with the
# lowest priority.
declare -rA BESIDE=([deploy]=headers)

jobs=${JOBS:-$(nproc)}
logs=build/logs
passed=0
failed=0
declare -A state=()
declare -A begun=()
selected=()
failures=()
timings=()

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

contains() {
  local wanted=$1 item
  shift
  for item in "$@"; do [[ $item == "$wanted" ]] && return 0; done
  return 1
}

# --- The steps: each writes to stdout, and ends with 0 if all is well. A step
# that runs CTest leaves its counts in ctest_passed and ctest_failed.

step_packages() { deploy/install-packages.sh --test; }

step_shared-data() {
  if [[ -d $INTERNODE_SHARED_DATA ]]; then
    echo "reference data: $INTERNODE_SHARED_DATA"
    return 0
  fi
  echo "reference data is missing: there is no folder $INTERNODE_SHARED_DATA"
  [[ -z ${CI:-} ]]
}

step_format() {
  local sources
  mapfile -t sources < <(
    git ls-files -- '*.h' '*.c' '*.cc' '*.cpp' | while read -r file; do
      [[ -f $file ]] && echo "$file"
    done
  )
  clang-format-14 --dry-run -Werror "${sources[@]}" &&
    echo "format: ${#sources[@]} files"
}

step_text() { tools/check_text.py; }

step_shell() {
  local scripts
  mapfile -t scripts < <(git grep -lE '^#!.*(bash|sh)$' -- . ':!*.py')
  shellcheck "${scripts[@]}" && echo "shell: ${#scripts[@]} scripts"
}

step_layers() { tools/check_layers.py; }

configure_and_build() { # preset, arguments of the build
  local preset=$1
  shift
  cmake --preset "$preset" && cmake --build "build/$preset" -j "$jobs" "$@"
}

ctest=(ctest)
run_ctest() { # preset, arguments of ctest
  local preset=$1 code summary
  shift
  "${ctest[@]}" --test-dir "build/$preset" -j "$jobs" --output-on-failure \
    --no-tests=error "$@" 2>&1 | tee "$logs/ctest-$preset.log"
  code=${PIPESTATUS[0]}
  summary=$(grep -E '[0-9]+% tests passed' "$logs/ctest-$preset.log")
  if [[ $summary =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
    ctest_failed=${BASH_REMATCH[1]}
    ctest_passed=$((BASH_REMATCH[2] - BASH_REMATCH[1]))
    # CTest counts the skipped among the passed.
    ctest_passed=$((ctest_passed - $(grep -c '\*\*\*Skipped' "$logs/ctest-$preset.log")))
  fi
  return "$code"
}

step_build() { configure_and_build release; }

step_tests() { run_ctest release; }

step_headers() { tools/check_headers.py build/release "$jobs"; }

step_install() { tests/install/run.sh build/release; }

# Says that it was not run where there is no Docker engine.
step_deploy() { deploy/tests/run.sh build/release; }

step_tidy() { tools/run_tidy.py build/release "$jobs"; }

# Tests with the label `tools` run none of the project's programs; those with
# `release` measure time or memory, which a sanitizer changes.
step_asan-core() {
  configure_and_build asan --target internode_core_tests || return
  run_asan -L core -LE release
}

step_asan() {
  configure_and_build asan || return
  run_asan -LE 'core|tools|release|bench'
}

run_asan() { # arguments of ctest
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
  UBSAN_OPTIONS=print_stacktrace=1 \
    run_ctest asan "$@"
}

# gRPC and Abseil come without the thread sanitizer's instrumentation: the tests
# with this label do without the first, and base/mutex.h tells of the second.
step_tsan() {
  configure_and_build tsan --target internode_thread_tests || return
  local ctest=(ctest)
  # A kernel may place programs more at random than the sanitizer can follow.
  if setarch -R true; then ctest=(setarch -R ctest); fi
  TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/tsan.supp \
    run_ctest tsan -L threads
}

step_fuzz() { JOBS=$jobs tests/fuzz/run.sh 60; }

# --- Running them.

# Processor time of all that has been waited for, in seconds: unlike the time on
# the clock, it does not depend on what else the machine does.
cpu_seconds() {
  local fields
  read -r -a fields <"/proc/$$/stat"
  echo $(((fields[15] + fields[16]) / $(getconf CLK_TCK)))
}

run_step() {
  local step=$1 need=${NEEDS[$1]:-} begin cpu_begin seconds cpu code
  [[ -n ${state[$step]:-} ]] && return
  if [[ -n $need ]]; then
    run_step "$need"
    if [[ ${state[$need]} != passed ]]; then
      state[$step]=failed
      failed=$((failed + 1))
      failures+=("$step: not run, because $need failed")
      printf '%-12s not run: %s failed\n' "$step" "$need"
      return
    fi
  fi
  ctest_passed='' ctest_failed=''
  printf '%-12s ' "$step"
  begin=$SECONDS
  cpu_begin=$(cpu_seconds)
  if [[ -n ${begun[$step]:-} ]]; then
    wait "${begun[$step]}"
    code=$?
  else
    begin_beside "${BESIDE[$step]:-}"
    "step_$step" >"$logs/$step.log" 2>&1 </dev/null
    code=$?
  fi
  seconds=$((SECONDS - begin))
  cpu=$(($(cpu_seconds) - cpu_begin))
  timings+=("$(printf '%-12s %5d s %6d s' "$step" "$seconds" "$cpu")")
  count "$step" "$code"
  printf '%-6s %5d s  %s\n' "${state[$step]}" "$seconds" \
    "$(tail -n 1 "$logs/$step.log")"
  if [[ ${state[$step]} == failed ]]; then
    sed 's/^/    /' "$logs/$step.log" | tail -n 60
    echo "    (all of it: $logs/$step.log)"
  fi
}

begin_beside() { # step, or nothing
  [[ -n $1 ]] && contains "$1" "${selected[@]}" || return 0
  [[ ${state[${NEEDS[$1]}]:-} == passed ]] || return 0
  (
    renice -n 19 "$BASHPID"
    "step_$1"
  ) >"$logs/$1.log" 2>&1 </dev/null &
  begun[$1]=$!
}

# A step counts as one; one that ran CTest as what CTest ran.
count() { # step, its exit code
  state[$1]=passed
  if [[ -n $ctest_passed ]]; then
    passed=$((passed + ctest_passed))
    failed=$((failed + ctest_failed))
    if (($2 != 0 && ctest_failed == 0)); then failed=$((failed + 1)); fi
  elif (($2 == 0)); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
  if (($2 != 0)); then
    state[$1]=failed
    failures+=("$1")
  fi
}

# Names every test that was skipped, with what it said.
report_skipped() {
  grep -hs '^NOT RUN' "$logs/deploy.log"
  local log=build/release/Testing/Temporary/LastTest.log
  [[ ${state[tests]:-} != '' && -f $log ]] || return 0
  awk '/^Skipped$/ {getline; print} /^shared data is missing/ {print}' "$log" |
    sort | uniq -c | awk '{n = $1; $1 = ""; print "skipped " n " times:" $0}'
}

main() {
  local thorough=false only=() step
  while (($# > 0)); do
    case $1 in
      --thorough) thorough=true ;;
      --only)
        if ! contains "${2:-}" "${STEPS[@]}"; then
          echo "error: no step '${2:-}'; steps are ${STEPS[*]}" >&2
          exit 2
        fi
        only+=("$2")
        shift
        ;;
      --list) printf '%s\n' "${STEPS[@]}"; exit 0 ;;
      -h | --help) usage; exit 0 ;;
      *)
        echo "error: unknown option '$1'; see tests/run.sh --help" >&2
        exit 2
        ;;
    esac
    shift
  done

  INTERNODE_SHARED_DATA=$(realpath -m "${INTERNODE_SHARED_DATA:-../shared/data}")
  # Compilations are found again in the cache from whichever folder.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  export INTERNODE_SHARED_DATA PYTHONDONTWRITEBYTECODE=1
  mkdir -p "$logs"

  for step in "${STEPS[@]}"; do
    if ((${#only[@]} > 0)) && ! contains "$step" "${only[@]}"; then continue; fi
    if ! $thorough && ((${#only[@]} == 0)) &&
      contains "$step" "${THOROUGH_STEPS[@]}"; then
      continue
    fi
    selected+=("$step")
  done
  for step in "${selected[@]}"; do run_step "$step"; done

  echo
  printf '%-12s %7s %8s\n' step time CPU
  printf '%s\n' "${timings[@]}"
  printf '%-12s %5d s %6d s\n' total "$SECONDS" "$(cpu_seconds)"
  report_skipped
  if ((${#failures[@]} > 0)); then
    echo
    printf 'failed: %s\n' "${failures[@]}"
  fi
  echo "$passed passed, $failed failed"
  ((failed == 0))
}

main "$@"
