#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# crowded.sh MPI MPIRUN PROGRAM: more communicators than are diagnosed, of which one rank belongs to all
# and another to one, do the program no harm; one that comes when they are freed is diagnosed.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
program=$1
# Ranks that wait for each other end with their mpirun, if it is asked to end them.
cleanup() { [[ -z ${job:-} ]] || { kill -TERM "$job" 2>/dev/null && until_true 10 ended "$job"; }; }
"${PYTHON:-python3}" -c '' 2>/dev/null || skip "no Python"

launch 3 "$program" 20 2>"$scratch/err" | sort >"$scratch/plain" || fail "exit status $?"
"$deepxtrace" run --mpi --interval 1 --output "$scratch" -- "$mpirun" "${options[@]}" -n 3 "$program" 20 \
    >"$scratch/out" 2>"$scratch/err" &
job=$!
until_true 100 ended "$job" || fail "the ranks wait for each other"
wait "$job" || fail "exit status $? under run --mpi"
diff "$scratch/plain" <(sort "$scratch/out") || fail "another result"
grep -q 'more than 16 communicators' "$scratch/err" || fail "nobody says that there are too many"
grep -q 'diagnosing 3 ranks' "$scratch/err" || fail "the last communicator is not diagnosed"
