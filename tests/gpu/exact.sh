#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# exact.sh COMMAND [FOLDER]: on four GPUs (some cases also on fewer) nobody is named without a fault,
# and exactly whoever is at fault with one. Every case is told of; with FOLDER its windows are left
# there as labelled recordings.
# shellcheck source=tests/gpu/common.sh
. "$(dirname "$0")/common.sh"
folder=${2:-$scratch}
mkdir -p "$folder"

job=(--engine cuda --ranks "$ranks" --tokens 128 --hidden 7168 --experts 256 --topk 8 --fp8
    --steps 1100 --window 50 --compute 60us --min-share 1%)
wrong=0

# named: every (phase, kind, rank) of the verdict over the whole run, sorted, on one line.
named() {
    tail -n 2 "$scratch/out" |
        jq -r '.phase as $phase | .findings[] | "\($phase) \(.kind) \(.rank // .path)"' |
        LC_ALL=C sort | paste -sd, - | sed 's/,/, /g'
}

# label NAME DISPATCH COMBINE: windows with what is known of them, appended to the recording.
label() {
    jq -c --arg case "$1" --argjson dispatch "$2" --argjson combine "$3" --arg gpus "$gpus" \
        '.source = "deepxtrace job --engine cuda, EP\(.ranks), \($gpus)" | .case = $case |
         .label = (if .phase == "dispatch" then $dispatch else $combine end)' \
        "$scratch/run.jsonl" >>"$folder/cuda-ep$ranks.jsonl"
}

nobody='{"cols":[],"rows":[],"points":[]}'
cols() { echo "{\"cols\":[$1],\"rows\":[],\"points\":[]}"; }
rows() { echo "{\"cols\":[],\"rows\":[$1],\"points\":[]}"; }

# try NAME NAMED DISPATCH-LABEL COMBINE-LABEL OPTION…; NAMED is a pattern, '*' = anything.
try() {
    local name=$1 want=$2 dispatch=$3 combine=$4 got result=ok
    shift 4
    rm -f "$scratch/run.jsonl"
    timeout --foreground 120 "$deepxtrace" job "${job[@]}" --json --record "$scratch/run.jsonl" "$@" \
        >"$scratch/out" 2>"$scratch/err" || fail "$name: exit status $?"
    got=$(named)
    # shellcheck disable=SC2053 # a pattern is meant
    if [[ $got != $want ]]; then
        result=WRONG
        wrong=$((wrong + 1))
    fi
    printf '%-14s %-6s named: %s\n' "$name" "$result" "${got:-nobody}"
    label "$name" "$dispatch" "$combine"
}

rm -f "$folder/cuda-ep$ranks.jsonl"
try healthy "" "$nobody" "$nobody"
try healthy_j20 "" "$nobody" "$nobody" --jitter 20%
d=$((ranks - 2)) c=$((ranks - 1))
# Of four ranks 5 µs are 2.8 % of the step and no more than cells differ by: the verdict over the
# whole run, which has no windows before it, may say nothing, but nobody else.
small="dispatch late_rank $d"
if ((ranks >= 4)); then small="?($small)"; fi
try "d_col${d}_5us" "$small" "$(cols $d)" "$nobody" --slow "dispatch:$d:5us"
for us in 10 20 50 100; do
    try "d_col${d}_${us}us" "dispatch late_rank $d" "$(cols $d)" "$nobody" \
        --slow "dispatch:$d:${us}us"
done
for us in 10 20 50; do
    try "c_col${c}_${us}us" "combine late_rank $c" "$nobody" "$(cols $c)" \
        --slow "combine:$c:${us}us"
done
try "d_col${d}_50us_j20" "dispatch late_rank $d" "$(cols $d)" "$nobody" \
    --slow "dispatch:$d:50us" --jitter 20%
try "c_col${c}_50us_j20" "combine late_rank $c" "$nobody" "$(cols $c)" \
    --slow "combine:$c:50us" --jitter 20%
if ((ranks >= 4)); then
    try d_col0_col2_50us "dispatch late_rank 0, dispatch late_rank 2" "$(cols 0,2)" "$nobody" \
        --slow dispatch:0:50us --slow dispatch:2:50us
    try early0_50us "dispatch early_rank 0" "$(rows 0)" "$nobody" \
        --slow dispatch:1:50us --slow dispatch:2:50us --slow dispatch:3:50us
fi
# What a hot receiver does to dispatch depends on how busy its links are.
try hot1 "combine hot_expert 1*" null "$(cols 1)" --hot 1:3
# Not a slow path alone: the copy is in the way of all that its two GPUs send and receive.
try "traffic_${c}_to_0" "*" null null --slow-path "combine:0<-$c:30us"
((wrong == 0)) || fail "$wrong cases"
