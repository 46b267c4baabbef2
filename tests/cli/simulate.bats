#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace simulate: what is put in is what analyze names.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    cd "$BATS_TEST_TMPDIR"
}

# Exit 2, nothing on standard output, one line on standard error that holds $1.
refused() {
    local expected=$1
    shift
    run --separate-stderr "$deepxtrace" simulate "$@"
    echo "stderr: $stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace simulate: "*"$expected"* ]]
}

# Every window of operator $1 has exactly the columns, rows and points $2.
names() {
    local phase=$1 expected=$2
    shift 2
    "$deepxtrace" simulate --windows 4 --calm "$@" > recording.jsonl
    "$deepxtrace" analyze --json recording.jsonl |
        jq -c "select(.phase == \"$phase\") | [[.abnormal_cols[][0]], [.abnormal_rows[][0]],
            [.abnormal_points[][0:2]]]" | sort -u > named
    cat named
    [ "$(cat named)" = "$expected" ]
}

@test "a recording: two lines for each window, with its truth" {
    run --separate-stderr "$deepxtrace" simulate --ranks 3 --windows 2 --window 7 --case probe \
        --slow combine:1:30us
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq 4 ]
    [ "$(jq -r '[.phase, .window, .ranks, .ops, .samples, .case] | join(" ")' <<< "${lines[3]}")" = \
        "combine 1 3 7 7 probe" ]
    [ "$(jq -c '.label | del(.skew_ns)' <<< "${lines[2]}")" = '{"cols":[],"rows":[],"points":[]}' ]
    [ "$(jq -c '.label | del(.skew_ns)' <<< "${lines[3]}")" = '{"cols":[1],"rows":[],"points":[]}' ]
    [ "$(jq -r '.unit, .ticks_per_second' <<< "${lines[0]}")" = $'cycles\n1980000000' ]
    [ "$(jq '.elapsed_ns > 7 * 220000' <<< "${lines[0]}")" = true ]
}

@test "analyze names what was done" {
    names dispatch '[[],[],[]]'
    names dispatch '[[2],[],[]]' --slow dispatch:2:23us
    names combine '[[],[],[]]' --slow dispatch:2:23us
    names combine '[[0,1],[],[]]' --ranks 8 --slow combine:0-1:30us
    names dispatch '[[],[1],[]]' --early dispatch:1:30us
    names dispatch '[[],[],[[3,1]]]' --ranks 8 --slow-path 'dispatch:3<-1:25us'
    for path in '1->3' '1 → 3'; do
        cmp <("$deepxtrace" simulate --ranks 8 --slow-path 'dispatch:3<-1:25us') \
            <("$deepxtrace" simulate --ranks 8 --slow-path "dispatch:$path:25us")
    done
    names dispatch '[[],[5],[]]' --ranks 8 --hot 5:2
    names combine '[[5],[],[]]' --ranks 8 --hot 5:2
    names dispatch '[[],[2],[]]' --ranks 8 --nic-in dispatch:2:25us
}

@test "a late node is one finding" {
    "$deepxtrace" simulate --ranks 16 --ranks-per-node 8 --windows 1 --slow-node dispatch:1:30us \
        --calm > node.jsonl
    [ "$(head -1 node.jsonl | jq -c .label.nodes)" = "[1]" ]
    run "$deepxtrace" analyze --json node.jsonl
    [ "$(jq -c '[.findings[] | .kind, .node]' <<< "${lines[0]}")" = '["late_node",1]' ]
}

# Of window 0 of operator $1: the findings as KIND:WHO:DIRECTION.
says() {
    local phase=$1
    shift
    "$deepxtrace" simulate --windows 1 --window 100 "$@" | "$deepxtrace" analyze --json - |
        jq -r "select(.phase == \"$phase\") | [.findings[] |
            \"\\(.kind):\\(.rank // .node // \"\")\\(.direction | if . then \":\" + . else \"\" end)\"] | join(\" \")"
}

@test "a NIC between nodes is a link, in the window and in its label" {
    nodes=(--ranks 32 --ranks-per-node 8)
    [ "$(says dispatch "${nodes[@]}" --nic-in dispatch:2:40us)" = "slow_link:2:in" ]
    [ "$(says dispatch "${nodes[@]}" --nic-out dispatch:2:40us)" = "slow_link:2:out" ]
    [ "$(says dispatch --ranks 16 --nic-in dispatch:3:100us --nic-out dispatch:3:100us)" = "slow_link:3:both" ]
    for phase in dispatch combine; do
        [ "$(says "$phase" "${nodes[@]}" --nic-in "$phase:8-15:40us")" = "slow_node_link:1:in" ]
        [ "$(says "$phase" "${nodes[@]}" --nic-out "$phase:8-15:40us")" = "slow_node_link:1:out" ]
    done
    # What a hot rank does to its node is no uplink.
    [ "$(says dispatch "${nodes[@]}" --seed 1 --hot 2:2.0667)" = "hot_expert:2" ]
    # Who heard late enters the next operator late, and is not to blame.
    [ "$(says combine "${nodes[@]}" --nic-in dispatch:8-15:40us)" = "" ]
    label() { "$deepxtrace" simulate --windows 1 "$@" | jq -c 'select(.phase == "combine") | .label | del(.skew_ns)'; }
    [ "$(label "${nodes[@]}" --nic-in combine:8-15:40us --nic-out combine:0:40us)" = \
        '{"cols":[0],"rows":[],"points":[],"nodes":[],"node_points":[],"links":[[0,"out"]],"node_links":[[1,"in"]]}' ]
}

@test "another rank late in each step is nobody's fault" {
    [ "$(says dispatch --ranks 8 --rotating dispatch:300us)" = "systemic_skew:" ]
    "$deepxtrace" simulate --ranks 8 --windows 1 --rotating dispatch:300us > turns.jsonl
    # Seven eighths of it, and what computing varies anyway.
    [ "$(jq -r 'select(.phase == "dispatch") | .label.skew_ns | . > 255000 and . < 270000' turns.jsonl)" = true ]
    [ "$(jq -r 'select(.phase == "combine") | .label.skew_ns < 10000' turns.jsonl)" = true ]
}

@test "stalls are between nodes, and the label says so" {
    "$deepxtrace" simulate --ranks 16 --ranks-per-node 8 --windows 1 --stalls dispatch:2%:5ms > stalls.jsonl
    [ "$(jq -c 'select(.phase == "dispatch") | .label.stalls' stalls.jsonl)" = true ]
    [ "$(jq -c 'select(.phase == "combine") | .label.stalls' stalls.jsonl)" = null ]
    [ "$(jq 'select(.phase == "dispatch") | (.wait[0][8:] | add) > 20 * (.wait[0][:8] | add)' stalls.jsonl)" = true ]
}

# Behind a late rank, what the uplink carries over from each operator must not explain the other one away.
@test "the uplink of a node that is far from three others is named beside a late rank" {
    far=()
    for phase in dispatch combine; do
        for node in 0 1 2; do
            far+=(--slow-node-path "$phase:3->$node:20ms" --slow-node-path "$phase:$node->3:20ms")
        done
    done
    "$deepxtrace" simulate --ranks 8 --ranks-per-node 2 --windows 1 --window 100 --compute 4ms "${far[@]}" \
        --slow dispatch:1:60ms | "$deepxtrace" analyze --json - > said
    [ "$(jq -c '[.phase, (.findings[] | [.kind, .rank // .node])]' said | tr '\n' ' ')" = \
        '["dispatch",["late_rank",1],["slow_node_link",3]] ["combine",["slow_node_link",3]] ' ]
}

@test "what a hybrid run did not observe does not make the rest look wild" {
    job=(--ranks 128 --ranks-per-node 8 --hybrid -w 100 --windows 2 --seed 3999687120878724937)
    "$deepxtrace" simulate "${job[@]}" | "$deepxtrace" analyze --json - > said
    [ "$(jq -s 'map(select(.verdict)) | length' said)" -ge 4 ]
    [ "$(jq -s 'map(.findings // [] | length) | add' said)" -eq 0 ]
}

@test "one late rank of a hybrid run makes no slow link of its node" {
    job=(--ranks 12 --ranks-per-node 4 --hybrid -w 100 --windows 4 --seed 317393 --cell-tail lognormal:0.2)
    "$deepxtrace" simulate "${job[@]}" --slow combine:1:30us | "$deepxtrace" analyze --json - > said
    jq -r '.findings[]?.kind' said | sort | uniq -c
    [ "$(jq -s 'map(.findings[]? | select(.kind == "late_rank" and .rank == 1)) | length' said)" -eq 4 ]
    [ "$(jq -s 'map(.findings[]? | select(.kind == "slow_node_link")) | length' said)" -eq 0 ]
}

# Issue: any library, whose hybrid modes observe their own node and rail alone.
@test "hybrid runs of 4 x 8 ranks are judged as dense ones" {
    job=(--ranks 32 --ranks-per-node 8 --hybrid)
    "$deepxtrace" simulate "${job[@]}" --windows 1 > hybrid.jsonl
    [ "$(head -1 hybrid.jsonl | jq -c '.wait[9] | map(. != null) | indices(true)')" = "[1,8,9,10,11,12,13,14,15,17,25]" ]
    for phase in dispatch combine; do
        [ "$(says "$phase" "${job[@]}")" = "" ]
        [ "$(says "$phase" "${job[@]}" --slow "$phase:10:20us")" = "late_rank:10" ]
        # A NIC, or the paths of its rail that it makes slow: [waiting, awaited].
        for nic in in out; do
            "$deepxtrace" simulate "${job[@]}" --windows 1 --window 100 "--nic-$nic" "$phase:10:40us" |
                "$deepxtrace" analyze --json - | jq -c "select(.phase == \"$phase\") | .findings[]" > said
            cat said
            [ "$(wc -l < said)" -eq 1 ]
            jq -e --arg nic "$nic" --argjson at "$([ $nic = in ] && echo 0 || echo 1)" '
                (.kind == "slow_link" and .rank == 10 and .direction == $nic) or
                (.kind == "slow_path" and (.paths | length == 3 and all(.[]; .[$at] == 10)))' said
        done
    done
}

@test "clocks at different rates are compared in time" {
    names dispatch '[[2],[],[]]' --ranks 8 --clock-spread 20% --slow dispatch:2:23us
    [ "$(head -1 recording.jsonl | jq '.ticks_per_second | unique | length')" -eq 8 ]
}

@test "a path is taken either way round, and as findings print it" {
    made() { "$deepxtrace" simulate --ranks 16 --ranks-per-node 4 "$@" | jq -c .label; }
    for option in --slow-path --slow-node-path; do
        made $option 'dispatch:3->1:60us' > one
        for path in '1<-3' '3 → 1' '1 ← 3' '3 -> 1'; do
            made $option "dispatch:$path:60us" | diff one -
        done
    done
}

@test "the seed decides" {
    "$deepxtrace" simulate --seed 7 --windows 2 > first
    "$deepxtrace" simulate --seed 7 --windows 2 > again
    "$deepxtrace" simulate --seed 8 --windows 2 > other
    cmp first again
    run ! cmp -s first other
}

@test "from the first faulty window on, and in some steps only" {
    "$deepxtrace" simulate --windows 3 --from 2 --slow dispatch:0:50us > onset.jsonl
    run jq -c 'select(.phase == "dispatch") | .label.cols' onset.jsonl
    [ "$output" = $'[]\n[]\n[0]' ]
    run "$deepxtrace" simulate --windows 1 --calm --jitter 0% --every 5 --slow dispatch:0:50us
    always=$("$deepxtrace" simulate --windows 1 --calm --jitter 0% --slow dispatch:0:50us | head -1)
    some=$(jq '.wait[1][0]' <<< "${lines[0]}")
    all=$(jq '.wait[1][0]' <<< "$always")
    [ "$((some * 10))" -gt "$((all * 19 / 10))" ]
    [ "$((some * 10))" -lt "$((all * 22 / 10))" ]
}

@test "a file appears whole and is not replaced unasked" {
    "$deepxtrace" simulate --windows 1 -o out.jsonl
    [ "$(wc -l < out.jsonl)" -eq 2 ]
    refused "exists" --windows 1 -o out.jsonl
    "$deepxtrace" simulate --windows 2 -o out.jsonl --force
    [ "$(wc -l < out.jsonl)" -eq 4 ]
    refused "" --windows 1 -o missing/out.jsonl
}

@test "what cannot be is refused with one line" {
    refused "--ranks" --ranks 1
    refused "--ranks" --ranks 4096
    refused "no rank 4" --slow dispatch:4:1ms
    refused "no rank 9" --slow-path 'dispatch:1<-9:1ms'
    refused "PHASE:RANK:DURATION" --slow dispatch:1
    refused "no unit" --slow dispatch:1:5
    refused "not one of" --early gather:1:5us
    refused "RANK:FACTOR" --hot 1
    refused "--ranks-per-node" --slow-node dispatch:0:1ms
    refused "no node 2" --ranks 16 --ranks-per-node 8 --slow-node dispatch:2:1ms
    refused "--hybrid needs" --hybrid
    refused "stays in its node" --ranks 16 --ranks-per-node 8 --hybrid --slow-path 'dispatch:1->10:1ms'
    refused "PHASE:DURATION" --rotating 1ms
    refused "not a duration" --rotating dispatch:3:1ms
    refused "at most half" --stalls dispatch:90%:1ms
    refused "lognormal:SIGMA" --tail normal:1
    refused "SIGMA" --cell-tail lognormal:4
    refused "at least twice --compute" --step 50us
    refused "one argument too many" something
    refused "unknown option" --slowly 1
}

@test "help" {
    run "$deepxtrace" simulate --help
    [ "$status" -eq 0 ]
    [[ $output == *"--slow-path"*"Examples:"* ]]
    for line in "${lines[@]}"; do [ "${#line}" -le 80 ]; done
}

@test "a signal leaves nothing of what was begun, and what is replaced keeps its permissions" {
    umask 022
    "$deepxtrace" simulate --windows 1 -o kept.jsonl
    chmod 600 kept.jsonl
    cp kept.jsonl before
    for name in INT TERM HUP; do
        # A background job of a shell ignores SIGINT, which this is not to inherit.
        env --default-signal=INT "$deepxtrace" simulate --windows 1000000 -f -o kept.jsonl &
        until [ -n "$(find . -name '.kept*')" ]; do kill -0 $!; sleep 0.01; done
        kill -$name $!
        wait $! && false
        [ -z "$(find . -name '.kept*')" ]
        cmp kept.jsonl before
    done
    "$deepxtrace" simulate --windows 2 -f -o kept.jsonl
    [ "$(stat -c %a kept.jsonl)" = 600 ]
    "$deepxtrace" heatmap kept.jsonl -o picture.svg
    chmod 640 picture.svg
    "$deepxtrace" heatmap kept.jsonl -f -o picture.svg
    [ "$(stat -c %a picture.svg)" = 640 ]
}
