#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# exact.sh COMMAND RANKS: nobody is named without a fault, and exactly the slow rank with one. On a busy
# machine the others are late, too, by less than the share that is asked for.
# shellcheck source=tests/multi/common.sh
. "$(dirname "$0")/common.sh"
ranks=$2

# named: every (phase, kind, rank) of the verdict over the whole run. That everybody waits for everybody,
# as on a busy machine, names nobody.
named() {
    tail -n 2 "$scratch/out" |
        jq -r '.phase as $phase | .findings[] | select(.kind != "systemic_skew") |
            "\($phase) \(.kind) \(.rank // .path)"'
}

expect() {
    local want=$1
    shift
    "$deepxtrace" job --ranks "$ranks" --min-share 25% --json "$@" >"$scratch/out" 2>"$scratch/err" ||
        fail "exit status $?"
    [ "$(named)" = "$want" ] || fail "named '$(named)', not '$want'"
}

expect "" --steps 200
expect "dispatch late_rank 1" --steps 200 --slow "dispatch:1:20ms"
expect "combine late_rank 0" --steps 200 --slow "combine:0:20ms"
