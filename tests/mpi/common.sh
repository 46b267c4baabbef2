# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of the tests in this folder. Each is given which MPI ("openmpi", "mpich"), and where its
# mpirun is, as $1 and $2.
set -u
mpi=$1
mpirun=$2
shift 2
# Exit status of a test that cannot run here.
export SKIP=77

# In a build with sanitizers: MPI keeps memory to the end, and has unloaded its plugins by then, so
# that LeakSanitizer could not say whose it is.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

# shellcheck source=tests/support/jobs.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/jobs.sh"

skip()
{
    echo "skipped: $*"
    exit "$SKIP"
}

# Options of mpirun that a machine with few processors, a container and a test need.
options=()
if [[ $mpi == openmpi ]]; then
    options=(--oversubscribe --bind-to none)
    if (($(id -u) == 0)); then options+=(--allow-run-as-root); fi
fi

# launch RANKS PROGRAM…
launch()
{
    local ranks=$1
    shift
    "$mpirun" "${options[@]}" -n "$ranks" "$@"
}

# In tests of the command: where it is.
# shellcheck disable=SC2034 # for those who include this
deepxtrace=${DXT_BIN_DIR:-}/deepxtrace

# named: every (phase, kind, subject) of the verdict over the whole run, which is the last two lines. That
# everybody waits for everybody, as on a busy machine, names nobody.
named()
{
    grep '^{' "$scratch/out" | tail -n 2 | jq -r '.phase as $phase | .findings[] | select(.kind != "systemic_skew") |
        "\($phase) \(.kind) \(.rank // .path // .node)"' | sort
}

# expect WANT: what the run named, all on one line.
expect()
{
    local have
    have=$(named | paste -sd ' ')
    [[ $have == "$1" ]] || fail "named '$have', not '$1'"
}

windows() { grep -c '^{' "$scratch/out"; }
windows_at_least() { (($(windows) >= $1)); }

# The ranks of this test have this in their environment, which mpirun hands on.
export DXT_TEST_SCRATCH=$scratch

# ranks_with LINE: processes of this test that have that line in their environment, too.
ranks_with()
{
    local pid
    for pid in $(pgrep -f "^$deepxtrace job --engine mpi"); do
        if [[ $(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null |
            grep -cxE "DXT_TEST_SCRATCH=$scratch|$1") == 2 ]]; then
            echo "$pid"
        fi
    done
}

pid_of_rank()
{
    local pid
    pid=$(ranks_with "(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1" | head -n 1)
    [[ -n $pid ]] && echo "$pid"
}

# A stopped rank does not end with its mpirun.
cleanup()
{
    local left
    mapfile -t left < <(ranks_with "(OMPI_COMM_WORLD_RANK|PMI_RANK)=[0-9]+")
    kill -KILL "${left[@]}" "${job:-}" 2>/dev/null || true
}
