#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A killed rank ends the job, because MPI does; what was told until then is there and whole.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

launch 4 "$deepxtrace" job --engine mpi --window 20 --steps 0 --json \
    --record "$scratch/run.jsonl" >"$scratch/out" 2>"$scratch/err" &
job=$!
until_true 60 windows_at_least 6 || fail "no window"
kill -KILL "$(pid_of_rank 2)"
until_true 30 ended "$job" || fail "the job does not end"
wait "$job" && fail "mpirun calls that a success"
told=$(grep -c '^{.*}$' "$scratch/out")
[[ -s $scratch/run.jsonl ]] || fail "there is no recording"
recorded=$(jq -r .phase "$scratch/run.jsonl" | wc -l)
# Recorded before told, both after each window.
((recorded >= 6 && recorded >= told)) || fail "$recorded lines recorded, $told told"
"$deepxtrace" analyze "$scratch/run.jsonl" >/dev/null || fail "the recording cannot be read"
