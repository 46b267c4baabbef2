#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-layers.sh: what may include what (docs/architecture.md). A folder of src/ sees lower levels
# only: what dxt_module() in its CMakeLists.txt names, which is also all that the compiler finds.
# ep/ is a library of its own; the tools and the monitor, a part of its own, live on the public API.
# And no library takes settings from an environment that it may not trust.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# One line for each room: what it sees.
rules="$(cat src/*/CMakeLists.txt | tr '\n' ' ' | sed 's/dxt_module(/\n&/g' |
    sed -nE 's/^dxt_module\(([a-z]+) (SEES ([a-z ]+))?.*/\1 \3/p')
system
ep        system probe:public base:public
monitor   system base all:public
tools     system all:public"
# One line for each room: its public headers.
headers="$(cat src/*/CMakeLists.txt | tr '\n' ' ' | sed 's/dxt_module(/\n&/g' |
    sed -nE 's/^dxt_module\(([a-z]+) .*HEADERS ([a-z. ]+).*/\1 \2/p')"
# The rooms in the order of their levels, lowest first; those of one level do not see each other.
levels='
system   -1
base      0
numeric   1
probe     1
matrix    1
analysis  2
render    2
gather    2
history   3
report    4
session   4
monitor   5
library   5
'
# ep/ has levels of its own: what each of its folders sees besides itself.
ep_rules='
common
shm    common
mpi    common shm
cuda   common
'
# The system is kept out of what is to work on a recording alone, and heavy libraries out of all but
# their part.
system_rules='
analysis  ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
numeric   ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
history   ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
render    ^(time|unistd|fcntl|signal|pthread)\.h$|^sys/|^net
report    ^(time|unistd|fcntl|signal|pthread|dlfcn)\.h$|^sys/|^net
'

mapfile -t sources < <(files 'src/*.c' 'src/*.h' 'ep/*.c' 'ep/*.h' 'ep/*.cu' 'ep/*.cuh' \
    'tools/*.c' 'tools/*.h' 'include/deepxtrace/*.h' \
    'include/deepxtrace/*.cuh')
awk -v rules="$rules" -v system_rules="$system_rules" -v headers="$headers" -v levels="$levels" \
    -v ep_rules="$ep_rules" '
BEGIN {
    count = split(levels, lines, "\n")
    for (i = 1; i <= count; i++)
        if (split(lines[i], word, " ") == 2) level[word[1]] = word[2]
    count = split(headers, lines, "\n")
    for (i = 1; i <= count; i++) {
        words = split(lines[i], word, " ")
        for (w = 2; w <= words; w++) owner[word[w]] = word[1]
    }
    count = split(rules, lines, "\n")
    for (i = 1; i <= count; i++) {
        words = split(lines[i], word, " ")
        if (words == 0) continue
        known[word[1]] = 1
        for (w = 2; w <= words; w++) {
            allowed[word[1], word[w]] = 1
            if (!(word[1] in level) && word[w] !~ /:|^system$/) refuse(word[1] " has no level")
            else if (word[1] in level && word[w] in level && level[word[w]] >= level[word[1]])
                refuse(word[1] " must not see " word[w] ", which is not below it")
        }
    }
    count = split(ep_rules, lines, "\n")
    for (i = 1; i <= count; i++) {
        words = split(lines[i], word, " ")
        for (w = 1; w <= words; w++) ep_allowed[word[1], word[w]] = 1
        if (words > 0) ep_known[word[1]] = 1
    }
    count = split(system_rules, lines, "\n")
    for (i = 1; i <= count; i++)
        if (split(lines[i], word, " ") == 2) forbidden[word[1]] = word[2]
}
function refuse(text) { print "src/*/CMakeLists.txt: " text; bad = 1 }
function violation(text) { print FILENAME ":" FNR ": " text; bad = 1 }
function header_room(name)
{
    sub(/^deepxtrace\//, "", name)
    if (name == "deepxtrace.h") return "all"
    if (name in owner) return owner[name]
    sub(/\.h$/, "", name)
    return name
}
FNR == 1 {
    parts = split(FILENAME, part, "/")
    room = part[1] == "src" ? part[2] : part[1]
    if (room == "include") room = header_room(part[2] "/" part[3])
    if (room != "all" && !(room in known)) violation("no level is known for " room)
    umbrella = room == "library" || room == "tools" || room == "all" || room == "monitor"
}
# A program with raised privileges takes no settings of ours from who started it. What a launcher
# says is asked for even then: such programs run under mpirun, too.
/getenv/ && (part[1] != "tools" || part[2] == "pmpi") {
    asked = $0
    gsub(/secure_getenv\(|getenv\("(OMPI|PMI|PMIX)_/, "", asked)
    if (asked ~ /getenv *\(/) violation("libraries ask secure_getenv()")
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
part[1] == "include" && (/"/ || substr(name, 1, index(name, "/") - 1) in known) {
    violation("a public header includes of ours <deepxtrace/...> alone, not \"" name "\"")
    next
}
name ~ /\// {
    folder = name
    if (!sub(/\/.*/, "", folder) || folder == room || folder == ".." ) {
        if (folder == "..") violation("include from the root of src/: \"" name "\"")
        next
    }
    if (room == "ep" && folder in ep_known) {
        if (!((part[2], folder) in ep_allowed)) violation("ep/" part[2] " must not see \"" name "\"")
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
