#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compare.sh BEFORE AFTER FOLDER…: run two versions of the command over every recording (*.jsonl) of
# the FOLDERs and show in which windows and fields their diagnoses differ. Exits with 1 if any does.
#
#   tests/recorded/grid.sh build/bin/deepxtrace /tmp/grid
#   tests/recorded/compare.sh /tmp/old/bin/deepxtrace build/bin/deepxtrace /tmp/grid \
#       tests/recorded/data ../shared/data ../shared/cases
set -uo pipefail

before=$1 after=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Paths and values of two lines of JSON, as jq shows them.
# shellcheck disable=SC2016 # the variables are jq's
show='def leaves: [paths(type != "object" and type != "array") as $p | {key: ($p | map(tostring) | join(".")),
        value: getpath($p)}] | from_entries;
    ($a | leaves) as $x | ($b | leaves) as $y | ([($x, $y) | keys[]] | unique[]) as $k |
    select($x[$k] != $y[$k]) | "    \($a.phase // "summary") window \($a.window // "-"): \($k): \($x[$k]) → \($y[$k])"'

# differ LABEL OPTION…: compare one way of analysing one file.
differ() {
    local label=$1
    shift
    "$before" analyze --json "$@" > "$work/before" 2> "$work/before-errors"
    "$after" analyze --json "$@" > "$work/after" 2> "$work/after-errors"
    windows=$((windows + $(wc -l < "$work/after")))
    cmp -s "$work/before" "$work/after" && return
    different=$((different + 1))
    echo "$label"
    paste -d '\n' "$work/before" "$work/after" | while IFS= read -r a && IFS= read -r b; do
        [ "$a" = "$b" ] || jq -nr --argjson a "${a:-null}" --argjson b "${b:-null}" "$show"
    done
}

windows=0 different=0 files=0
for folder in "$@"; do
    for file in "$folder"/*.jsonl; do
        files=$((files + 1))
        differ "$file" --summary "$file"
        [ "$(stat -c %s "$file")" -gt 4000000 ] && continue
        differ "$file, ratio" --method ratio "$file"
        differ "$file, no history" --no-history "$file"
    done
done
echo "$windows lines of $files files, $different analyses differ"
((different == 0))
