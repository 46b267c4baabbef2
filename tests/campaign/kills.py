#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs of which a part is killed, stopped or interrupted at a random moment.

    kills.py COMMAND TIMES [--seed NUMBER]

Whatever it is: the job ends in time, with a status of its own, nothing is left of it, what was
recorded can be read, and a picture is whole or not there."""
import argparse
import os
import random
import signal
import subprocess
import time

from common import Findings, alive, children, run, scratch, until

SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "INT": signal.SIGINT,
           "TERM": signal.SIGTERM, "HUP": signal.SIGHUP, "SEGV": signal.SIGSEGV}


def read_back(found, command, where, status):
    # Whoever is killed before the first window cannot take the empty file along.
    empty = status is None and os.path.exists("r.jsonl") and os.path.getsize("r.jsonl") == 0
    if os.path.exists("r.jsonl") and not empty:
        done = run([command, "analyze", "r.jsonl"])
        found.expect(done is not None and done.returncode == 0, where, "the recording cannot be read:",
                     (done.returncode, done.stderr) if done else "no end")
        if done is not None and status is not None:
            found.expect(b"left out" not in done.stderr, where, "half a line was kept")
    if os.path.exists("r.svg"):
        with open("r.svg", encoding="utf-8") as file:
            found.expect(file.read().rstrip().endswith("</svg>"), where, "half a picture")


def one(found, command, rng):
    ranks = rng.choice([2, 3, 4])
    mode = rng.choice([["--window", "20"], ["--async", "0.1"]])
    job = subprocess.Popen([command, "job", "-n", str(ranks), "--steps", "0", *mode, "--timeout",
                            "500ms", "--compute", "100us", "--record", "r.jsonl", "-o", "r.svg"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moment = rng.random() ** 2 * 1.5
    time.sleep(moment)
    all_ranks = children(job.pid)
    victim = rng.choice(["parent", *range(len(all_ranks))])
    name = rng.choice([*SIGNALS] if victim != "parent" else ["KILL", "INT", "TERM", "HUP"])
    where = f"{name} to {victim} of {ranks} ({' '.join(mode)}) after {moment:.2f} s:"
    pid = job.pid if victim == "parent" else all_ranks[victim]
    try:
        os.kill(pid, SIGNALS[name])
    except ProcessLookupError:
        pass
    if victim != "parent":
        time.sleep(rng.random() * 0.5)
        if job.poll() is None:
            job.send_signal(signal.SIGINT)
    try:
        status = job.wait(60)
    except subprocess.TimeoutExpired:
        found.expect(False, where, "it does not end")
        job.kill()
        status = job.wait()
    killed = victim == "parent" and name == "KILL"
    # Before the command looks after its signals, they end it.
    early = victim == "parent" and status == -SIGNALS[name]
    found.expect(killed or early or status in (0, 3), where, "exit status", status)
    left = until(lambda: not any(alive(pid) for pid in all_ranks), 20)
    found.expect(left, where, "processes are left")
    read_back(found, command, where, None if killed else status)
    hidden = [name for name in os.listdir() if name.startswith(".")]
    found.expect(killed or not hidden, where, "left behind:", hidden)
    shared = [name for name in os.listdir("/dev/shm") if name.startswith(f"deepxtrace-{job.pid}-")]
    found.expect(not shared, where, "shared memory is left:", shared)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("times", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args()
    print("seed", given.seed, flush=True)
    found, folder, rng = Findings(), scratch(), random.Random(given.seed)
    for _ in range(given.times):
        for name in os.listdir():
            os.unlink(name)
        found.tried += 1
        one(found, given.command, rng)
    os.chdir("/")
    folder.cleanup()
    found.end("kills")


if __name__ == "__main__":
    main()
