# SPDX-License-Identifier: Apache-2.0
"""live.py COMMAND RECORDING HEALTHY FAULTED OTHER [SLOW]: judge a labelled recording of an attached
program, in order, and count the windows of an operator that were judged wrongly: at most so many
healthy ones, so many of those in which a rank was late or early in that operator, and so many of
the others while it was. Of two ranks it is the same whether one is late or the other one early, so
a sentence that says both is right. SLOW is of windows in which what a rank sends is slow, which has
no label: in a transfer that rank's link, or the path from it, is to be named and nothing else, in
other operators nobody."""
import json
import re
import subprocess
import sys


def is_right(label, findings, ranks):
    truth = {"late_rank": set(label["cols"]), "early_rank": set(label["rows"])}
    faulted = label["cols"] or label["rows"]
    for finding in findings:
        either = ranks == 2 and " or rank " in finding.get("text", "")
        if not faulted or not (either or finding.get("rank") in truth.get(finding["kind"], ())):
            return False
    return bool(findings) == bool(faulted)


def is_right_of_sender(what, phase, findings):
    rank = int(re.search(r"rank (\d+) sends slowly", what)[1])
    if not phase.endswith(" transfer"):
        return not findings
    return len(findings) == 1 and (
        (findings[0]["kind"], findings[0]["rank"], findings[0].get("direction")) ==
        ("slow_link", rank, "out") or findings[0].get("path") == [1 - rank, rank])


def main():
    command, recording = sys.argv[1:3]
    limits = dict(zip(("healthy", "faulted", "other", "slow"), map(int, sys.argv[3:])))
    with open(recording, encoding="utf-8") as file:
        windows = [json.loads(line) for line in file]
    done = subprocess.run([command, "analyze", "--json", recording], stdout=subprocess.PIPE,
                          check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    verdicts = [line for line in lines if "phase" in line and "findings" in line]
    assert len(windows) == len(verdicts), (len(windows), len(verdicts))
    count, wrong = dict.fromkeys(limits, 0), dict.fromkeys(limits, 0)
    told, certain = 0, 0
    for window, verdict in zip(windows, verdicts):
        label, findings = window.get("label"), verdict["findings"]
        if label is None and not ("slow" in limits and "sends slowly" in (window["what"] or "")):
            continue
        if label is None:
            kind = "slow"
            right = is_right_of_sender(window["what"], window["phase"], findings)
        else:
            kind = "faulted" if label["cols"] or label["rows"] else "healthy"
            if kind == "healthy" and " us " in window["what"]:
                kind = "other"
            right = is_right(label, findings, window["ranks"])
            if kind == "faulted":
                told += len(findings)
                certain += sum(" or rank " not in finding.get("text", "") for finding in findings)
        count[kind] += 1
        if not right:
            wrong[kind] += 1
            print(window["window"], window["phase"], window["what"],
                  [finding.get("text") for finding in findings])
    for kind, limit in limits.items():
        print(f"{kind}: {count[kind]} windows, {wrong[kind]} wrong, at most {limit}")
    print(f"of faulted windows, {certain} of {told} findings say which rank has changed")
    sys.exit(not all(count.values()) or any(wrong[kind] > limits[kind] for kind in limits))


if __name__ == "__main__":
    main()
