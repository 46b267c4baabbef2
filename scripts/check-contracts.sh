#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public function says in its comment whether it blocks, which threads may call it and, if it takes a pointer,
# what NULL does: "Blocking: …", "Threads: …", "NULL: …", or "Blocking, threads, NULL: as …()".
# Those of the core library that take a pointer are asked with NULL in tests/unit/test_null.c; tests/unit/test_ep_create.c
# asks those of ep/.
# Usage: check-contracts.sh [HEADER…]
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- include/deepxtrace/*.h
awk '
    FILENAME ~ /test_null\.c$/ {
        for (rest = $0; match(rest, /dxt_[a-z0-9_]+\(/); rest = substr(rest, RSTART + RLENGTH))
            asked[substr(rest, RSTART, RLENGTH - 1)] = 1
        next
    }
    FNR == 1 { comment = ""; skipped = 0; declaration = "" }
    /^#else \/\* DXT_PROBE_DISABLE/ { skipped = 1 }   # the empty twins of what is above
    /^#endif \/\* DXT_PROBE_DISABLE/ { skipped = 0 }
    skipped { next }
    /^\/\*\*/ { comment = ""; inside = 1 }
    inside { comment = comment $0 "\n"; if (/\*\/$/) inside = 0; next }
    declaration == "" && /^(DXT_API|static inline) / { line = FNR; declaration = " " }
    declaration != "" {
        declaration = declaration $0
        if ($0 !~ /\)/) next
        match(declaration, /dxt_[a-z0-9_]+\(/)
        name = substr(declaration, RSTART, RLENGTH - 1)
        parameters = substr(declaration, RSTART + RLENGTH)
        missing = ""
        as_another = comment ~ /Blocking, threads, NULL: as/
        if (!as_another && comment !~ /Blocking:[ \n]/) missing = missing ", whether it blocks"
        if (!as_another && comment !~ /Threads:[ \n]/) missing = missing ", which threads may call it"
        if (!as_another && parameters ~ /[*]|\[/ && comment !~ /NULL:[ \n]/) missing = missing ", what NULL does"
        if (declaration ~ /^ DXT_API/ && FILENAME !~ /\/ep\.h$/ && parameters ~ /[*]|_fn / && !(name in asked)) {
            printf "%s:%d: tests/unit/test_null.c does not call %s\n", FILENAME, line, name
            bad++
        }
        if (missing != "") {
            printf "%s:%d: %s does not say%s\n", FILENAME, line, name, substr(missing, 2)
            bad++
        }
        functions++
        declaration = comment = ""
        next
    }
    /^[^ \/#*]/ { comment = "" }
    END {
        if (functions < 1) { print "no public function was found"; exit 1 }
        exit bad > 0
    }
' tests/unit/test_null.c "$@"
