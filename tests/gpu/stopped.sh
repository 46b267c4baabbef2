#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On GPUs: a rank that stops or dies is given up, the others go on, and the windows say who is
# silent; Ctrl-C ends the job after its step.
# shellcheck source=tests/gpu/common.sh
. "$(dirname "$0")/common.sh"
job=(--engine cuda --tokens 32 --hidden 2048 --experts 32 --topk 4 --steps 0 --window 500
    --timeout 500ms)

last=$((ranks - 1))

begun() { until_true 60 lines_at_least 4 || fail "no window"; }

# Nobody hangs in a kernel: Ctrl-C ends a healthy job, and its recording can be read.
start "$ranks" "${job[@]}" --record "$scratch/run.jsonl"
begun
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status after Ctrl-C"
grep -q 'The whole run' "$scratch/out" || fail "no verdict after Ctrl-C"
"$deepxtrace" analyze "$scratch/run.jsonl" >/dev/null || fail "the recording cannot be read"
echo "Ctrl-C: the job ended with its verdict"

start "$ranks" "${job[@]}" --json
begun
kill -STOP "$(pid_of_rank $last)"
before=$(windows)
until_true 30 names_silent $last || fail "silent: '$(silent)', not $last"
first=$((($(grep -n silent_rank "$scratch/out" | head -n 1 | cut -d: -f1) + 1) / 2))
[ "$first" -le $((before + 2)) ] || fail "silent only in window $first, stopped in $before"
until_true 30 lines_at_least $((2 * first + 8)) || fail "the others did not go on"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"
[ "$(silent)" = $last ] || fail "silent: '$(silent)', not $last"
grep -q "rank $last was stopped by signal" "$scratch/err" || fail "the parent did not tell"
echo "SIGSTOP: rank $last silent from window $first (stopped in $before), the others went on"

# One that comes back after it was given up leaves.
start "$ranks" "${job[@]}" --json
begun
kill -STOP "$(pid_of_rank 1)"
until_true 30 names_silent 1 || fail "silent: '$(silent)', not 1"
sleep 1
kill -CONT "$(pid_of_rank 1)"
until_true 30 ended "$(pid_of_rank 1)" || fail "the rank that was given up did not leave"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"
echo "SIGCONT: rank 1 left after it had been given up"

start "$ranks" "${job[@]}" --json
begun
kill -KILL "$(pid_of_rank $last)"
until_true 30 names_silent $last || fail "silent: '$(silent)', not $last"
until_true 30 lines_at_least $(($(wc -l <"$scratch/out") + 8)) || fail "the others did not go on"
kill -INT "$parent"
ends 30
[ "$status" = 0 ] || fail "exit status $status"
echo "SIGKILL: rank $last silent, the others went on"
