#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-layers.sh: what may include what (docs/architecture.md). A folder of src/ sees lower levels
# only; ep/ is a library of its own; the tools live on the public API.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

rules='
base
probe     base
matrix    base
analysis  base matrix
render    base matrix
gather    base
report    base matrix analysis render
session   base probe matrix analysis gather
ep        probe:public base:public
tools     all:public
'
# The system is kept out of what is to work on a recording alone, and heavy libraries out of all but
# their part.
system_rules='
analysis  ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
render    ^(time|unistd|fcntl|signal|pthread)\.h$|^sys/|^net
report    ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
'

mapfile -t sources < <(files 'src/*.c' 'src/*.h' 'ep/*.c' 'ep/*.h' 'ep/*.cu' 'ep/*.cuh' \
    'tools/*.c' 'tools/*.h' 'include/deepxtrace/*.h' \
    'include/deepxtrace/*.cuh')
awk -v rules="$rules" -v system_rules="$system_rules" '
BEGIN {
    count = split(rules, lines, "\n")
    for (i = 1; i <= count; i++) {
        words = split(lines[i], word, " ")
        if (words == 0) continue
        known[word[1]] = 1
        for (w = 2; w <= words; w++) allowed[word[1], word[w]] = 1
    }
    count = split(system_rules, lines, "\n")
    for (i = 1; i <= count; i++)
        if (split(lines[i], word, " ") == 2) forbidden[word[1]] = word[2]
}
function violation(text) { print FILENAME ":" FNR ": " text; bad = 1 }
function header_room(name)
{
    sub(/^deepxtrace\//, "", name)
    if (name == "types.h" || name == "status.h") return "base"
    if (name == "deepxtrace.h") return "all"
    if (name ~ /^probe\.cuh?$/) return "probe"
    if (name == "history.h") return "analysis"
    if (name == "mpi.h") return "gather"
    sub(/\.h$/, "", name)
    return name
}
FNR == 1 {
    parts = split(FILENAME, part, "/")
    room = part[1] == "src" ? part[2] : part[1]
    if (room == "include") room = header_room(part[2] "/" part[3])
    if (room != "all" && !(room in known)) violation("no level is known for " room)
    umbrella = FILENAME ~ /^src\/base\/(constants|part|version)\.c$/ || room == "tools" || room == "all"
}
!/^[ \t]*#[ \t]*include[ \t]*[<"]/ { next }
{
    name = $0
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"].*/, "", name)
}
name ~ /^deepxtrace\// {
    target = header_room(name)
    if (target == "all") {
        if (!umbrella) violation("includes <deepxtrace/deepxtrace.h>, the whole API")
    } else if (room != "all" && room != target && !((room, target) in allowed) &&
               !((room, target ":public") in allowed) && !((room, "all:public") in allowed))
        violation(room " must not see " target " (<" name ">)")
    next
}
/"/ {
    folder = name
    if (!sub(/\/.*/, "", folder) || folder == room || folder == ".." ) {
        if (folder == "..") violation("include from the root of src/: \"" name "\"")
        next
    }
    if (!(folder in known)) next
    if (!((room, folder) in allowed)) violation(room " must not see \"" name "\"")
    next
}
room in forbidden && name ~ forbidden[room] { violation(room " must not see <" name ">") }
name ~ /^cairo/ && room != "render" { violation("<" name "> belongs to render alone") }
name ~ /^jansson/ && (room == "ep" || room == "include") { violation("<" name "> in " room) }
END { exit bad }
' "${sources[@]}"
