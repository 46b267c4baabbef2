#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A stopped rank is soon silent, rank 0 goes on telling, and all is right again when
# the rank goes on.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"

launch 4 "$deepxtrace" job --engine mpi --async 0.5 --steps 0 --timeout 60s --json \
    >"$scratch/out" 2>"$scratch/err" &
job=$!
until_true 60 windows_at_least 4 || fail "no window"
victim=$(pid_of_rank 3) || fail "rank 3 is not to be found"
kill -STOP "$victim"
before=$(windows)
until_true 20 names_silent 3 $((before + 1)) || fail "silent: '$(silent 1)', not 3"
first=$(grep '^{' "$scratch/out" | grep -n silent_rank | head -n 1 | cut -d: -f1)
# Two lines a window. The one under way when it was stopped may still have its mail, and on a busy
# machine rank 0 may be a window or two behind.
(((first - before + 1) / 2 <= 4)) || fail "silent only in line $first, stopped after $before"
# Rank 0 does not wait for it: windows come at their time.
until_true 10 windows_at_least $((before + 8)) || fail "the windows do not go on"
kill -CONT "$victim"
sleep 2
after=$(windows)
until_true 20 windows_at_least $((after + 8)) || fail "the windows do not go on"
[[ $(silent $((after + 3))) == "" ]] || fail "still silent: $(silent $((after + 3)))"
kill -INT "$(pid_of_rank 0)"
until_true 30 ended "$job" || fail "the job does not end"
