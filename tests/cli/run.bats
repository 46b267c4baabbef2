#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace run: hands a command over, and says what to type to those who mean the job.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    command -v python3 > /dev/null || skip "no python3"
    unset DEEPXTRACE_PYTHON PYTHONPATH ${!DEEPXTRACE_*}
    export PYTHONDONTWRITEBYTECODE=1
    last='deepxtrace: nothing was diagnosed: no Python program imported deep_ep'
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# One line on standard error, which is this, nothing on standard output, exit 2.
refused() {
    local said=$1
    shift
    run --separate-stderr "$deepxtrace" run "$@"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$stderr" = "deepxtrace run: $said" ] || { echo "$stderr"; false; }
}

@test "the exit status and the signals are those of the command" {
    run --separate-stderr "$deepxtrace" run sh -c 'exit 7'
    [ "$status" -eq 7 ]
    [ -z "$output" ]
    [[ $stderr == "$last"* ]]
    run "$deepxtrace" run --quiet sh -c 'exit 7'
    [ "$status" -eq 7 ]
    [ -z "$output" ]
    run "$deepxtrace" run -- sh -c 'kill -KILL $$'
    [ "$status" -eq 137 ]
    # A reader that has gone ends the command as it would without us.
    run bash -c "set -o pipefail; '$deepxtrace' run sh -c 'while echo y; do :; done' | head -n 1"
    [ "$status" -eq 141 ]
    run -127 --separate-stderr "$deepxtrace" run no-such-command
    [ "$status" -eq 127 ]
    [ "$stderr" = "deepxtrace run: no-such-command: No such file or directory" ]
    run "$deepxtrace" run /
    [ "$status" -eq 126 ]
    for quiet in --quiet ''; do
        rm -f inner
        "$deepxtrace" run $quiet sh -c 'echo $$ > inner; exec sleep 60' &
        outer=$!
        for _ in {1..100}; do [ -s inner ] && break || sleep 0.1; done
        if [ -n "$quiet" ]; then [ "$(cat inner)" = "$outer" ]; fi
        kill "$outer"
        status=0
        wait "$outer" || status=$?
        [ "$status" -eq 143 ]
        run ! kill -0 "$(cat inner)"
    done
}

@test "Ctrl-C while Python begins ends the launcher without a word" {
    python3 -m venv --without-pip site
    echo 'import os, signal; os.kill(os.getpid(), signal.SIGINT)' > "$(echo site/lib/python3*)/site-packages/interrupt.pth"
    DEEPXTRACE_PYTHON=$PWD/site/bin/python3 run env --default-signal=INT "$deepxtrace" run true
    [ "$status" -eq 130 ]
    [ -z "$output" ]
    # Who ignores it, or holds it back, goes on so.
    run env --ignore-signal=INT "$deepxtrace" run --quiet sh -c 'kill -INT $$; echo here'
    [ "$output" = here ]
    run env --block-signal=INT "$deepxtrace" run --quiet sh -c 'kill -INT $$; echo here'
    [ "$output" = here ]
}

@test "what another interpreter is told does not reach the launcher" {
    echo 'raise SystemExit(9)' > signal.py
    PYTHONHOME=/nowhere PYTHONPATH=$PWD run --separate-stderr "$deepxtrace" run sh -c 'echo "$PYTHONHOME ${PYTHONPATH#*:}"; exit 7'
    [ "$status" -eq 7 ]
    [ "$output" = "/nowhere $PWD" ]
    [[ $stderr == "$last"* ]]
    # One that was moved finds its modules with PYTHONHOME alone.
    printf '#!/bin/sh\ncase $1 in -*I*) exit 1 ;; esac\nexec python3 "$@"\n' > moved
    chmod +x moved
    home=$(python3 -c 'import sys; print(sys.base_prefix)')
    PYTHONHOME=$home DEEPXTRACE_PYTHON=$PWD/moved run --separate-stderr "$deepxtrace" run sh -c 'echo "$PYTHONHOME"; exit 7'
    [ "$status" -eq 7 ]
    [ "$output" = "$home" ]
}

@test "what the command is given is what it gets" {
    run --separate-stderr "$deepxtrace" run printf '|%s' 'a b' -- --ranks '' "it's"
    [ "$status" -eq 0 ]
    [ "$output" = "|a b|--|--ranks||it's" ]
    [ "$(echo through | "$deepxtrace" run cat)" = through ]
}

@test "Python programs are attached, whoever starts them" {
    run --separate-stderr "$deepxtrace" run python3 -c 'import os; print(os.environ["DEEPXTRACE"])'
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    # A system may have a sitecustomize.py of its own, which is run as well.
    run --separate-stderr "$deepxtrace" run sh -c 'cd / && python3 -c "import sys; print(*map(type, sys.meta_path))"'
    [ "$status" -eq 0 ]
    [[ $output == *deepxtrace._watch.ImportWatcher* ]]
    run --separate-stderr python3 -c 'import sys; print(*map(type, sys.meta_path))'
    [[ $output != *ImportWatcher* ]]
    # The package that they get works.
    run --separate-stderr "$deepxtrace" run sh -c 'PYTHONPATH=$PYTHONPATH/../.. python3 -c "
import importlib.util
print(importlib.util.find_spec(\"deepxtrace\").origin)"'
    [ "$status" -eq 0 ]
    [ -e "$(dirname "$output")/lib/libdeepxtrace.so.0" ]
}

@test "options become settings" {
    run --separate-stderr "$deepxtrace" run --interval=3 --output logs --method ratio --modules a,b --quiet env
    [ "$status" -eq 0 ]
    for setting in INTERVAL=3 "OUTPUT=$PWD/logs" METHOD=ratio MODULES=a,b QUIET=1; do
        grep -qx "DEEPXTRACE_$setting" <<< "$output"
    done
    run --separate-stderr "$deepxtrace" run --interval soon true
    [ "$status" -eq 2 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "who means the job is told what to type" {
    job="no command was given; the built-in job is: deepxtrace job"
    refused "$job"
    refused "$job --ranks 4" --ranks 4
    refused "$job -n 4 --slow-path 'dispatch:1<-6:10ms'" -n 4 --slow-path 'dispatch:1<-6:10ms'
    refused "$job --engine mpi --record 'it'\\''s.jsonl'" --engine mpi --record "it's.jsonl"
    refused "$job" --quiet
    job="is an option of the built-in job: deepxtrace job"
    refused "--ranks $job --ranks 4 sh -c 'exit 1'" --ranks 4 sh -c 'exit 1'
    refused "--steps=9 $job --interval 5 --steps=9" --interval 5 --steps=9
    refused "-n4 $job -n4 true" -n4 true
    refused "unknown option '--nonsense' (see deepxtrace run --help)" --nonsense true
    refused "unknown option '--intervall' (did you mean --interval?)" --intervall=3 true
}

@test "without Python or the package one line says what is missing" {
    copy=$BATS_TEST_TMPDIR/alone/bin
    mkdir -p "$copy"
    cp -L "$deepxtrace" "$copy/deepxtrace"
    # No package is installed for this one.
    printf '#!/bin/sh\nexec python3 -I -S "$@"\n' > bare
    chmod +x bare
    export LD_LIBRARY_PATH=$(dirname "$deepxtrace")/../lib
    run --separate-stderr env DEEPXTRACE_PYTHON=./bare "$copy/deepxtrace" run sh -c 'exit 7'
    [ "$status" -eq 3 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace run: "*"pip install"* ]]
    run --separate-stderr env DEEPXTRACE_PYTHON=./nowhere "$copy/deepxtrace" run sh -c 'exit 7'
    [ "$status" -eq 3 ]
    [ "$stderr" = "deepxtrace run: ./nowhere is not here: the launcher needs Python 3 \
(DEEPXTRACE_PYTHON names the interpreter)" ]
}

@test "other names: a link to the command, and deepxtrace-run" {
    ln -s "$deepxtrace" linked
    run ./linked run sh -c 'exit 7'
    [ "$status" -eq 7 ]
    run --separate-stderr "$(dirname "$deepxtrace")/deepxtrace-run" sh -c 'exit 7'
    [ "$status" -eq 7 ]
    run --separate-stderr "$(dirname "$deepxtrace")/deepxtrace-run" --interval 3 printenv DEEPXTRACE_INTERVAL
    [ "$output" = 3 ]
}

@test "code in the current folder does not run" {
    mkdir deepxtrace
    for module in importlib types argparse os signal shlex sitecustomize deepxtrace/__init__ \
        deepxtrace/run; do
        echo 'open("/dev/stderr", "w").write("planted\n")' > "$module.py"
    done
    run --separate-stderr "$deepxtrace" run sh -c 'exit 7'
    [ "$status" -eq 7 ]
    [ -z "$output" ]
    [[ $stderr == "$last"* ]]
    run --separate-stderr "$deepxtrace" run --quiet sh -c 'exit 7'
    [ "$status" -eq 7 ]
    [ -z "$output" ]
}
