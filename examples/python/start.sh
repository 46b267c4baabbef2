#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# start.sh RANKS PROGRAM…: what torchrun --nproc_per_node RANKS does, as far as the examples need it.
# Fails if one of the ranks does, and ends the ranks behind it: without rank 0 they would wait for
# torch's 300 s.
ranks=$1
shift
export WORLD_SIZE="$ranks" MASTER_ADDR="${MASTER_ADDR:-127.0.0.1}" MASTER_PORT="${MASTER_PORT:-29500}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
processes=''
rank=0
while [ "$rank" -lt "$ranks" ]; do
    RANK=$rank LOCAL_RANK=$rank "${PYTHON:-python3}" "$@" &
    processes="$processes $!"
    rank=$((rank + 1))
done
status=0
# shellcheck disable=SC2086 # several
set -- $processes
while [ $# -gt 0 ]; do
    process=$1
    shift
    if ! wait "$process"; then
        status=1
        if [ $# -gt 0 ]; then kill "$@" 2> /dev/null || true; fi
    fi
done
exit "$status"
