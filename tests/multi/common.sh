# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of the tests in this folder. Each is given the command to test as $1.
set -u
deepxtrace=$1
children=
parent=
# shellcheck source=tests/support/jobs.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/jobs.sh"

cleanup() { [ -n "$parent" ] && kill -KILL "$parent" 2>/dev/null; }

lines_at_least() { [ "$(wc -l <"$scratch/out")" -ge "$1" ]; }
children_at_least() { [ "$(wc -w <"/proc/$parent/task/$parent/children")" -ge "$1" ]; }

# start RANKS OPTION…: run in the background; sets parent and children (rank 0 first).
start() {
    local ranks=$1
    shift
    "$deepxtrace" job --ranks "$ranks" "$@" >"$scratch/out" 2>"$scratch/err" &
    parent=$!
    until_true 20 children_at_least "$ranks" || fail "the ranks did not start"
    children=$(cat "/proc/$parent/task/$parent/children")
}

pid_of_rank() { echo "$children" | cut -d' ' -f$(($1 + 1)); }

all_ended() {
    local pid
    for pid in $children; do alive "$pid" && return 1; done
    return 0
}

# ends SECONDS: wait for the parent; sets status.
ends() {
    until_true "$1" ended "$parent" || fail "still running after $1 s"
    wait "$parent"
    # shellcheck disable=SC2034 # for those who include this
    status=$?
    nothing_left
    parent=
}

nothing_left() {
    until_true 5 all_ended || fail "processes are left: $children"
    ! compgen -G "/dev/shm/deepxtrace-$parent-*" >"$scratch/left" || fail "shared memory is left"
}

# windows: how many intervals were told of (two operators each).
windows() { echo $(($(wc -l <"$scratch/out") / 2)); }
