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
    [ "$(grep -c 'ended before its first window' "$scratch/err")" = 1 ] || fail "nothing was said"
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

# Whoever dies, what was recorded has its name and can be read.
for dies in parent rank0; do
    start 3 --steps 0 --window 20 --record "$scratch/$dies.jsonl" --heatmap "$scratch/$dies.svg"
    until_true 30 lines_at_least 2 || fail "no window"
    if [ $dies = parent ]; then
        kill -KILL "$parent"
        wait "$parent" 2>/dev/null
        nothing_left
        parent=
    else
        kill -KILL "$(pid_of_rank 0)"
        ends 20
        [ "$status" = 3 ] || fail "exit status $status without rank 0, not 3"
        grep -q "rank0.jsonl has the windows recorded until then" "$scratch/err" || fail "nothing was said"
        [ -z "$(tail -c 1 "$scratch/$dies.jsonl")" ] || fail "the last line is not whole"
        [ -z "$(find "$scratch" -name '*rank0.svg*')" ] || fail "half a picture is left"
    fi
    [ "$(jq -rR 'fromjson? | .phase' "$scratch/$dies.jsonl" | wc -l)" -ge 2 ] ||
        fail "the recording is lost"
    "$deepxtrace" analyze "$scratch/$dies.jsonl" >/dev/null || fail "the recording cannot be read"
done
