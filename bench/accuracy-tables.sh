#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accuracy-tables.sh [FILE...]: the tables of docs/accuracy.md, from the lines that
# `deepxtrace bench accuracy --json` prints (FILEs, or a run of its own, which takes an hour of one
# processor): exact windows in %, rounded down, each window alone / with the windows before it; the
# other methods; false alarms.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp)
trap 'rm -f "$work"' EXIT

# 200 windows of each case with those before; from 512 ranks on, where a window takes seconds, 16.
measure()
{
    local ranks
    for ranks in 2 3 4 8 16 32 64 128 256; do
        build/bin/deepxtrace bench accuracy --json --ranks "$ranks" --repeat 300
    done
    for ranks in 512 1024 2048; do
        build/bin/deepxtrace bench accuracy --json --ranks "$ranks" --repeat 24
    done
}
if (($# > 0)); then cat "$@"; else measure; fi > "$work"

# table JQ-OF-A-CELL FILTER SIZES…: a row for each case, a column for each number of ranks that there
# is. What FILTER leaves of the lines is shown.
table()
{
    local cell=$1 filter=$2
    shift 2
    jq -rs --argjson sizes "[$(
        IFS=,
        echo "$*"
    )]" '
        def of(m): map(select(.method == m)) | first;
        def rate(m): of(m) | if . == null then null
            elif .faulted > 0 then 100 * .exact / .faulted
            elif .healthy > 0 then 100 * (.healthy - .false_alarms) / .healthy
            else null end | if . == null then "–" else floor | tostring end;
        def alarms(m): of(m) | if . == null or .healthy == 0 then "–"
            else "\(.false_alarms) of \(.healthy)" end;
        map(select('"$filter"')) | (map(.ranks) | unique) as $there |
        ($sizes | map(select(. as $n | any($there[]; . == $n)))) as $sizes |
        (["case"] + ($sizes | map(tostring)) | "| " + join(" | ") + " |"),
        ("|---|" + ($sizes | map("--:|") | add)),
        ((reduce .[] as $l ([]; if any(.[]; . == $l.case) then . else . + [$l.case] end))[] as $case
            | [$case] + [$sizes[] as $n
                | (map(select(.case == $case and .ranks == $n))
                    | if length == 0 then "" else '"$cell"' end)]
            | "| " + join(" | ") + " |")' "$work"
}

echo "This analysis, alone / with the windows before:"
echo
# shellcheck disable=SC2016 # for jq
table 'rate("robust") + " / " + rate("history")' true 2 3 4 8 16 32 64 128 256 512 1024 2048
echo
echo "The ratio / the log-ratio:"
echo
table 'rate("ratio") + " / " + rate("log-ratio")' true 4 16 64 256 1024
echo
echo "Healthy windows in which anybody is named, with the windows before:"
echo
table 'alarms("history")' '.case | test("healthy")' 2 3 4 8 16 32 64 128 256
echo
jq -rs 'map(select(.method == "robust" or .method == "history"))
    | "Of \(map(.sure) | add) findings with a confidence of 0.99 and more \(map(.sure_true) | add) were true."' \
    "$work"
