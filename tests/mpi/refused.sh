#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be is refused once, by rank 0, and a file that exists is not touched.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

# refused TEXT OPTION…
refused()
{
    local text=$1
    shift
    launch 3 "$deepxtrace" job --engine mpi "$@" >"$scratch/out" 2>"$scratch/err" &&
        fail "$* was not refused"
    [[ $(grep -c 'deepxtrace job: ' "$scratch/err") == 1 ]] || fail "not one complaint of $*"
    grep -qFe "$text" "$scratch/err" || fail "not '$text'"
}

refused '--ranks: 8, but mpirun has started 3' --ranks 8
refused '7 is not a multiple of the 3 ranks' --experts 7
refused 'there is no rank 3' --slow dispatch:3:1ms
echo kept >"$scratch/there.jsonl"
refused 'already exists' --record "$scratch/there.jsonl"
[[ $(<"$scratch/there.jsonl") == kept ]] || fail "the file was touched"

# The other MPI's processes are all first and only ones to this one.
other=mpich
if [[ $mpi == mpich ]]; then other=openmpi; fi
launch 2 env DEEPXTRACE_MPI=$other "$deepxtrace" job --engine mpi >"$scratch/out" 2>"$scratch/err" && fail "the wrong MPI started"
exit 0
