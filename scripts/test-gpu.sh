#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test-gpu.sh [BUILD-FOLDER [NAME…]]: run the tests that need GPUs, all or those named, as they were
# built (`make test-gpu` builds them); the last line counts. A test that exits with 77 cannot run
# here and says why. RECORDINGS=FOLDER keeps what the runs recorded.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

build=${1:-build}
shift || true
command=$PWD/$build/bin/deepxtrace
logs=$build/test-gpu
mkdir -p "$logs"
passed=0 failed=0 skipped=0
running= # the process of the test under way

# stopped STATUS: whoever ends this script ends its jobs on the GPUs with it.
stopped()
{
    trap '' INT TERM HUP
    if [[ -n $running ]]; then
        kill -TERM "$running" 2> /dev/null
        wait "$running" 2> /dev/null
    fi
    exit "$1"
}
trap 'stopped 129' HUP
trap 'stopped 130' INT
trap 'stopped 143' TERM

# run_test NAME COMMAND…
run_test()
{
    local name=$1 result status
    shift
    # What `timeout` is told to end, it tells to all processes of the test.
    timeout --kill-after=10 "${DXT_GPU_TEST_SECONDS:-300}" "$@" > "$logs/$name.log" 2>&1 < /dev/null &
    running=$!
    wait "$running"
    status=$?
    running=
    case $status in
    0) passed=$((passed + 1)) result=ok ;;
    "$SKIP") skipped=$((skipped + 1)) result="skipped: $(tail -n 1 "$logs/$name.log")" ;;
    *) failed=$((failed + 1)) result=FAILED ;;
    esac
    printf 'gpu %-18s %s\n' "$name" "$result"
    if [[ $result == FAILED ]]; then tail -n 40 "$logs/$name.log" | sed 's/^/    /'; fi
}

wanted()
{
    local name
    if ((${#only[@]} == 0)); then return 0; fi
    for name in "${only[@]}"; do if [[ $name == "$1" ]]; then return 0; fi; done
    return 1
}

only=("$@")
for program in "$build"/bin/gpu/test_*; do
    name=${program##*/}
    if [[ -x $program ]] && wanted "$name"; then run_test "$name" "$program"; fi
done
for script in tests/gpu/*.sh; do
    name=${script##*/}
    name=${name%.sh}
    if [[ $name == common ]] || ! wanted "$name"; then continue; fi
    extra=()
    if [[ $name == exact && -n ${RECORDINGS:-} ]]; then extra=("$RECORDINGS"); fi
    run_test "$name" bash "$script" "$command" ${extra[@]+"${extra[@]}"}
done
# The Python package, with a Python whose torch sees a GPU.
export PYTHONPATH=$PWD/python DEEPXTRACE_LIBRARY_PATH=$PWD/$build/lib PYTHONDONTWRITEBYTECODE=1
# with_torch MODULES ARGUMENT…: run Python, or exit with 77.
with_torch()
{
    scripts/python.sh torch,numpy -c 'import sys, torch
sys.exit(0 if torch.cuda.is_available() else "torch sees no GPU")' || return 77
    scripts/python.sh "$@"
}
export -f with_torch
if wanted python_cuda; then
    run_test python_cuda bash -c 'with_torch torch,numpy,pytest -m pytest -q -p no:cacheprovider \
        tests/gpu/test_python_cuda.py'
fi
if wanted attach_graphs; then
    run_test attach_graphs bash -c 'with_torch torch,numpy tests/gpu/attach_graphs.py'
fi
# With the real DeepEP, where it is installed.
for name in count_deepep sample_deepep; do
    if wanted "$name"; then
        run_test "$name" bash -c "with_torch torch,numpy,deep_ep tests/gpu/$name.py"
    fi
done
count_line "$passed" "$failed" "$skipped"
((failed == 0))
