#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run-mpi.sh [RUNS]: what docs/mpi.md claims, with each MPI that is built: how often jobs of 16 ranks
# are judged exactly, what 64 ranks resolve, what rank 0 is busy with, and what operations take next
# to MPI's own. For a machine that does nothing else; RUNS (10) is how often each job is run.
set -u
cd "$(dirname "$0")/.." || exit 1
runs=${1:-10}
bin=$PWD/build/bin
if ! ls "$bin"/mpi_bench-* > /dev/null 2>&1; then
    echo "build/bin/mpi_bench-* is missing; \`cmake --preset test && cmake --build --preset test\` makes it" >&2
    exit 2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

launch()
{
    local ranks=$1 options=()
    shift
    if [[ $mpi == openmpi ]]; then
        options=(--oversubscribe)
        if (($(id -u) == 0)); then options+=(--allow-run-as-root); fi
    fi
    "mpirun.$mpi" "${options[@]}" -n "$ranks" "$@"
}

# named: every (phase, kind, subject) of the whole run.
named()
{
    grep '^{' "$scratch/out" | tail -n 2 | jq -r '.phase as $phase | .findings[] |
        "\($phase) \(.kind) \(.rank // .path // .node)"' | sort | paste -sd ' '
}

# jobs LABEL RANKS WANT OPTION…
jobs()
{
    local label=$1 ranks=$2 want=$3 exact=0 run have
    shift 3
    for ((run = 0; run < runs; run++)); do
        launch "$ranks" "$bin/deepxtrace" job --engine mpi --steps 200 --json "$@" \
            >"$scratch/out" 2>"$scratch/err"
        have=$(named)
        if [[ $have == "$want" ]]; then
            exact=$((exact + 1))
        else
            echo "    run $run named: $have"
        fi
    done
    printf '%-8s %3d ranks  %-50s %d of %d exact\n' "$mpi" "$ranks" "$label" "$exact" "$runs"
}

for mpi in openmpi mpich; do
    [[ -e build/lib/libdeepxtrace-mpi-$mpi.so ]] || continue
    both="combine late_rank 3 dispatch late_rank 2"
    jobs healthy 16 ""
    jobs "dispatch 2 and combine 3 late by 5 ms" 16 "$both" \
        --slow dispatch:2:5ms --slow combine:3:5ms
    jobs "dispatch 2 and combine 3 late by 10 ms" 16 "$both" \
        --slow dispatch:2:10ms --slow combine:3:10ms
    jobs healthy 64 ""
    for delay in 10ms 20ms 40ms; do
        jobs "dispatch 2 and combine 3 late by $delay" 64 "$both" \
            --slow "dispatch:2:$delay" --slow "combine:3:$delay"
    done
    export DEEPXTRACE_MPI_NODE_SIZE=4
    jobs "dispatch 2 and combine 3 late by 10 ms, nodes of 4" 64 "$both" \
        --slow dispatch:2:10ms --slow combine:3:10ms
    unset DEEPXTRACE_MPI_NODE_SIZE
    for ranks in 2 8 16 64; do launch "$ranks" "$bin/deepxtrace" bench gather --mpi | tail -n 1; done
    for size in 0 1; do
        echo "ranks of a node: $([[ $size == 0 ]] && echo all || echo one)"
        for shape in "1 1024" "8 1024" "32 7168" "128 7168"; do
            # shellcheck disable=SC2086 # several words
            DEEPXTRACE_MPI_NODE_SIZE=$size launch 2 "$bin/mpi_bench-$mpi" $shape
        done
    done
done
echo "rank 0 by replaying mailboxes:"
"$bin/deepxtrace" bench gather --ranks 2048
