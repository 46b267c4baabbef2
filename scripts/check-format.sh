#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-format.sh [--fix]: every C file is as .clang-format says. One version of clang-format, since
# they differ. --fix rewrites the files.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v clang-format-14 > /dev/null; then
    echo "check-format.sh: clang-format-14 is not installed"
    exit "$SKIP"
fi
mapfile -t sources < <(files '*.c' '*.h' '*.cpp' '*.cu' '*.cuh')
if [[ ${1:-} == --fix ]]; then
    clang-format-14 -i "${sources[@]}"
    # Comments are the author's, except where they are too wide: those are wrapped, and no others.
    wrapping="{$(sed 's/ReflowComments: false/ReflowComments: true/' .clang-format | paste -sd,)}"
    scripts/check-limits.sh | sed -nE 's/^(.*\.(c|h|cu|cuh)):([0-9]+): more than 100 columns$/\1 \3/p' |
        sort -k1,1 -k2,2nr | while read -r file line; do
        clang-format-14 -i --style="$wrapping" --lines="$line:$line" "$file"
    done
    exit 0
fi
if clang-format-14 --dry-run -Werror "${sources[@]}" 2> /dev/null; then exit 0; fi
clang-format-14 --dry-run -Werror "${sources[@]}" 2>&1 |
    sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error: .*/\1: not as .clang-format says/p' | uniq
exit 1
