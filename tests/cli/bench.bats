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
}

@test "bench gather" {
    run "$deepxtrace" bench gather --ranks 8 --repeat 2
    [ "$status" -eq 0 ]
    [[ $output == *publish* ]]
    run "$deepxtrace" bench gather --ranks 8 --repeat 2 --json
    lines_of gather
    [ "$(jq '.mail_bytes > 0' <<< "${lines[0]}")" = true ]
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

@test "bad usage is refused with one line" {
    for args in "wheel" "analysis --repeat 0" "ep --hidden 100" "gather --ranks 1"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr "$deepxtrace" bench $args
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
    done
}
