#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-elf.sh [FOLDER]: every program and library in FOLDER (build) looks for libraries in no folder
# that depends on where it is started, and is hardened: stack protector, fortified calls, RELRO, all
# symbols bound at the start, no executable stack, programs position-independent. Libraries of
# others (a wheel has one) are held to the search path alone.
# Trees of packages (portable/, deb/) are left out: build-deb.sh asks this script about its packages.
set -uo pipefail
folder=$(realpath "${1:-"$(dirname "$0")/../build"}")
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

count=0

# An element is absolute or begins with $ORIGIN; an empty one is the current folder.
check_search_path()
{
    local path elements element
    while read -r path; do
        # A colon more, so that an empty element at the end is seen as well.
        IFS= mapfile -t -d : elements < <(printf '%s:' "$path")
        for element in "${elements[@]}"; do
            # shellcheck disable=SC2016 # the loader expands it, not the shell
            case $element in
            /* | '$ORIGIN' | '$ORIGIN/'*) continue ;;
            esac
            violation "$1:1: RUNPATH '$path' has the element '$element': the current folder"
            break
        done
    done < <(sed -nE 's/.*\((RUNPATH|RPATH)\).*\[(.*)\]$/\2/p' <<< "$dynamic")
}

# FILE, then why: no function of it has an array or gives its address away.
unprotected='
mpi_slow_link  passes bytes on
'
# Of the calls that _FORTIFY_SOURCE checks, some remain as they are where they cannot go wrong; a
# file that has these and no other is not fortified. The parts for CUDA hold NVIDIA'"'"'s runtime.
plain='^(v?f?printf|v?sn?printf|memcpy|memmove|memset|strcpy|strcat|strncpy|read|pread|fgets)$'
check_hardening()
{
    local name=${1##*/} symbols
    symbols=$(nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }')
    if [[ $segments != *GNU_RELRO* ]]; then violation "$1:1: no RELRO (-z relro)"; fi
    if ! grep -qE '\(FLAGS(_1)?\).*\b(BIND_)?NOW\b|\(BIND_NOW\)' <<< "$dynamic"; then
        violation "$1:1: symbols are not bound at the start (-z now)"
    fi
    if grep 'GNU_STACK' <<< "$segments" | grep -q 'RWE'; then violation "$1:1: executable stack"; fi
    if [[ $segments != *'Elf file type is DYN'* ]]; then
        violation "$1:1: not position-independent"
    fi
    if ! grep -qx '__stack_chk_fail' <<< "$symbols" && ! grep -q "^$name " <<< "$unprotected"; then
        violation "$1:1: no stack protector"
    fi
    if ((fortified)) && [[ $name != *-cuda.so* ]] && grep -qE "$plain" <<< "$symbols" &&
        ! grep -qE '^__.*_chk$' <<< "$symbols"; then
        violation "$1:1: calls are not fortified (_FORTIFY_SOURCE)"
    fi
}

if [[ ! -d $folder ]]; then
    echo "$folder:1: is not there; run make build"
    exit 1
fi
# A build with sanitizers, or without optimisation, has no fortified calls.
fortified=1
cache=$folder/CMakeCache.txt
if [[ -f $cache ]] && { grep -qE '^DXT_SANITIZE:STRING=.' "$cache" ||
    ! grep -qE '^CMAKE_BUILD_TYPE:STRING=(Rel|MinSizeRel)' "$cache"; }; then fortified=0; fi
while read -r file; do
    dynamic=$(readelf -dW "$file" 2> /dev/null) || continue
    [[ $dynamic == *'Dynamic section'* ]] || continue
    segments=$(readelf -lW "$file")
    count=$((count + 1))
    check_search_path "$file"
    case ${file##*/} in libjansson*) ;; *) check_hardening "$file" ;; esac
done < <(find "$folder" \( -name CMakeFiles -o -name portable -o -name deb \) -prune -o -type f \( -perm -u+x -o -name '*.so*' \) -print)
if ((count == 0)); then
    violation "$folder:1: no program and no library is there"
fi
exit "$bad"
