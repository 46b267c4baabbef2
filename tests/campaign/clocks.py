#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs of which a rank's wall clock is set while they run: no window is lost or has a length that is not
above 0, and nobody is silent.

    clocks.py COMMAND PRELOADED

For a machine with time to spare: a rank that does not get to run is silent whatever its clock says."""
import json
import os
import signal
import subprocess
import sys
import time

from common import Findings, children, scratch

HOUR = 3600
#: When which rank's clock is ahead by how much; seconds.
PLANS = {
    "rank 3, an hour on": [(1, 3, HOUR)],
    "rank 3, an hour back": [(1, 3, -HOUR)],
    "rank 3, an hour on and back again": [(1, 3, HOUR), (3, 3, 0)],
    "rank 0, an hour on and back again": [(1, 0, HOUR), (3, 0, 0)],
    "rank 0, an hour back": [(1, 0, -HOUR)],
    "all, an hour on": [(1, rank, HOUR) for rank in range(4)],
    "all, to and fro": [(at, rank, (-1) ** at * 7) for at in range(1, 5) for rank in range(4)],
    "rank 3 in 1875": [(1, 3, -3_000_000_000)],
    "rank 0 in 1875": [(1, 0, -3_000_000_000)],
    "rank 3 in 2200": [(1, 3, 5_500_000_000)],
}
SECONDS, WINDOW = 6, 0.3


def main():
    command, preloaded = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    found, folder = Findings(), scratch()
    for name, plan in PLANS.items():
        found.tried += 1
        job = subprocess.Popen([command, "job", "-n", "4", "--async", str(WINDOW), "--steps", "0",
                                "--slow", "dispatch:2:5ms", "--json", "--record",
                                "windows.jsonl", "--force"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True,
                               env=dict(os.environ, LD_PRELOAD=preloaded, DXT_CLOCKS=folder.name))
        time.sleep(1)
        ranks, begin = children(job.pid), time.monotonic()
        for at, rank, ahead in plan:
            time.sleep(max(0, begin + at - time.monotonic()))
            with open("draft", "w", encoding="ascii") as file:
                file.write(str(ahead))
            os.rename("draft", str(ranks[rank]))
        time.sleep(max(0, begin + SECONDS - time.monotonic()))
        job.send_signal(signal.SIGINT)
        lines = [json.loads(line) for line in job.communicate(timeout=60)[0].splitlines()]
        windows = [line for line in lines if line["window"] is not None and line["phase"] == "dispatch"]
        silent = [(line["window"], finding["rank"]) for line in windows
                  for finding in line["findings"] if finding["kind"] == "silent_rank"]
        print(f"  {name}: {len(windows)} windows in {SECONDS + 1:.0f} s, silent: {silent}", flush=True)
        found.expect(not silent, name, "living ranks are called silent:", silent)
        with open("windows.jsonl", encoding="utf-8") as recording:
            lengths = [json.loads(line)["elapsed_ns"] for line in recording]
        found.expect(lengths and min(lengths) > 0, name, "windows have no length:", lengths)
        found.expect(len(windows) >= SECONDS / WINDOW - 2, name, "windows are lost:", len(windows))
    os.chdir("/")
    folder.cleanup()
    found.end("clocks")


if __name__ == "__main__":
    main()
