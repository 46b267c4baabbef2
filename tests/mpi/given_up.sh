#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rank that is silent for longer than the time-out is given up on all nodes; the others go on, and
# when it comes back it leaves and does no harm.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

tells_of_it() { grep -q 'rank 3 came back after the others had given it up' "$scratch/err"; }

launch 6 "$deepxtrace" job --engine mpi --window 20 --steps 0 --timeout 1s --json \
    >"$scratch/out" 2>"$scratch/err" &
job=$!
until_true 60 windows_at_least 4 || fail "no window"
victim=$(pid_of_rank 3) || fail "rank 3 is not to be found"
kill -STOP "$victim"
until_true 30 names_silent 3 || fail "silent: '$(silent)', not 3"
before=$(windows)
until_true 30 windows_at_least $((before + 8)) || fail "the others do not go on"
kill -CONT "$victim"
until_true 20 tells_of_it || fail "rank 3 did not notice"
before=$(windows)
until_true 30 windows_at_least $((before + 8)) || fail "the others do not go on"
[[ $(silent) == 3 ]] || fail "silent: '$(silent)', not 3"
kill -INT "$(pid_of_rank 0)"
until_true 40 ended "$job" || fail "the job does not end"
