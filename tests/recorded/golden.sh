#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `deepxtrace analyze` says of the reference matrices, held against golden/.
#
#     golden.sh DEEPXTRACE            compare; 1 if anything differs
#     golden.sh DEEPXTRACE --update   write it anew, after looking at the differences
set -u
export LC_ALL=C.UTF-8
binary=$1
update=${2:-}
here=$(dirname "$0")
failed=0

# golden NAME ARGUMENT...
golden() {
    name=$1
    shift
    if [ "$update" = --update ]; then
        "$binary" "$@" >"$here/golden/$name" || failed=1
    elif ! "$binary" "$@" | diff -u "$here/golden/$name" -; then
        echo "differs: deepxtrace $*" >&2
        failed=1
    fi
}

reference=$here/data/reference-matrices.jsonl
golden reference-robust.txt analyze "$reference"
golden reference-robust.jsonl analyze --json "$reference"
golden reference-ratio.txt analyze --method ratio "$reference"
golden reference-ratio.jsonl analyze --json --method ratio "$reference"
exit $failed
