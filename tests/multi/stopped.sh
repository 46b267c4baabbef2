#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rank is stopped in mid-run: the others give it up and go on; the parent ends it with the job.
# shellcheck source=tests/multi/common.sh
. "$(dirname "$0")/common.sh"

start 4 --steps 0 --window 20 --timeout 1s --json
until_true 30 lines_at_least 4 || fail "no window"
kill -STOP "$(pid_of_rank 3)"
before=$(windows)
until_true 30 names_silent 3 || fail "silent: '$(silent)', not 3"
until_true 30 lines_at_least $((2 * before + 8)) || fail "the others did not go on"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"
[ "$(silent)" = 3 ] || fail "silent: '$(silent)', not 3"
grep -q 'rank 3 was stopped by signal' "$scratch/err" || fail "the parent did not tell"

# One that comes back after it was given up leaves; the job does not fail.
start 3 --steps 0 --window 20 --timeout 300ms --json
until_true 30 lines_at_least 4 || fail "no window"
kill -STOP "$(pid_of_rank 1)"
until_true 30 names_silent 1 || fail "silent: '$(silent)', not 1"
sleep 1
kill -CONT "$(pid_of_rank 1)"
until_true 20 ended "$(pid_of_rank 1)" || fail "the rank that was given up did not leave"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"

# Without rank 0 nobody would end the run, nor tell of it.
for mode in "--window 20" "--async 0.1"; do
    # shellcheck disable=SC2086 # two words
    start 3 --steps 0 $mode --timeout 300ms --json --record "$scratch/run.jsonl" --force
    until_true 30 lines_at_least 4 || fail "no window"
    kill -STOP "$(pid_of_rank 0)"
    ends 30
    [ "$status" = 3 ] || fail "exit status $status, not 3"
    [ "$(grep -c 'rank 0, which writes the report, was stopped and did not continue in time' \
        "$scratch/err")" = 1 ] || fail "the parent did not tell"
    [ "$(jq -r .phase "$scratch/run.jsonl" | wc -l)" -ge 4 ] || fail "the recording is lost"
done

# One that goes on in time is waited for.
start 3 --steps 0 --window 20 --timeout 5s --json
until_true 30 lines_at_least 4 || fail "no window"
kill -STOP "$(pid_of_rank 0)"
sleep 1
kill -CONT "$(pid_of_rank 0)"
until_true 30 lines_at_least "$(($(wc -l <"$scratch/out") + 4))" || fail "the run did not go on"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"

# A stopped rank 0 ends the run when the others have ended without it.
start 3 --steps 0 --window 20 --timeout 300ms --json
until_true 30 lines_at_least 4 || fail "no window"
kill -STOP "$(pid_of_rank 0)"
sleep 1
kill -INT "$parent"
ends 40
[ "$status" = 3 ] || fail "exit status $status, not 3"
