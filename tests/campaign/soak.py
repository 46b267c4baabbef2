#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job with a late rank, on a busy machine: what is said of whom, and what it costs over time.

    soak.py COMMAND SECONDS [--mode async|sync] [--window 0.5] [--busy PROCESSES] [--record FILE]

Counts windows in which the late rank is named, and findings that are wrong: of others, or of living ranks
as silent. A rank of which the finding says that it waited for a core was late, by the kernel's account;
these are counted apart. So are inconclusive windows in which a rank waited for a core for longer than the
late rank was held up: there its lateness cannot be told from chance. Ends with 1 if the figures are not those
promised in docs/reliability.md."""
import argparse
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from common import children, heed_signals, holds

LATE = 2
LATE_NS = 5_000_000


class Count:
    def __init__(self):
        self.windows = self.late = self.named = self.wrong = self.silent = self.held = 0
        self.kinds = collections.Counter()
        self.inconclusive = 0
        self.unnamed = {}

    def take(self, window):
        if window["window"] is None:
            return
        self.windows += 1
        dispatch = window["phase"] == "dispatch"
        self.late += dispatch
        self.inconclusive += window["verdict"] == "inconclusive"
        named = wrong = held = False
        for finding in window["findings"]:
            if finding["kind"] == "late_rank" and finding.get("rank") == LATE and dispatch:
                named = True
                continue
            if "for a CPU core" in finding["text"]:
                held = True
                continue
            self.kinds[f"{window['phase']} {finding['kind']}"] += 1
            wrong = True
            self.silent += finding["kind"] == "silent_rank"
            if self.kinds.total() <= 40:
                print(f"  window {window['window']}: {finding['text']}", flush=True)
        self.named += named
        if dispatch and not named:
            self.unnamed[window["window"]] = window["verdict"]
        self.wrong += wrong
        self.held += held

    def hidden(self, recording):
        """Windows that do not name the late rank, and cannot."""
        count = 0
        with open(recording, encoding="utf-8") as file:
            for line in file:
                window = json.loads(line)
                if window["phase"] != "dispatch" or self.unnamed.get(window["window"]) != "inconclusive":
                    continue
                delays = [delay or 0 for delay in window.get("run_delay_ns") or [0]]
                count += (window.get("ops") or 0) * LATE_NS < max(delays)
        return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--mode", choices=["async", "sync"], default="async")
    parser.add_argument("--window", type=float, default=0.5)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--record", help="keep the recording as this file")
    given = parser.parse_args()
    heed_signals()
    kind = (["--async", str(given.window)] if given.mode == "async" else ["--window", "100"])
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(given.busy)]
    folder = tempfile.TemporaryDirectory()
    recording = given.record or os.path.join(folder.name, "soak.jsonl")
    job = subprocess.Popen([given.command, "job", "-n", "4", *kind, "--steps", "0", "--slow",
                            f"dispatch:{LATE}:{LATE_NS}ns", "--json", "--record", recording],
                           stdout=subprocess.PIPE, text=True)
    count, end, first, last = Count(), time.monotonic() + given.seconds, {}, {}
    try:
        for line in job.stdout:
            count.take(json.loads(line))
            if count.windows == 60:
                first = {pid: holds(pid) for pid in children(job.pid)}
            if time.monotonic() > end:
                last = {pid: holds(pid) for pid in children(job.pid)}
                break
        job.send_signal(signal.SIGINT)
        job.stdout.read()
        status = job.wait(60)
    finally:
        for one in (job, *busy):
            one.kill()
    share = count.wrong / max(count.windows, 1)
    hidden = count.hidden(recording)
    named = count.named / max(count.late - hidden, 1)
    print(f"{given.mode}: {count.windows} windows, {count.wrong} wrong ({100 * share:.2f} %), "
          f"{count.silent} living ranks called silent, {count.held} with a rank that is said to have waited for a core, "
          f"{count.inconclusive} inconclusive; rank {LATE} "
          f"named in {count.named} of {count.late - hidden} ({100 * named:.1f} %), and {hidden} in which a rank "
          f"waited longer for a core; exit status {status}")
    for kind, times in count.kinds.most_common():
        print(f"  wrong: {kind}: {times}")
    for pid in first.keys() & last.keys():
        print(f"  process {pid}: memory {first[pid][0]} -> {last[pid][0]} kB, descriptors "
              f"{first[pid][1]} -> {last[pid][1]}, threads {first[pid][2]} -> {last[pid][2]}")
    return int(share > 0.001 or named < 0.98 or count.silent > 0 or status != 0)


if __name__ == "__main__":
    sys.exit(main())
