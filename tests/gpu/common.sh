# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests in this folder, which are given the command to test as $1: they need four GPUs.
# shellcheck source=tests/multi/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../multi/common.sh"
set -o pipefail

gpus=$("$deepxtrace" info --json | jq -r '.parts[] | select(.name == "run-cuda") | .why') ||
    fail "deepxtrace info, or jq"
case $gpus in
*"; "[4-9]" GPUs" | *"; "[1-9][0-9]" GPUs") ;;
*)
    echo "needs four GPUs; there is: $gpus"
    exit 77
    ;;
esac
