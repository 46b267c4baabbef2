#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions of the Python package over a store, for a while: who is called silent, and what it costs.

    soak_python.py SECONDS [--sync]        (DEEPXTRACE_LIBRARY_PATH and PYTHONPATH as for the tests)

Three ranks in one process, windows of 50 ms, rank 1 late. With --sync the ranks take steps, in turns."""
import os
import sys
import time

import numpy as np
import torch.distributed as dist

from deepxtrace._mailroom import Mailroom
from deepxtrace._session import Session
from deepxtrace.window import Findings

RANKS, WINDOW, LATE = 3, 0.05, 1


def holds():
    """Memory in kB, descriptors and threads of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        memory = int(file.read().split()[1]) * 4
    return memory, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def main():
    store, said, kinds, windows, named = dist.HashStore(), [], {}, 0, 0
    counts = [np.zeros((2, RANKS), np.int64) for _ in range(RANKS)]

    def reader(rank):
        def read(out, _ordered):
            counts[rank] += 1000
            if rank != LATE:
                counts[rank][:, LATE] += 20_000_000
            out.waits[:] = counts[rank]
            out.ops[:] += 10
            return True
        return read

    def told(diagnoses, count):
        nonlocal windows, named
        windows += 1
        for index in range(count):
            result = Findings._from_c(diagnoses[index].window, diagnoses[index].findings).to_dict()
            for finding in result["findings"]:
                key = finding["kind"], finding.get("rank", "")
                kinds[key] = kinds.get(key, 0) + 1
                named += index == 0 and key == ("late_rank", LATE)

    sync = "--sync" in sys.argv
    # As Diagnose has it: with steps nobody is silent for being late by a window.
    deadline = 0 if sync else WINDOW
    rooms = [Mailroom(lambda: store, "soak", rank, RANKS, said.append, WINDOW)
             for rank in range(RANKS)]
    sessions = [Session(rooms[rank], rank, RANKS, ("dispatch", "combine"), reader(rank), told,
                        said.append, asynchronous=not sync, interval=WINDOW, deadline=deadline,
                        warmup_windows=0, ticks_per_second=lambda: 10**9, host=f"h{rank}",
                        instance="soak", source="soak", method=0) for rank in (2, 1, 0)]
    end = time.monotonic() + float(sys.argv[1])

    def live(seconds):
        until = time.monotonic() + seconds
        while sync and time.monotonic() < until:
            for session in sessions:
                session.step()
            time.sleep(WINDOW)
        time.sleep(max(0.0, until - time.monotonic()))

    live(5)
    before = holds()
    live(end - time.monotonic())
    after = holds()
    print(f"Python {'sync' if sync else 'async'}: {windows} windows; late rank named in {named}; "
          f"memory {before[0]} -> {after[0]} kB, descriptors {before[1]} -> {after[1]}, "
          f"threads {before[2]} -> {after[2]}, keys {store.num_keys()}")
    for (kind, rank), times in sorted(kinds.items(), key=str):
        print(f"  {kind} {rank}: {times}")
    for text in said[:5]:
        print("  said:", text)
    for session in sessions:
        session.destroy()
    silent = sum(times for (kind, _), times in kinds.items() if kind == "silent_rank")
    return int(silent > 0 or named < 0.98 * windows)


if __name__ == "__main__":
    sys.exit(main())
