#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C, a second one, and a parent that is killed: the job ends, and nothing is left of it.
# shellcheck source=tests/multi/common.sh
. "$(dirname "$0")/common.sh"

start 4 --steps 0 --window 20 --record "$scratch/run.jsonl"
until_true 30 lines_at_least 2 || fail "no window"
kill -INT "$parent"
ends 20
[ "$status" = 0 ] || fail "exit status $status after Ctrl-C"
grep -q 'The whole run' "$scratch/out" || fail "no verdict after Ctrl-C"
"$deepxtrace" analyze "$scratch/run.jsonl" >/dev/null || fail "the recording cannot be read"

# Without a window there is nothing to keep.
for name in INT TERM; do
    start 3 --steps 0 --window 1000000 --record "$scratch/none.jsonl" --heatmap "$scratch/none.svg"
    sleep 0.5
    kill -"$name" "$parent"
    ends 20
    [ "$status" = 3 ] || fail "exit status $status without a window, not 3"
    [ "$(grep -c 'ended before the first window' "$scratch/err")" = 1 ] || fail "nothing was said"
    [ -z "$(find "$scratch" -name '*none*')" ] || fail "files without a window are left"
done

# The second one does not wait for a job that cannot end by itself.
start 3 --steps 0 --timeout 60s
sleep 0.5
kill -STOP "$(pid_of_rank 1)"
kill -INT "$parent"
sleep 0.5
kill -INT "$parent"
ends 5
[ "$status" = 3 ] || fail "exit status $status after the second Ctrl-C"

# A recording that was not finished does not get its name.
start 3 --steps 0 --window 20 --record "$scratch/half.jsonl"
until_true 30 lines_at_least 2 || fail "no window"
kill -KILL "$parent"
wait "$parent" 2>/dev/null
nothing_left
[ ! -e "$scratch/half.jsonl" ] || fail "half a recording has the name of a whole one"
parent=
