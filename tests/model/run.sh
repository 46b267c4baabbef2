#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh MODEL FAULTS: let spin look at every state of MODEL.pml as it stands, which must hold, and with each of
# its FAULTS (BROKEN 1 … FAULTS), which must be found: a model that cannot fail shows nothing.
set -euo pipefail
model=${1:?usage: run.sh MODEL FAULTS} faults=${2:?}
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v spin > /dev/null; then
    echo "spin is not installed"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$here"/*.pml "$scratch"
cd "$scratch"

# errors FAULT: how many the checker finds; it stops at the first.
errors()
{
    spin -DBROKEN="$1" -a "$model.pml" > spin.txt 2>&1
    "${CC:-cc}" -O2 -w -DSAFETY -DMEMLIM=4000 -o pan pan.c
    ./pan -m200000 > pan.txt 2>&1 || true
    if ! grep -q 'State-vector' pan.txt || grep -q 'max search depth too small' pan.txt; then
        cat spin.txt pan.txt >&2
        return 1
    fi
    sed -nE 's/.*errors: ([0-9]+).*/\1/p' pan.txt
}

status=0
for ((fault = 0; fault <= faults; fault++)); do
    found=$(errors "$fault")
    echo "$model, BROKEN=$fault: errors: $found, $(sed -nE 's/ *([0-9]+) states, stored.*/\1 states/p' pan.txt)"
    if ((fault == 0 ? found != 0 : found == 0)); then
        echo "expected $( ((fault == 0)) && echo none || echo one)"
        cat pan.txt
        status=1
    fi
done
exit "$status"
