#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run-calibration.sh [RECORDING]
# How close `deepxtrace simulate` comes to what was measured on 4 H200 GPUs: each case of the recording
# is simulated, and for each operator the cells are compared, in µs: mean wait for oneself, for the
# faulted rank (its column), of the faulted rank (its row), and of all other cells; and the standard
# deviation of the other cells from window to window.
# COMMAND (default build/bin/deepxtrace) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."

recording=${1:-tests/recorded/data/deepep-ep4-h200.jsonl}
command=${COMMAND:-build/bin/deepxtrace}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# summary CASE RANK < recording: a line for each operator.
summary()
{
    jq -s -r --arg case "$1" --argjson rank "$2" '
        def mean: if length == 0 then null else add / length end;
        def sd: mean as $m | map(. - $m | . * .) | mean | sqrt;
        def figure: if . == null then "-" else . * 10 | round / 10 | tostring end;
        (map(select(.case == $case)) | group_by(.phase) | reverse)[] | .[0].phase as $phase |
        [.[] | .samples as $samples |
            (.ticks_per_second | if type == "array" then .[0] else . end) as $rate |
            [.wait[] | map(. / $samples / $rate * 1e6)]] as $w |
        ($w[0] | length) as $n |
        [range($n) as $i | range($n) as $j | {$i, $j, mean: ($w | map(.[$i][$j]) | mean),
                                              sd: ($w | map(.[$i][$j]) | sd)}] as $cells |
        ($cells | map(select(.i != .j and .i != $rank and .j != $rank))) as $others |
        [$phase, ($cells | map(select(.i == .j).mean) | mean | figure),
         ($cells | map(select(.i != .j and .j == $rank).mean) | mean | figure),
         ($cells | map(select(.i != .j and .i == $rank).mean) | mean | figure),
         ($others | map(.mean) | mean | figure), ($others | map(.sd) | mean | figure)] | @tsv'
}

# compare CASE RANK OPTION…: RANK −1 = nobody is faulted.
compare()
{
    local name=$1 rank=$2
    shift 2
    "$command" simulate --ranks 4 --windows 100 --case "$name" "$@" > "$scratch/simulated.jsonl"
    paste <(summary "$name" "$rank" < "$recording") \
        <(summary "$name" "$rank" < "$scratch/simulated.jsonl") |
        while IFS=$'\t' read -r -a f; do
            printf '%-17s %-9s' "$name" "${f[0]}"
            for k in 1 2 3 4 5; do printf '%8s%8s' "${f[k]}" "${f[k + 6]}"; done
            printf '\n'
        done
}

printf '%27s%16s%16s%16s%16s%16s\n' 'measured, simulated; µs' oneself column row others 'sd of others'
compare healthy -1 --jitter 2.5%
compare healthy_j20 -1 --jitter 18%
for us in 5 10 20 50 100; do
    compare "d_col2_${us}us" 2 --jitter 2.5% --slow "dispatch:2:${us}us"
    compare "c_col3_${us}us" 3 --jitter 2.5% --slow "combine:3:${us}us"
done
compare d_col1_30us_j20 1 --jitter 18% --slow dispatch:1:30us
compare early0 0 --jitter 2.5% --early dispatch:0:50us
compare hot1 1 --jitter 2.5% --hot 1:3
