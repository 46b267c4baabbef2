#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# example.sh MPI MPIRUN PROGRAM [OPERATOR]: the example names the rank that it slows down, and nobody before it. On
# a busy machine windows may be inconclusive, and others be late as well, but less.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

launch 4 "$1" 2 >"$scratch/out" 2>"$scratch/err" || fail "exit status $?"
first=$(grep '^window' "$scratch/out" | sort -s -u -k2,2)
grep -q . <<<"$first" || fail "no window names anybody"
! grep -v '^window [0-9]: rank 2 .*is late in '"${2:-alltoallv}" <<<"$first" || fail "another rank is named first"
