#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# start.sh RANKS PROGRAM…: what torchrun --nproc_per_node RANKS does, as far as the examples need it.
# Fails if one of the ranks does, and ends the others then: they would wait for it for torch's 300 s.
set -u
ranks=$1
shift
export WORLD_SIZE="$ranks" MASTER_ADDR="${MASTER_ADDR:-127.0.0.1}" MASTER_PORT="${MASTER_PORT:-29500}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
# Each rank says in a pipe when it begins and when it has ended.
folder=$(mktemp -d) && mkfifo "$folder/said" && exec 3<> "$folder/said" || exit 1
rm -r "$folder"
rank=0
while [ "$rank" -lt "$ranks" ]; do
    {
        RANK=$rank LOCAL_RANK=$rank "${PYTHON:-python3}" "$@" 3>&- &
        echo "process $!" >&3
        wait "$!"
        echo "status $?" >&3
    } &
    rank=$((rank + 1))
done
processes=''
status=0
end()
{
    status=1
    # shellcheck disable=SC2086 # several
    if [ "$processes" ]; then kill $processes 2> /dev/null || true; fi
}
trap 'end; exit 1' INT TERM HUP
while [ "$rank" -gt 0 ] && read -r what number <&3; do
    if [ "$what" = process ]; then
        processes="$processes $number"
        if [ "$status" -ne 0 ]; then end; fi
    else
        rank=$((rank - 1))
        if [ "$number" -ne 0 ]; then end; fi
    fi
done
exit "$status"
