#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# preloaded.sh MPI MPIRUN PROGRAM: a program that knows nothing of the diagnosis gives the same result
# with `deepxtrace run --mpi`, and its slow rank is named.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
program=$1
"${PYTHON:-python3}" -c '' 2>/dev/null || skip "no Python"

launch 4 "$program" 2 40 >"$scratch/plain" 2>"$scratch/err" || fail "exit status $?"
"$deepxtrace" run --mpi --interval 1 --output "$scratch" -- "$mpirun" "${options[@]}" -n 4 "$program" 2 40 \
    >"$scratch/out" 2>"$scratch/err" || fail "exit status $? under run --mpi"
diff "$scratch/plain" "$scratch/out" || fail "another result"

"$deepxtrace" run --mpi --interval 1 --output "$scratch" -- "$mpirun" "${options[@]}" -n 4 "$program" 2 250 \
    >"$scratch/out" 2>"$scratch/err" || fail "exit status $? under run --mpi"
grep -q '^deepxtrace: diagnosing 4 ranks' "$scratch/err" || fail "nobody says that it is attached"
recording=$scratch/diagnose_mpi.jsonl
(($(wc -l <"$recording") >= 4)) || fail "$(wc -l <"$recording") windows"
jq -e -s 'all(.[]; .origin == "duration" and .ranks == 4)' "$recording" >/dev/null || fail "not by durations"
for first in 0 1; do # of each half
    [[ -f $scratch/diagnose_mpi_1_rank$first.jsonl ]] || fail "no recording of the communicator of rank $first"
done
# The first operation of a step is where a rank is late. A window on a busy machine may name nobody.
late=$("$deepxtrace" analyze --json "$recording" | jq -s '[.[] | select(.phase == "alltoall" and .findings) |
    .findings[] | select(.kind == "late_rank").rank] | group_by(.) | max_by(length) | .[0]')
[[ $late == 2 ]] || fail "rank $late is named most often"
