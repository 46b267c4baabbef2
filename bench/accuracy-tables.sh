#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accuracy-tables.sh [FILE]: the tables of docs/accuracy.md, from the lines that
# `deepxtrace bench accuracy --json` prints (FILE, or a run of its own). Exact windows in %, rounded
# down: each window alone / with the windows before it; then the other methods.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp)
trap 'rm -f "$work"' EXIT
if (($# > 0)); then cat "$1"; else build/bin/deepxtrace bench accuracy --json; fi > "$work"

# table JQ-OF-A-CELL SIZES…: a row for each case, a column for each number of ranks
table()
{
    local cell=$1
    shift
    jq -rs --argjson sizes "[$(
        IFS=,
        echo "$*"
    )]" '
        def rate(m): map(select(.method == m)) | first | if . == null then null
            elif .faulted > 0 then 100 * .exact / .faulted
            elif .healthy > 0 then 100 * (.healthy - .false_alarms) / .healthy
            else null end | if . == null then "–" else floor | tostring end;
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
table 'rate("robust") + " / " + rate("history")' 2 3 4 8 16 32 64 128 256 512 1024 2048
echo
echo "The ratio / the log-ratio:"
echo
table 'rate("ratio") + " / " + rate("log-ratio")' 4 16 64 256 1024
echo
jq -rs 'map(select(.method == "robust" or .method == "history"))
    | "Of \(map(.sure) | add) findings with a confidence of 0.99 and more \(map(.sure_true) | add) were true."' \
    "$work"
