#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shapes and formats of jobs on GPUs: each passes the check of the engine and ends with a verdict;
# windows by time; pictures and recordings.
# shellcheck source=tests/gpu/common.sh
. "$(dirname "$0")/common.sh"

try() {
    timeout --foreground 120 "$deepxtrace" job --engine cuda --steps 60 --window 20 "$@" \
        >"$scratch/out" 2>"$scratch/err" || fail "$*: exit status $?"
    grep -q 'The whole run' "$scratch/out" || fail "$*: no verdict"
    echo "ok: $*"
}

try --ranks "$ranks" --bf16
try --ranks "$ranks" --fp8 --logfmt --tokens 32 --hidden 7168 --experts 256 --topk 8
((ranks < 3)) || try --ranks 3 --bf16 --logfmt --tokens 1 --hidden 1024 --experts 3 --topk 1
try --ranks 2 --fp8 --tokens 512 --hidden 2048 --experts 64 --topk 16
try --ranks "$ranks" --fp8 --tokens 100 --hidden 8192 --experts 1024 --topk 6 --compute 0us \
    --heatmap "$scratch/run.svg" --record "$scratch/run.jsonl"
grep -q '</svg>' "$scratch/run.svg" || fail "no heat map"
"$deepxtrace" analyze "$scratch/run.jsonl" >/dev/null || fail "the recording cannot be read"

# Windows by time, on the session's thread, while the GPUs work.
timeout --foreground 120 "$deepxtrace" job --engine cuda --ranks "$ranks" --tokens 64 --hidden 4096 --fp8 \
    --async 0.2 --slow dispatch:1:100us --json >"$scratch/out" 2>"$scratch/err" || fail "async: status $?"
[ "$(wc -l <"$scratch/out")" -ge 8 ] || fail "async: too few windows"
named=$(jq -r 'select(.window == null and .phase == "dispatch") |
    .findings[] | "\(.kind) \(.rank)"' "$scratch/out")
[ "$named" = "late_rank 1" ] || fail "async: named '$named', not rank 1"
echo "ok: windows by time"
