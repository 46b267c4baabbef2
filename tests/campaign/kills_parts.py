#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs that others start, of which a part is killed, stopped or interrupted at a random moment.

    kills_parts.py COMMAND TIMES --mpirun MPIRUN       mpirun and its ranks
    kills_parts.py COMMAND TIMES --python              launcher, program, workers and their store
    Both: [--seed NUMBER]

Whatever it is: what was started ends in time, none of its processes is left, what was recorded can be
read, and nothing else lies about. The Python package and its libraries are found as in its tests."""
import argparse
import os
import random
import signal
import subprocess
import sys
import time

from common import Findings, alive, children, mpirun_options, run, scratch, until

SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "INT": signal.SIGINT, "TERM": signal.SIGTERM}
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def all_of(pid):
    """A process and everything below it."""
    return [pid] + [below for child in children(pid) for below in all_of(child)]


def is_ours(pid):
    """Whether a process is the command, and none that an MPI has in between."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip() == "deepxtrace"
    except OSError:
        return False


def what_of(pids):
    """Name, state and wait of processes that are left."""
    said = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
                said.append(f"{pid} {name} {rest.split()[0]} {file.read()}")
        except OSError:
            pass
    return said


def start_mpi(given, rng):
    mode = rng.choice([["--window", "20"], ["--async", "0.2"]])
    return [given.mpirun, *mpirun_options(given.mpirun), "-n", str(rng.choice([2, 3, 4])), given.command, "job", "--engine",
            "mpi", "--steps", "0", *mode, "--compute", "100us", "--record", "r.jsonl"], {}


def start_python(given, rng):
    paths = [os.path.join(SOURCE, "tests/python/cpu"), os.path.join(SOURCE, "python")]
    library = os.path.join(os.path.dirname(given.command), "../lib")
    return [sys.executable, "-B", "-m", "deepxtrace.run", "--quiet", "--interval", "0.5", "--output", ".",
            sys.executable, "-B", os.path.join(SOURCE, "examples/python/unaware.py")], {
                "PYTHONPATH": os.pathsep.join(paths), "DEEPXTRACE_LIBRARY_PATH": library,
                "OMP_NUM_THREADS": "1", "STEPS": "1000000", "DELAY_MS": "1",
                "RANKS": str(rng.choice([2, 3])),
                # Signals are heard in any wait; half of the jobs give up a worker that has gone.
                **rng.choice([{}, {"STAND_IN_TIMEOUT_S": "5"}]), "DEEPEP_DIAGNOSE_WARMING_TIME": "0"}


def hit(job, rng, begun, mpi):
    """A signal to any of the processes. @return What was done."""
    # MPICH's mpirun forgets a signal that comes before it has ranks, be they `sleep`.
    if mpi:
        until(lambda: job.poll() is not None or any(is_ours(pid) for pid in all_of(job.pid)), 60)
    # The job has begun when it has recorded something; one in four is hit before that.
    if rng.random() < 0.75:
        until(begun, 60)
    moment = rng.random() * 1.5
    time.sleep(moment)
    everyone = all_of(job.pid)
    victim = rng.choice([pid for pid in everyone if pid == job.pid or not mpi or is_ours(pid)])
    name = rng.choice(["KILL", "TERM", "INT"] if victim == job.pid else [*SIGNALS])
    try:
        os.kill(victim, SIGNALS[name])
        if name == "STOP":
            time.sleep(rng.random())
            os.kill(victim, signal.SIGCONT)
    except ProcessLookupError:
        pass
    place = "the first process" if victim == job.pid else f"process {everyone.index(victim)}"
    return everyone, f"{name} to {place} of {len(everyone)} after {moment:.2f} s:"


def one(found, given, rng):
    record = "r.jsonl" if given.mpirun else "diagnose_rank0.jsonl"
    command, variables = (start_mpi if given.mpirun else start_python)(given, rng)
    job = subprocess.Popen(command, env=dict(os.environ, **variables), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    everyone, where = hit(job, rng, lambda: job.poll() is not None or (
        os.path.exists(record) and os.path.getsize(record) > 0), bool(given.mpirun))
    time.sleep(rng.random() * 2)
    everyone = sorted({*everyone, *all_of(job.pid)})
    if job.poll() is None:
        job.terminate()
    try:
        job.wait(60)
    except subprocess.TimeoutExpired:
        found.expect(False, where, "it does not end:", what_of(all_of(job.pid)))
        job.kill()
        job.wait()
    if not found.expect(until(lambda: not any(alive(pid) for pid in everyone), 30), where,
                        "processes are left"):
        for pid in filter(alive, everyone):
            os.kill(pid, signal.SIGKILL)
    recorded = os.path.exists(record) and os.path.getsize(record) > 0
    if recorded:
        done = run([given.command, "analyze", "--strict", record])
        # A line that was being written may be half, if its writer was killed.
        cut = done is not None and done.returncode == 2 and b"cut" in done.stderr
        found.expect(done is not None and (done.returncode == 0 or cut), where,
                     "the recording cannot be read:", done.stderr if done else "")
    hidden = [name for name in os.listdir() if name.startswith(".")]
    found.expect(not hidden, where, "left behind:", hidden)
    shared = [name for name in os.listdir("/dev/shm") if name.startswith("deepxtrace") and
              any(f"-{pid}" in name for pid in everyone)]
    found.expect(not shared, where, "shared memory is left:", shared)
    return recorded


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("times", type=int)
    parser.add_argument("--mpirun")
    parser.add_argument("--python", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args()
    if bool(given.mpirun) == given.python:
        parser.error("either --mpirun or --python")
    print("seed", given.seed, flush=True)
    found, folder, rng = Findings(), scratch(), random.Random(given.seed)
    recorded = 0
    for _ in range(given.times):
        for name in os.listdir():
            os.unlink(name)
        found.tried += 1
        recorded += one(found, given, rng)
    found.expect(2 * recorded >= found.tried, "only", recorded, "had recorded something")
    os.chdir("/")
    folder.cleanup()
    found.end(f"kills of {'Python' if given.python else given.mpirun}")


if __name__ == "__main__":
    main()
