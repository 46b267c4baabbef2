#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-limits.sh: at most 400 lines in a file (700 in one of tests, scripts and examples), 70 in a
# function of C, 100 columns in a line of C. In the rooms of the analysis 300 and 50, and no number in an
# expression but 0, 1 and 2 (src/numeric/ has those of textbooks).
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# FILE, which may be longer, or FILE:FUNCTION, then the reason. Four tables at most.
exceptions='
src/analysis/tuning.h a table: every number of the analysis
'

mapfile -t sources < <(files '*.c' '*.h' '*.cpp' '*.cu' '*.cuh' '*.sh' '*.bats' '*.py' '*.cmake' CMakeLists.txt \
    'src/*.js' 'src/*.css' 'src/*.html')
LC_ALL=C awk -v exceptions="$exceptions" "$CODE_OF"'
BEGIN {
    count = split(exceptions, lines, "\n")
    for (i = 1; i <= count; i++)
        if (split(lines[i], word, " ") > 1) excepted[word[1]] = 1
}
function violation(line, text) { print FILENAME ":" line ": " text; bad = 1 }
FNR == 1 {
    head = 0; begin = 0; comment = 0
    c = FILENAME ~ /\.(c|h|cpp|cu|cuh)$/
    small = FILENAME ~ /^src\/(analysis|history|numeric)\//
    plain = FILENAME ~ /^src\/(analysis|history)\/.*\.[ch]$/ && FILENAME !~ /\/tuning\.h$/
    lines_most = small ? 300 : FILENAME ~ /^(src|ep|tools|python)\// ? 400 : 700
    function_most = small ? 50 : 70
}
FNR == lines_most + 1 && !(FILENAME in excepted) { violation(FNR, "more than " lines_most " lines") }
c && length($0) > 100 {
    characters = $0
    gsub(/[\200-\277]/, "", characters) # all but the first byte of each in UTF-8
    if (length(characters) > 100) violation(FNR, "more than 100 columns")
}
!c { next }
plain {
    code = code_of($0)
    gsub(/"[^"]*"/, "", code)
    gsub(/[A-Za-z_][A-Za-z0-9_]*/, "", code)
    if ($0 !~ /^#/ && code ~ /(^|[^0-9.])([3-9]|[0-9][0-9]|[0-9]*\.[0-9]|[0-9][0-9.]*e)/)
        violation(FNR, "a number that tuning.h does not name")
}
# The function begins with the first line of its declaration; a brace in column 0 opens its body.
/^[A-Za-z_]/ && !head { head = FNR; declaration = "" }
head && !begin { declaration = declaration " " $0 }
/^\{/ && head { begin = head }
/^\}/ && begin {
    name = declaration
    sub(/ *\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if (FNR - begin + 1 > function_most && !((FILENAME ":" name) in excepted))
        violation(begin, name "() has " FNR - begin + 1 " lines, more than " function_most)
    head = 0
    begin = 0
}
!begin && (/^$/ || /^#/ || /;[ \t]*$/ || /^\}/) { head = 0 }
END { exit bad }
' "${sources[@]}"
