# SPDX-License-Identifier: Apache-2.0
"""How many windows of a recording were judged rightly, given what was done when:

    python3 bench/live/score.py RECORDING TRUTH [--command deepxtrace] [--label FILE] [--verbose]
        [--least SHARE]

TRUTH is what job.py writes. A window counts if it lies whole within one phase. The command judges
the recording in order, as the run did. Faulted windows are those of the operator before which a
rank was late or early; a healthy window is one of either operator while nobody was. The windows of
the other operator of a faulted phase are counted for themselves.

A faulted window is right if the fault is named and nothing else is. Of two ranks it is the same
whether one is late or the other one early, so both in one sentence is right as well. With --least,
faulted windows count only where the fault is this part of a step or more: on a machine that is busy
with something else, steps may take a hundred times as long. --label writes the recording with the
truth in it, for tests/recorded. Exit status: 0 unless windows or truth are
missing.
"""
import argparse
import collections
import datetime
import json
import re
import subprocess
import sys


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def span(window):
    begin = datetime.datetime.fromisoformat(window["begin"].replace("Z", "+00:00")).timestamp()
    return begin, begin + window.get("elapsed_ns", 0) / 1e9


def phase_of(window, phases, guard):
    """The phase that holds all of a window."""
    if not window.get("begin") or not window.get("elapsed_ns"):
        return None
    begin, end = span(window)
    for phase in phases:
        if phase["begin"] + guard <= begin and end <= phase["end"] - guard:
            return phase
    return None


def is_seen(window, phase, least):
    """Whether the fault of a phase is that part of the window's steps."""
    operations = window.get("ops") or 0  # by rank where they differ
    if isinstance(operations, list):
        operations = max(n or 0 for n in operations)
    return abs(phase["us"]) * 1e3 * operations >= least * window["elapsed_ns"]


def judge(command, path):
    """What the command says of each window, in order."""
    done = subprocess.run([command, "analyze", "--json", path], stdout=subprocess.PIPE, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if "findings" in line and "phase" in line]


def claims(finding):
    """What a finding says, as a set of alternatives: ("late", 1), ("early", 0), …"""
    said = {("late" if late else "early", int(rank))
            for rank, late in re.findall(r"rank (\d+)[^,.;:]*? (?:is )?(?:(late)|early)\b",
                                         finding.get("text", ""))}
    either = re.search(r"rank (\d+)[^.;:]* late or rank (\d+)[^.;:]* early",
                       finding.get("text", ""))
    if either:
        return {("late", int(either[1])), ("early", int(either[2]))}
    if finding["kind"] in ("late_rank", "early_rank"):
        return {(finding["kind"].split("_")[0], finding["rank"])}
    return said and {(finding["kind"], None)} or {(finding["kind"], finding.get("rank"))}


def is_right(label, findings):
    truth = ({("late", rank) for rank in label["cols"]}
             | {("early", rank) for rank in label["rows"]})
    said = [claims(finding) for finding in findings]
    if any(not alternatives & truth for alternatives in said):
        return False
    return all(any(one in alternatives for alternatives in said) for one in truth)


def main():
    parser = argparse.ArgumentParser(description="count windows that were judged rightly")
    parser.add_argument("recording")
    parser.add_argument("truth")
    parser.add_argument("--command", default="deepxtrace")
    parser.add_argument("--guard", type=float, default=0.05, help="seconds from the changes")
    parser.add_argument("--least", type=float, default=0,
                        help="part of a step that a fault must be")
    parser.add_argument("--label", help="write the labelled recording here")
    parser.add_argument("--verbose", action="store_true", help="show what was wrong")
    args = parser.parse_args()
    windows, phases = read_lines(args.recording), read_lines(args.truth)
    verdicts = judge(args.command, args.recording)
    if len(verdicts) != len(windows):
        sys.exit(f"{len(windows)} windows, but {len(verdicts)} verdicts")
    counts, cases = collections.Counter(), collections.defaultdict(collections.Counter)
    for window, verdict in zip(windows, verdicts):
        phase = phase_of(window, phases, args.guard)
        window.pop("label", None)
        window.pop("case", None)
        if phase is None or window["phase"] not in phase["label"]:
            window["label"] = None
            continue
        label = phase["label"][window["phase"]]
        # A field `case` would begin a history of its own.
        window["what"], window["label"] = phase["case"], label
        kind = ("healthy" if not phase["us"] else
                "faulted" if phase["operator"] == window["phase"] else "other")
        if kind == "faulted" and not is_seen(window, phase, args.least):
            continue
        right = is_right(label, verdict["findings"])
        counts[kind, right] += 1
        cases[phase["case"], kind][right] += 1
        if args.verbose and not right:
            print(f"wrong: {window['begin']} {window['phase']} {phase['case']} ({kind}): "
                  + ("; ".join(f["text"] for f in verdict["findings"]) or "nothing"))
    for (case, kind), count in sorted(cases.items()):
        print(f"{case:28} {kind:8} {count[True]:4} of {sum(count.values()):4} right")
    for kind in ("healthy", "faulted", "other"):
        right, wrong = counts[kind, True], counts[kind, False]
        print(f"{kind}: {right + wrong} windows, {wrong} wrong")
    if args.label:
        with open(args.label, "w", encoding="utf-8") as file:
            for window in windows:
                file.write(json.dumps(window, separators=(",", ":")) + "\n")
    if not counts:
        sys.exit("no window lies whole within a phase")


if __name__ == "__main__":
    main()
