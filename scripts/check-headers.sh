#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-headers.sh: every public header compiles alone, as C11 and as C++17, without a warning;
# included twice, so that its guard is tried as well.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

bad=0
flags=(-fsyntax-only -Iinclude -Wall -Wextra -Wpedantic -Werror)
for compiler in "gcc -std=c11 -x c" "g++ -std=c++17 -x c++" "clang -std=c11 -x c" \
    "clang++ -std=c++17 -x c++"; do
    read -ra command <<< "$compiler"
    if ! command -v "${command[0]}" > /dev/null; then
        echo "check-headers.sh: ${command[0]} is not installed; not tried"
        continue
    fi
    for header in include/deepxtrace/*.h include/deepxtrace/*.cuh; do
        name=deepxtrace/${header##*/}
        if ! printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
            "${command[@]}" "${flags[@]}" - 2> >(grep -E 'error:|warning:' |
                sed "s/\$/ [${command[0]}]/" >&2); then
            bad=1
        fi
    done
done 2>&1
exit "$bad"
