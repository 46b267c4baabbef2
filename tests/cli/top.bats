#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace top: in a pipe, and in a terminal of several widths.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    cd "$BATS_TEST_TMPDIR"
    tmux=(tmux -L "dxt-$BASHPID" -f /dev/null)
}

teardown() {
    "${tmux[@]}" kill-server 2> /dev/null || true
}

# Wait until the screen holds $1.
shows() {
    for ((i = 0; i < 600; i++)); do
        "${tmux[@]}" capture-pane -p > screen
        if grep -qF -- "$1" screen; then return 0; fi
        sleep 0.1
    done
    echo "no '$1' on the screen:"
    cat screen
    return 1
}

# Press the key $1 until the screen holds $2 and no longer $3.
moves_to() {
    for ((i = 0; i < 600; i++)); do
        "${tmux[@]}" send-keys "$1"
        sleep 0.1
        "${tmux[@]}" capture-pane -p > screen
        if grep -qF -- "$2" screen && ! grep -qF -- "$3" screen; then return 0; fi
    done
    echo "after the key $1 no '$2' on the screen, or still '$3':"
    cat screen
    return 1
}

@test "--once says what is there, and what is new" {
    "$deepxtrace" simulate -n 8 --windows 6 --from 3 --slow dispatch:2:200us > run.jsonl
    run --separate-stderr "$deepxtrace" top --once run.jsonl
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    diff <(echo "$output") <("$deepxtrace" analyze run.jsonl | sed '/^summary/,$d')
    mkdir logs
    cp run.jsonl logs/a.jsonl
    sed 's/"instance":"[^"]*"/"instance":"b"/' run.jsonl > logs/b.jsonl
    run "$deepxtrace" top --once logs
    [[ $output == *"b.jsonl: dispatch, window 5"* ]]
    run --separate-stderr "$deepxtrace" top --once none.jsonl
    [ "$status" -eq 2 ]
    [[ $stderr == "deepxtrace top: none.jsonl: No such file or directory" ]]
    echo nonsense > bad.jsonl
    run --separate-stderr "$deepxtrace" top --once bad.jsonl
    [ "$status" -eq 2 ]
    [[ $stderr == "deepxtrace top: there is no window yet to show" ]]
}

# Windows $2 to $3 of instance $1 as a log has them; rank 2 of 4 is late.
log_of() {
    local window row
    for ((window = $2; window <= $3; window++)); do
        echo "[2025-09-15T16:0$window:53.686] [Diagnose] InstanceID: $1 EPSize: 4, diagnose: {}, Dispatch Wait Recv Cost Per Token Matrix[src_rank, dst_rank]"
        for row in 0 1 2 3; do
            echo "[2025-09-15T16:0$window:53.686] rank=$row [ $((1000 + row)) 1001 $((row == 2 ? 100 : 90000000)) 1003 ]"
        done
    done
}

@test "what serve reads: logs without a recording, rotated and packed files, folders" {
    mkdir logs
    log_of alone 0 2 > logs/a.log
    log_of both 0 2 > logs/b.log
    "$deepxtrace" simulate -n 4 --windows 3 | jq -c '.instance = "both"' > logs/b.jsonl
    "$deepxtrace" simulate -n 6 --windows 2 --slow dispatch:3:1ms | gzip > logs/c.jsonl.1.gz
    log_of packed 3 5 | gzip > logs/d.log.2025-09-15.gz
    echo "nothing of ours" > logs/e.txt
    run --separate-stderr "$deepxtrace" top --once logs
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"a.log: dispatch, "*", 4 ranks: slow"* ]]
    [[ $output == *"c.jsonl.1.gz: dispatch, window 0, 6 ranks: slow"* ]]
    [[ $output == *"d.log.2025-09-15.gz: dispatch, "*", 4 ranks: slow"* ]]
    [[ $output == *"b.jsonl: dispatch, "*": healthy"* ]]
    [[ $output != *"b.log"* ]]
    for name in a.log b.log; do
        diff <("$deepxtrace" top --once "logs/$name") <("$deepxtrace" analyze "logs/$name" | sed '/^summary/,$d')
    done
    "$deepxtrace" report logs/c.jsonl.1.gz -o page.html
    diff <("$deepxtrace" top --once page.html) <("$deepxtrace" analyze page.html | sed '/^summary/,$d')
}

@test "a log that is rotated and packed while it is followed is told once" {
    mkdir logs
    log_of x 0 1 > logs/a.log
    "$deepxtrace" top logs > told &
    pid=$!
    until_told() {
        for ((i = 0; i < 600; i++)); do
            if [ "$(grep -c 'slow' told)" -ge "$1" ]; then return 0; fi
            sleep 0.1
        done
        cat told
        return 1
    }
    until_told 1
    mv logs/a.log logs/a.log.1
    gzip -c logs/a.log.1 > packed
    mv packed logs/a.log.1.gz
    rm logs/a.log.1
    log_of y 0 1 > logs/a.log
    until_told 2
    kill -TERM "$pid"
    wait "$pid"
    cat told
    [ "$(grep -c 'slow' told)" -eq 2 ]
}

@test "a pipe gets what comes, until TERM" {
    "$deepxtrace" simulate -n 4 --windows 4 > all
    head -n 4 all > run.jsonl
    "$deepxtrace" top run.jsonl > told &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        if grep -q 'combine, window 1' told; then break; fi
        sleep 0.1
    done
    tail -n +5 all >> run.jsonl
    for ((i = 0; i < 600; i++)); do
        if grep -q 'combine, window 3' told; then break; fi
        sleep 0.1
    done
    kill -TERM "$pid"
    wait "$pid"
    [ "$(grep -c '^dispatch' told)" -eq 4 ]
}

@test "a terminal that cannot redraw gets lines, and no line about progress" {
    command -v script > /dev/null || skip "no script"
    "$deepxtrace" simulate -n 4 --windows 2 > run.jsonl
    TERM=dumb script -qefc "echo \$\$ > pid; exec '$deepxtrace' top run.jsonl" told < /dev/null > /dev/null &
    local shown=$!
    for ((i = 0; i < 600; i++)); do
        if grep -q 'combine, window 1' told; then break; fi
        sleep 0.1
    done
    kill -TERM "$(cat pid)"
    wait "$shown" || true
    grep -q 'combine, window 1' told
    run ! grep -q $'\x1b' told
    run -124 env TERM=dumb script -qec "timeout 1.5 '$deepxtrace' simulate -n 64 --windows 1000000 > out" shown < /dev/null
    run ! grep -q 'of 1000000 windows' shown
}

@test "a terminal of 60, 80 and 200 columns" {
    if ! command -v tmux > /dev/null; then skip "no tmux"; fi
    "$deepxtrace" simulate -n 16 --windows 6 --from 3 --slow dispatch:5:200us > all
    head -n 6 all > run.jsonl
    "${tmux[@]}" new-session -d -x 60 -y 50 "'$deepxtrace' top run.jsonl"
    shows "run.jsonl  16 ranks  dispatch  window 2  healthy"
    tail -n +7 all >> run.jsonl
    shows "run.jsonl  16 ranks  dispatch  window 5  slow"
    shows "next: look at that rank's own work"
    [ "$(wc -L < screen)" -le 60 ]
    for width in 80 200 40; do
        "${tmux[@]}" resize-window -x "$width" -y 50
        shows "* rank 5 is late in dispatch"
        shows "awaited rank"
        [ "$(wc -L < screen)" -le "$width" ]
    done
    "${tmux[@]}" resize-window -x 80 -y 50
    "${tmux[@]}" send-keys Left Left Left
    shows "window 2  healthy  (not the newest)"
    "${tmux[@]}" send-keys End o
    shows "16 ranks  combine  window 5"
    "${tmux[@]}" send-keys '?'
    shows "next, previous operator"
    "${tmux[@]}" send-keys '?' Space
    shows "PAUSED"
    "${tmux[@]}" resize-window -x 80 -y 12
    # Further down than there is anything, and up again.
    moves_to Down "rank 15 |" "waiting rank"
    for ((i = 0; i < 12; i++)); do "${tmux[@]}" send-keys Down Down Down Down Down; done
    moves_to Up "waiting rank" "rank 15 |"
    "${tmux[@]}" send-keys q
    for ((i = 0; i < 600; i++)); do
        if ! "${tmux[@]}" has-session 2> /dev/null; then break; fi
        sleep 0.1
    done
    run ! "${tmux[@]}" has-session
}
