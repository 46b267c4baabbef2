#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# probe_compiled_out.sh NM OBJECT
# With DXT_PROBE_DISABLE a function full of probe calls must be as long as one without, and the object
# must refer to nothing.
set -eu
symbols=$("$1" -S "$2")
size() {
    printf '%s\n' "$symbols" | awk -v name="$1" '$3 == "T" && $4 == name { print $2 }'
}
with=$(size probe_disabled_operation)
without=$(size probe_absent_operation)
if [ -z "$with" ] || [ "$with" != "$without" ]; then
    echo "with disabled probe calls 0x$with bytes of code, without 0x$without" >&2
    exit 1
fi
if printf '%s\n' "$symbols" | grep ' [UuVvWw] '; then
    echo "the object refers to something" >&2
    exit 1
fi
