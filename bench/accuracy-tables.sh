#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accuracy-tables.sh measure FOLDER [JOBS [RANKS...]]: judge simulated windows of every case and put
# the results into FOLDER, a file for each case and number of ranks, JOBS cases at a time (default:
# all processors). What is there already is not made again, so that a run that was cut off goes on.
# Needs build/bin/deepxtrace, bash and coreutils. All RANKS (the default) take about four hours of
# one processor, and a quarter of a GB of memory for each of the JOBS.
# accuracy-tables.sh tables FOLDER: the tables of docs/accuracy.md from it: exact windows in %, rounded
# down, each window alone / with the windows before it; the other methods; false alarms. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=build/bin/deepxtrace

usage()
{
    sed -n '3,9s/^# //p' "$0" >&2
    exit 2
}

# Of each job of twelve windows eight have enough before them: 672 windows of each case, 200 from 32
# ranks on, and 24 from 512 on, where a window takes seconds.
windows_of()
{
    if (($1 <= 16)); then echo 1008; elif (($1 <= 256)); then echo 300; else echo 36; fi
}

file_name()
{
    printf '%s' "${1//[^a-zA-Z0-9.]/_}"
}

# one RANKS CASE SKIP WINDOWS FILE: whole or not at all.
one()
{
    nice "$tool" bench accuracy --json --ranks "$1" --case "$2" --skip "$3" --repeat "$4" > "$5.part" &&
        mv "$5.part" "$5"
}

wait_for_one()
{
    wait -n || failed=1
    running=$((running - 1))
}

# measure FOLDER JOBS RANKS…: the longest first, and these in parts, so that all end together.
measure()
{
    local folder=$1 most=$2 running=0 failed=0 made=0 ranks name file windows part skip begin=$SECONDS
    shift 2
    mkdir -p "$folder"
    for ranks in $(printf '%s\n' "$@" | sort -rn); do
        windows=$(windows_of "$ranks")
        part=$((ranks > 512 ? 12 : windows))
        while read -r name; do
            for ((skip = 0; skip < windows; skip += part)); do
                file=$folder/$ranks-$(file_name "$name")-$skip.jsonl
                [ ! -e "$file" ] || continue
                ((running < most)) || wait_for_one
                one "$ranks" "$name" "$skip" "$part" "$file" &
                running=$((running + 1)) made=$((made + 1))
            done
        done < <("$tool" bench accuracy --list --ranks "$ranks")
    done
    while ((running > 0)); do wait_for_one; done
    echo "$folder: $made files made in $((SECONDS - begin)) s"
    return "$failed"
}

# collect FOLDER: its results, case by case.
collect()
{
    local name file
    while read -r name; do
        for file in "$1"/*-"$(file_name "$name")"-*.jsonl; do
            [ ! -e "$file" ] || cat "$file"
        done
    done < <("$tool" bench accuracy --list)
}

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
        def of(m): map(select(.method == m)) | if length == 0 then null else
            {faulted: map(.faulted) | add, exact: map(.exact) | add,
             healthy: map(.healthy) | add, false_alarms: map(.false_alarms) | add} end;
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

tables()
{
    work=$(mktemp)
    trap 'rm -f "$work"' EXIT
    collect "$1" > "$work"
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
    table 'alarms("history")' '.case | test("healthy")' 2 3 4 8 16 32 64 128 256 512 1024 2048
    echo
    jq -rs 'map(select(.method == "robust" or .method == "history"))
        | "Of \(map(.sure) | add) findings with a confidence of 0.99 and more \(map(.sure_true) | add) were true.",
        (group_by([.ranks, .case, .method]) | map({ranks: .[0].ranks, method: .[0].method,
                n: (if .[0].faulted > 0 then map(.faulted) else map(.healthy) end | add)})
            | group_by([.method, .ranks])[]
            | "\(.[0].ranks) ranks, \(.[0].method): at least \(map(.n) | min) windows an entry.")' \
        "$work"
}

case ${1-}:$# in
    measure:[2-9] | measure:1[0-9])
        folder=$2 jobs=${3:-$(nproc)}
        shift $(($# < 3 ? $# : 3))
        (($# > 0)) || set -- 2 3 4 8 16 32 64 128 256 512 1024 2048
        measure "$folder" "$jobs" "$@"
        ;;
    tables:2) tables "$2" ;;
    *) usage ;;
esac
