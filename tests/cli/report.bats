#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deepxtrace report: the page for the ticket, and the way back.

bats_require_minimum_version 1.5.0

setup() {
    deepxtrace=${DEEPXTRACE:-${DXT_BUILD_DIR:?}/bin/deepxtrace}
    cd "$BATS_TEST_TMPDIR"
    # Every window has hosts, GPUs and paths to hide.
    "$deepxtrace" simulate -n 16 --windows 12 --from 6 --slow dispatch:5:200us |
        jq -c '.hosts = [range(16) | "secret-\(. / 8 | floor)"] | .source = "/home/someone/run 1"
               | .devices = [range(16) | {host: "secret-\(. / 8 | floor)", gpu: (. % 8), uuid: "GPU-5ec2e7-\(.)"}]
               | .note = "secret-note" | .case = "secret-0 at night"' > run.jsonl
}

refused() {
    local expected=$1
    shift
    run --separate-stderr "$deepxtrace" report "$@"
    echo "stderr: $stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "deepxtrace report: "*"$expected"* ]]
}

@test "a page gives its recording back, to the last bit" {
    "$deepxtrace" report run.jsonl -o incident.html
    grep -q '<!-- deepxtrace page 1 -->' incident.html
    "$deepxtrace" report --extract incident.html -o back.jsonl
    diff <(jq -S . run.jsonl) <(jq -S . back.jsonl)
    for command in "analyze --json --summary" "analyze" "heatmap --timeline"; do
        # shellcheck disable=SC2086
        diff <("$deepxtrace" $command run.jsonl) <("$deepxtrace" $command incident.html)
        # shellcheck disable=SC2086
        diff <("$deepxtrace" $command run.jsonl) <("$deepxtrace" $command - < incident.html)
    done
    "$deepxtrace" report incident.html -o again.html
    cmp <("$deepxtrace" report --extract again.html -o -) back.jsonl
}

@test "what deepxtrace itself recorded comes back byte for byte" {
    "$deepxtrace" simulate -n 16 --ranks-per-node 8 --windows 4 --slow dispatch:5:200us > own.jsonl
    "$deepxtrace" report own.jsonl -o own.html
    "$deepxtrace" report --extract own.html -o - | cmp - own.jsonl
}

@test "a large group, too, and numbers that repeat" {
    "$deepxtrace" simulate -n 400 --windows 1 > large.jsonl
    jq -c '.wait |= map(map(if . > 0 then 1000 else 0 end))' large.jsonl > same.jsonl
    for name in large same; do
        "$deepxtrace" report "$name.jsonl" -o "$name.html"
        "$deepxtrace" report --extract "$name.html" -f -o back.jsonl
        [ "$(wc -c < "$name.jsonl")" -gt 1300000 ]
        diff <(jq -S . "$name.jsonl") <(jq -S . back.jsonl)
    done
    [ "$(wc -c < same.html)" -lt 300000 ]
}

@test "--redact leaves no name, and the same findings" {
    "$deepxtrace" report --redact run.jsonl -o incident.html
    "$deepxtrace" report --extract incident.html -o back.jsonl
    run ! grep -Eq 'secret|5ec2e7|someone' back.jsonl
    run ! grep -q 'run.jsonl' incident.html
    [ "$(jq -r '.hosts[15]' back.jsonl | sort -u)" = host-2 ]
    [ "$(jq -r '.devices[3].uuid' back.jsonl | sort -u)" = GPU-4 ]
    [ "$(jq -r '.source' back.jsonl | sort -u)" = "path-1 1" ]
    diff <("$deepxtrace" analyze --json run.jsonl | jq -c '[.verdict, [.findings[] | [.kind, .rank, .share]]]') \
        <("$deepxtrace" analyze --json incident.html | jq -c '[.verdict, [.findings[] | [.kind, .rank, .share]]]')
    # What is looked at is in parts that are packed: none of them may have it either.
    python3 - incident.html << 'END'
import base64, re, sys, zlib
page = open(sys.argv[1], encoding="utf-8").read()
parts = re.findall(r'data-coding="deflate-raw">([^<]*)<', page) + re.findall(r'data-coding="plain">([^<]*)<', page)
assert len(parts) > 24
for part in parts:
    data = base64.b64decode(part)
    for text in (data, zlib.decompressobj(-15).decompress(data) if 'deflate-raw' in page else b""):
        assert b"secret" not in text and b"5ec2e7" not in text and b"someone" not in text
END
}

@test "--redact takes out what names a host or a GPU, in whatever words" {
    jq -c '.hosts = [range(16) | "node-1\(. / 8 | floor).corp.example"] | .devices = [range(16) | {uuid: "GPU-ab\(.)", gpu: 0, host: "10.9.8.7"}]
        | .group = "decode-on-NODE-10" | .instance = "job@node-11" | .case = "10.9.8.7" | .source = "gpu-ab3.log"' run.jsonl > named.jsonl
    "$deepxtrace" report --redact named.jsonl -o named.html
    "$deepxtrace" report --extract named.html -o back.jsonl
    run ! grep -Eiq 'node-1|corp|10\.9|gpu-ab' back.jsonl
    # A name that tells nothing stays.
    jq -c '.hosts = [range(16) | "10.0.0.\(.)"] | .group = "ep10 decode"' run.jsonl > named.jsonl
    "$deepxtrace" report --redact named.jsonl -o named.html --force
    [ "$("$deepxtrace" report --extract named.html -o - | jq -r .group | sort -u)" = "ep10 decode" ]
}

@test "what is no page, or carries nothing, is refused" {
    refused "-o FILE is missing" run.jsonl
    refused "incident.html is no file to read; to write it: -o incident.html" run.jsonl incident.html
    refused "nofile.jsonl: No such file or directory" run.jsonl nofile.jsonl -o x
    refused "nofile.jsonl: No such file or directory" nofile.jsonl run.jsonl -o x
    refused "incident.pdf: the page is HTML" run.jsonl -o incident.pdf
    refused "x.PNG: the page is HTML" run.jsonl -o x.PNG
    refused "is not a page made by deepxtrace report" --extract run.jsonl -o x
    "$deepxtrace" heatmap run.jsonl -o plain.html
    refused "plain.html has no recording inside" --extract plain.html -o x
    run --separate-stderr "$deepxtrace" analyze plain.html
    [ "$status" -eq 2 ]
    [[ $stderr == *"deepxtrace heatmap"*"no recording inside"*"deepxtrace report"* ]]
    "$deepxtrace" report run.jsonl -o incident.html
    refused "incident.html already exists" run.jsonl -o incident.html
    refused "is the input" run.jsonl -o run.jsonl --force
    refused "is the input" - -o run.jsonl --force < run.jsonl
    refused "leave out --extract" --extract --redact incident.html -o x
    head -c -3000 incident.html > cut.html
    refused "cut.html is damaged or cut short" --extract cut.html -o x
    head -c 20000 incident.html > cut.html
    refused "cut.html is damaged or cut short" --extract cut.html -o x
    [ ! -e x ]
}
