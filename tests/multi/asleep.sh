#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rank sleeps inside its own step while its process, and its session's thread, live: nothing is
# completed any more, and the rank that has issued less than the others is named, and nobody else.
# shellcheck source=tests/multi/common.sh
. "$(dirname "$0")/common.sh"

start 4 --steps 2 --window 1 --warmup 0 --async 0.3 --timeout 100s --slow dispatch:2:4s --json
until_true 60 names_silent 2 || fail "silent: '$(silent)', not 2"
ends 60
[ "$status" = 0 ] || fail "exit status $status"
[ "$(silent)" = 2 ] || fail "silent: '$(silent)', not 2"
reasons=$(jq -r '.findings[] | select(.kind == "silent_rank") | .reason' "$scratch/out" | sort -u)
[ "$reasons" = "takes no part" ] || fail "reasons: $reasons"
