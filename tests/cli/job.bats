#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace job: small jobs, and every way to ask for one that cannot be.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    cd "$BATS_TEST_TMPDIR"
}

# One line on standard error that begins with "deepxtrace job: ", nothing on standard output.
refused() {
    run --separate-stderr "$deepxtrace" job "$@"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace job: "* ]]
}

@test "a small job ends with a verdict and two heat maps" {
    run --separate-stderr "$deepxtrace" job --ranks 2 --steps 40 --window 10
    [ "$status" -eq 0 ]
    [[ $output == *"window 1"* ]]
    [[ $output == *"The whole run, 2 ranks, 3 windows, 30 steps (the first window is left out):"* ]]
    [[ $output == *dispatch* ]]
    [[ $output == *combine* ]]
    [[ $output != *$'\033'* ]]
}

@test "each format of dispatch and combine passes the check of the engine" {
    for format in --bf16 --fp8; do
        "$deepxtrace" job --ranks 3 --steps 4 --window 2 --experts 6 $format
        "$deepxtrace" job --ranks 3 --steps 4 --window 2 --experts 6 $format --logfmt
    done
}

@test "json has a line for each operator and window, and two for the whole run" {
    run --separate-stderr "$deepxtrace" job --ranks 2 --steps 40 --window 10 --json
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 8 ]
    [ "$(jq -r .phase <<< "${lines[0]}")" = dispatch ]
    [ "$(jq -r .phase <<< "${lines[1]}")" = combine ]
    [ "$(jq -r .window <<< "${lines[7]}")" = null ]
    [ "$(jq -r .ranks <<< "${lines[7]}")" = 2 ]
}

@test "several windows end with a summary, with --json on demand" {
    run --separate-stderr "$deepxtrace" job --ranks 3 --steps 50 --window 10 --slow dispatch:1:20ms
    [ "$status" -eq 0 ]
    [[ $output == *"summary of 4 windows:"* ]]
    # A busy machine may hide the rank in one window.
    [[ $output =~ rank\ 1\ late\ in\ dispatch\ since\ window\ [01],\ in\ [34]\ of\ 4\ windows:\ \+ ]]
    run --separate-stderr "$deepxtrace" job --ranks 2 --steps 20 --window 10
    [[ $output != *"summary of"* ]]
}

@test "the summary is what analyze says of the recording" {
    "$deepxtrace" job --ranks 3 --steps 60 --window 10 --slow combine:2:15ms --min-share 10% --json --summary \
        --record run.jsonl > run.txt
    [ "$(wc -l < run.txt)" -eq 13 ]
    "$deepxtrace" analyze --json --summary --min-share 10% run.jsonl > analyze.txt
    [ "$(jq '.summary[0].rank' < <(tail -1 run.txt))" = 2 ]
    diff <(tail -1 run.txt) <(tail -1 analyze.txt)
    diff <(head -10 run.txt) <(head -10 analyze.txt)
}

@test "a recording and pictures appear whole, and analyze reads the recording" {
    "$deepxtrace" job --ranks 2 --steps 40 --window 10 --record run.jsonl --heatmap run.svg \
        --heatmap run.html
    [ "$(wc -l < run.jsonl)" -eq 6 ]
    "$deepxtrace" analyze run.jsonl
    grep -q '</svg>' run.svg
    grep -q '</html>' run.html
    [ "$(ls -A | wc -l)" -eq 3 ]
}

@test "--record - puts the recording on standard output and nothing else" {
    run --separate-stderr "$deepxtrace" job --ranks 2 --steps 20 --window 10 --record -
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    [ "$(jq -r .ranks <<< "${lines[1]}")" = 2 ]
}

@test "output that exists is kept unless --force" {
    echo mine > run.jsonl
    refused --steps 20 --window 10 --record run.jsonl
    [[ $stderr == *run.jsonl* ]]
    [ "$(cat run.jsonl)" = mine ]
    "$deepxtrace" job --ranks 2 --steps 20 --window 10 --record run.jsonl --force
    [ "$(wc -l < run.jsonl)" -eq 2 ]
    refused --record no/such/folder.jsonl
}

@test "no two outputs go to the same file" {
    mkdir -p one && cd one
    refused --record a.svg --heatmap a.svg
    [[ $stderr == *"a.svg: two outputs have this name; give each its own" ]]
    refused --heatmap a.svg --heatmap "$PWD/../one/a.svg"
    refused --record a.jsonl --record b.jsonl
    [ -z "$(ls -A)" ]
}

@test "a full disk fails the run and says so" {
    [ -w /dev/full ] || skip "no /dev/full"
    run --separate-stderr "$deepxtrace" job --ranks 2 --steps 20 --window 10 --record /dev/full
    [ "$status" -eq 3 ]
    [[ $stderr == *"/dev/full: No space left on device"* ]]
}

@test "async windows come by time" {
    run --separate-stderr "$deepxtrace" job --ranks 2 --async 0.1 --json
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -ge 8 ]
}

@test "--exit-code tells a slow job" {
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --slow dispatch:1:20ms --exit-code
    [ "$status" -eq 1 ]
    [[ $output == *"rank 1 is late or rank 0 early in dispatch"* ]]
}

@test "where ranks share processors a larger share is asked for, said and recorded" {
    command -v taskset > /dev/null || skip "no taskset"
    run taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$deepxtrace" job --ranks 2 \
        --steps 20 --window 10 --record "$BATS_TEST_TMPDIR/shared.jsonl"
    [ "$status" -eq 0 ]
    [ "$(grep -c "share processors: no findings below 10 % of the step" <<< "$output")" -eq 1 ]
    [ "$(jq -s '[.[].min_share] | unique | . == [0.1]' "$BATS_TEST_TMPDIR/shared.jsonl")" = true ]
    run taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$deepxtrace" job --ranks 2 \
        --steps 20 --window 10 --min-share 5%
    [[ $output != *"share processors"* ]]
}

@test "a rank is slow in the time that is said" {
    # Would it act, the job would take hours.
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --slow dispatch:1:3600s --slow-from 3600s
    [ "$status" -eq 0 ]
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --slow combine:1:3600s --slow-until 1ns
    [ "$status" -eq 0 ]
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --slow dispatch:1:20ms --slow-until 3600s --exit-code
    [ "$status" -eq 1 ]
    refused --slow-from 1s
    [[ $stderr == *"need --slow, which names the rank" ]]
    refused --slow dispatch:1:1ms --slow-from 2s --slow-until 1s
    [[ $stderr == *"--slow-until must be after --slow-from" ]]
}

@test "--color always colours the heat map in a pipe, never does not" {
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --color always
    [[ $output == *$'\033['* ]]
    run "$deepxtrace" job --ranks 2 --steps 20 --window 10 --color never
    [[ $output != *$'\033['* ]]
}

@test "faults that cannot be" {
    refused --slow dispatch:9:1ms
    [[ $stderr == *"no rank 9"* ]]
    refused --slow dispach:1:1ms
    [[ $stderr == *"'dispach'"* ]]
    refused --slow dispatch:1:5
    [[ $stderr == *"no unit"* ]]
    refused --slow dispatch:1
    [[ $stderr == *"--slow: 'dispatch:1' is not of the form PHASE:RANK:DURATION" ]]
    refused --slow dispatch:x:1ms
    refused --slow-path combine:1:1ms
    [[ $stderr == *"not of the form PHASE:FROM->TO:DURATION" ]]
    # FROM->TO, and the arrow of findings: the one that is not there is told.
    for path in '7->1' '1<-7' '7 → 1' '1 ← 7'; do
        refused --slow-path "combine:$path:1ms"
        [[ $stderr == *"there is no rank 7 "* ]]
    done
    refused --slow-path 'combine:1<-7:1ms'
    [[ $stderr == *"no rank 7"* ]]
    refused --slow-path 'combine:1<-1:1ms'
    [[ $stderr == *"--slow-path: there is no path from rank 1 to itself" ]]
    refused --hot 1
    [[ $stderr == *"'1' is not of the form RANK:FACTOR" ]]
    refused --hot 1:0
    refused --hot 4:2
    [[ $stderr == *"no rank 4"* ]]
}

@test "jobs that cannot be" {
    refused --ranks 1
    refused --ranks 5000
    refused --experts 7
    [[ $stderr == *"7 is not a multiple of the"* ]]
    refused --topk 9
    refused --topk 17
    refused --hidden 1000
    refused --hidden 100
    [[ $stderr == *"'100' is not a multiple of 128 between 128 and 16384" ]]
    refused --jitter 1
    refused --fp8 --bf16
    refused --steps 50
    [[ $stderr == *"1 window of 50 steps to warm up at least 100 are needed, or --window 25" ]]
    refused --steps 1 --warmup 1 --window 4294967295
    [[ $stderr == *"at least 8589934590 are needed" ]]
    refused --compute 5
    refused --timeout 10
    refused --engine warp
    refused --engine mpi
    [[ $stderr == *"start the program with mpirun or srun; no MPI library is loaded, and DEEPXTRACE_MPI names none" ]]
    DEEPXTRACE_MPI=other refused --engine mpi
    [[ $stderr == *'DEEPXTRACE_MPI is "other", but must be "openmpi" or "mpich"' ]]
    refused --heatmap waits.bmp
    refused --record - --json
    refused extra
    refused --no-such-option
}

@test "more than the shared memory holds is refused before anything starts" {
    refused --ranks 1024 --tokens 8192 --hidden 16384
    [[ $stderr == *"of shared memory, but /dev/shm has "*" free; lower --ranks"* ]]
}

@test "--help fits 80 columns and shows examples" {
    run "$deepxtrace" job --help
    [ "$status" -eq 0 ]
    [[ $output == *"deepxtrace job --ranks 4 --slow dispatch:2:5ms"* ]]
    for line in "${lines[@]}"; do [ "${#line}" -le 80 ]; done
}

# Lines of r.jsonl become more than $1.
grows_beyond() {
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -l < r.jsonl)" -le "$1" ] || return 0
        sleep 0.1
    done
    return 1
}

@test "under nohup a hangup ends no job" {
    : > r.jsonl
    (trap '' HUP && exec "$deepxtrace" job -n 2 --steps 0 --async 0.1 --compute 1ms --record r.jsonl -f) > log 2>&1 3>&- &
    local job=$!
    grows_beyond 0
    kill -HUP "$job"
    grows_beyond $(($(wc -l < r.jsonl) + 4))
    kill -TERM "$job"
    wait "$job"
}

# Whether the GPU engine could run here.
has_gpu() {
    [[ $("$deepxtrace" info --json | jq -r '.parts[] | select(.name == "run-cuda") | .why') == NVIDIA* ]]
}

@test "an engine that is not there is refused in one line" {
    refused --engine fantasy
    [[ $stderr == *'no engine "fantasy"'* ]]
}

@test "--engine cuda says in one line why it cannot be" {
    if has_gpu; then skip "there is a GPU"; fi
    run --separate-stderr "$deepxtrace" job --engine cuda --ranks 2 --experts 4 --steps 4 --window 2
    [ "$status" -ge 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace job: --engine cuda: "* ]]
    # Not in the words of CUDA's runtime.
    [[ $stderr != *"driver version is insufficient"* ]]
}

@test "without its part --engine cuda is refused before anything starts" {
    mkdir copy
    cp -P "$deepxtrace" "$(dirname "$deepxtrace")"/../lib/libdeepxtrace.so* \
        "$(dirname "$deepxtrace")"/../lib/libdeepxtrace-ep.so* copy
    deepxtrace=$PWD/copy/deepxtrace
    export LD_LIBRARY_PATH=$PWD/copy
    refused --engine cuda
    [[ $stderr == *libdeepxtrace-run-cuda.so.0* ]]
}
