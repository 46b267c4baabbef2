#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# example.sh MPI MPIRUN PROGRAM: the example names the rank that it slows down, and nobody else. On a
# busy machine one of the three windows may be inconclusive.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

launch 4 "$1" 2 >"$scratch/out" 2>"$scratch/err" || fail "exit status $?"
(($(grep -c '^window [0-9]: rank 2 .*is late in alltoallv' "$scratch/out") >= 2)) ||
    fail "not two windows that name rank 2"
! grep -qE 'rank [013] .*is late' "$scratch/out" || fail "another rank is named"
