# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests in this folder, which are given the command to test as $1: they use four GPUs, or
# as many as there are, at least two; `ranks` says how many.
# shellcheck source=tests/multi/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../multi/common.sh"
set -o pipefail

gpus=$("$deepxtrace" info --json | jq -r '.parts[] | select(.name == "run-cuda") | .why') ||
    fail "deepxtrace info, or jq"
count=$(sed -nE 's/^NVIDIA.*; ([0-9]+) GPUs$/\1/p' <<<"$gpus")
if [ "${count:-0}" -lt 2 ]; then
    echo "needs two GPUs, better four; there is: $gpus"
    exit 77
fi
# shellcheck disable=SC2034 # for those who include this
ranks=$((count < 4 ? count : 4))
