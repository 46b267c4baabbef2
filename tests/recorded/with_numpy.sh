#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a Python program with the first Python that has NumPy; 77 (skipped) if there is none.
for python in "${PYTHON:-python3}" python3 /usr/bin/python3; do
    if "$python" -c 'import numpy' 2>/dev/null; then
        exec "$python" "$@"
    fi
done
echo "no Python with NumPy found" >&2
exit 77
