#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh: run every check-*.sh; the last line counts them.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

passed=0 failed=0 skipped=0
for check in scripts/check-*.sh; do
    "$check"
    case $? in
    0) passed=$((passed + 1)) result=ok ;;
    "$SKIP") skipped=$((skipped + 1)) result=skipped ;;
    *) failed=$((failed + 1)) result=FAILED ;;
    esac
    name=${check##*/check-}
    printf 'check %-8s %s\n' "${name%.sh}" "$result"
done
count_line "$passed" "$failed" "$skipped"
((failed == 0))
