#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace heatmap: pictures appear whole or not at all.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    data=${DXT_SOURCE_DIR:?}/tests/recorded/data
    reference=$data/reference-matrices.jsonl
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# Exit $1, nothing on standard output, one line on standard error that holds $2.
refused() {
    local code=$1 expected=$2
    shift 2
    run --separate-stderr "$deepxtrace" heatmap "$@"
    echo "stderr: $stderr"
    [ "$status" -eq "$code" ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace heatmap: "*"$expected"* ]]
}

has_cairo() {
    "$deepxtrace" info --json | jq -e '.parts[] | select(.name == "cairo") | .available' > /dev/null
}

@test "the terminal: the last window of each operator, with what was found" {
    run --separate-stderr "$deepxtrace" heatmap "$reference"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output == *dispatch*"rank 2 is late in dispatch"*combine*"rank 3 is late in combine"* ]]
    [[ $output != *$'\033'* ]]
    run "$deepxtrace" heatmap "$reference" --phase combine
    [[ $output != *"dispatch, window"* ]]
    run "$deepxtrace" heatmap "$reference" --phase dispatch --window 1
    [[ $output == *"rank 6"* ]]
    run "$deepxtrace" heatmap "$reference" --case column-3 --method ratio
    [[ $output == *"abnormal column: 3"* ]]
    [[ $output == *"dispatch, window 0, case column-3"* ]]
}

@test "colours only on a terminal and without NO_COLOR" {
    command -v script > /dev/null || skip "no script command"
    draw="$deepxtrace heatmap $reference --phase combine"
    run env -u NO_COLOR TERM=xterm COLORTERM=truecolor script -qec "$draw" /dev/null
    [[ $output == *$'\033[48;2;'* ]]
    run env -u NO_COLOR -u COLORTERM TERM=xterm-256color script -qec "$draw" /dev/null
    [[ $output == *$'\033[48;5;'* ]]
    run env NO_COLOR=1 TERM=xterm COLORTERM=truecolor script -qec "$draw" /dev/null
    [[ $output != *$'\033['* ]]
    run env -u NO_COLOR TERM=dumb COLORTERM=truecolor script -qec "$draw" /dev/null
    [[ $output != *$'\033['* ]]
}

@test "a terminal gets no bytes of a PDF" {
    command -v script > /dev/null || skip "no script"
    ln -s /dev/stdout shown.png
    for told in "--format pdf" "--format pdf -o -" "-o - --format png" "--format png -o /dev/stdout" \
        "--format pdf -o /dev/tty" "--timeline --format pdf -o /dev/fd/1" "--format png -o /proc/self/fd/1" "-o shown.png"; do
        run -2 script -qec "'$deepxtrace' heatmap '$reference' $told" /dev/null < /dev/null
        [[ $output == "deepxtrace heatmap: a terminal shows no PNG or PDF; give -o FILE"* ]]
    done
    run -0 "$deepxtrace" heatmap "$reference" --format svg
    has_cairo || skip "no cairo"
    run -0 script -qec "'$deepxtrace' heatmap '$reference' --phase combine -o picture.png" /dev/null < /dev/null
    "$deepxtrace" heatmap "$reference" --phase combine -o /dev/stdout --format png | cmp - picture.png
    run -0 "$deepxtrace" heatmap "$reference" --phase combine -o /dev/null --format png
}

@test "--color always colours in a pipe, never does not" {
    run "$deepxtrace" heatmap "$reference" --phase combine --color always
    [[ $output == *$'\033[48;'* ]]
    run "$deepxtrace" heatmap "$reference" --phase combine --color never
    [[ $output != *$'\033'* ]]
    refused 2 "--color: 'on' is not one of auto, always, never" "$reference" --color on
}

@test "the format follows the name" {
    "$deepxtrace" heatmap "$reference" -o a.svg
    [ "$(head -c 5 a.svg)" = "<?xml" ] || [ "$(head -c 4 a.svg)" = "<svg" ]
    tail -n 1 a.svg | grep -q '</svg>'
    "$deepxtrace" heatmap "$reference" -o a.HTML
    grep -qi '<!doctype html' a.HTML
    run ! grep -qE '(src|href)="?(https?:)?//' a.HTML
    run "$deepxtrace" heatmap "$reference" -o -
    [ "$status" -eq 0 ]
    [[ $output == *"</svg>"* ]]
    run "$deepxtrace" heatmap "$reference" -o - --format html
    [[ $output == *"</html>"* ]]
    "$deepxtrace" heatmap "$reference" -o plain --format terminal
    grep -q 'rank 2 is late' plain
    has_cairo || skip "no cairo here: PNG and PDF left out"
    "$deepxtrace" heatmap "$reference" -o a.png
    [ "$(head -c 4 a.png | tail -c 3)" = PNG ]
    "$deepxtrace" heatmap - -o a.pdf < "$reference"
    [ "$(head -c 5 a.pdf)" = "%PDF-" ]
    # drawn again it is the same, byte for byte
    "$deepxtrace" heatmap - --format pdf -o - < "$reference" | cmp - a.pdf
}

@test "a file that exists is kept, or replaced with --force" {
    echo mine > a.svg
    refused 2 "a.svg already exists (--force replaces it)" "$reference" -o a.svg
    [ "$(cat a.svg)" = mine ]
    "$deepxtrace" heatmap "$reference" -o a.svg --force
    grep -q '</svg>' a.svg
    refused 2 ".: Is a directory" "$reference" -o . --format svg --force
    [ "$(ls -A)" = a.svg ]
}

@test "the input is never replaced" {
    cp "$reference" input.svg
    ln -s input.svg link.svg
    refused 2 "input.svg is the input" input.svg -o input.svg -f
    refused 2 "link.svg is the input" input.svg -o link.svg -f
    refused 2 "input.svg is the input" - -o input.svg -f < input.svg
    cmp "$reference" input.svg
}

@test "a link to a picture stays one" {
    mkdir elsewhere
    echo old > elsewhere/b.svg
    ln -s elsewhere/b.svg a.svg
    refused 2 "a.svg already exists" "$reference" -o a.svg
    "$deepxtrace" heatmap "$reference" -o a.svg -f
    [ "$(readlink a.svg)" = elsewhere/b.svg ]
    grep -q '</svg>' elsewhere/b.svg
    [ "$(ls -A elsewhere)" = b.svg ]
    ln -s nothing.svg c.svg
    refused 2 "c.svg is a link to a file that does not exist" "$reference" -o c.svg -f
    [ "$(ls -A | tr '\n' ' ')" = "a.svg c.svg elsewhere " ]
}

@test "a full disk is exit 3, and nothing is left behind" {
    refused 3 "/dev/full: No space left on device" "$reference" -o /dev/full --format svg
    mkdir small
    if mount -t tmpfs -o size=16k tmpfs small 2> /dev/null; then
        head -c 20000 /dev/zero > small/fill 2> /dev/null || true
        run --separate-stderr "$deepxtrace" heatmap "$reference" -o small/a.svg
        left=$(ls -A small)
        umount small
        [ "$status" -eq 3 ]
        [[ $stderr == "deepxtrace heatmap: small/a.svg: No space left on device" ]]
        [ "$left" = fill ]
    fi
}

@test "bad input leaves no picture" {
    echo '{"v":1,' > bad
    refused 2 "bad:1: " bad -o a.svg
    refused 2 "nowhere" nowhere -o a.svg
    refused 2 "no window 77; there are: dispatch (windows 0 to 2), combine (window 0)" "$reference" --window 77 -o a.svg
    refused 2 "no window of phase other; there are: dispatch (windows " "$reference" --phase other -o a.svg
    refused 2 "no window in case none" "$reference" --case none -o a.svg
    refused 2 "must end in .svg, .png, .pdf or .html" "$reference" -o a.gif
    refused 2 "a.svg is no file to read; to write it: -o a.svg" "$reference" a.svg
    refused 2 "a.PNG is no file to read; to write it: -o a.PNG" "$reference" a.PNG
    refused 2 "typo.jsonl: No such file or directory" "$reference" typo.jsonl
    refused 2 "typo.svg: No such file or directory" "$reference" typo.svg -o a.svg
    refused 2 "typo.jsonl: No such file or directory" typo.jsonl "$reference" -o a.svg
    refused 2 "a/b.svg: No such file or directory" "$reference" -o a/b.svg
    refused 2 "--window: 'last' is not a whole number" "$reference" --window last -o a.svg
    refused 2 "--format: 'gif' is not one of terminal, svg, html, png, pdf" "$reference" --format gif
    refused 2 "FILE|FOLDER...|- is missing"
    refused 2 "a file name must not be empty" ""
    refused 2 "--output: given twice, 'a.svg' and 'b.svg'" "$reference" -o a.svg -o b.svg
    [ "$(ls -A)" = bad ]
}

@test "the timeline of a long run has its onset, who it is, and paths" {
    "$deepxtrace" simulate -n 8 --windows 1000 --from 400 --slow dispatch:5:40us -o long
    run --separate-stderr "$deepxtrace" heatmap long --timeline --phase dispatch
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "windows 0 to 999, 16 in a column" ]
    # 25 columns before window 400, 38 from there on
    [[ $(grep -F "rank 5*|" <<< "$output") == "rank 5*|"*[░▒\ ]"██████████████████████████████████████|" ]]
    [[ $output == *"rank 5 late in dispatch since window 400, in 600 of 600 windows"* ]]
    "$deepxtrace" simulate -n 8 --windows 40 --from 20 --slow-path "dispatch:1<-6:60us" -o path
    run --separate-stderr "$deepxtrace" heatmap path --timeline
    [[ $output == *"6 → 1|"* ]]
    [[ $output == *"rank 1 is held up by what is named in the other operator"* ]]
    run "$deepxtrace" heatmap long --timeline --phase combine
    [[ $output == *"rank 5, the latest here, is named in dispatch"* ]]
}

@test "the timeline: a slow link has a row of its own, since nobody is late for it" {
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 6 --from 2 --slow-node-path "dispatch:0->2:60us" \
        --slow-node-path "dispatch:1->2:60us" --slow-node-path "dispatch:3->2:60us" -o link
    run --separate-stderr "$deepxtrace" heatmap link --timeline
    [ "$status" -eq 0 ]
    [ "$(grep -c '^rank [0-9 ]*\*|' <<< "$output")" -eq 0 ]
    [[ $output == *"→ n2|"[░\ ][░\ ]"████|"* ]]
    [[ $output == *"uplink of node 2 slow in dispatch since window 2"* ]]
    [[ $output == *"ranks 16 to 23 are held up by what is named in the other operator"* ]]
    "$deepxtrace" simulate -n 16 --windows 6 --from 2 --nic-in dispatch:5:80us -o nic
    run --separate-stderr "$deepxtrace" heatmap nic --timeline --phase dispatch
    [ "$(grep -c '^rank [0-9 ]*\*|' <<< "$output")" -eq 0 ]
    [[ $output == *"→ 5|"[░\ ][░\ ]"████|"* ]]
    # nobody is named in combine: what follows here follows from what is named here
    "$deepxtrace" simulate -n 8 --ranks-per-node 4 --windows 20 --nic-in dispatch:5:60us -o near
    run --separate-stderr "$deepxtrace" heatmap near --timeline --phase dispatch
    [[ $output == *"the lateness of ranks 0 to 3 follows from what is named here"* ]]
    [[ $output != *"other operator"* ]]
    # and who is named is not held up
    "$deepxtrace" simulate -n 16 --ranks-per-node 8 --windows 20 --slow dispatch:9:60us -o late
    run --separate-stderr "$deepxtrace" heatmap late --timeline --phase dispatch
    [[ $output == *"rank 9 late in dispatch since window 0"* && $output != *"held up"* ]]
    # what comes in slowly is in the rows of the heat map
    run "$deepxtrace" heatmap link --phase dispatch
    [[ $output == *"outlined: rows 16–23"* || $output == *"rows 16–23"* ]]
    # a late node: on paper one outline around the eight rows
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 6 --from 2 --slow-node dispatch:2:60us -o node
    "$deepxtrace" heatmap node --timeline --phase dispatch -o node.svg
    [ "$(grep -c 'stroke="#12256e"' node.svg)" -eq 1 ]
}

@test "the timeline: lateness of each rank in the windows of a run" {
    grep -F '"case":"d_col2_20us"' "$data/deepep-ep4-h200.jsonl" > run
    run --separate-stderr "$deepxtrace" heatmap run --timeline
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$(wc -L <<< "$output")" -le 80 ]
    [[ ${lines[0]} == "lateness in dispatch, case d_col2_20us" ]]
    [[ ${lines[1]} == "windows 0 to 19" ]]
    [[ ${lines[4]} == "rank 2*|████████████████████|" ]]
    [[ ${lines[2]} != *▓* && ${lines[2]} != *█* ]]
    [[ $output == *"lateness in combine"* ]]
    run "$deepxtrace" heatmap run --timeline --phase dispatch
    [[ $output != *"combine"* ]]
    "$deepxtrace" heatmap run --timeline -o time.svg
    [[ $(head -c 5 time.svg) == "<?xml" ]]
    refused 2 "--timeline shows all windows" run --timeline --window 3
    refused 2 "--timeline shows lateness, which the ratio method does not measure; leave out --method" run --timeline --method ratio
    refused 2 "run: no window in case none" run --timeline --case none
    refused 2 "run: no window of phase other; there are: dispatch, combine" --timeline run --phase other
    sed 's/"window":[0-9]*,//' run > unnumbered
    refused 2 "unnumbered: its windows have no numbers, which a timeline needs" --timeline unnumbered
    "$deepxtrace" heatmap run --timeline -o time.html
    grep -q '<!-- deepxtrace page 1 -->' time.html
    refused 2 "leave out --window" run --timeline --window 3 -o other.html
    refused 2 "run: no window 999" run --window 999 -o other.html
    refused 2 "run has no window that matches" run --case none -o other.html
    [ ! -e other.html ]
}

@test "the timeline marks an early rank, hatches a silent one, and says why its scale goes on" {
    "$deepxtrace" simulate -n 8 --windows 6 --early dispatch:5:40us -o early
    run -0 "$deepxtrace" heatmap early --timeline --phase dispatch --color never
    [ "$(grep -c '^rank 5\*|      |$' <<< "$output")" -eq 1 ]
    [[ $output == *"rank 5 early in dispatch"*"marked *: named above"*"the scale goes on, so that usual"* ]]
    "$deepxtrace" simulate -n 8 --windows 6 | jq -c 'if .window > 2 then .wait[5] = null else . end' > silent
    "$deepxtrace" heatmap silent --timeline --phase dispatch -o silent.svg
    grep -q '>hatched: silent, no counters<' silent.svg
    grep -q 'silent: no counters' silent.svg
    # A line about a scale only where a scale is drawn: not below figures without colours.
    "$deepxtrace" simulate -n 8 --windows 1 -o usual
    run -0 "$deepxtrace" heatmap usual --phase dispatch --color never
    [[ $output != *"scale"* ]]
    run -0 "$deepxtrace" heatmap usual --phase dispatch --color always
    [[ $output == *"the scale goes on, so that usual waits are green"* ]]
}

@test "a column that the caption explains has its number, and no outline" {
    "$deepxtrace" simulate -n 64 --windows 1 --slow-path "dispatch:9->3:80us" -o path
    "$deepxtrace" heatmap path --phase combine -o path.svg
    grep -q '>column 3 is no finding of its own' path.svg
    # 0, 3, 6 …: where it crowds, the others make room
    [ "$(grep -o '<text [^>]*>3</text>' path.svg | wc -l)" -eq 1 ]
    run ! grep -q 'outlined' path.svg
    run -0 "$deepxtrace" heatmap path --phase combine --color never
    [ "$(grep -c '^ *3$' <<< "$output")" -eq 1 ]
    [[ $output != *"marked *"* ]]
}

@test "a time is the same everywhere: that of the zone here" {
    "$deepxtrace" simulate -n 8 --windows 6 --slow dispatch:5:40us |
        jq -c '.begin = "2026-11-26T23:3\(.window):00Z"' > run
    export TZ="<+01>-1"
    run -0 "$deepxtrace" heatmap run --timeline --phase dispatch
    [[ $output == *"time    00:30:00"* ]]
    run -0 "$deepxtrace" heatmap run --phase dispatch
    [[ $output == *"began 2026-11-27 00:35:00 +01:00"* ]]
    run -0 "$deepxtrace" analyze --summary-only run
    [[ $output == *"first at"*"2026-11-27 00:30:00 +01:00"* ]]
    [ "$("$deepxtrace" analyze --json --since "2026-11-27 00:34:00 +01:00" run | grep -c '"begin": *"2026-11-26T23:3[45]')" -eq 4 ]
    run -0 "$deepxtrace" top --once run
}

@test "without UTF-8 in the locale all that people read is ASCII" {
    "$deepxtrace" simulate -n 16 --windows 4 --seed 2 -o before
    "$deepxtrace" simulate -n 16 --windows 4 --slow-path "dispatch:1<-6:60us" --slow combine:3:40us |
        jq -c '.hosts = [range(16) | "häst-\(.)"]' > after
    for locale in LC_ALL=C LANG=; do
        for color in never always; do
            for columns in heatmap "heatmap --timeline"; do
                # shellcheck disable=SC2086
                env -u LC_ALL -u LC_CTYPE "$locale" "$deepxtrace" $columns after --color "$color" >> seen
            done
        done
        env -u LC_ALL -u LC_CTYPE "$locale" "$deepxtrace" analyze after >> seen
        env -u LC_ALL -u LC_CTYPE "$locale" "$deepxtrace" compare before after >> seen
        env -u LC_ALL -u LC_CTYPE "$locale" "$deepxtrace" top --once after >> seen
    done
    [ "$(LC_ALL=C grep -c '[^ -~'$'\033'']' seen)" -eq 0 ]
    grep -q 'path 6 -> 1 is slow' seen
    grep -q 'h?st-' seen
    grep -q ' us per operation' seen
    # What programs read has its letters.
    LC_ALL=C "$deepxtrace" analyze --json after | grep -q '6 → 1'
    LC_ALL=C "$deepxtrace" heatmap after -o - | grep -q 'µs'
}

@test "a timeline's row of a link has its host, and explains only what can be seen" {
    "$deepxtrace" simulate --ranks 8 --ranks-per-node 4 --windows 60 --from 20 --calm \
        --nic-in dispatch:3:60us --nic-out dispatch:3:60us |
        sed 's/"nodes":/"hosts":["a","a","a","gpu-7","b","b","b","b"],"nodes":/' > link
    run -0 "$deepxtrace" heatmap --timeline --phase dispatch --color never link
    [ "$(grep -c '↔ 3|.*| gpu-7$' <<< "$output")" -eq 1 ]
    [[ $output != *"held up by what is named in the other operator"* ]]
    run -0 "$deepxtrace" heatmap --timeline --phase combine --color never link
    [[ $output == *"held up by what is named in the other operator"* ]]
    # A node's name stands where it begins.
    run -0 "$deepxtrace" heatmap --phase dispatch --color never link
    [ "$(grep -c '  a$' <<< "$output")" -eq 1 ]
    [ "$(grep -c '  b$' <<< "$output")" -eq 1 ]
}

@test "a column that is red without a name has a reason, a picture one unit, a block its unseen part" {
    "$deepxtrace" simulate -n 8 --windows 1 --slow dispatch:5:60us -o late.jsonl
    jq -c '.wait[5] = null | del(.samples)' late.jsonl > silent.jsonl
    "$deepxtrace" heatmap silent.jsonl --phase dispatch > picture
    grep -qx 'column 5: the others wait for rank 5, which is silent' picture
    "$deepxtrace" heatmap late.jsonl --phase combine > picture
    run ! grep -q silent picture
    "$deepxtrace" simulate -n 8 --windows 1 --slow dispatch:5:12ms -o long.jsonl
    "$deepxtrace" heatmap long.jsonl --phase dispatch > picture
    grep -q 'mean wait in µs (1k µs = 1 ms)' picture
    "$deepxtrace" simulate -n 16 --windows 1 --slow dispatch:5:12ms -o wide.jsonl
    "$deepxtrace" heatmap wide.jsonl --phase dispatch --color always > picture
    grep -q 'mean wait in ms' picture
    grep -Eq '^ +[0-9].* ms.{0,6}$' picture
    "$deepxtrace" simulate -n 256 --ranks-per-node 8 --hybrid --windows 1 -w 10 -o hybrid.jsonl
    "$deepxtrace" heatmap hybrid.jsonl --phase dispatch --color always > picture
    grep -qx '•: most of the block was not observed' picture
    "$deepxtrace" heatmap hybrid.jsonl --phase dispatch -o hybrid.svg
    grep -q 'the coloured part of a block is the part that was observed' hybrid.svg
}

@test "a path between nodes is outlined once, and all that it holds up is said" {
    "$deepxtrace" simulate -n 32 --ranks-per-node 8 --windows 6 --slow-node-path "dispatch:1->0:100us" -o uplink
    "$deepxtrace" heatmap uplink -o uplink.svg
    [[ $(< uplink.svg) == *"outlined: paths 8–15 → 0–7"* ]]
    [ "$(grep -c 'fill="none" stroke="#12256e"' uplink.svg)" -eq 1 ]
    run --separate-stderr "$deepxtrace" heatmap uplink --phase combine
    [[ $output == *"columns 0–7 are no findings of their own; the cause"* ]]
    # Where each rank has room for its own number, no range stands between two others.
    "$deepxtrace" simulate -n 16 --ranks-per-node 8 --windows 6 --slow-node-path "dispatch:1->0:100us" -o wide
    "$deepxtrace" heatmap wide -o wide.svg
    [[ $(< wide.svg) != *">8–15</text>"* ]]
    [ "$(grep -c 'bold.*>1[1-4]</text>' wide.svg)" -eq 4 ]
    "$deepxtrace" simulate -n 32 --windows 6 --slow-path "dispatch:6->1:100us" -o path
    run --separate-stderr "$deepxtrace" heatmap path
    [[ $output == *"column 1 is no finding of its own; the cause: the path 6 → 1"* ]]
}

@test "heatmap: rows of ranks that are ahead, since another operator holds up the others, are explained" {
    "$deepxtrace" simulate -n 32 --windows 2 --ranks-per-node 8 --nic-out combine:9:60us > link
    run "$deepxtrace" heatmap link
    [ "$status" -eq 0 ]
    [[ $output == *"rows 8–15 are no findings of their own; the cause: the link of rank 9 sends slowly in combine"* ||
        $output == *"rows 8–15 are no findings of their own; the cause: the link of rank 9 sends
slowly in combine"* ]]
    [[ $output != *"nobody stands out"* ]]
}

@test "heatmap looks for no cause in the other operator of what it has found in this one" {
    "$deepxtrace" simulate -n 16 --windows 1 --ranks-per-node 8 --nic-in dispatch:2:60us > link
    run "$deepxtrace" heatmap link --phase dispatch
    [ "$status" -eq 0 ]
    [[ $output == *"the link of rank 2 receives slowly in dispatch"* ]]
    # Orange all the same, and numbered: that goes back to what is named beside it.
    [[ $output == *"columns 8–15 are no findings of their own; the cause is what the findings name"* ]]
    run "$deepxtrace" heatmap link
    [[ $output == *"column 2 is no finding of its own; the cause: the link of rank 2"* ]]
}
