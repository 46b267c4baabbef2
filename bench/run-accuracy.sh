#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run-accuracy.sh REPETITIONS [RANKS…]
# How often `deepxtrace job` names exactly what was done to the job: nobody in a healthy one, the slow
# rank, the slow path, the hot expert. Judges the verdict over the whole run and every window alone.
# COMMAND (default build/bin/deepxtrace), DELAY (of a rank), PATH_DELAY, HEAT, STEPS and WINDOW may be
# set; KEEP is a folder for the recordings of the runs whose verdict was not exact.
set -euo pipefail
cd "$(dirname "$0")/.."

repetitions=${1:?usage: run-accuracy.sh REPETITIONS [RANKS…]}
shift
if (($# == 0)); then set -- 2 4 8 16 32; fi
command=${COMMAND:-build/bin/deepxtrace}
delay=${DELAY:-5ms}
path_delay=${PATH_DELAY:-5ms}
heat=${HEAT:-8}
steps=${STEPS:-200}
window=${WINDOW:-50}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Findings of each line of a run, one line each: "null dispatch late_rank 2;" or "3 combine ".
findings()
{
    jq -r '.phase as $phase | [.findings[] | "\($phase) \(.kind) \((.rank // .path) | tostring);"]
           as $found | "\(.window) \($phase) " + ($found | join(" "))'
}

# judge PHASE KIND SUBJECT: counts exact verdicts over the whole run (0 or 1), exact windows, and
# windows, of one run. Nobody must be named but the subject; with KIND none nobody at all.
judge()
{
    awk -v phase="$1" -v kind="$2" -v subject="$3" '
        { got = $0; sub(/^[^ ]+ [^ ]+ ?/, "", got)
          full = $2 " " kind " " subject ";"
          if (kind == "none") good = got == ""
          else if (phase != "any") good = got == ($2 == phase ? full : "")
          else good = got == full || (got == "" && $2 == "dispatch")
          if ($1 == "null") whole += good; else { windows++; right += good } }
        END { print (whole == 2), right + 0, windows + 0 }'
}

# series RANKS NAME PHASE KIND SUBJECT OPTION…
series()
{
    local ranks=$1 name=$2 phase=$3 kind=$4 subject=$5
    shift 5
    local whole=0 right=0 windows=0 i w r n out file
    for ((i = 1; i <= repetitions; i++)); do
        out=$("$command" job --ranks "$ranks" --steps "$steps" --window "$window" --seed "$i" \
            --json --record "$scratch/run.jsonl" --force "$@" | findings)
        read -r w r n < <(judge "$phase" "$kind" "$subject" <<< "$out")
        if ((w == 0)) && [[ ${KEEP:-} ]]; then
            file=$KEEP/$ranks-ranks-${name//[^a-z0-9]/-}-$i
            mkdir -p "$KEEP"
            cp "$scratch/run.jsonl" "$file.jsonl"
            grep '^null' <<< "$out" > "$file.txt"
        fi
        whole=$((whole + w)) right=$((right + r)) windows=$((windows + n))
    done
    printf '%5d  %-34s %5d of %-5d %7d of %d\n' "$ranks" "$name" "$whole" "$repetitions" \
        "$right" "$windows"
}

# A rank whose experts are in demand answers late: it is named in combine, and may be in dispatch.
hot()
{
    series "$1" "experts of rank $2 chosen ${heat}x" any hot_expert "$2" --hot "$2:$heat" --compute 1ms
}

echo "$steps steps, windows of $window, $(nproc) processors; exact verdicts of whole runs and windows"
printf '%5s  %-34s %14s %15s\n' ranks 'done to the job' 'whole runs' windows
for ranks in "$@"; do
    slow=$((ranks / 2))
    series "$ranks" nothing dispatch none -
    series "$ranks" "rank $slow +$delay in dispatch" dispatch late_rank "$slow" \
        --slow "dispatch:$slow:$delay"
    series "$ranks" "rank $slow +$delay in combine" combine late_rank "$slow" \
        --slow "combine:$slow:$delay"
    if ((ranks > 2)); then
        series "$ranks" "path 0<-$slow +$path_delay in dispatch" dispatch slow_path "[0,$slow]" \
            --slow-path "dispatch:0<-$slow:$path_delay"
        hot "$ranks" "$slow"
    fi
done
