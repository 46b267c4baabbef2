# SPDX-License-Identifier: Apache-2.0
"""What happens to a job's steps when something happens to its diagnosis: python_faults.py
[--seconds S] [--interval S] [--rounds N]. Two ranks (tests/python/job.py) compute on their own,
so that nothing but the diagnosis can slow them; a third is stopped, killed, or loses its store.
Printed is the length of rank 0's steps in µs before, during and after, and without any
diagnosis. Rounds take turns, and the figures of all are pooled."""
import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "python"))
from faults import Job, until  # noqa: E402

RANKS = 3


def stop(job):
    job.signal(2, signal.SIGSTOP)
    return lambda: job.signal(2, signal.SIGCONT)


def kill(job):
    job.signal(2, signal.SIGKILL)
    return lambda: None


def lose_store(job):
    job.kill_store()
    return lambda: None


def stop_store(job):
    job.store.send_signal(signal.SIGSTOP)
    return lambda: job.store.send_signal(signal.SIGCONT)


def nothing(job):
    return lambda: None


FAULTS = {"no diagnosis": nothing, "no fault": nothing, "rank stopped": stop, "rank killed": kill,
          "store killed": lose_store, "store killed, no diagnosis": lose_store,
          "store stopped": stop_store, "disk full": nothing}


def run(name, seconds, interval):
    """Lengths of rank 0's steps in ns before, during and after a fault."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "disk full":
            for kind in ("log", "jsonl"):
                (Path(folder) / f"full.{kind}").write_text("")
        with Job(folder, RANKS, 0 if name.endswith("no diagnosis") else interval, True) as job:
            until(lambda: list(Path(folder).glob("diagnose_*_rank0.log")))
            time.sleep(2)
            marks = [time.monotonic_ns()]
            time.sleep(seconds)
            marks.append(time.monotonic_ns())
            undo = FAULTS[name](job)
            time.sleep(seconds)
            marks.append(time.monotonic_ns())
            undo()
            time.sleep(seconds)
            marks.append(time.monotonic_ns())
            job.finish()
        steps = np.load(Path(folder) / "steps0.npy")
    return [steps[(steps[:, 0] >= begin) & (steps[:, 0] < end), 1]
            for begin, end in zip(marks, marks[1:])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--interval", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one")
    options = parser.parse_args()
    lengths = {name: [[], [], []] for name in options.fault or FAULTS}
    for _ in range(options.rounds):
        for name in lengths:
            for pool, part in zip(lengths[name], run(name, options.seconds, options.interval)):
                pool.append(part)
    print(f"rank 0's steps in µs: median, 99 %, 99.9 %; longest; interval {options.interval:g} s, "
          f"{options.rounds} rounds of 3 × {options.seconds:g} s")
    for name, pools in lengths.items():
        figures = ["{:7.1f} {:7.1f} {:7.1f}".format(
            *np.percentile(np.concatenate(pool) / 1000, [50, 99, 99.9])) for pool in pools]
        longest = max(part.max() for pool in pools for part in pool) / 1e6
        print(f"{name:26s} " + "   ".join(figures) + f"   longest {longest:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
