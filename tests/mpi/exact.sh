#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# exact.sh MPI MPIRUN RANKS DELAY: nobody is named without a fault, and exactly the slow ranks with. On a
# busy machine the others are late, too, by less than the share that is asked for.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
ranks=$1
delay=$2

job()
{
    launch "$ranks" "$deepxtrace" job --engine mpi --steps 150 --min-share 25% --json "$@" \
        >"$scratch/out" 2>"$scratch/err" || fail "exit status $?"
}

job
expect ""
job --slow "dispatch:2:$delay" --slow "combine:3:$delay"
expect "combine late_rank 3 dispatch late_rank 2"
