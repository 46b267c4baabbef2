#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Recordings of known truth, of which less is known: how often is exactly what is wrong named?
#
#     uncounted.sh COMMAND RECORDING
#
# Without ops and samples, as a program leaves them that says nothing; and with only the waits side by
# side known, so that rates are multiplied by samples ÷ ops, as an attached program leaves them.
set -eu
command -v jq >/dev/null || { echo "no jq"; exit 77; }
command=$1 recording=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# score FILE LEAST MOST: at least so many per thousand of the faulted right, so many healthy wrong.
score() {
    "$command" bench accuracy --json "$1" |
        jq -s -e --argjson least "$2" --argjson most "$3" '
            .[] | select(.case == "all" and .method == "history") |
            "\(.exact) of \(.faulted) right, \(.false_alarms) of \(.healthy) wrong",
            (.exact * 1000 >= $least * .faulted and .false_alarms <= $most)' >"$scratch/out" ||
        { echo "$(basename "$1"): $(cat "$scratch/out")" >&2; exit 1; }
    echo "$(basename "$1"): $(head -1 "$scratch/out")"
}

jq -c 'del(.ops, .samples)' "$recording" >"$scratch/unknown.jsonl"
jq -c '(.samples / .ops) as $side |
       .ticks_per_second |= (if type == "array" then map(. * $side) else . * $side end) |
       del(.ops, .samples)' "$recording" >"$scratch/experts.jsonl"
score "$scratch/unknown.jsonl" 960 3
score "$scratch/experts.jsonl" 990 1
