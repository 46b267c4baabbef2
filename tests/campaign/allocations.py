#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every allocation of a command fails once: it says so and ends in order, or does what it does without.

    allocations.py COMMAND PRELOADED [--some] [--mpirun MPIRUN]

With --mpirun, in any rank of a job over that MPI, which then ends it. With --some, the 1st, 2nd, 3rd, 5th, 8th … of each."""
import glob
import os
import sys

from common import Findings, mpirun_options, run, scratch

#: Each with whether its output is the same every time.
COMMANDS = [
    (["simulate", "-n", "8", "--ranks-per-node", "4", "--windows", "2"], True),
    (["analyze", "recording.jsonl"], True),
    (["analyze", "--json", "--summary", "recording.jsonl"], True),
    (["analyze", "recording.jsonl.gz"], True),
    (["heatmap", "recording.jsonl"], True),
    (["heatmap", "recording.jsonl", "-o", "-", "--format", "html"], True),
    (["heatmap", "recording.jsonl", "-o", "-", "--format", "png"], False),
    (["heatmap", "recording.jsonl", "-o", "-", "--format", "pdf"], False),
    (["heatmap", "recording.jsonl", "--timeline", "-o", "-", "--format", "svg"], True),
    (["compare", "recording.jsonl", "recording.jsonl.gz"], True),
    (["compare", "--json", "recording.jsonl", "recording.jsonl"], True),
    (["report", "recording.jsonl", "-o", "-"], True),
    (["report", "--redact", "recording.jsonl", "-o", "-"], True),
    (["top", "--once", "recording.jsonl"], True),
    (["serve", "--once", "--store", "s.db", "recording.jsonl"], False),
    # It calls the command itself, to whose options it can do without.
    (["completion", "bash"], False),
    (["info"], False),
    (["job", "-n", "2", "--steps", "20", "--window", "10", "--compute", "100us", "--timeout", "2s",
      "--record", "job.jsonl", "-o", "job.svg", "--force"], False),
    (["bench", "ep", "-n", "2", "--repeat", "1", "--tokens", "4", "--hidden", "128"], False),
    (["bench", "gather", "-n", "2", "--repeat", "1"], False),
]


def numbers(some):
    """1, 2, 3 … or as Fibonacci counts."""
    last, number = 1, 1
    while True:
        yield number
        last, number = (number, number + last) if some else (last, number + 1)


def over_mpi(found, command, preloaded, mpirun, some):
    """Every rank counts its own: the k-th of each that comes so far fails."""
    job = [mpirun, *mpirun_options(mpirun), "-n", "3", command, "job", "--engine", "mpi", "--steps",
           "20", "--window", "10", "--compute", "100us", "--timeout", "2s", "--record", "job.jsonl",
           "--force"]
    whole = run(job)
    if whole is None or whole.returncode not in (0, 3):
        found.expect(False, "a job over", mpirun, "does not work here")
        return
    for number in numbers(some):
        if os.path.exists("mark"):
            os.unlink("mark")
        done = run(job, env=dict(os.environ, LD_PRELOAD=preloaded, DXT_FAIL_ALLOC=str(number),
                                 DXT_FAIL_MARK=os.path.abspath("mark")))
        if not os.path.exists("mark"):
            break
        found.tried += 1
        where = f"allocation {number} over {os.path.basename(mpirun)}:"
        if not found.expect(done is not None, where, "it does not end"):
            continue
        said = (done.stderr + done.stdout).decode("utf-8", "replace")
        found.expect(done.returncode == 0 or said.strip(), where, "it failed without a word")
        for word in ("Segmentation", "signal 11", "signal 6", "signal 7", "Assertion", "corrupted"):
            found.expect(word not in said and done.returncode >= 0, where, said)
        left = [name for name in os.listdir() if name.startswith(".")]
        found.expect(not left, where, "left behind:", left)


def main():
    command, preloaded = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    some = "--some" in sys.argv
    found, folder = Findings(), scratch()
    with open("recording.jsonl", "wb") as file:
        file.write(run([command, "simulate", "-n", "8", "--windows", "3", "--slow",
                        "dispatch:2:60us"]).stdout)
    run(["gzip", "-k", "recording.jsonl"])
    if "--mpirun" in sys.argv:
        over_mpi(found, command, preloaded, sys.argv[sys.argv.index("--mpirun") + 1], some)
        os.chdir("/")
        folder.cleanup()
        found.end("allocations over MPI")
    cuda = os.path.join(os.path.dirname(command), "../lib/libdeepxtrace-ep-cuda.so.0")
    for arguments, same in COMMANDS:
        if arguments == ["info"] and os.path.exists(cuda):
            print("left out: info, since CUDA's runtime, which it loads, does not survive the end of memory")
            continue
        whole, failed = run([command, *arguments]), 0
        if whole is None or whole.returncode not in (0, 3):
            print("left out, since it does not work here:", *arguments)
            continue
        for number in numbers(some):
            for name in ("mark", *glob.glob("s.db*")):
                if os.path.exists(name):
                    os.unlink(name)
            done = run([command, *arguments], env=dict(
                os.environ, LD_PRELOAD=preloaded, DXT_FAIL_ALLOC=str(number), DXT_FAIL_MARK="mark"))
            if not os.path.exists("mark"):
                break
            found.tried += 1
            failed += 1
            where = f"allocation {number} of '{' '.join(arguments)}':"
            if not found.expect(done is not None, where, "it does not end"):
                continue
            error = done.stderr.decode("utf-8", "replace")
            found.expect(0 <= done.returncode <= 3, where, "exit status", done.returncode, error)
            # No memory is not bad input.
            found.expect(done.returncode != 2, where, "exit status 2", error)
            # A sentence without memory names its rank, and says so.
            if done.returncode == 0 and same and b"no memory to say more" not in done.stdout:
                found.expect(done.stdout == whole.stdout, where, "another output, and no word of it")
            if done.returncode != 0:
                found.expect(error.strip(), where, "it failed without a word")
            left = [name for name in os.listdir() if name.startswith(".")]
            found.expect(not left, where, "left behind:", left)
        print(f"  {failed} allocations of '{' '.join(arguments)}'", flush=True)
    os.chdir("/")
    folder.cleanup()
    found.end("allocations")


if __name__ == "__main__":
    main()
