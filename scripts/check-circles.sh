#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-circles.sh: no file includes, imports or calls one that leads back to it. Of includes, a file and
# its header are one; a header without a file of its name stands for itself, such as what several files of
# a room share. A call is a name that one other file alone defines. What Python imports inside of a
# function does not count.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
status=0

# circles WHAT: reads lines "FILE OTHER" and tells of a circle in them.
circles()
{
    local found
    found=$(LC_ALL=C sort -u | awk '$1 != $2' | tsort 2>&1 > /dev/null | sed 's/^tsort: //')
    if [[ $found ]]; then
        echo "$1: a circle between files: ${found//$'\n'/ }"
        status=1
    fi
}

mapfile -t sources < <(files 'src/*.[ch]' 'ep/*.[ch]' 'ep/*.cu' 'ep/*.cuh' 'tools/*.[ch]' 'tools/*.cu' 'tests/*.[ch]')
# An include is of the file in the same folder, or of that whose path ends so.
circles 'src, ep, tools, tests' < <(
    awk '
    NR == FNR { known[$0] = 1; path = $0; while (sub(/^[^\/]*\//, "", path)) ends[path] = ends[path] " " $0; next }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
        beside = FILENAME; sub(/[^\/]*$/, name, beside)
        target = beside
        if (!(beside in known)) {
            if (split(ends[name], all, " ") != 1) next
            target = all[1]
        }
        from = FILENAME
        sub(/\.[a-z]*$/, "", from); sub(/\.[a-z]*$/, "", target)
        print from, target
    }' <(printf '%s\n' "${sources[@]}") "${sources[@]}"
)

mapfile -t sources < <(files 'src/*.c' 'ep/*.c' 'ep/*.cu' 'tools/*.c' 'tools/*.cu')
# Functions and tables that are not static begin in column 0; each of their names is looked for in the
# other files, without comments and texts.
circles 'calls in src, ep, tools' < <(
    awk "$CODE_OF"'
    FNR == 1 { comment = 0; head = "" }
    {
        code = code_of($0)
        gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
        gsub(/struct +[A-Za-z_0-9]+|(\.|->)[A-Za-z_0-9]+/, " ", code) # no calls: types, fields
    }
    # What begins in column 0 is a definition if a body or a value follows.
    code ~ /^[A-Za-z_]/ && code !~ /^[a-z_]+:/ { head = ""; open = 1 }
    open { head = head " " code }
    open && (code ~ /^\{/ || head ~ /=/ || code ~ /[{;][ \t]*$/) {
        defined = code ~ /^\{/ || head ~ /=/
        if (defined && head !~ /^ *(static|typedef|struct [a-z_]* *\{|enum|extern|#)/ && head !~ /[ \t]static[ \t]/) {
            name = head
            sub(/[=({\[].*/, "", name); sub(/[ \t]*$/, "", name); sub(/.*[ \t*]/, "", name)
            if (name == "main") name = ""
            if (!(name in owner)) owner[name] = FILENAME
            else if (owner[name] != FILENAME) owner[name] = "several"
        }
        open = 0
    }
    {
        while (match(code, /[A-Za-z_][A-Za-z0-9_]*/)) {
            uses[FILENAME, substr(code, RSTART, RLENGTH)] = 1
            code = substr(code, RSTART + RLENGTH)
        }
    }
    END {
        for (pair in uses) {
            split(pair, part, SUBSEP)
            if (!(part[2] in owner)) continue
            to = owner[part[2]]
            if (to != "several" && to != part[1]) print part[1], to
        }
    }' "${sources[@]}"
)

mapfile -t modules < <(files 'python/deepxtrace/*.py')
if grep -nE '^(from|import) deepxtrace[. ]' "${modules[@]}" |
    sed 's/:\(from\|import\) .*/: a module names another one with a dot: from ./' | grep .; then
    status=1
fi
circles python/deepxtrace < <(
    awk '
    function module(path) { sub(/^python\/deepxtrace\//, "", path); sub(/(\/__init__)?\.py$/, "", path); return path }
    NR == FNR { known[module($0)] = 1; next }
    FNR == 1 { from = module(FILENAME); folder = from ~ /\// ? substr(from, 1, index(from, "/")) : "" }
    open { $0 = open " " $0 } # a list in brackets goes on
    { open = /^from \.+[a-z_A-Z.]* import \([^)]*$/ ? $0 : "" }
    open { next }
    /^from \.+[a-z_A-Z.]* import / {
        name = $2; dots = 0
        while (sub(/^\./, "", name)) dots++
        base = dots > 1 ? "" : folder
        gsub(/\./, "/", name)
        # What is no module of the package is a name that the package, or the module, offers itself.
        from_name = base name
        sub(/\/$/, "", from_name)
        if (from_name == "") from_name = "__init__"
        inside = from_name == "__init__" ? "" : from_name "/"
        rest = $0; sub(/^from [^ ]* import /, "", rest); sub(/#.*/, "", rest)
        gsub(/ as [A-Za-z_]+|[(),]/, " ", rest)
        count = split(rest, words, " ")
        for (i = 1; i <= count; i++)
            if ((inside words[i]) in known) print from, inside words[i]
            else if (from_name in known) print from, from_name
    }' <(printf '%s\n' "${modules[@]}") "${modules[@]}"
)
exit "$status"
