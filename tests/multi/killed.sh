#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rank is killed in mid-run: the others go on without it, and rank 0 says so within two windows.
# shellcheck source=tests/multi/common.sh
. "$(dirname "$0")/common.sh"

start 4 --steps 0 --window 20 --timeout 1s --json
until_true 30 lines_at_least 4 || fail "no window"
kill -KILL "$(pid_of_rank 2)"
before=$(windows)
until_true 30 names_silent 2 || fail "silent: '$(silent)', not 2"
first=$((($(grep -n silent_rank "$scratch/out" | head -n 1 | cut -d: -f1) + 1) / 2))
[ "$first" -le $((before + 2)) ] || fail "silent only in window $first, killed in $before"
until_true 30 lines_at_least $((2 * first + 4)) || fail "the others did not go on"
kill -INT "$parent"
ends 20
[ "$status" = 0 ] || fail "exit status $status"
[ "$(silent)" = 2 ] || fail "silent: '$(silent)', not 2"
grep -q 'rank 2 was killed by signal 9' "$scratch/err" || fail "the parent did not tell"

# The same, to the natural end of the job and into its verdict.
start 3 --steps 600 --window 200 --timeout 1s --compute 1ms
sleep 0.7
kill -KILL "$(pid_of_rank 1)"
ends 60
[ "$status" = 0 ] || fail "exit status $status"
grep -q 'rank 1' "$scratch/out" || fail "the report does not name rank 1"

# Windows in which all that the others do is wait do not take the counts from the whole run.
tells() { grep -q "$1" "$scratch/out"; }
start 4 --async 0.1 --steps 0 --timeout 2s
until_true 30 tells 'window 4' || fail "no window"
kill -KILL "$(pid_of_rank 1)"
until_true 30 tells 'rank 1 sent no counters' || fail "rank 1 is not silent"
sleep 1
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"
tells 'The whole run, 4 ranks, .* [1-9][0-9]* steps' || fail "the whole run has no steps"
[ "$(sed '1,/^The whole run/d' "$scratch/out" | grep -c 'rank 1 sent no counters')" = 2 ] ||
    fail "the whole run does not name rank 1"

# Without the rank that reports there is no run.
start 3 --steps 0 --timeout 1s
sleep 0.5
kill -KILL "$(pid_of_rank 0)"
ends 20
[ "$status" = 3 ] || fail "exit status $status, not 3"
grep -q 'rank 0, which writes the report, was killed by signal 9' "$scratch/err" ||
    fail "the parent did not tell"
