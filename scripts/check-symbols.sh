#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-symbols.sh: the libraries in build/ export what tests/install/symbols/ lists, which is what
# the public headers declare, and import nothing that prints or ends the process.
set -uo pipefail
shopt -s nullglob
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

lists=tests/install/symbols
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# differences LIST OTHER TEXT-IF-MISSING-THERE TEXT-IF-MISSING-HERE
differences()
{
    local symbol
    LC_ALL=C sort "$1" > "$work/sorted"
    for symbol in $(LC_ALL=C comm -23 "$work/sorted" "$2"); do
        violation "$1:$(grep -nx "$symbol" "$1" | cut -d: -f1): $symbol $3"
    done
    for symbol in $(LC_ALL=C comm -13 "$work/sorted" "$2"); do
        violation "$1:1: $symbol $4"
    done
}

# declared HEADER: names of the functions that it, and what it includes, mark DXT_API.
declared()
{
    echo "#include <deepxtrace/$1>" | gcc -E -P -D_GNU_SOURCE -Iinclude - | tr '\n' ' ' |
        sed 's/[;{}]/\n/g' |
        sed -n 's/.*visibility("default"))) *[^(]*[ *]\(dxt_[a-z0-9_]*\) *(.*/\1/p' |
        LC_ALL=C sort -u
}

prints='_?exit|abort|quick_exit|(__)?v?printf(_chk)?|puts|putchar|perror|stderr|stdout'
check_library()
{
    local library=build/lib/$1.so list=$lists/$1.txt symbol
    if [[ ! -e $library ]]; then
        violation "$list:1: $library is not built; run make build"
        return
    fi
    if [[ ! -e $list ]]; then
        violation "$list:1: missing; see scripts/update-symbols.sh"
        return
    fi
    exported "$library" > "$work/exported"
    differences "$list" "$work/exported" "is not exported any more" \
        "is exported, but not listed; see scripts/update-symbols.sh"
    for symbol in $(nm -D --undefined-only "$library" |
        awk '{ sub(/@.*/, "", $2); print $2 }' | grep -xE "$prints"); do
        violation "$library:1: imports $symbol: it must neither print nor end the process"
    done
}

check_library libdeepxtrace
check_library libdeepxtrace-ep
# The parts that are loaded at run time: what is built is checked.
for library in build/lib/libdeepxtrace-*.so; do
    name=$(basename "$library" .so)
    if [[ $name != libdeepxtrace-ep ]]; then check_library "$name"; fi
done

declared deepxtrace.h > "$work/core"
declared ep.h | LC_ALL=C comm -23 - "$work/core" > "$work/ep"
for pair in core:libdeepxtrace ep:libdeepxtrace-ep; do
    list=$lists/${pair#*:}.txt
    if [[ -e $list ]]; then
        differences "$list" "$work/${pair%:*}" "is in no public header" \
            "is declared in a public header, but not exported"
    fi
done
exit "$bad"
