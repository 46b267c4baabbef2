# SPDX-License-Identifier: Apache-2.0
"""What the diagnosis of a deepep_job.py said, against its truth.

    python3 tests/gpu/score.py DEEPXTRACE RECORDING TRUTH [--labelled FILE] [--source TEXT]

Windows that hold a change are left out. Right is a healthy window without a finding; a held-up rank
that is named, in the operator or both, and no other rank called late; a slow sender that is named,
or its path. Prints a line for each kind of phase, last the totals.
"""
import argparse
import collections
import datetime
import json
import subprocess
import sys


def name_of(phase):
    parts = [f"jitter {phase['jitter']:.0%}"] if "jitter" in phase else []
    if phase.get("slow"):
        parts.append(f"rank {phase['rank']} sends slowly")
    elif phase.get("us"):
        parts.extend(f"rank {one['rank']} {one['us']:+g} us {one['operator']}"
                     for one in faults_of(phase))
    else:
        parts.append("none")
    if phase.get("tokens", 1.0) != 1.0:
        parts.append(f"{phase['tokens']:g} of the tokens")
    return ", ".join(parts)


def faults_of(phase):
    return [phase, *phase.get("also", [])]


def is_healthy(phase):
    return not phase.get("us") and not phase.get("slow")


def names(finding, rank):
    """Whether a finding is about a rank."""
    return (finding.get("rank") == rank or rank in (finding.get("ranks") or [])
            or rank in (finding.get("path") or []))


def is_right(findings, phase, ranks):
    """findings: of all operators of a window."""
    if is_healthy(phase):
        return not findings
    rank = phase["rank"]
    if phase.get("slow"):
        if ranks == 2:
            return bool(findings)
        return any(names(found, rank) for found in findings)
    said, kinds = [], ("late_rank", "early_rank")
    for fault in faults_of(phase):
        kind, word = (kinds[0], "late") if fault["us"] > 0 else (kinds[1], "early")
        own = [found for found in findings
               if found["kind"] == kind and names(found, fault["rank"])
               or f"rank {fault['rank']} is {word}" in found.get("text", "")]
        if not own:
            return False
        said.extend(own)
    return not [found for found in findings if found not in said and found["kind"] in kinds
                and not (ranks == 2 and names(found, rank))]


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deepxtrace")
    parser.add_argument("recording")
    parser.add_argument("truth")
    parser.add_argument("--labelled", help="write the windows with their labels")
    parser.add_argument("--wrong", help="write what was said of the others")
    parser.add_argument("--source", help="of the labelled recording")
    options = parser.parse_args()
    truth = list(read_lines(options.truth))
    said = subprocess.run([options.deepxtrace, "analyze", "--json", options.recording],
                          stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    diagnoses = [line for line in map(json.loads, said) if "phase" in line]
    windows = list(read_lines(options.recording))
    groups, labelled = collections.OrderedDict(), []
    for window, diagnosis in zip(windows, diagnoses):
        begin = seconds_of(window["begin"])
        end = begin + window["elapsed_ns"] / 1e9
        phase = next((one for one in truth if one["from"] <= begin and end <= one["to"]), None)
        if phase is None:
            continue
        key = (window.get("instance"), window["window"])
        groups.setdefault(key, (phase, [], []))
        groups[key][1].extend(dict(found, operator=diagnosis["phase"])
                              for found in diagnosis["findings"])
        groups[key][2].append(window)
        if options.source:
            window["source"] = options.source
        labelled.append({**window, "what": name_of(phase), "label": {
            key: phase[key] for key in ("rank", "operator", "us", "also", "slow", "tokens")
            if key in phase}})
    table, wrong = collections.OrderedDict(), []
    for (_, index), (phase, findings, lines) in groups.items():
        right = is_right(findings, phase, lines[0]["ranks"])
        counts = table.setdefault(name_of(phase), [0, 0])
        counts[not right] += 1
        if not right:
            wrong.append({"window": index, "case": name_of(phase), "findings": [
                f"{found['operator']}: {found.get('text')}" for found in findings]})
    total = {True: [0, 0], False: [0, 0]}
    for phase, _, _ in groups.values():
        total[is_healthy(phase)][0] += 1
    healthy = {name_of(phase) for phase in truth if is_healthy(phase)}
    for case, (right, failed) in table.items():
        total[case in healthy][1] += failed
        print(f"{case:44} {right + failed:5} windows {failed:4} wrong")
    for kind, word in ((True, "healthy"), (False, "faulted")):
        print(f"{word:44} {total[kind][0]:5} windows {total[kind][1]:4} wrong")
    for path, lines in ((options.labelled, labelled), (options.wrong, wrong)):
        if path:
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    sys.exit(0 if groups else 1)


if __name__ == "__main__":
    main()
