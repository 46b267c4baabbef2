#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace itself: version, help, unknown commands, closed and full outputs.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    reference=${DXT_SOURCE_DIR:?}/tests/recorded/data/reference-matrices.jsonl
    commands=(run job analyze heatmap simulate bench info)
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# One line on standard error, nothing on standard output, exit 2.
refused() {
    run --separate-stderr "$deepxtrace" "$@"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "the version is that of the project" {
    [ "$("$deepxtrace" -V)" = "$("$deepxtrace" --version)" ]
    [ "$("$deepxtrace" version)" = "$("$deepxtrace" --version)" ]
    run "$deepxtrace" --version
    [ "$status" -eq 0 ]
    [ "$output" = "deepxtrace $(sed -n 's/^project(deepxtrace VERSION \([0-9.]*\).*/\1/p' \
        "$DXT_SOURCE_DIR/CMakeLists.txt")" ]
}

@test "help lists every command, and every command's help shows examples in 80 columns" {
    run "$deepxtrace" --help
    [ "$status" -eq 0 ]
    for command in "${commands[@]}"; do [[ $output == *"  $command "* ]]; done
    for command in "" "${commands[@]}"; do
        run --separate-stderr "$deepxtrace" $command --help
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
        [[ $output == *Examples:*"  deepxtrace $command"* ]]
        [ "$(wc -L <<< "$output")" -le 80 ]
    done
}

@test "every option of a command's help is in its man page" {
    for command in "${commands[@]}"; do
        page=$DXT_SOURCE_DIR/docs/man/deepxtrace-$command.1
        for option in $("$deepxtrace" $command --help | grep -o '^  *\(-., \)\?--[a-z-]*' |
            grep -o -e '--.*' | grep -vx -e --help); do
            grep -qF -e "${option//-/\\-}" "$page" || { echo "$command: $option"; false; }
        done
    done
}

@test "an unknown command gets one line" {
    refused frobnicate
    [ "$stderr" = "deepxtrace: unknown command 'frobnicate' (see deepxtrace --help)" ]
    for pair in analyse:analyze Analyze:analyze heat:heatmap benhc:bench jb:job; do
        refused "${pair%:*}"
        [ "$stderr" = "deepxtrace: unknown command '${pair%:*}' (did you mean '${pair#*:}'?)" ]
    done
    refused info --jsno
    [ "$stderr" = "deepxtrace info: unknown option '--jsno' (did you mean --json?)" ]
    refused info -json
    [ "$stderr" = "deepxtrace info: unknown option '-json' (did you mean --json?)" ]
    refused -v
    [[ $stderr == *"(did you mean -V?)" ]]
    touch there.jsonl
    refused there.jsonl
    [ "$stderr" = "deepxtrace: unknown command 'there.jsonl'; to read it: deepxtrace analyze there.jsonl" ]
    refused
    refused --jsn
    refused ""
    [ "$("$deepxtrace" $'a\nb\033[1m' 2>&1 | wc -l)" -eq 1 ]
}

@test "a reader that goes away is no error" {
    run --separate-stderr bash -c "set -o pipefail
        for i in {1..400}; do cat '$reference'; done | '$deepxtrace' analyze --json - | head -n 1"
    [ "${#stderr_lines[@]}" -eq 0 ]
    [ "$(jq -r .phase <<< "$output")" = dispatch ]
}

@test "a full standard output is exit 3 and one line" {
    for command in "analyze $reference" "heatmap $reference" info --help; do
        run --separate-stderr bash -c "'$deepxtrace' $command > /dev/full"
        [ "$status" -eq 3 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == *"standard output: No space left on device" ]]
    done
}

@test "a standard stream that came closed is not a file's" {
    "$deepxtrace" job --ranks 2 --steps 20 --window 10 --record all.jsonl --heatmap all.svg \
        <&- 2>&- > report
    [ "$(jq -r .phase all.jsonl | wc -l)" -eq 2 ]
    grep -q '</svg>' all.svg
    run bash -c "'$deepxtrace' job --ranks 2 --steps 20 --window 10 --record out.jsonl \
        --heatmap out.svg 2> said >&-"
    [ "$status" -eq 3 ]
    [ "$(grep -c 'standard output: ' said)" -eq 1 ]
    # Of a recording, what is whole; a picture is not there.
    [ "$(ls -A | tr '\n' ' ')" = "all.jsonl all.svg out.jsonl report said " ]
    "$deepxtrace" analyze out.jsonl >/dev/null
    run bash -c "'$deepxtrace' heatmap '$reference' -o quiet.svg <&- >&- 2>&-"
    [ "$status" -eq 0 ]
    grep -q '</svg>' quiet.svg
    for command in "analyze $reference" "heatmap $reference" info --help help --version; do
        run bash -c "'$deepxtrace' $command 2> said >&-"
        [ "$status" -eq 3 ]
        [ "$(wc -l < said)" -eq 1 ]
    done
    run bash -c "'$deepxtrace' analyze - 2> said <&-"
    [ "$status" -eq 2 ]
}

@test "a file that may not grow is exit 3, and nothing is left behind" {
    run --separate-stderr bash -c "ulimit -f 1; '$deepxtrace' heatmap '$reference' -o a.svg"
    [ "$status" -eq 3 ]
    [ "$stderr" = "deepxtrace heatmap: a.svg: File too large" ]
    [ -z "$(ls -A)" ]
}

@test "help COMMAND is COMMAND --help" {
    [ "$("$deepxtrace" help)" = "$("$deepxtrace" --help)" ]
    for command in "${commands[@]}"; do
        [ "$("$deepxtrace" help "$command")" = "$("$deepxtrace" $command --help)" ]
    done
    refused help frobnicate
    refused help job surplus
}

@test "info says what is there" {
    run --separate-stderr "$deepxtrace" info
    [ "$status" -eq 0 ]
    [[ $output == "$("$deepxtrace" --version)"* ]]
    [[ $output == *"probe clock"*MHz* ]]
    [[ $output == *cairo* ]]
    run --separate-stderr "$deepxtrace" info --json
    [ "$status" -eq 0 ]
    [ "$(jq '.v == 1 and .probe_clock_hz > 1e6 and .cores_online >= 1 and
             (.parts | map(select((.name | IN("cairo", "ep-cuda", "run-cuda")) and
                                  (.why | length) > 0)) | length) == 3' \
        <<< "$output")" = true ]
    refused info surplus
    refused info --jason
}

@test "a part that is missing says why" {
    copy=$BATS_TEST_TMPDIR/alone
    mkdir "$copy"
    cp -L "$deepxtrace" "$copy/deepxtrace"
    for library in $(ldd "$deepxtrace" | sed -n 's/.*=> \(.*libdeepxtrace[^ ]*\) .*/\1/p'); do
        cp -L "$library" "$copy"
    done
    run --separate-stderr env LD_LIBRARY_PATH="$copy" "$copy/deepxtrace" info --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '.parts[0].available' <<< "$output")" = false ]
    run --separate-stderr env LD_LIBRARY_PATH="$copy" "$copy/deepxtrace" heatmap "$reference" \
        -o picture.png
    [ "$status" -eq 3 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace heatmap: "*cairo* ]]
    [ -z "$(ls -A)" ]
}

@test "completions are those of the tables" {
    refused completion
    refused completion tcsh
    [ "$stderr" = "deepxtrace completion: 'tcsh' is not one of bash, zsh, fish" ]
    for shell in bash zsh fish; do
        "$deepxtrace" completion $shell > $shell
        if command -v $shell > /dev/null; then $shell -n $shell; fi
    done
    for command in "${commands[@]}"; do
        "$deepxtrace" $command --help | grep -o '^  *\(-., \)\?--[a-z0-9-]*' | grep -o -e '--.*' |
            grep -vx -e --help > options
        for shell in bash zsh fish; do
            grep -qw -e "$command" $shell
            dashes=--
            if [ $shell = fish ]; then dashes="-l "; fi
            # What of them is nowhere in the file.
            missing=$(sed "s/^--/$dashes/" options |
                grep -vxF -f <(grep -o -e "$dashes[a-z0-9-]*" $shell | sort -u) || true)
            [ -z "$missing" ] || { echo "$shell, $command: $missing"; false; }
        done
    done
    # complete WORD…: what is offered for the last of them.
    cat > complete << 'END'
source ./bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_deepxtrace
echo "${COMPREPLY[@]}"
END
    [ "$(bash complete deepxtrace an)" = analyze ]
    [ "$(bash complete deepxtrace job --slow)" = "--slow --slow-from --slow-until --slow-path" ]
    [ "$(bash complete deepxtrace job --color al)" = always ]
    [ "$(bash complete deepxtrace job --json --st)" = --steps ]
    [[ " $(bash complete deepxtrace job -) " == *" -h "*" --record -r "* ]]
    touch there.jsonl
    [ "$(bash complete deepxtrace analyze there)" = there.jsonl ]
    [ "$(bash complete deepxtrace job --record there)" = there.jsonl ]
    if command -v python3 > /dev/null; then
        [ "$(bash complete deepxtrace run --inter)" = --interval ]
    fi
}

# typed SHELL LINE…: what words `deepxtrace` gets where these are typed, each with a tab at its end.
typed() {
    local command="bash --norc --noprofile -i" start="source ./bash"
    if [ "$1" = zsh ]; then
        command="zsh -f -i"
        start="fpath=('$PWD' \$fpath); autoload -Uz compinit; compinit -u -d ./dump"
    fi
    shift
    printf '%s\n' 'deepxtrace() { printf "GOT: %s\n" "$*"; }' "$start; PS1=" "${@/%/$'\t'}" exit > keys
    timeout 60 script -qec "$command" /dev/null < keys | tr -d '\r' | grep -a -o 'GOT: [^%]*$'
}

@test "a shell completes commands, options, their values and files" {
    command -v script > /dev/null || skip "no script"
    touch there.jsonl
    "$deepxtrace" completion bash > bash
    "$deepxtrace" completion zsh > _deepxtrace
    "$deepxtrace" completion fish > fish
    # Nothing is offered where a number or no file at all belongs.
    lines=("deepxtrace an" "deepxtrace job --color al" "deepxtrace job --engine sh" "deepxtrace bench acc"
        "deepxtrace analyze --js" "deepxtrace analyze --json the" "deepxtrace job -r the" "deepxtrace completion fi"
        "deepxtrace help sim" "deepxtrace job --ranks the" "deepxtrace simulate the"
        "deepxtrace serve --exec the" "deepxtrace bench accuracy ga" "deepxtrace bench --repeat 3 acc"
        "deepxtrace serve --label a=the" "deepxtrace analyze --since 3:the" "deepxtrace job --color=al")
    whole=("analyze" "job --color always" "job --engine shm" "bench accuracy" "analyze --json"
        "analyze --json there.jsonl" "job -r there.jsonl" "completion fish" "help simulate"
        "job --ranks the" "simulate the" "serve --exec there.jsonl" "bench accuracy ga"
        "bench --repeat 3 accuracy" "serve --label a=the" "analyze --since 3:the" "job --color=always")
    for shell in bash zsh; do
        command -v $shell > /dev/null || continue
        typed $shell "${lines[@]}" > got
        diff <(printf 'GOT: %s\n' "${whole[@]}") got
    done
    command -v fish > /dev/null || skip "no fish"
    for i in "${!lines[@]}"; do
        offered=$(HOME=$PWD fish -c "source ./fish; complete -C '${lines[i]}'" | cut -f 1)
        [[ ${whole[i]} == *"$offered" ]] || { echo "${lines[i]}: $offered"; false; }
        [ "${lines[i]}" = "deepxtrace ${whole[i]}" ] || [ -n "$offered" ]
    done
    # A command behind `run`, whatever options stand between.
    mkdir programs
    printf "#!/bin/sh\n" > programs/whatever-this-is
    chmod +x programs/whatever-this-is
    local between=("" "-- " "--quiet ")
    if grep -q "l interval" fish; then between+=("--interval 3 " "--quiet --interval 3 --output . -- "); fi
    for i in "${between[@]}"; do
        offered=$(PATH=$PWD/programs:$PATH HOME=$PWD fish -c "source ./fish; complete -C 'deepxtrace run ${i}whatever-t'" | cut -f 1)
        [ "$offered" = whatever-this-is ] || { echo "$i: $offered"; false; }
    done
}

@test "long work says on a terminal how far it is, and nowhere else" {
    command -v script > /dev/null || skip "no script"
    # on_terminal LINE: with standard error, and only that, on a terminal; what it shows.
    on_terminal() { script -qec "$1 > out" /dev/null < /dev/null | tr '\r' '\n'; }
    shown=$(on_terminal "timeout 2 '$deepxtrace' simulate --ranks 64 --windows 1000000")
    [[ $shown == *"deepxtrace simulate: "*" of 1000000 windows"* ]]
    # measured OPTIONS LINE: a measurement that takes long says LINE; it is ended then, or after a minute.
    measured() {
        rm -f told pid
        script -qefc "echo \$\$ > pid; exec '$deepxtrace' bench $1 --repeat 1000000 > out" told < /dev/null > /dev/null 3>&- &
        said=
        for i in {1..300}; do
            sleep 0.2
            if grep -aq "deepxtrace bench: $2, [0-9]* of 1000000" told; then said=yes && break; fi
        done
        kill "$(cat pid)" || true
        wait
        [ "$said" ]
    }
    measured "analysis --ranks 8" "analysis of 8 ranks"
    measured "ep --tokens 4 --hidden 512" "2 ranks, 4 tokens of 512 channels"
    measured "probe --tokens 4 --hidden 512" "2 ranks, 4 tokens of 512 channels"
    measured "gather --ranks 512" "gather from [0-9]* ranks"
    # A window at a time until the line has come, for a minute at most; then all others.
    cat > slowly << 'END'
for i in {1..300}; do
    head -n 2 "$1"
    grep -q "windows read" "$2" && break
    sleep 0.2
done
cat "$1"
END
    # slowly_on_terminal COMMAND: the same with windows that come slowly; what it shows.
    slowly_on_terminal() {
        : > shown
        script -qec "bash slowly '$reference' shown | $1 > out" /dev/null < /dev/null |
            tee shown | tr '\r' '\n'
    }
    windows='[0-9]+ windows read'
    shown=$(slowly_on_terminal "'$deepxtrace' heatmap -")
    [[ $shown =~ "deepxtrace heatmap: "$windows ]]
    shown=$(slowly_on_terminal "'$deepxtrace' bench accuracy /dev/stdin")
    [[ $shown =~ "deepxtrace bench: "$windows ]]
    shown=$(slowly_on_terminal "'$deepxtrace' analyze --json -")
    [[ $shown =~ "deepxtrace analyze: "$windows ]]
    [ "$(wc -l < out)" -ge 4 ]
    # The line is taken away at the end.
    [ "$(tail -n 1 <<< "$shown")" = $'\033[K' ]
    run --separate-stderr bash -c "(head -n 2 '$reference'; sleep 3; cat '$reference') |
        '$deepxtrace' analyze -"
    [ -z "$stderr" ]
}

# Names are anybody's: an escape, a lone CSI of eight bits, one in UTF-8, and a mark that turns the direction of writing.
@test "names of files cannot steer the terminal" {
    commands=(analyze heatmap)
    if [ -e "$(dirname "$deepxtrace")/../lib/libdeepxtrace-monitor.so.0" ]; then
        commands+=("serve --once --store s.db")
    fi
    for name in $'a\e[31mb' $'a\x9b31mb' $'a\xc2\x9b31mb' $'a\xe2\x80\xaeb'; do
        for command in "${commands[@]}"; do
            run --separate-stderr "$deepxtrace" $command "$name.none"
            [ "$status" -eq 2 ]
            [[ $stderr == *"a?"*"b.none"* ]]
        done
        cp "$reference" "$name.jsonl"
        echo torn >> "$name.jsonl"
        run "$deepxtrace" analyze "$name.jsonl" "$reference"
        [[ $output == *"a?"*"b.jsonl"* ]]
        run "$deepxtrace" serve --once --store s.db .
        [ "$(LC_ALL=C grep -c $'[\x1b\x9b\xae]' <<< "$output")" -eq 0 ]
        rm "$name.jsonl"
    done
}

@test "a library in the folder where it is started does not run" {
    cat > planted.c << 'END'
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) { close(creat("planted-ran", 0600)); }
END
    # Whatever the command, its libraries and its parts ask for by name.
    for file in "$deepxtrace" "$(dirname "$deepxtrace")"/../lib/libdeepxtrace*.so; do
        readelf -d "$file" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]$/\1/p'
    done | sort -u | grep -v '^ld-' > names
    grep -q '^libjansson' names
    while read -r name; do
        "${CC:-cc}" -shared -fPIC -Wl,-soname,"$name" -o "$name" planted.c
    done < names
    for command in --version "info --json" "analyze $reference" \
        "heatmap $reference -o picture.png"; do
        run "$deepxtrace" $command
        [ "$status" -eq 0 ]
        [ ! -e planted-ran ]
    done
    # They would have run.
    run env LD_LIBRARY_PATH= LD_PRELOAD=./libjansson.so.4 true
    [ -e planted-ran ]
}
