#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh PROGRAM FOUND CORPUS OPTION…: run one fuzz target. What it finds goes into the folder FOUND, an
# input that makes it fail into FOUND-*. Inputs that made it fail before come first, so that a second
# try passes only if the first one failed by something else than its input. With -seed=N, N not 0,
# nothing that was found before is used: the same inputs each time.
set -uo pipefail
shopt -s nullglob

program=$1 found=$2 corpus=$3
shift 3
for input in "$found"-*; do
    if ! "$program" -timeout=30 "$input"; then
        echo "This input makes ${program##*/} fail again: $input" >&2
        exit 1
    fi
done
for option in "$@"; do
    if [[ $option == -seed=* && $option != -seed=0 ]]; then rm -rf "$found"; fi
done
mkdir -p "$found"
exec "$program" "$@" -artifact_prefix="$found"- "$found" "$corpus"
