#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh PROGRAM FOUND CORPUS OPTION…: run one fuzz target. What it finds goes into the folder FOUND, an
# input that makes it fail into FOUND-*. Inputs that made it fail before come first, so that a second
# try passes only if the first one failed by something else than its input. With -seed=N, N not 0,
# nothing that was found before is used: the same inputs each time, in any folder and environment.
set -uo pipefail
shopt -s nullglob
export LC_ALL=C

program=$(realpath "$1") corpus=$(realpath "$3")
mkdir -p "$(dirname "$2")"
cd "$(dirname "$2")" || exit
found=$(basename "$2")
shift 3
for input in "$found"-*; do
    if ! "$program" -timeout=30 "$input"; then
        echo "This input makes ${program##*/} fail again: $PWD/$input" >&2
        exit 1
    fi
done
clean=() seeds=("$corpus")
for option in "$@"; do
    if [[ $option != -seed=* || $option == -seed=0 ]]; then continue; fi
    rm -rf "$found"
    # A fuzzer learns from addresses, the stack begins below the arguments and the environment, and
    # a folder is listed in another order on another disk.
    program=$(realpath --relative-to=. "$program")
    seeds=("$(realpath --relative-to=. "$corpus")"/*)
    seeds=(-seed_inputs="$(IFS=,; echo "${seeds[*]}")")
    clean=(env -i PATH=/usr/bin:/bin "ASAN_OPTIONS=${ASAN_OPTIONS:-}" "UBSAN_OPTIONS=${UBSAN_OPTIONS:-}")
    if setarch -R true 2> /dev/null; then clean+=(setarch -R); fi
done
mkdir -p "$found"
exec "${clean[@]}" "$program" "$@" -artifact_prefix="$found"- "${seeds[@]}" "$found"
