#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-docs.sh: licence lines, links between documents, man pages, paths of somebody's machine, and
# the shell scripts.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

while read -r file; do
    case $file in
    *.c | *.h | *.cu | *.cuh | *.cpp) line='/* SPDX-License-Identifier: Apache-2.0 */' lines=1 ;;
    *) line='# SPDX-License-Identifier: Apache-2.0' lines=2 ;;
    esac
    if ! head -n "$lines" "$file" | grep -qxF "$line"; then
        violation "$file:1: lacks the line '$line'"
    fi
done < <(files '*.c' '*.h' '*.cu' '*.cuh' '*.cpp' '*.sh' '*.bats' '*.py' Makefile .ci/run)

# The labels of tests are those that are given to some.
given=$(files 'tests/*CMakeLists.txt' 'tests/*.cmake' 'cmake/*.cmake' | xargs cat |
    grep -oE '\bLABELS "?[a-z][a-z;]*' | sed -E 's/.* "?//' | tr ';' '\n' | grep . | sort -u | paste -sd ' ')
# shellcheck disable=SC2016 # the marks are meant
told=$(sed -n '/^Labels of tests/,/^$/p' CONTRIBUTING.md | sed 's/ctest -L//' | tr '\n' ' ' | sed 's/Tests labelled.*//' |
    grep -oE '`[a-z]+`' | tr -d '`' | sort -u | paste -sd ' ')
[[ $told == "$given" ]] || violation "CONTRIBUTING.md: labels of tests are $given, not $told"

# The brackets keep these patterns from finding themselves.
while read -r file; do
    while IFS= read -r found; do
        violation "$file:$found"
    done < <(grep -nIoE '(^|[^A-Za-z0-9_.])/(wor[k]|roo[t])/[^ ]*|/tmp/bash_job[s][^ ]*' "$file")
done < <(files)

while read -r file; do
    while IFS=: read -r line link; do
        target=${link%%#*}
        case $link in http* | mailto* | '#'*) continue ;; esac
        if [[ ! -e $(dirname "$file")/$target ]]; then
            violation "$file:$line: link to $target, which is not there"
        fi
    done < <(grep -noE '\]\([^) ]+\)' "$file" | sed -E 's/^([0-9]+):\]\((.*)\)$/\1:\2/')
done < <(files '*.md')

if command -v man > /dev/null; then
    while read -r page; do
        while IFS= read -r warning; do
            violation "$page:$(sed -nE 's/^[^:]*:[^:]*:([0-9]+): *(.*)/\1: \2/p' <<< "$warning")"
        done < <(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z \
            "$page" 2>&1 > /dev/null)
    done < <(files 'docs/man/*.1')
else
    echo "check-docs.sh: man is not installed; man pages not looked at"
fi

if command -v shellcheck > /dev/null; then
    mapfile -t shell < <(files '*.sh' .ci/run)
    shellcheck -x -f gcc "${shell[@]}" || bad=1
else
    echo "check-docs.sh: shellcheck is not installed; scripts not looked at"
fi
exit "$bad"
