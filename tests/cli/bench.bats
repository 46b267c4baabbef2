#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace bench: the tables and the JSON appear. What the figures are is the machine's business.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
}

# Every line of the output is an object of the named benchmark.
lines_of() {
    [ "${#lines[@]}" -ge 1 ]
    for line in "${lines[@]}"; do [ "$(jq -r .bench <<< "$line")" = "$1" ]; done
}

@test "bench analysis" {
    run "$deepxtrace" bench analysis --ranks 32 --repeat 2
    [ "$status" -eq 0 ]
    [[ $output == *robust* ]]
    run "$deepxtrace" bench analysis --ranks 32 --repeat 2 --json
    lines_of analysis
    [ "$(jq -r .ranks <<< "${lines[1]}")" = 32 ]
    run "$deepxtrace" bench analysis --ranks 32 --nodes 16 --repeat 2 --json
    lines_of analysis
    [ "$(jq -r '.nodes // 0' <<< "$output" | tr '\n' ' ')" = "0 16 " ]
    run "$deepxtrace" bench analysis --ranks 32 --nodes 1
    [ "$status" -eq 2 ]
    run "$deepxtrace" bench analysis --repeat 1 --json
    [ "$(jq -r .ranks <<< "$output" | tr '\n' ' ')" = "8 32 128 512 1024 2048 " ]
}

@test "bench analysis has a column for NumPy where there is one" {
    python=
    for candidate in python3 /usr/bin/python3; do
        if [ -z "$python" ] && "$candidate" -c 'import numpy' 2> /dev/null; then
            python=$candidate
        fi
    done
    run "$deepxtrace" bench analysis --ranks 8 --repeat 1 --json
    [ "$(jq 'has("numpy_ratio_us")' <<< "$output")" = "$([ -n "$python" ] && echo true || echo false)" ]
    [ -z "$python" ] || [ "$(jq '.numpy_ratio_us > 0' <<< "$output")" = true ]
    run "$deepxtrace" bench analysis --ranks 8 --repeat 1
    [ -z "$python" ] || [[ ${lines[1]} == *"NumPy ratio"* ]]
    [ "$(wc -w <<< "${lines[2]}")" -eq "$([ -n "$python" ] && echo 5 || echo 4)" ]
    # A python3 without it.
    if [ ! -x /usr/bin/python3 ] || ! /usr/bin/python3 -c 'import numpy' 2> /dev/null; then
        mkdir -p "$BATS_TEST_TMPDIR/none"
        printf '#!/bin/sh\nexit 1\n' > "$BATS_TEST_TMPDIR/none/python3"
        chmod +x "$BATS_TEST_TMPDIR/none/python3"
        PATH=$BATS_TEST_TMPDIR/none:$PATH run "$deepxtrace" bench analysis --ranks 8 --repeat 1
        [ "$status" -eq 0 ]
        [[ $output != *NumPy* ]]
    fi
}

@test "bench gather" {
    run "$deepxtrace" bench gather --ranks 8 --repeat 2
    [ "$status" -eq 0 ]
    [[ $output == *publish* ]]
    run "$deepxtrace" bench gather --ranks 8 --repeat 2 --json
    lines_of gather
    [ "$(jq '.mail_bytes > 0' <<< "${lines[0]}")" = true ]
    [ "$(jq '.busy_us > 0' <<< "${lines[0]}")" = true ]
    [ "$(jq .ranks <<< "${lines[-1]}")" = 8 ]
}

@test "bench ep" {
    run "$deepxtrace" bench ep --tokens 4 --hidden 512 --repeat 5
    [ "$status" -eq 0 ]
    [[ $output == *memcpy* ]]
    run "$deepxtrace" bench ep --tokens 4 --hidden 512 --repeat 5 --json
    lines_of ep
}

@test "bench probe" {
    run "$deepxtrace" bench probe --repeat 3 --tokens 4 --hidden 512
    [ "$status" -eq 0 ]
    [[ $output == *cycles* ]]
    run "$deepxtrace" bench probe --repeat 3 --tokens 4 --hidden 512 --json
    lines_of probe
}

@test "bench accuracy" {
    run "$deepxtrace" bench accuracy --quick --repeat 2
    [ "$status" -eq 0 ]
    [[ $output == *"late 5%"* ]]
    for line in "${lines[@]}"; do [ "${#line}" -le 80 ]; done
    run "$deepxtrace" bench accuracy --ranks 3 --repeat 2 --json
    lines_of accuracy
    [ "$(jq -s -r '[.[].method] | unique | join(" ")' <<< "$output")" = "history log-ratio ratio robust" ]
    [ "$(jq -s '[.[] | select(.exact > .faulted or .false_alarms > .healthy)] | length' \
        <<< "$output")" -eq 0 ]
}

@test "bench accuracy of recordings" {
    data=${DXT_SOURCE_DIR:?}/tests/recorded/data
    run "$deepxtrace" bench accuracy --json "$data/reference-matrices.jsonl"
    lines_of accuracy
    all=$(jq -c 'select(.case == "all" and .method == "robust") | [.exact, .faulted]' <<< "$output")
    [ "$all" = "[5,5]" ]
    run --separate-stderr "$deepxtrace" bench accuracy missing.jsonl
    [ "$status" -eq 2 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "bench accuracy reads all that simulate labels" {
    cd "$BATS_TEST_TMPDIR"
    nodes=(--ranks 32 --ranks-per-node 8 --windows 2 --window 100)
    "$deepxtrace" simulate "${nodes[@]}" --nic-in dispatch:2:60us --case nic > labelled.jsonl
    "$deepxtrace" simulate "${nodes[@]}" --nic-out dispatch:8-15:60us --case uplink >> labelled.jsonl
    "$deepxtrace" simulate --ranks 8 --windows 2 --window 100 --rotating dispatch:330us --case turns >> labelled.jsonl
    "$deepxtrace" simulate --ranks 16 --windows 2 --calm --jitter 0% --stalls combine:1%:1ms --case stalls >> labelled.jsonl
    run "$deepxtrace" bench accuracy --json labelled.jsonl
    [ "$status" -eq 0 ]
    rows=$(jq -c 'select(.method == "robust") | [.case, .faulted, .healthy, .exact]' <<< "$output")
    echo "$rows"
    for case in nic uplink turns; do grep -qF "[\"$case\",2,2,2]" <<< "$rows"; done
    grep -q '^\["stalls",2,2,' <<< "$rows"
    # A link in a direction that there is not is no label.
    sed -i 's/"links":\[\[2,"in"\]\]/"links":[[2,"up"]]/' labelled.jsonl
    run "$deepxtrace" bench accuracy --json labelled.jsonl
    [ "$(jq -c 'select(.case == "nic" and .method == "robust") | .faulted' <<< "$output")" = 0 ]
}

@test "bench accuracy of some cases" {
    run "$deepxtrace" bench accuracy --ranks 4 --repeat 2 --json --case 'link both'
    [ "$(jq -r .case <<< "$output" | sort -u)" = $'link both ways 10%\nlink both ways 50%' ]
}

@test "bench accuracy takes the case of that very name, and begins where it is told" {
    run "$deepxtrace" bench accuracy --list --ranks 4 --case 'path 10%'
    [ "$output" = "path 10%" ]
    [ "$("$deepxtrace" bench accuracy --list --ranks 2 | grep -c path)" = 0 ]
    count='[.[] | select(.method == "robust" or .method == "history") | .exact, .faulted]'
    whole=$("$deepxtrace" bench accuracy --ranks 3 --repeat 24 --json --case 'path 10%' | jq -sc "$count")
    parts=$(for skip in 0 12; do
        "$deepxtrace" bench accuracy --ranks 3 --repeat 12 --skip "$skip" --json --case 'path 10%' | jq -sc "$count"
    done | jq -sc 'transpose | map(add)')
    [ "$parts" = "$whole" ]
}

# 2 % of the step at 25 % jitter is more than one window of 100 steps can tell.
@test "bench accuracy says how to make what it misses" {
    run "$deepxtrace" bench accuracy --ranks 4 --repeat 12 --misses --case 'late 2%, jitter 25%'
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ ${lines[0]} =~ ^"deepxtrace simulate "(.*)" --slow "(dispatch|combine):([0-3]):4400ns"  # alone: "(dispatch|combine)" "([0-9]+) ]]
    window=${BASH_REMATCH[5]} phase=${BASH_REMATCH[4]}
    [ "$phase" = "${BASH_REMATCH[2]}" ]
    command=${lines[0]%%#*}
    # shellcheck disable=SC2086 # several words
    "$deepxtrace" ${command#deepxtrace } > "$BATS_TEST_TMPDIR/missed.jsonl"
    jq -c "select(.phase == \"$phase\" and .window == $window)" "$BATS_TEST_TMPDIR/missed.jsonl" > "$BATS_TEST_TMPDIR/one.jsonl"
    [ "$(jq -c .label.cols "$BATS_TEST_TMPDIR/one.jsonl")" = "[${BASH_REMATCH[3]}]" ]
    [ "$("$deepxtrace" analyze --json "$BATS_TEST_TMPDIR/one.jsonl" | jq -c '[.abnormal_cols[][0]]')" = "[]" ]
}

@test "bad usage is refused with one line" {
    for args in "accuracy --ranks 4096" "accuracy --skip 7" "probe extra" "wheel" "analysis --repeat 0" "ep --hidden 100" "gather --ranks 1"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr "$deepxtrace" bench $args
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
    done
}

@test "bench with an engine that is not there" {
    run --separate-stderr "$deepxtrace" bench ep --engine fantasy
    [ "$status" -eq 2 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    run --separate-stderr "$deepxtrace" bench ep --logfmt
    [ "$status" -eq 2 ]
    [[ $stderr == *"need --engine cuda"* ]]
    gpus=$("$deepxtrace" info --json | jq -r '.parts[] | select(.name == "run-cuda") | .why')
    if [[ $gpus == NVIDIA* ]]; then skip "there is a GPU"; fi
    for name in ep probe; do
        run --separate-stderr "$deepxtrace" bench "$name" --engine cuda --repeat 8
        [ "$status" -eq 3 ]
        [ -z "$output" ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "deepxtrace bench: "* && $stderr != *"driver version is insufficient"* ]]
    done
}
