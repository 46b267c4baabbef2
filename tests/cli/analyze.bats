#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace analyze: what it says, and every kind of bad input.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    data=${DXT_SOURCE_DIR:?}/tests/recorded/data
    reference=$data/reference-matrices.jsonl
    cd "$BATS_TEST_TMPDIR"
}

# Exit 2, nothing on standard output, one line on standard error that holds $1.
refused() {
    local expected=$1
    shift
    run --separate-stderr "$deepxtrace" analyze "$@"
    echo "stderr: $stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace analyze: "*"$expected"* ]]
}

# refused() for a file of the given content; the line must name file and line number.
refused_file() {
    printf '%b' "$2" > bad
    refused "bad:$1: " bad
}

@test "the reference matrices: each cause is named" {
    run --separate-stderr "$deepxtrace" analyze "$reference"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output == *"rank 3 is late in dispatch: +"*"all 7"* ]]
    [[ $output == *"the path 4 → 3 is slow in dispatch"* ]]
    [[ $output == *"rank 2 is late in dispatch: +2.1M cycles"* ]]
    [[ $output == *"rank 3 is late in combine: +2.1M cycles"* ]]
    [ "$(wc -L <<< "$output")" -le 80 ]
}

@test "json: one valid line per window, in order, with the keys of the format" {
    run --separate-stderr "$deepxtrace" analyze --json "$reference"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq "$(wc -l < "$reference")" ]
    [ "$(jq -c '[.phase, .window]' <<< "$output")" = "$(jq -c '[.phase, .window]' "$reference")" ]
    [ "$(jq -c keys_unsorted <<< "$output" | sort -u)" = '["v","phase","window","ranks","method","verdict","abnormal_cols","abnormal_rows","abnormal_points","findings"]' ]
    [ "$(jq -c 'select(.method != "robust" or .v != 1)' <<< "$output")" = "" ]
}

@test "ratio: the labels of the reference matrices" {
    run --separate-stderr "$deepxtrace" analyze --json --method ratio "$reference"
    [ "$status" -eq 0 ]
    [ "$(jq -c '[[.abnormal_cols[][0]], [.abnormal_rows[][0]], [.abnormal_points[][:2]]]' \
        <<< "$output")" = "$(jq -c '.label | [.cols, .rows, .points]' "$reference")" ]
    run --separate-stderr "$deepxtrace" analyze --method ratio "$reference"
    [[ $output == *"slow — 1 abnormal column"*"column 3: mean "*"row 6: mean "* ]]
}

@test "a dispatch and its combine are judged together" {
    grep -F '"case":"hot1"' "$data/deepep-ep4-h200.jsonl" | head -n 2 > pair
    run "$deepxtrace" analyze --json pair
    [ "$(jq -r '.findings[0].kind' <<< "$output")" = $'hot_expert\nhot_expert' ]
    # Neither when they are not neighbours, nor when they are of different windows.
    { head -n 1 pair; head -n 1 pair; head -n 1 pair; tail -n 1 pair; tail -n 1 pair; } > apart
    run "$deepxtrace" analyze --json apart
    [ "$(jq -r '.findings[0].kind' <<< "$output" | tr '\n' ' ')" = \
        "early_rank early_rank hot_expert hot_expert late_rank " ]
    sed '2s/"window":0/"window":1/' pair > other
    run "$deepxtrace" analyze --json other
    [ "$(jq -r '.findings[0].kind' <<< "$output" | tr '\n' ' ')" = "early_rank late_rank " ]
}

# Windows of one case of the recording from real hardware.
recorded_case() {
    grep -F "\"case\":\"$1\"" "$data/deepep-ep4-h200.jsonl"
}

@test "several windows of a run end with a summary" {
    recorded_case d_col2_20us > run
    run --separate-stderr "$deepxtrace" analyze run
    [ "$status" -eq 0 ]
    [ "$(wc -L <<< "$output")" -le 80 ]
    [[ ${output//$'\n'    / } == *$'\n'"summary of 20 windows, case d_col2_20us:"$'\n'"  rank 2 late in dispatch since window 0, in 20 of 20 windows: +"*" µs per operation, "*" % of the step" ]]
    # One for each run of a file, behind its last window.
    { recorded_case healthy; cat run; } > two
    run "$deepxtrace" analyze two
    [ "$(grep -n '^summary' <<< "$output" | cut -d: -f2-)" = \
        $'summary of 20 windows, case healthy: nobody stands out\nsummary of 20 windows, case d_col2_20us:' ]
    # None of a single window, nor without a history, nor with the ratio rule.
    head -n 2 run > single
    run "$deepxtrace" analyze single
    [[ $output != *summary* ]]
    run "$deepxtrace" analyze --no-history run
    [[ $output != *summary* ]]
    run "$deepxtrace" analyze --method ratio run
    [[ $output != *summary* ]]
}

@test "json: the summary only with --summary, and last" {
    recorded_case d_col2_20us > run
    run --separate-stderr "$deepxtrace" analyze --json run
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 40 ]
    [[ $output != *summary* ]]
    run --separate-stderr "$deepxtrace" analyze --json --summary run
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 41 ]
    [ "$(jq -c '[keys_unsorted, .ranks, .windows, .case, .instance]' <<< "${lines[40]}")" = \
        '[["v","summary","ranks","windows","instance","case"],4,20,"d_col2_20us",null]' ]
    [ "$(jq -c '.summary[0] | keys_unsorted' <<< "${lines[40]}")" = \
        '["kind","phase","rank","first","last","seen","windows","ongoing","wait_us","share","text"]' ]
    [ "$(jq -c '.summary | map([.kind, .phase, .rank, .first, .last, .seen, .windows, .ongoing])' \
        <<< "${lines[40]}")" = '[["late_rank","dispatch",2,0,19,20,20,true]]' ]
}

@test "small lateness that stays is named with the history of the run" {
    recorded_case c_col3_5us > run
    run "$deepxtrace" analyze --json --no-history run
    [ "$(jq -c 'select(.phase == "combine") | .abnormal_cols[][0]' <<< "$output" | wc -l)" -lt 15 ]
    run "$deepxtrace" analyze --json run
    [ "$(jq -c 'select(.phase == "combine") | .abnormal_cols[][0]' <<< "$output" | wc -l)" -ge 17 ]
    [ "$(jq -c '.abnormal_cols[][0]' <<< "$output" | sort -u)" = 3 ]
    # Windows without a number are nobody's past.
    sed -E 's/"window":[0-9]+,//' run > unnumbered
    run "$deepxtrace" analyze --json unnumbered
    [ "$(jq -c 'select(.phase == "combine") | .abnormal_cols[][0]' <<< "$output" | wc -l)" -lt 15 ]
}

@test "a rank that sent nothing is named by both methods" {
    echo '{"v":1,"phase":"dispatch","ranks":4,"hosts":["a","b","c","d"],"wait":[[1,2,3,4],[1,2,3,4],null,[4,5,6,7]]}' > silent
    for method in robust ratio; do
        run --separate-stderr "$deepxtrace" analyze --exit-code --method $method silent
        [ "$status" -eq 1 ]
        [[ $output == *"rank 2 (host c) sent no counters: stopped, hung or dead?"* ]]
    done
}

@test "thresholds of the ratio are options" {
    run "$deepxtrace" analyze --json --method ratio --threshold-col 100 --threshold-row 100 \
        --threshold-point 100 "$reference"
    [ "$(jq -r .verdict <<< "$output" | sort -u)" = healthy ]
    run "$deepxtrace" analyze --json --method ratio --keep-points --threshold-point 3 "$reference"
    [ "$(jq -c '[.abnormal_points[] | select(.[1] == 3)] | length' <<< "${lines[0]}")" -eq 7 ]
}

@test "standard input, several files, and the exit code" {
    run --separate-stderr bash -c "'$deepxtrace' analyze --json - < '$reference'"
    [ "${#lines[@]}" -eq 5 ]
    run --separate-stderr "$deepxtrace" analyze "$reference" "$reference"
    [ "$status" -eq 0 ]
    [ "$(grep -cF "$reference:" <<< "$output")" -eq 2 ]
    run --separate-stderr "$deepxtrace" analyze --exit-code "$reference"
    [ "$status" -eq 1 ]
    head -n 1 "$data/deepep-ep4-h200.jsonl" > healthy
    run --separate-stderr "$deepxtrace" analyze --exit-code healthy
    [ "$status" -eq 0 ]
    [[ ${output//$'\n'    / } == *"healthy — nobody waits more than "*" µs per operation for anybody" ]]
}

@test "windows are reported as they come" {
    mkfifo pipe
    "$deepxtrace" analyze --json pipe > answers &
    exec 5> pipe
    head -n 4 "$reference" >&5
    for i in {1..100}; do
        [ "$(wc -l < answers)" -ge 3 ] && break
        sleep 0.1
    done
    [ "$(wc -l < answers)" -ge 3 ]
    exec 5>&-
    wait $!
    [ "$(wc -l < answers)" -eq 4 ]
}

@test "the log text, both row forms" {
    {
        echo '[2025-09-15T16:28:53.686] [Diagnose] InstanceID: 7f, EPSize: 3, diagnose: {}, Dispatch Wait Recv Cost Per Token Matrix[src_rank, dst_rank]'
        for rank in 0 1 2; do
            echo "[2025-09-15T16:28:53.686] rank=$rank [ 10 9000 12]"
        done
        echo '[2025-09-15T16:28:53.690] [Diagnose] InstanceID: 7f, EPSize: 3, diagnose: {}, Combine Wait Recv Cost Per Token Matrix[src_rank, dst_rank]'
        for rank in 0 1 2; do echo "[ 10 11 12]"; done
    } > log
    run --separate-stderr "$deepxtrace" analyze --json --method ratio --threshold-col 2 log
    [ "$status" -eq 0 ]
    [ "$(jq -c '[.phase, .ranks, [.abnormal_cols[][0]]]' <<< "$output")" = \
        $'["dispatch",3,[1]]\n["combine",3,[]]' ]
}

@test "one bad line loses one window: named and counted, and --strict stops there" {
    { head -n 3 "$reference"; echo '{"v":1,'; head -n 1 "$reference"; } > partly
    run --separate-stderr "$deepxtrace" analyze --json --exit-code partly
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 4 ]
    [ "${stderr_lines[0]}" = "deepxtrace analyze: partly:4: column 8: the line ends too early; the window is left out" ]
    [ "${stderr_lines[1]}" = "deepxtrace analyze: 1 of 5 windows could not be read" ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    run --separate-stderr "$deepxtrace" analyze --json --exit-code --strict partly
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 3 ]
    [ "$stderr" = "deepxtrace analyze: partly:4: column 8: the line ends too early" ]
    run --separate-stderr "$deepxtrace" heatmap partly
    [ "$status" -eq 0 ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    run --separate-stderr "$deepxtrace" heatmap --strict partly
    [ "$status" -eq 2 ]
}

@test "a last line that is cut off is a warning" {
    { head -n 3 "$reference"; head -n 1 "$reference" | head -c 99; } > cut
    for command in analyze heatmap "heatmap --timeline"; do
        # shellcheck disable=SC2086
        run --separate-stderr "$deepxtrace" $command cut
        [ "$status" -eq 0 ]
        [[ $stderr == *"cut:4: column "*": the line ends too early; it is left out" ]]
        [ "${#stderr_lines[@]}" -eq 1 ]
    done
}

@test "many bad lines: eight are told, all are counted" {
    { head -n 1 "$reference"; for i in {1..40}; do echo "{\"v\":1,$i"; done; } > bad
    run --separate-stderr "$deepxtrace" analyze bad
    [ "$status" -eq 0 ]
    [ "${#stderr_lines[@]}" -eq 10 ]
    [ "${stderr_lines[9]}" = "deepxtrace analyze: 40 of 41 windows could not be read" ]
}

# log INSTANCE SECOND LATE: a window of four ranks in which rank LATE is waited for.
log() {
    echo "[2025-09-15T16:28:$2.000] [Diagnose] InstanceID: $1 EPSize: 4, diagnose: {}, Dispatch Wait Recv Cost Per Token Matrix[src_rank, dst_rank]"
    local row column
    for row in 0 1 2 3; do
        local cells=""
        for column in 0 1 2 3; do
            if ((column == $3 && row != $3)); then cells+=" 5$row$column""00"; else cells+=" 4$row$column"; fi
        done
        echo "[2025-09-15T16:28:$2.000] rank=$row [$cells]"
    done
}

# windows FILE…: the numbers of the windows in their order, and who is late in them.
windows() {
    "$deepxtrace" analyze --json "$@" | jq -c '[.window, [.findings[].rank]]' | tr '\n' ' '
}

@test "parts of a rotated log, in any order, packed or not, and folders, are one log" {
    { log a 01 1; log a 02 1; } > whole
    mkdir logs
    { log a 03 1; log a 04 1 | head -n 3; } > logs/diagnose_rank0.log.1
    { log a 04 1 | tail -n 2; log a 05 1; } > logs/diagnose_rank0.log
    gzip -c whole > logs/diagnose_rank0.log.2.gz
    echo "not a log" > logs/README
    expected='[0,[1]] [1,[1]] [2,[1]] [3,[1]] [4,[1]] '
    [ "$(windows logs)" = "$expected" ]
    [ "$(windows logs/*)" = "$expected" ]
    [ "$(windows logs/diagnose_rank0.log logs/diagnose_rank0.log.1 whole)" = "$expected" ]
    # Files of another run are a log of their own.
    log b 01 2 > other.log
    run --separate-stderr "$deepxtrace" analyze other.log logs
    [ "$status" -eq 0 ]
    [[ $output == "other.log:"*"logs/diagnose_rank0.log and 2 older:"*"rank 1 late in dispatch since window 0"* ]]
    run --separate-stderr "$deepxtrace" heatmap logs
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    run --separate-stderr "$deepxtrace" heatmap logs other.log
    [ "$status" -eq 2 ]
    [[ $stderr == *"are two logs; name one of them" ]]
}

@test "a folder with a recording and the log of the same run: the recording" {
    mkdir both
    log a 01 1 > both/diagnose_rank0.log
    { head -n 1 "$reference" | sed 's/{"v":1,/{"v":1,"instance":"a",/'; } > both/diagnose_rank0.jsonl
    run --separate-stderr "$deepxtrace" analyze --json both
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [ "$stderr" = "deepxtrace analyze: both/diagnose_rank0.log is left out: its windows are in a recording beside it" ]
    for part in 1 2; do log a 02 1 > "both/diagnose_rank0.log.$part"; done
    run --separate-stderr "$deepxtrace" analyze --json both
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [ "$stderr" = "deepxtrace analyze: both/diagnose_rank0.log and 2 more are left out: recordings beside them have their windows" ]
    mkdir empty
    echo "nothing" > empty/README
    refused "empty holds no recording, log or matrix" empty
}

@test "packed files are unpacked, and what is damaged of them is said" {
    log a 01 1 > one
    log a 02 1 > two
    gzip -c one > packed.gz
    gzip -c two >> packed.gz
    [ "$(windows packed.gz)" = '[0,[1]] [1,[1]] ' ]
    [ "$("$deepxtrace" analyze --json - < packed.gz | wc -l)" -eq 2 ]
    for i in {1..60}; do log a "$((i + 9))" 1; done > many
    gzip -c many > many.gz
    head -c "$(($(stat -c %s many.gz) / 2))" many.gz > half.gz
    run --separate-stderr "$deepxtrace" analyze half.gz
    [ "$status" -eq 0 ]
    [[ ${stderr_lines[0]} == *"half.gz:"*": the packed data are damaged or cut off here; it is left out" ]]
    run --separate-stderr "$deepxtrace" analyze --strict half.gz
    [ "$status" -eq 2 ]
    head -c 30 packed.gz > bad
    refused "bad:1: the packed data are damaged or cut off here" bad
    printf 'PK\3\4nothing' > bad
    refused "bad: a zip archive that is damaged, or none" bad
}

@test "NumPy's archives are read, in both orders of axes and of bytes" {
    /usr/bin/env python3 -c 'import numpy' 2> /dev/null || python=/usr/bin/python3
    ${python:-python3} - << 'EOF' || skip "no NumPy"
import numpy as np
m = np.full((8, 8), 400) + np.arange(8)
m[:, 5] += 50000
m[5, :] = 390
np.savez("plain.npz", dispatch_final=m, other=np.arange(3), names=np.array(["a"]))
np.savez_compressed("packed.npz", combine=m.astype(">i4"))
np.save("fortran.npy", np.asfortranarray(m.astype(">f8")))
np.save("objects.npy", m.astype(object), allow_pickle=True)
np.savez("objects.npz", m.astype(object))
np.savez("vector.npz", np.arange(8))
EOF
    for file in plain.npz packed.npz fortran.npy; do
        [ "$("$deepxtrace" analyze --json "$file" | jq -c '[.phase, .findings[].rank]')" = \
            "[\"$([[ $file == packed* ]] && echo combine || echo dispatch)\",5]" ]
    done
    [ "$(windows - < plain.npz)" = '[0,[5]] ' ]
    refused "it holds Python objects, which are never unpickled" objects.npy
    refused "it holds Python objects, which are never unpickled" objects.npz
    refused "it has one axis, but the number of its values is no square" vector.npz
}

@test "what people hand in by mistake is named" {
    "$deepxtrace" heatmap "$reference" -o picture.svg
    refused "this looks like an SVG picture" picture.svg
    echo '{"traceEvents":[{"ph":"X","ts":1}]}' > trace.json
    refused "this looks like a trace of events" trace.json
    echo '{"name":"x"}' > other.json
    refused 'JSON, but no recording (no "v", "phase", "ranks", "wait")' other.json
    log a 01 1 | head -n 1 > headers
    refused "DEEPEP_DIAGNOSE_LOG_DETAILS=1" headers
    printf '[[1 2 ... 3 4]\n ...\n [1 2 ... 3 4]]\n' > short
    refused 'numpy.set_printoptions(threshold=sys.maxsize)' short
}

@test "jobs that write in turns into one file have a history each" {
    "$deepxtrace" simulate -n 8 --windows 6 --slow dispatch:5:40us |
        sed 's/{"v":1,/{"v":1,"instance":"a-1",/' > a
    "$deepxtrace" simulate -n 8 --windows 6 --slow combine:2:40us |
        sed 's/{"v":1,/{"v":1,"instance":"b-2",/' > b
    paste -d '\n' a b > both.jsonl
    run -0 --separate-stderr "$deepxtrace" analyze --summary-only both.jsonl
    [ "${lines[0]}" = "job a-1:" ]
    [ "${lines[1]}" = "summary of 6 windows:" ]
    [[ ${lines[2]} == *"rank 5 late in dispatch since window 0, in 6 of 6 windows"* ]]
    [ "${lines[4]}" = "job b-2:" ]
    [[ ${lines[6]} == *"rank 2 late in combine since window 0, in 6 of 6 windows"* ]]
    run -0 --separate-stderr "$deepxtrace" analyze --json --summary both.jsonl
    [ "$(jq -c 'select(.summary) | [.instance, (.summary | map(.rank))]' <<< "$output" | sort)" = \
        $'["a-1",[5]]\n["b-2",[2]]' ]
    # The two operators of an interval belong together, whoever writes in between.
    run -0 --separate-stderr "$deepxtrace" analyze --all both.jsonl
    [ "$(grep -c "job a-1:" <<< "$output")" -ge 6 ]
    run -0 --separate-stderr "$deepxtrace" heatmap --timeline both.jsonl
    [[ $output == *"windows 0 to 5"* ]]
    [[ $stderr == *" windows of other jobs, which are not drawn"* ]]
}

@test "--limit tells so many windows and findings, and counts the others" {
    run -0 --separate-stderr "$deepxtrace" analyze --limit 2 "$reference"
    [ "$(grep -c "^[a-z]*, window" <<< "$output")" -eq 2 ]
    [[ $output == *"windows more (--limit)"* ]]
    run -0 --separate-stderr "$deepxtrace" analyze --json --limit 3 "$reference"
    [ "${#lines[@]}" -eq 3 ]
    run -2 --separate-stderr "$deepxtrace" analyze --limit 0 "$reference"
}

@test "bad files: exit 2 and one line with file, line and reason" {
    refused "nowhere.jsonl" nowhere.jsonl
    : > bad
    refused "bad" bad
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":2,"wait":[[1,2],[3'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":2,"wait":[[1,2],[3,4,5]]}\n'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":2,"wait":[[1,2],[3,-4]]}\n'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":5000,"wait":[]}\n'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":2,"wait":[[1,2],[3,9223372036854775808]]}\n'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":2,"wait":[[1,2],[3,NaN]]}\n'
    refused_file 1 '{"v":1,"phase":"dispatch","ranks":3,"wait":[[1,2],[3,4]]}\n'
    refused_file 1 '{"v":2,"phase":"dispatch","ranks":2,"wait":[[1,2],[3,4]]}\n'
    refused_file 1 '\x00\x01\x02\xff\xfe\x7fELF\x00\n'
    refused_file 2 '1 2 3\n4 5\n6 7 8\n'
    refused_file 2 '1 2\n3 nan\n'
    refused_file 1 '1 -2\n3 4\n'
    head -c 3000 /dev/urandom > bad
    refused "bad:" bad
}

@test "wrong options: exit 2 and one line that names them" {
    refused "--min-share: '5x' is not a percentage, such as 5%" --min-share 5x "$reference"
    refused "--min-share: '5' is above 1; for a percentage write 5%" --min-share 5 "$reference"
    refused "--min-share: '1' has no %; for a percentage write 1% or 100%" --min-share 1 "$reference"
    refused "a file name must not be empty" ""
    refused "--method: 'mean' is not one of robust, ratio" --method mean "$reference"
    refused "--ranks-per-node: '0' is not within 1 to 4096" --ranks-per-node 0 "$reference"
    refused "--ranks-per-node: 'x' is not a whole number" --ranks-per-node=x "$reference"
    refused "--threshold-col: '-1' is not a number above 0" --threshold-col -1 "$reference"
    refused "--threshold-point: 'nan' is not a number above 0" --threshold-point nan "$reference"
    refused "there is no summary with --no-history" --no-history --summary-only "$reference"
    refused "there is no summary with --method ratio" --method ratio --summary-only "$reference"
    refused "unknown option '--jsn'" --jsn "$reference"
    refused "--json takes no value" --json=yes "$reference"
    refused "--method needs NAME" "$reference" --method
    refused "FILE|FOLDER...|- is missing"
}

@test "operators behind the same words explain each other" {
    "$deepxtrace" simulate -n 8 --slow dispatch:3:20us --windows 6 --seed 4 -o "$BATS_TEST_TMPDIR/plain.jsonl"
    sed -E 's/"phase": *"(dispatch|combine)"/"phase":"ll_\1"/' "$BATS_TEST_TMPDIR/plain.jsonl" \
        > "$BATS_TEST_TMPDIR/words.jsonl"
    grep -q '"ll_combine"' "$BATS_TEST_TMPDIR/words.jsonl"
    for name in plain words; do
        "$deepxtrace" analyze --json "$BATS_TEST_TMPDIR/$name.jsonl" |
            jq -c 'select(.findings) | [.findings[] | [.kind, .rank, .wait_us]]' \
                > "$BATS_TEST_TMPDIR/$name.found"
    done
    [ "$(grep -c late_rank "$BATS_TEST_TMPDIR/plain.found")" -eq 6 ]
    diff "$BATS_TEST_TMPDIR/plain.found" "$BATS_TEST_TMPDIR/words.found"
}

@test "a long run is told by its changes" {
    "$deepxtrace" simulate --windows 500 --from 200 --slow dispatch:2:40us --jitter 1% -o long
    run "$deepxtrace" analyze long
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -lt 100 ]
    [[ $output == *"dispatch, windows 10 to 199: the same as window 9"*"dispatch, window 200, 4 ranks: slow"* ]]
    [[ $output == *"to 499: the same as window "*"summary of 500 windows"* ]]
    # The lines before the summary are those of every window with --all.
    [ "$("$deepxtrace" analyze --all long | grep -c '^dispatch, window ')" -eq 500 ]
    diff <("$deepxtrace" analyze long | sed -n '/^summary/,$p') \
        <("$deepxtrace" analyze --all long | sed -n '/^summary/,$p')
    [ "$("$deepxtrace" analyze --json long | wc -l)" -eq 1000 ]
    # A share about the limit between major and critical is told once.
    "$deepxtrace" simulate --ranks 8 --windows 300 --from 100 --slow dispatch:2:60us -o edge
    [ "$("$deepxtrace" analyze --json edge | jq -r '.findings[].severity' | sort -u | wc -l)" -eq 2 ]
    run -0 "$deepxtrace" analyze edge
    [ "${#lines[@]}" -lt 60 ]
    # What --limit keeps back is not called the same as a window that was told.
    run -0 "$deepxtrace" analyze --limit 5 edge
    [[ $output == *"dispatch, windows 3 to 99: the same as window 2"* ]]
    [ "$(grep -c "to 299: the same" <<< "$output")" -eq 1 ] # combine
    [[ $output == *" windows more (--limit)"* ]]
}

@test "a cause that comes and goes fills no screen, and a new one behind it is told" {
    # Windows by turns of a healthy run and of one with a late rank; window 280 has another one.
    "$deepxtrace" simulate --windows 300 --jitter 1% -o healthy
    "$deepxtrace" simulate --windows 300 --jitter 1% --slow dispatch:2:40us -o slow
    "$deepxtrace" simulate --windows 300 --jitter 1% --slow dispatch:1:40us -o other
    {
        jq -c 'select(.window % 2 == 0 and .window != 280)' healthy
        jq -c 'select(.window % 2 == 1)' slow
        jq -c 'select(.window == 280)' other
    } | jq -cs 'map(select(.phase == "dispatch")) | sort_by(.window)[]' > turns
    run -0 "$deepxtrace" analyze turns
    [ "${#lines[@]}" -lt 110 ]
    [[ $output == *" to 279: "*" slow, by causes told above (--all)"$'\n'"dispatch, window 280, 4 ranks: slow"*"rank 1 is late"* ]]
    [ "$("$deepxtrace" analyze --all turns | grep -c '^dispatch, window ')" -eq 300 ]
    [ "$("$deepxtrace" analyze --all turns | grep -c '^dispatch, windows ')" -eq 0 ]
    # The run ends with what its last window says.
    [[ $output == *" to 298: "*$'\n'"dispatch, window 299, 4 ranks: slow"*$'\n'"summary of 300 windows"* ]]
    [[ $output != *": 0 of "* ]]
    run -0 "$deepxtrace" analyze --limit 15 turns
    [ "$(grep -c '^dispatch, window .*ranks: ' <<< "$output")" -eq 15 ]
}

@test "who falls silent, and a hang, are told although causes come and go" {
    "$deepxtrace" simulate --windows 200 --jitter 1% -o healthy
    "$deepxtrace" simulate --windows 200 --jitter 1% --slow dispatch:2:40us -o slow
    {
        jq -c 'select(.window % 2 == 0)' healthy
        jq -c 'select(.window % 2 == 1)' slow
    } | jq -cs 'map(select(.phase == "dispatch" and .window < 190)) | sort_by(.window)[]
        | if .window == 60 or .window == 62 then .wait[3] = null else . end' > turns
    # Rank 3 for good.
    jq -c 'select(.phase == "dispatch" and .window >= 190) | .wait[3] = null' healthy > gone
    cat turns gone > all
    run -0 "$deepxtrace" analyze all
    [[ $output == *"dispatch, window 60, 4 ranks: slow"*"rank 3 sent no counters"*"dispatch, window 61: slow, as told above (--all)"*"dispatch, window 190, 4 ranks: slow"*"rank 3 sent no counters"*$'\n'"dispatch, windows 191 to 199: the same as window 190"* ]]
    { cat turns; jq -c 'select(.phase == "dispatch" and .window >= 190) | .wait |= map(map(0)) | .ops = 0' healthy; } > all
    run -0 "$deepxtrace" analyze all
    [[ $output == *"dispatch, window 190, 4 ranks: inconclusive"*"nothing was counted"* ]]
}

@test "what of a folder zstd packed is named where libzstd is missing" {
    mkdir packed missing
    cp "$DXT_SOURCE_DIR"/tests/fuzz/corpus/fuzz_unpack/{skipped,long}.zst packed
    log a 01 1 > packed/diagnose_rank0.log
    # The loader takes the first file of the name, which is no library.
    : > missing/libzstd.so.1
    LD_LIBRARY_PATH=$PWD/missing run --separate-stderr "$deepxtrace" analyze packed
    [ "$status" -eq 0 ]
    [[ $output == *"rank 1 is late in dispatch"* ]]
    for name in skipped long; do
        [[ $stderr == *"packed/$name.zst: reading it needs libzstd: install Debian's libzstd1"* ]]
    done
    LD_LIBRARY_PATH=$PWD/missing run --separate-stderr "$deepxtrace" analyze packed/skipped.zst
    [ "$status" -eq 2 ]
    [[ $stderr == *"packed/skipped.zst: reading it needs libzstd"* ]]
    # With the library, what wants more memory than it takes is named.
    run --separate-stderr "$deepxtrace" analyze packed
    [ "$status" -eq 0 ]
    [[ $stderr == *"long.zst: packed with zstd --long=28 or more"* || $stderr == *"needs libzstd"* ]]
}

@test "a frame that wants too much memory loses itself alone" {
    command -v zstd > /dev/null || skip "zstd is missing"
    long="$DXT_SOURCE_DIR"/tests/fuzz/corpus/fuzz_unpack/long.zst
    log a 01 1 > a.log
    zstd -q a.log -o first.zst
    cat first.zst "$long" > both.zst
    run --separate-stderr "$deepxtrace" analyze both.zst
    [[ $status -eq 0 || $stderr == *"needs libzstd"* ]]
    [[ $output == *"rank 1 is late in dispatch"* || $stderr == *"needs libzstd"* ]]
    # In an archive the other members count, whichever comes first.
    cp "$long" .
    python3 -c 'import sys, zipfile
for name, members in (("a.zip", ("a.log", "long.zst")), ("b.zip", ("long.zst", "a.log"))):
    with zipfile.ZipFile(name, "w") as archive:
        for member in members: archive.write(member)'
    for name in a.zip b.zip; do
        run --separate-stderr "$deepxtrace" analyze "$name"
        [[ $status -eq 0 || $stderr == *"needs libzstd"* ]]
        [[ $output == *"rank 1 is late in dispatch"* || $stderr == *"needs libzstd"* ]]
    done
}

@test "a file of several names in a folder is read once" {
    mkdir named other
    "$deepxtrace" simulate --windows 6 --slow dispatch:2:40us -o named/run_0-3_rank0.jsonl
    ln -s run_0-3_rank0.jsonl named/a.jsonl # in front of the file itself
    ln -s run_0-3_rank0.jsonl named/z.jsonl
    ln named/run_0-3_rank0.jsonl named/hard.jsonl
    [ "$("$deepxtrace" analyze --summary-only named | grep -c "summary of 6 windows")" -eq 1 ]
    # What only a link leads to is read, and once.
    ln -s ../named/hard.jsonl other/one.jsonl
    ln -s ../named/hard.jsonl other/two.jsonl
    [ "$("$deepxtrace" analyze --summary-only other | grep -c "summary of 6 windows")" -eq 1 ]
    # Two files stay two.
    cp named/hard.jsonl other/three.jsonl
    [ "$("$deepxtrace" analyze --summary-only other | grep -c "summary of 6 windows")" -eq 2 ]
}

@test "--summary-only is the summary, in text and json" {
    recorded_case d_col2_20us > run
    diff <("$deepxtrace" analyze --summary-only run) \
        <("$deepxtrace" analyze run | sed -n '/^summary/,$p')
    diff <("$deepxtrace" analyze --json --summary-only run) \
        <("$deepxtrace" analyze --json --summary run | tail -n 1)
    run "$deepxtrace" analyze --summary-only --exit-code run
    [ "$status" -eq 1 ]
}

@test "--since leaves out what began before" {
    for minute in 0 1 2 3; do
        printf '{"v":1,"phase":"dispatch","window":%d,"ranks":2,"begin":"2026-11-26T03:0%d:00%s","wait":[[0,5],[7,0]]}\n' \
            "$minute" "$minute" "${zone-Z}"
    done > timed
    windows() { "$deepxtrace" analyze --json "$@" timed | jq -c .window | tr '\n' ' '; }
    [ "$(windows --since 2026-11-26T03:02Z)" = "2 3 " ]
    [ "$(windows --since 2026-11-26T04:01:30+01:00)" = "2 3 " ]
    [ "$(TZ=XST-2 windows --since '2026-11-26 05:03')" = "3 " ]
    [ "$(windows --since 2000-01-01)" = "0 1 2 3 " ]
    run --separate-stderr "$deepxtrace" analyze --since soon timed
    [ "$status" -eq 2 ]
    [ "$stderr" = "deepxtrace analyze: --since: 'soon' is not a time; write 03:00, 2026-11-26T03:00 or 90m" ]
    # Silence would read as health.
    run --separate-stderr "$deepxtrace" analyze --exit-code --since 2026-11-26T03:04Z timed
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$stderr" = "deepxtrace analyze: --since 2026-11-26T03:04Z: no window began then or later; the newest one, in timed, began 2026-11-26T03:03:00Z; to begin with it, write --since '2026-11-26T03:03:00Z'" ]
    # What it says to write is read.
    run -0 "$deepxtrace" analyze --json --since "$(sed "s/.*--since '\(.*\)'/\1/" <<< "$stderr")" timed
    [ "$(jq -c .window <<< "$output")" = 3 ]
    run --separate-stderr "$deepxtrace" analyze --since 2026-11-26T03:04Z - < timed
    [[ $stderr == *"; the newest one, in standard input, began "* ]]
    # A recording may have been quiet in the last minute.
    sed 's/2026-11-26/2020-11-26/' timed > quiet
    run --separate-stderr "$deepxtrace" analyze --exit-code --since 1m quiet
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "deepxtrace analyze: --since 1m: no window began then or later; the newest one, in quiet, began 2020-11-26T03:03:00Z; "* ]]
    sed -i 's/"begin"[^,]*,//' timed
    run --separate-stderr "$deepxtrace" analyze --since 03:00 timed
    [ "$status" -eq 2 ]
    [[ $stderr == *'a window has no time ("begin"); leave out --since' ]]
}

@test "--rank tells what concerns a rank, and the exit status goes by that" {
    recorded_case d_col2_20us > run
    [ "$("$deepxtrace" analyze --json --rank 2 run | jq -c '.findings[].rank' | sort -u)" = 2 ]
    [ "$("$deepxtrace" analyze --json --rank 2 --exit-code run | jq -s length)" -ge 20 ]
    run "$deepxtrace" analyze --rank 2 --exit-code run
    [ "$status" -eq 1 ]
    run "$deepxtrace" analyze --rank 3 --exit-code --json run
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$("$deepxtrace" analyze --json --method ratio --rank 2 run | jq -c '.abnormal_cols[][0]' | sort -u)" = 2 ]
}

@test "--rank: the summary is that rank's, and there is such a rank" {
    "$deepxtrace" simulate --ranks 16 --ranks-per-node 8 --windows 6 --slow dispatch:2:60us -o run
    run -0 "$deepxtrace" analyze --summary-only --rank 2 run
    [[ $output == "summary of 6 windows, of rank 2:"*"rank 2 late in dispatch since window 0"* ]]
    run -0 "$deepxtrace" analyze --summary-only --rank 3 run
    [ "$output" = "summary of 6 windows: nothing is said of rank 3" ]
    [ "$("$deepxtrace" analyze --summary-only --json --rank 3 run | jq -c .summary)" = "[]" ]
    run --separate-stderr "$deepxtrace" analyze --rank 16 run
    [ "$status" -eq 2 ]
    [ "$stderr" = "deepxtrace analyze: --rank: there is no rank 16 (the ranks are 0 to 15)" ]
    # What is said of a node is said of its ranks.
    "$deepxtrace" simulate --ranks 16 --ranks-per-node 4 --windows 6 --slow-node dispatch:1:60us -o node
    [[ $("$deepxtrace" analyze --summary-only --rank 5 node) == *"node 1 late in dispatch"* ]]
    [[ $("$deepxtrace" analyze --summary-only --rank 9 node) == *"nothing is said of rank 9" ]]
}
