#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lacking.sh MPI MPIRUN PROGRAM FAIL_ALLOC [ALL]: with `deepxtrace run --mpi`, an allocation fails on rank 0, on
# rank 1, or on all: the program gives the same result, and no rank waits for another for ever. Without ALL,
# the 1st, 2nd, 3rd, 5th, 8th … up to the first windows.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
program=$1
fail_alloc=$2
all=${3:-}
# Ranks that wait for each other end with their mpirun, if it is asked to end them.
cleanup() { [[ -z ${job:-} ]] || { kill -TERM "$job" 2>/dev/null && until_true 10 ended "$job"; }; }
"${PYTHON:-python3}" -c '' 2>/dev/null || skip "no Python"
[[ -f $fail_alloc ]] || skip "sanitizers have their own malloc()"

launch 4 "$program" 2 20 >"$scratch/plain" 2>"$scratch/err" || fail "exit status $?"
export DXT_FAIL_MARK=$scratch/mark DXT_FAIL_RANK DXT_FAIL_ALLOC
for DXT_FAIL_RANK in 0 1 all; do
    last=1 number=1
    while ((${#all} > 0 || number < 60)); do
        rm -f "$DXT_FAIL_MARK"
        DXT_FAIL_ALLOC=$number
        LD_PRELOAD=$fail_alloc "$deepxtrace" run --mpi --interval 0.1 --output "$scratch" -- \
            "$mpirun" "${options[@]}" -n 4 "$program" 2 20 >"$scratch/out" 2>"$scratch/err" &
        job=$!
        what="allocation $number on rank $DXT_FAIL_RANK"
        until_true 100 ended "$job" || fail "$what: the ranks wait for each other"
        wait "$job" || fail "$what: exit status $?"
        job=
        diff "$scratch/plain" "$scratch/out" || fail "$what: another result"
        ! grep -qs 'sent no counters' "$scratch"/*.log || fail "$what: a rank is called silent"
        [[ -e $DXT_FAIL_MARK ]] || break
        next=$((number + (${#all} > 0 ? 1 : last)))
        last=$number number=$next
    done
    ((number > 8)) || fail "only $number allocations on rank $DXT_FAIL_RANK"
    echo "rank $DXT_FAIL_RANK: up to allocation $number"
done
