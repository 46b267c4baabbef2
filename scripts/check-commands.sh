#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-commands.sh: commands in README.md, docs and man pages name what there is; those of the man pages
# that are quick run. The others run in `make check-docs`.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

if [[ ! -x build/bin/deepxtrace ]]; then
    echo "check-commands.sh: nothing is built in build/"
    exit "$SKIP"
fi
scripts/python.sh sys scripts/docs_commands.py --static build || exit
said=$(scripts/python.sh sys scripts/docs_commands.py --quick build) || {
    echo "$said"
    exit 1
}
