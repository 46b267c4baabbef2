#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# example.sh MPI MPIRUN PROGRAM [OPERATOR]: the example names the rank that it slows down, and nobody before it. On
# a busy machine windows may be inconclusive, and others be late as well, but less.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

# named: what is said first of each window that names somebody. That everybody waits for everybody, as on a busy
# machine, names nobody.
named() { grep '^window' "$scratch/out" | grep -v ': everybody waits for everybody' | sort -s -u -k2,2; }

for _ in 1 2 3; do
    launch 4 "$1" 2 >"$scratch/out" 2>"$scratch/err" || fail "exit status $?"
    first=$(named)
    [[ -z $first ]] || break
done
[[ -n $first ]] || fail "no window names anybody"
! grep -v '^window [0-9]: rank 2 .*is late in '"${2:-alltoallv}" <<<"$first" || fail "another rank is named first"
