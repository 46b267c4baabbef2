#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-python.sh: types of the Python package (mypy, strict) and style of all Python (flake8).
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

bad=0
(cd python && ../scripts/python.sh mypy -m mypy --no-error-summary -p deepxtrace) || bad=$?
# Types must know a wrong name as one: else the comment is unused, and an error.
(cd python && ../scripts/python.sh mypy -m mypy --no-error-summary --warn-unused-ignores \
    -c 'import deepxtrace; deepxtrace.adapters; deepxtrace.Windou  # type: ignore[attr-defined]') || bad=$?
if ((bad == SKIP)); then exit "$SKIP"; fi
mapfile -t sources < <(files 'python/*.py' 'tests/python/*.py' 'examples/*.py' 'bench/*.py')
scripts/python.sh flake8 -m flake8 --max-line-length 100 "${sources[@]}"
case $? in
0) ;;
"$SKIP") exit "$SKIP" ;;
*) bad=1 ;;
esac
exit "$bad"
