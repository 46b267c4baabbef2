#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# grid.sh COMMAND FOLDER: make simulated recordings of every kind of fault, for 2 to 1024 ranks, in a
# FOLDER, for compare.sh. COMMAND is a deepxtrace; the recordings are its own.
set -euo pipefail

deepxtrace=$1 folder=$2
mkdir -p "$folder"

# make NAME OPTION…: one recording, unless it is there.
make() {
    local file=$folder/$1.jsonl
    shift
    [ -e "$file" ] || "$deepxtrace" simulate "$@" -o "$file"
}

# Each fault in each operator; rank 1 and the last one exist in any job.
for n in 2 3 4 6 8 16 64; do
    job=(--ranks "$n" --windows 14) last=$((n - 1))
    make "$n-healthy" "${job[@]}"
    make "$n-calm" "${job[@]}" --calm --slow combine:1:23us
    make "$n-tail" "${job[@]}" --tail lognormal:0.3 --slow combine:1:40us
    make "$n-wild" "${job[@]}" --cell-tail lognormal:0.6 --slow combine:1:40us
    make "$n-wild-healthy" "${job[@]}" --cell-tail lognormal:0.9
    make "$n-jitter" "${job[@]}" --jitter 40%
    make "$n-small" "${job[@]}" --slow "combine:1:4us" --windows 24 --from 8
    make "$n-experts" "${job[@]}" --local-experts 4 --slow "dispatch:1:25us"
    make "$n-thin" "${job[@]}" --window 5 --slow "dispatch:1:60us"
    make "$n-hot" "${job[@]}" --hot "1:2.5"
    make "$n-stalls" "${job[@]}" --slow "dispatch:1:400us" --chance 2%
    make "$n-later" "${job[@]}" --slow "dispatch:$last:20us" --from 9
    for phase in dispatch combine; do
        make "$n-$phase-slow" "${job[@]}" --slow "$phase:1:23us"
        make "$n-$phase-early" "${job[@]}" --early "$phase:1:30us"
        make "$n-$phase-path" "${job[@]}" --slow-path "$phase:$last<-0:25us"
        make "$n-$phase-in" "${job[@]}" --nic-in "$phase:1:25us"
        make "$n-$phase-out" "${job[@]}" --nic-out "$phase:$last:25us"
        make "$n-$phase-several" "${job[@]}" --slow "$phase:1:30us" --slow-path "$phase:0<-$last:60us"
    done
done
# Longer than what is remembered.
for n in 2 4 16; do
    for slow in 4us 23us; do
        make "$n-long-$slow" --ranks "$n" --windows 90 --slow "combine:1:$slow" --from 20
    done
done
# Nodes.
for shape in 4:2 6:3 8:4 8:2 16:8 16:4 32:8 64:8; do
    n=${shape%:*} g=${shape#*:}
    job=(--ranks "$n" --ranks-per-node "$g" --windows 10)
    make "$n-by-$g-healthy" "${job[@]}"
    make "$n-by-$g-hot" "${job[@]}" --hot "1:2.5"
    for phase in dispatch combine; do
        make "$n-by-$g-$phase-slow" "${job[@]}" --slow "$phase:1:30us"
        make "$n-by-$g-$phase-node" "${job[@]}" --slow-node "$phase:1:40us"
        make "$n-by-$g-$phase-node-path" "${job[@]}" --slow-node-path "$phase:0<-1:60us"
        make "$n-by-$g-$phase-in" "${job[@]}" --nic-in "$phase:1:40us"
        make "$n-by-$g-$phase-path" "${job[@]}" --slow-path "$phase:0<-$((n - 1)):80us"
    done
done
# Large ones: few windows, and the faults together.
for n in 128 256; do
    job=(--ranks "$n" --windows 4)
    make "$n-ranks" "${job[@]}" --slow combine:3-5:30us --early dispatch:9:40us --nic-in dispatch:11:40us
    make "$n-paths" "${job[@]}" --slow-path 'dispatch:3<-9:60us' --nic-out combine:7:40us --hot 21:2.5
    make "$n-nodes" "${job[@]}" --ranks-per-node 8 --slow-node combine:2:50us --slow-node-path 'dispatch:1<-3:90us'
done
make 1024-ranks --ranks 1024 --windows 2 --slow combine:3-5:30us --slow-path 'dispatch:3<-9:60us'
make 1024-nodes --ranks 1024 --windows 2 --ranks-per-node 8 --slow-node combine:2:50us --nic-in dispatch:11:60us
