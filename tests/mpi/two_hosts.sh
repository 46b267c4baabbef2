#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# two_hosts.sh MPI MPIRUN HOSTS RANKS-PER-HOST: nodes and hosts are right without being told, and a
# slow link and a late rank are told apart in one run.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/mpi/hosts.sh
. "$(dirname "$0")/hosts.sh"
count=$1
each=$2

# What is told at the end counts: that MPI may fail to finalize is said in docs/mpi.md.
job()
{
    rm -f "$scratch/run.jsonl"
    launch_on "$each" "$deepxtrace" job --engine mpi --tokens 4 --hidden 256 --json \
        --record "$scratch/run.jsonl" "$@" >"$scratch/out" 2>"$scratch/err"
    [[ $(grep '^{' "$scratch/out" | jq -s 'map(select(.window == null)) | length') == 2 ]] || fail "no report"
}

hosts_up "$count"
job --steps 100 --compute 4ms --min-share 25%
expect ""
want=$(for ((r = 0; r < count * each; r++)); do echo "$((r / each)) ${hosts[r / each]}"; done)
have=$(head -n 1 "$scratch/run.jsonl" | jq -r '[.nodes, .hosts] | transpose[] | "\(.[0]) \(.[1])"')
[[ $have == "$want" ]] || fail "nodes and hosts: $have"

# The last host is far away, and a rank of the first is late. Each step takes a part of a second: of those that warm
# up, which nobody judges, there are few.
slow_down $((count - 1)) 20
job --steps 60 --window 10 --slow dispatch:1:60ms
late=$(named | grep -c '^dispatch late_rank 1$')
((late == 1)) || fail "rank 1 is not named: $(named | paste -sd ' ')"
others=$(named | grep late_rank | grep -vc '^dispatch late_rank 1$')
((others == 0)) || fail "named as well: $(named | paste -sd ' ')"
# Two nodes that are far from each other are two nodes: others have to be nearer to each other.
if ((count == 2)); then exit 0; fi
link=$(named | grep -cE "(late_node|slow_node_link) $((count - 1))\$|slow_node_path .*$((count - 1))")
((link >= 1)) || fail "the link is not named: $(named | paste -sd ' ')"
