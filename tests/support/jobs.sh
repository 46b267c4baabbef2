# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of tests that start jobs: a scratch folder that goes at the end, failing, and waiting. What
# a job writes is in its files `out` and `err`.
scratch=$(mktemp -d)

# cleanup: what else is to end or to go; for those who include this.
cleanup() { :; }
finish()
{
    cleanup
    rm -rf "$scratch"
}
trap finish EXIT

fail()
{
    echo "FAILED: $*" >&2
    for file in "$scratch"/out "$scratch"/err; do
        [[ -f $file ]] && { echo "--- $(basename "$file")"; tail -n 20 "$file"; } >&2
    done
    exit 1
}

# until_true SECONDS COMMAND…: wait for it to succeed.
until_true()
{
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# A zombie has ended: it only waits for its parent to look.
alive() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }
ended() { ! alive "$1"; }

# silent [LINE]: the ranks that the findings in $scratch/out name silent, from that one on, each once.
silent()
{
    head -n "$(wc -l < "$scratch/out")" "$scratch/out" | grep '^{' | tail -n "+${1:-1}" |
        jq -r '.findings[] | select(.kind == "silent_rank") | .rank' | sort -un | paste -sd ' '
}

# names_silent RANKS [LINE]: whether these are they.
names_silent() { [ "$(silent "${2:-1}")" = "$1" ]; }
