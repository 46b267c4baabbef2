#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A day of windows, one in half a second, through `analyze`: each is judged, and memory stays what it was.

    replay.py COMMAND [--windows NUMBER]"""
import argparse
import json
import os
import subprocess

from common import Findings, heed_signals, holds

LATE = 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("--windows", type=int, default=24 * 3600 * 2)
    given = parser.parse_args()
    heed_signals()
    found = Findings()
    named = before = after = 0
    commands = []
    try:
        commands.append(subprocess.Popen([given.command, "simulate", "-n", "4", "--windows", str(given.windows), "--slow",
                                          f"dispatch:{LATE}:60us"], stdout=subprocess.PIPE))
        commands.append(subprocess.Popen([given.command, "analyze", "--json", "-"], stdin=commands[0].stdout,
                                         stdout=subprocess.PIPE))
        made, judge = commands
        made.stdout.close()
        for line in judge.stdout:
            found.tried += 1
            window = json.loads(line)
            named += window["phase"] == "dispatch" and any(
                finding["kind"] == "late_rank" and finding["rank"] == LATE for finding in window["findings"])
            # The command is some lines ahead: what it holds is looked at while it runs.
            if found.tried == given.windows // 10:
                before, _, _ = holds(judge.pid)
            if found.tried == given.windows * 19 // 10:
                after, _, _ = holds(judge.pid)
        status = judge.wait()
        made.wait()
    finally:
        # Whoever interrupts this waits for neither.
        for command in commands:
            command.kill()
            command.wait()
    print(f"  rank {LATE} named in {named} of {given.windows}; memory {before} -> {after} kB", flush=True)
    found.expect(status == 0 and made.returncode == 0, "exit status", status, made.returncode)
    found.expect(found.tried == 2 * given.windows, found.tried, "windows of", 2 * given.windows)
    found.expect(named >= 0.99 * given.windows, "the late rank is not named")
    found.expect(0 < before and after < before + 1024, "memory grows")
    found.end("replay")


if __name__ == "__main__":
    main()
