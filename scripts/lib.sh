# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts of this folder: source it, and be at the root of the source tree.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Exit status of a test or check that cannot run here.
export SKIP=77

# files PATTERN…: the tracked and the new files that match the shell patterns, one a line. A pattern
# without a slash matches in any folder. Works in an unpacked archive as well.
files()
{
    if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
        git -c core.quotePath=off ls-files --cached --others --exclude-standard -- "$@"
    else
        find . -type f -not -path './.git/*' -not -path './build/*' -not -path './build-*' |
            sed 's|^\./||' | while read -r path; do
            for pattern in "${@:-*}"; do
                # shellcheck disable=SC2053 # patterns are meant
                if [[ $path == $pattern || ${path##*/} == $pattern ]]; then
                    echo "$path"
                    break
                fi
            done
        done
    fi | sort -u | while read -r path; do
        if [[ -f $path ]]; then echo "$path"; fi
    done
}

# source_date: the time that whatever is built bears, in seconds: SOURCE_DATE_EPOCH, or that of the last
# commit, or, in an unpacked archive, of the newest entry of the source.
source_date()
{
    if [[ -n ${SOURCE_DATE_EPOCH:-} ]]; then
        echo "$SOURCE_DATE_EPOCH"
    elif ! git log -1 --format=%ct 2> /dev/null; then
        stat -c %Y CHANGELOG.md
    fi
}

# violation TEXT: what a check has found, "FILE:LINE: what is wrong". Its exit status is then $bad.
bad=0
violation()
{
    echo "$1"
    # shellcheck disable=SC2034 # for those who include this
    bad=1
}

# For awk: code_of(LINE) is a line of C without its comments. Set `comment` to 0 where a file begins.
# shellcheck disable=SC2034 # for those who include this
CODE_OF='function code_of(rest,    code, at) {
    while (rest != "") {
        at = index(rest, comment ? "*/" : "/*")
        if (!comment) code = code (at ? substr(rest, 1, at - 1) : rest)
        if (!at) break
        rest = substr(rest, at + 2)
        comment = !comment
    }
    return code
}
'

# count_line PASSED FAILED [SKIPPED]: the line that ends every run of tests.
count_line()
{
    if ((${3:-0} > 0)); then
        echo "$1 passed, $2 failed, $3 skipped"
    else
        echo "$1 passed, $2 failed"
    fi
}

# exported LIBRARY: the names that it offers to programs, sorted. Those of a version that ends in
# _PRIVATE are for its own parts.
exported()
{
    nm -D --defined-only "$1" | awk '$2 != "A" && $3 !~ /_PRIVATE$/ { sub(/@.*/, "", $3); print $3 }' |
        LC_ALL=C sort
}
