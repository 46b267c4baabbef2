#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# python.sh MODULE,MODULE… ARGUMENT…: run Python with the first interpreter that can import the
# modules, $PYTHON first; 77 (skipped) if there is none.
modules=$1
shift
for python in "${PYTHON:-python3}" python3 /usr/bin/python3; do
    if "$python" -c "import $modules" 2> /dev/null; then
        exec "$python" "$@"
    fi
done
echo "no Python that has $modules was found" >&2
exit 77
