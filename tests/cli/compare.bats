#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace compare: what changed from one recording to another.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    cd "$BATS_TEST_TMPDIR"
    "$deepxtrace" simulate -n 16 --windows 10 --seed 1 > before.jsonl
}

refused() {
    local expected=$1
    shift
    run --separate-stderr "$deepxtrace" compare "$@"
    echo "stderr: $stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace compare: "*"$expected"* ]]
}

@test "two healthy runs do not differ" {
    "$deepxtrace" simulate -n 16 --windows 10 --seed 2 > after.jsonl
    run --separate-stderr "$deepxtrace" compare --exit-code before.jsonl after.jsonl
    [ "$status" -eq 0 ]
    [ "$(grep -c 'nothing changed beyond its error' <<< "$output")" -eq 2 ]
    [[ ${lines[0]} == "before: before.jsonl: 10 windows of 16 ranks" ]]
    [[ $output != *"one window"* ]]
    head -n 2 before.jsonl > one.jsonl
    run --separate-stderr "$deepxtrace" compare one.jsonl one.jsonl
    [ "$status" -eq 0 ]
    [[ $output == *"nothing changed beyond its error; one window shows little"* ]]
}

@test "paths of healthy runs of a few ranks, or of nodes of two, do not differ" {
    local set
    for set in "4 5" "4 6" "8 2" "8 3" "16 7" "16 12"; do
        # shellcheck disable=SC2086 # two words
        set -- $set
        "$deepxtrace" simulate -n "$1" --ranks-per-node 2 --windows 10 --seed "$2" -f -o even.jsonl
        "$deepxtrace" simulate -n "$1" --ranks-per-node 2 --windows 10 --seed "$((1000 + $2))" -f -o after.jsonl
        run "$deepxtrace" compare even.jsonl after.jsonl
        echo "$1 ranks, seed $2: $output"
        [[ $output != *"  path "* ]]
        "$deepxtrace" simulate -n "$1" --ranks-per-node 2 --windows 10 --seed "$((1000 + $2))" -f -o after.jsonl \
            --slow-path 'dispatch:1->2:60us'
        run "$deepxtrace" compare even.jsonl after.jsonl
        [[ $output == *"  path 1 → 2 is slower by "* ]]
        [ "$(grep -c '  path ' <<< "$output")" -eq 1 ]
    done
}

@test "a rank that turned late is named, and no path that waits for it" {
    "$deepxtrace" simulate -n 16 --windows 10 --seed 2 --slow dispatch:5:60us > after.jsonl
    run "$deepxtrace" compare --exit-code before.jsonl after.jsonl
    [ "$status" -eq 1 ]
    [[ $output == *"rank 5 comes later: "*"+"*" µs ± "* ]]
    [[ $output != *"path "* ]]
    run "$deepxtrace" compare --exit-code after.jsonl before.jsonl
    [ "$status" -eq 0 ]
    [[ $output == *"rank 5 comes earlier: "* ]]
    "$deepxtrace" compare --json before.jsonl after.jsonl > c.json
    [ "$(jq -c '[.operators[] | select(.phase == "dispatch") | .ranks[] | select(.changed) | .rank]' c.json)" = '[5]' ]
    jq -e '.operators[] | select(.phase == "dispatch") | .slower and .unit == "us" and (.paths | length == 0)
        and (.ranks[5].change > 50) and (.ranks[5].change < 70) and (.ranks[5].error < 2)' c.json
}

@test "a change in the middle of a run is named, and how many windows it is" {
    "$deepxtrace" simulate -n 16 --windows 10 --from 5 --seed 2 --slow dispatch:5:60us > after.jsonl
    run "$deepxtrace" compare --exit-code before.jsonl after.jsonl
    [ "$status" -eq 1 ]
    [[ $output =~ "rank 5 comes later: ".*" in about "(4[5-9]|5[0-5])" % of the windows after" ]]
    "$deepxtrace" compare --json after.jsonl before.jsonl > c.json
    jq -e '.operators[] | select(.phase == "dispatch") | .ranks[5] | .changed and .change < 0 and .part > 0.45 and .part < 0.55
        and .part_of == "before"' c.json
    "$deepxtrace" compare --json before.jsonl after.jsonl | jq -e '.operators[] | select(.phase == "dispatch") |
        (.ranks[5] | .part_of == "after") and (.ranks[4] | .part == null and .part_of == null)'
}

@test "a rank that falls silent is named, and one that is heard again" {
    jq -c '.wait[3] = null | del(.samples)' before.jsonl > silent.jsonl
    run "$deepxtrace" compare --exit-code before.jsonl silent.jsonl
    [ "$status" -eq 1 ]
    [[ $output == *"rank 3 is silent in 10 of 10 windows, was in 0 of 10"* ]]
    "$deepxtrace" compare --json before.jsonl silent.jsonl > c.json
    jq -e '.operators[0] | .slower and (.ranks[3] | .changed and .silent_before == 0 and .silent_after == 1)' c.json
    run "$deepxtrace" compare --exit-code silent.jsonl before.jsonl
    [ "$status" -eq 0 ]
    [[ $output == *"rank 3 is silent in 0 of 10 windows, was in 10 of 10"* ]]
}

@test "names from outside are text" {
    local name=$'x\e[31m\xff\u202e<b>.jsonl'
    jq -c '.hosts = [range(16) | "h\u202e\u009b<b>"] | .phase += "\u202e"' before.jsonl > "$name"
    "$deepxtrace" simulate -n 16 --windows 10 --seed 2 --slow dispatch:5:60us |
        jq -c '.hosts = [range(16) | "h\u202e\u009b<b>"] | .phase += "\u202e"' > after.jsonl
    run "$deepxtrace" compare "$name" after.jsonl
    [ "$status" -eq 0 ]
    [[ $output == *"rank 5 (host h?????<b>) comes later"* && $output == *"<b>.jsonl: 10 windows"* ]]
    [[ $output == *"dispatch???, per operation:"* ]]
    [ "$(grep -c $'\e\|\u202e\|\u009b' <<< "$output")" -eq 0 ]
    "$deepxtrace" compare --json "$name" after.jsonl | jq -e '.operators[0].phase == "dispatch???" and .operators[0].ranks[5].host == "h?????<b>"'
}

# Lines of $output with more than 80 characters, but those that hold a word.
long_lines()
{
    local LC_ALL=C.UTF-8 line count=0
    while IFS= read -r line; do
        if ((${#line} > 80)) && [[ -z ${1:-} || $line != *"$1"* ]]; then count=$((count + 1)); fi
    done <<< "$output"
    echo "$count"
}

@test "lines fit 80 columns, and names stay in one piece" {
    local host
    host=$(printf 'node-%090d' 7)
    for file in before after; do
        "$deepxtrace" simulate -n 16 --windows 10 --seed 2 --slow "dispatch:5:$([ $file = after ] && echo 60us || echo 1us)" |
            jq -c --arg long "$host" '.hosts = [range(16) | if . == 5 then $long else "gpu-\(.).cluster.example" end]' > named-$file.jsonl
    done
    run "$deepxtrace" compare named-before.jsonl named-after.jsonl
    [[ $output == *"$host"* && $output == *"comes later"* ]]
    [ "$(long_lines "$host")" -eq 0 ]
    jq -c '.hosts = [range(16) | "gpu-\(.).some-cluster.of-a-long-name.example"]' named-after.jsonl > named.jsonl
    run "$deepxtrace" compare before.jsonl named.jsonl
    [[ $output == *"rank 5 (host gpu-5.some-cluster.of-a-long-name.example)"* ]]
    [ "$(long_lines)" -eq 0 ]
}

@test "a slow path is named with its ranks" {
    "$deepxtrace" simulate -n 16 --windows 10 --seed 2 --slow-path 'combine:3->7:100us' > after.jsonl
    run "$deepxtrace" compare before.jsonl after.jsonl
    [[ $output == *"path 3 → 7 is slower by 1"*" µs ± "* ]]
    [[ $output == *"what holds ranks up in another operator makes them late here"* ]]
    [ "$("$deepxtrace" compare --json before.jsonl after.jsonl |
        jq -c '[.operators[].paths[].path]')" = '[[7,3]]' ]
    # Of two nodes the one from which it is slow looks late in the path's own operator.
    "$deepxtrace" simulate -n 16 --ranks-per-node 8 --seed 1 > near.jsonl
    "$deepxtrace" simulate -n 16 --ranks-per-node 8 --seed 3 --slow-path 'dispatch:9->0:40us' > far.jsonl
    run "$deepxtrace" compare near.jsonl far.jsonl
    [[ $output == *"all 8 ranks of node 1 come later"* ]]
    [[ $output == *"(slow paths below, or another operator, make them late here)"* ]]
}

@test "what cannot be compared is refused" {
    "$deepxtrace" simulate -n 8 --windows 2 > small.jsonl
    refused "a group of 16 ranks cannot be compared with one of 8" before.jsonl small.jsonl
    grep dispatch before.jsonl > less.jsonl
    "$deepxtrace" compare --json before.jsonl less.jsonl | jq -e '.not_compared == ["combine"] and (.operators | length == 1)'
    refused "no operator in common" before.jsonl <(grep dispatch before.jsonl | sed s/dispatch/other/)
    refused "of dispatch there is cycles in a window before, and time per operation after" \
        <(jq -c 'del(.ops, .samples, .ticks_per_second, .elapsed_ns)' before.jsonl) before.jsonl
    refused "unknown option" --method ratio before.jsonl before.jsonl
    refused "AFTER is missing" before.jsonl
    [[ $stderr != *BEFORE* ]]
    refused "BEFORE AFTER is missing"
    refused "none.jsonl" before.jsonl none.jsonl
    run "$deepxtrace" compare before.jsonl
    [ "$status" -eq 2 ]
}

# nodes EXPECTED-CAUSES OPTION…: what changes if a simulated job of four nodes gets these faults; no path does.
nodes() {
    local expected=$1
    shift
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 1 -f -o even.jsonl
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 2 -f -o after.jsonl "$@"
    run "$deepxtrace" compare --exit-code even.jsonl after.jsonl
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output != *"  path "[0-9]* ]]
    [ "$("$deepxtrace" compare --json even.jsonl after.jsonl |
        jq -c '[.operators[] | select(.phase == "dispatch") | .causes[] | [.kind, .rank // .node, .source_node]]')" = "$expected" ]
    # Back again the same is faster.
    run "$deepxtrace" compare --exit-code after.jsonl even.jsonl
    [ "$status" -eq "${back:-0}" ]
    [[ $output != *"  path "[0-9]* ]]
}

@test "one cause is one line: a path between nodes, an uplink, a node, a link" {
    # Ranks that were held up for others in combine come later there than they did.
    nodes '[["slow_node_path",0,1]]' --slow-node-path 'dispatch:1->0:100us'
    nodes '[["late_node",1,null]]' --slow-node dispatch:1:100us
    [[ $output == *"node 1 comes earlier: 0, was "* ]]
    back=1 nodes '[["slow_node_link",1,null]]' --slow-node-path 'dispatch:1->0:100us' \
        --slow-node-path 'dispatch:1->2:100us' --slow-node-path 'dispatch:1->3:100us'
    [[ $output == *"uplink of node 1 sends faster: 0, was "* && $output == *"all 8 ranks of node 1 come later: 0, was "* ]]
    nodes '[["slow_link",3,null]]' --nic-in dispatch:3:100us
    [[ $output == *"link of rank 3 receives faster"* ]]
    "$deepxtrace" simulate -n 16 --windows 10 --seed 2 --nic-in dispatch:3:100us > after.jsonl
    run "$deepxtrace" compare before.jsonl after.jsonl
    [[ $output == *"rank 3 receives more slowly: "* ]]
}

# other_way SLOWER FASTER BEFORE AFTER CAUSES: a link that turns from one way to the other, in words and as JSON.
other_way() {
    run "$deepxtrace" compare --exit-code "$3" "$4"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"$1: "* && $output == *"$2: 0, was "* ]]
    "$deepxtrace" compare --json "$3" "$4" | jq '.operators[] | select(.phase == "dispatch")' > c.json
    [ "$(jq -c '[.causes[] | [.direction, .change > 0]] | sort' c.json)" = "$5" ]
    jq -e '.path_count == 0' c.json
}

@test "a link that is slow the other way has changed" {
    for way in in out; do
        "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 1 --nic-$way dispatch:3:100us -o $way.jsonl
    done
    other_way "link of rank 3 sends more slowly" "link of rank 3 receives faster" in.jsonl out.jsonl '[["in",false],["out",true]]'
    other_way "link of rank 3 receives more slowly" "link of rank 3 sends faster" out.jsonl in.jsonl '[["in",true],["out",false]]'
}

@test "a slow path and a late rank beside a slow uplink are named" {
    nodes='-n 32 --ranks-per-node 8 --windows 10'
    # shellcheck disable=SC2086 # several words
    "$deepxtrace" simulate $nodes --seed 1 > even.jsonl
    # shellcheck disable=SC2086
    "$deepxtrace" simulate $nodes --seed 2 --slow-node-path 'dispatch:1->0:100us' --slow-path 'dispatch:2->5:60us' \
        --slow dispatch:6:40us > after.jsonl
    run "$deepxtrace" compare even.jsonl after.jsonl
    echo "$output"
    [[ $output == *"path node 1 → node 0 is slower"* && $output == *"path 2 → 5 is slower"* ]]
    [[ $output == *"rank 6 comes later"* ]]
    [ "$(grep -c '  path [0-9]' <<< "$output")" -eq 1 ]
}

# staggered EXPECTED LATENESS…: ranks 8, 9, … of the second of four nodes come that much later; what is said of it.
staggered() {
    local expected=$1 rank=8 late=()
    shift
    for us in "$@"; do late+=(--slow "dispatch:$rank:${us}us") && rank=$((rank + 1)); done
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 2 -f -o after.jsonl "${late[@]}"
    run "$deepxtrace" compare even.jsonl after.jsonl
    echo "$output"
    [ "$(sed -n '/^combine/,$d; s/^  \([a-z]* [0-9]* comes*\) .*/\1/p' <<< "$output" | paste -sd,)" = "$expected" ]
    [[ $output != *"  path "* ]]
}

@test "a node whose ranks come later by unequal times is one line" {
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 1 > even.jsonl
    staggered "node 1 comes" 40 52 64 76 88 100 112 124
    [[ $output =~ "its ranks by 41.".*"µs to 125 µs" ]]
    staggered "node 1 comes" 10 22 31 44 50 61 72 80
    staggered "node 1 comes,rank 15 comes" 60 60 60 60 60 60 60 160
    [[ $output != *"its ranks by"* ]]
    staggered "rank 8 comes,rank 9 comes,rank 12 comes,rank 13 comes" 100 100 0 0 60 60
}

@test "of three ranks a slow path is one, and of two it is said that nothing tells" {
    "$deepxtrace" simulate -n 3 --windows 10 --seed 5 -o three-before
    "$deepxtrace" simulate -n 3 --windows 10 --slow-path "dispatch:1->0:60us" -o three
    run "$deepxtrace" compare three-before three
    [[ $output == *"path 1 → 0 is slower by 58"* ]]
    "$deepxtrace" simulate -n 3 --windows 10 --slow dispatch:1:60us -o late
    run "$deepxtrace" compare three-before late
    [[ $output == *"rank 1 comes later"* && $output != *"path"* ]]
    "$deepxtrace" simulate -n 2 --windows 10 --seed 5 -o two-before
    "$deepxtrace" simulate -n 2 --windows 10 --slow-path "dispatch:1->0:60us" -o two
    run "$deepxtrace" compare two-before two
    [[ $(tr -s '\n ' ' ' <<< "$output") == *"rank 0 waits longer for rank 1, by 58"*"rank 1 comes later, rank 0 earlier, or the path 1 → 0 is slower; two ranks do not tell which"* ]]
    [ "$(grep -c 'waits less' <<< "$output")" -eq 0 ]
    run "$deepxtrace" compare --exit-code two-before two
    [ "$status" -eq 1 ]
    run "$deepxtrace" compare --exit-code two two-before
    [ "$status" -eq 0 ]
    [ "$(grep -c 'waits longer' <<< "$output")" -eq 0 ]
}

@test "most ranks of a node are one line, and the others their own" {
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --seed 5 -o node-before
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 10 --slow dispatch:8-10:60us --slow dispatch:12-15:60us -o node
    run "$deepxtrace" compare node-before node
    [[ $output == *"7 of 8 ranks of node 1 (8–10, 12–15) come later: "* ]]
    [ "$(grep -c 'comes later' <<< "$output")" -eq 0 ]
}
