#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-limits.sh: at most 400 lines in a file (700 in one of tests, scripts and examples), 70 in a
# function of C, 100 columns in a line of C; variables of ours are read by secure_getenv(). In the rooms of
# the analysis 300 and 50, and no number in an expression but 0, 1 and 2: what was chosen stands in tuning.h,
# and TUNING.md says why. src/numeric/ names its own; the series of tail.h and lean.h have those of a
# textbook. src/analysis/README.md names functions that are there. No test begins a line with "!", which bats ignores.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

mapfile -t sources < <(files '*.c' '*.h' '*.cpp' '*.cu' '*.cuh' '*.sh' '*.bats' '*.py' '*.cmake' CMakeLists.txt \
    'src/*.js' 'src/*.css' 'src/*.html')
LC_ALL=C awk "$CODE_OF"'
function violation(line, text) { print FILENAME ":" line ": " text; bad = 1 }
FNR == 1 {
    head = 0; begin = 0; comment = 0
    c = FILENAME ~ /\.(c|h|cpp|cu|cuh)$/
    small = FILENAME ~ /^src\/(analysis|history|numeric)\//
    plain = small && c && FILENAME !~ /\/(tuning|tail|lean)\.h$/
    numeric = FILENAME ~ /^src\/numeric\//
    lines_most = small ? 300 : FILENAME ~ /^(src|ep|tools|python)\// ? 400 : 700
    function_most = small ? 50 : 70
}
FNR == lines_most + 1 { violation(FNR, "more than " lines_most " lines") }
c && length($0) > 100 {
    characters = $0
    gsub(/[\200-\277]/, "", characters) # all but the first byte of each in UTF-8
    if (length(characters) > 100) violation(FNR, "more than 100 columns")
}
FILENAME ~ /\.bats$/ && /^ *! / { violation(FNR, "bats ignores what fails behind !; write run !") }
!c { next }
FILENAME ~ /^(src|ep|tools)\// && /(^|[^_])getenv\(((EPM_)?NODE_SIZE|"DEEPXTRACE)/ {
    violation(FNR, "a variable of ours is read by secure_getenv()")
}
plain {
    code = code_of($0)
    gsub(/"[^"]*"/, "", code)
    gsub(/[A-Za-z_][A-Za-z0-9_]*/, "", code)
    if (numeric) { # a half, a place in an array, a row of a table
        gsub(/[ (]-?0\.5[^0-9]/, " ", code)
        gsub(/\[[0-9]\]/, "", code)
        if (code ~ /^ *\{[-0-9., ]+\},?$/) code = ""
    }
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
    if (FNR - begin + 1 > function_most)
        violation(begin, name "() has " FNR - begin + 1 " lines, more than " function_most)
    head = 0
    begin = 0
}
!begin && (/^$/ || /^#/ || /;[ \t]*$/ || /^\}/) { head = 0 }
END { exit bad }
' "${sources[@]}"
status=$?
awk '
/^#define DXT_[A-Z0-9_]+ +[0-9]/ && FILENAME ~ /\.h$/ { line[$2] = FNR }
FILENAME ~ /\.md$/ {
    for (rest = $0; match(rest, /`DXT_[A-Z0-9_]+`/); rest = substr(rest, RSTART + RLENGTH)) {
        name = substr(rest, RSTART + 1, RLENGTH - 2)
        if (!(name in line)) { print FILENAME ":" FNR ": " name " is not in tuning.h"; bad = 1 }
        told[name] = 1
    }
}
END {
    for (name in line)
        if (!(name in told)) { print "src/analysis/tuning.h:" line[name] ": TUNING.md does not explain " name; bad = 1 }
    exit bad
}' src/analysis/tuning.h src/analysis/TUNING.md || status=1
# The README of the analysis says where each step stands.
# shellcheck disable=SC2016 # Markdown's quotes
while IFS=: read -r file name; do
    grep -qE "^[a-z].*\\b$name\\(" "src/analysis/$file" && continue
    echo "src/analysis/README.md:1: $file has no function $name()"
    status=1
done < <(grep -oE '`[a-z_/]+\.c`: `[a-z_]+\(\)`' src/analysis/README.md | tr -d '`() ')
exit "$status"
