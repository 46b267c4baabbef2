#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public function says in its comment whether it blocks, which threads may call it and, if it takes a pointer,
# what NULL does: "Blocking: …", "Threads: …", "NULL: …", or "Blocking, threads, NULL: as …()". A header says it once
# for all that it has where the comment at its head has all three. Each function that a library exports is found in a header.
# Those that take a pointer are asked with NULL in tests/unit/test_null.c, which does nothing else, or as their first argument
# in test_ep_create.c, for ep/.
# No struct is passed or returned by value, and each begins with struct_size or says that it is frozen.
# Usage: check-contracts.sh [HEADER…]
set -euo pipefail
cd "$(dirname "$0")/.."
lists=()
if [ $# -eq 0 ]; then
    set -- include/deepxtrace/*.h include/deepxtrace/*.cuh
    lists=(tests/install/symbols/libdeepxtrace.txt tests/install/symbols/libdeepxtrace-ep.txt)
fi
awk '
    function complain(where, text) { printf "%s:%d: %s\n", FILENAME, where, text; bad++ }
    # The type of a parameter or result, if it is a struct that is not behind a pointer.
    function by_value(text,   word) {
        gsub(/DXT_API|DXT_GPU_FN|static|inline|extern|const|struct/, "", text)
        if (text ~ /[*\[]/ || !match(text, /dxt_[a-z0-9_]+/)) return ""
        word = substr(text, RSTART, RLENGTH)
        return word in is_struct ? word : ""
    }
    function look_at_values(   parts, count, k, found) {
        count = split(parameters, parts, ",")
        for (k = 1; k <= count; k++)
            if ((found = by_value(parts[k])) != "") complain(line, name " takes a " found " by value")
        if ((found = by_value(result)) != "") complain(line, name " returns a " found " by value")
    }
    FILENAME ~ /tests\/unit\/test_[a-z_]*\.c$/ {
        call = FILENAME ~ /_null/ ? "dxt_[a-z0-9_]+\\(" : "dxt_[a-z0-9_]+\\(NULL"
        for (rest = $0; match(rest, call); rest = substr(rest, RSTART + RLENGTH)) {
            name = substr(rest, RSTART, RLENGTH)
            sub(/\(.*/, "", name)
            asked[name] = 1
        }
        next
    }
    FILENAME ~ /\.txt$/ { exported[$1] = FILENAME; next }
    # Twice: the structs first.
    FNR == 1 { comment = ""; skipped = 0; declaration = ""; whole = ""; first = 1; again = FILENAME in seen; seen[FILENAME] = 1 }
    !again { if (match($0, /^typedef struct dxt_[a-z0-9_]+ \{/)) is_struct[$3] = 1; next }
    /^#else.*DXT_PROBE_DISABLE/ { skipped = 1 }   # the empty twins of what is above
    /^#endif.*DXT_PROBE_DISABLE/ { skipped = 0 }
    skipped { next }
    /^[ \t]*\/\*/ && !inside { comment = ""; inside = 1; doc = /^[ \t]*\/\*\*/ }
    inside {
        comment = comment $0 "\n"
        if ($0 !~ /\*\//) next
        inside = 0
        if (comment ~ /SPDX/) { comment = ""; next }
        if (first && !doc && comment ~ /Blocking:[ \n]/ && comment ~ /Threads:[ \n]/ && comment ~ /NULL:[ \n]/) whole = comment
        first = 0
        if (!doc) comment = ""
        next
    }
    /^#define DXT_(API|GPU_FN)/ { next }
    declaration == "" && /(^|[ \t])(DXT_API|DXT_GPU_FN) |^static inline / { line = FNR; declaration = " " }
    declaration != "" {
        declaration = declaration $0 " "
        if ($0 !~ /\)/) next
        match(declaration, /dxt_[a-z0-9_]+\(/)
        name = substr(declaration, RSTART, RLENGTH - 1)
        result = substr(declaration, 1, RSTART - 1)
        parameters = substr(declaration, RSTART + RLENGTH)
        missing = ""
        said = comment whole
        as_another = comment ~ /Blocking, threads, NULL: as/
        if (!as_another && said !~ /Blocking:[ \n]/) missing = missing ", whether it blocks"
        if (!as_another && said !~ /Threads:[ \n]/) missing = missing ", which threads may call it"
        if (!as_another && parameters ~ /[*]|\[/ && said !~ /NULL:[ \n]/) missing = missing ", what NULL does"
        if (declaration ~ /DXT_API/) {
            if (parameters ~ /[*]|_fn / && !(name in asked)) complain(line, "no test calls " name " with NULL")
            look_at_values()
        }
        if (missing != "") complain(line, name " does not say" substr(missing, 2))
        functions++
        declared[name] = 1
        declaration = comment = ""
        next
    }
    FILENAME !~ /\.cuh$/ && /^typedef struct dxt_[a-z0-9_]+ \{/ {   # what kernels include is compiled into them
        type = $3
        fields = 1
        told = comment ~ /Frozen/ || comment ~ /dxt_finding_at/
        comment = ""
        next
    }
    fields && /[^ ]/ {
        fields = 0
        if ($0 !~ /size_t struct_size;/ && !told) complain(FNR - 1, type " has no struct_size, and does not say that it is frozen")
    }
    /^([^ \/#*]|#define)/ { comment = "" }
    END {
        if (functions < 1) { print "no public function was found"; exit 1 }
        for (name in exported)
            if (!(name in declared)) { print exported[name] ": no header was found to declare " name; bad++ }
        exit bad > 0
    }
' tests/unit/test_null.c tests/unit/test_ep_create.c "${lists[@]}" "$@" "$@"
