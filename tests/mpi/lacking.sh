#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lacking.sh MPI MPIRUN PROGRAM FAIL_ALLOC [ALL]: rank 0, rank 1 or all lack something, and no rank waits for another
# for ever. Without shared memory a job of the command ends. Where an allocation fails under `deepxtrace run --mpi`,
# the program gives the same result; without ALL, the 1st, 7th and 31st of rank 0, and
# the 7th of the others.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
program=$1
fail_alloc=$2
all=${3:-}
# Ranks that wait for each other end with their mpirun, if it is asked to end them.
cleanup() { [[ -z ${job:-} ]] || { kill -TERM "$job" 2>/dev/null && until_true 10 ended "$job"; }; }
"${PYTHON:-python3}" -c '' 2>/dev/null || skip "no Python"
[[ -f $fail_alloc ]] || skip "sanitizers have their own malloc()"

# Without shared memory on one rank or on all, every rank that says why says the same. MPICH may end rank 1 before
# its word is out.
export DXT_FAIL_RANK
for DXT_FAIL_RANK in 0 1 all; do
    DXT_FAIL_SHM=1 LD_PRELOAD=$fail_alloc launch 4 "$deepxtrace" job --engine mpi --steps 20 --window 10 >"$scratch/out" \
        2>"$scratch/err" &
    job=$!
    until_true 100 ended "$job" || fail "no shared memory on rank $DXT_FAIL_RANK: the ranks wait for each other"
    wait "$job" && fail "no shared memory on rank $DXT_FAIL_RANK, and no failure"
    job=
    others=$([[ $DXT_FAIL_RANK != 1 ]] || echo '|another rank could not join')
    grep -qE "bytes of shared memory: Read-only file system$others" "$scratch/err" || fail "nobody says why"
    ! grep 'bytes of shared memory' "$scratch/err" | grep -v 'Read-only' || fail "a wrong reason"
done

launch 4 "$program" 2 20 >"$scratch/plain" 2>"$scratch/err" || fail "exit status $?"
export DXT_FAIL_MARK=$scratch/mark DXT_FAIL_ALLOC
for DXT_FAIL_RANK in 0 1 all; do
    number=1 most=60
    [[ -n $all || $DXT_FAIL_RANK == 0 ]] || number=7 most=8
    while ((${#all} > 0 || number < most)); do
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
        number=$((${#all} > 0 ? number + 1 : 4 * number + 3))
    done
    ((number > 8)) || fail "only $number allocations on rank $DXT_FAIL_RANK"
    echo "rank $DXT_FAIL_RANK: up to allocation $number"
done
