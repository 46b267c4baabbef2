#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands with little of everything: disk, descriptors, memory, processes, folders.

    limits.py COMMAND

Each works, or says why not in a line and ends with 2 or 3; nothing hidden is left behind."""
import os
import resource
import sys

from common import Findings, run, scratch

JOB = ["job", "-n", "2", "--steps", "60", "--window", "2", "--tokens", "1", "--hidden", "128",
       "--experts", "2", "--topk", "1", "--compute", "10us", "--record", "out.jsonl", "-f"]
PICTURE = ["heatmap", "recording.jsonl", "-o", "out.svg", "-f"]
MAKE = ["simulate", "-n", "64", "--windows", "4", "-o", "out.jsonl", "-f"]
READ = ["analyze", "recording.jsonl"]
LIMITS = {
    "file size": (resource.RLIMIT_FSIZE, [0, 1, 4096, 20000, 1 << 20]),
    "descriptors": (resource.RLIMIT_NOFILE, [3, 4, 5, 6, 8, 16]),
    "memory": (resource.RLIMIT_AS, [16 << 20, 24 << 20, 32 << 20, 64 << 20, 256 << 20]),
    "data": (resource.RLIMIT_DATA, [1 << 20, 2 << 20, 4 << 20, 16 << 20]),
    "stack": (resource.RLIMIT_STACK, [64 << 10, 256 << 10, 1 << 20]),
}


def check(found, where, done):
    found.tried += 1
    if not found.expect(done is not None, where, "it does not end"):
        return
    error = done.stderr.decode("utf-8", "replace")
    # A program that the system cannot even load says so in its way, 127, or is killed by it.
    unloaded = "error while loading shared libraries" in error or (
        done.returncode == -11 and not error and not done.stdout)
    found.expect(unloaded or 0 <= done.returncode <= 3, where, "exit status", done.returncode, error)
    found.expect(unloaded or done.returncode == 0 or error.strip(), where, "it failed without a word")
    hidden = [name for name in os.listdir() if name.startswith(".")]
    found.expect(not hidden, where, "left behind:", hidden)
    for name in hidden:
        os.unlink(name)


def main():
    command = os.path.abspath(sys.argv[1])
    found, folder = Findings(), scratch()
    with open("recording.jsonl", "wb") as file:
        file.write(run([command, "simulate", "-n", "16", "--windows", "3"]).stdout)
    for what, (limit, values) in LIMITS.items():
        for value in values:
            for arguments in (JOB, PICTURE, MAKE, READ):
                def narrow(limit=limit, value=value):
                    resource.setrlimit(limit, (value, value))
                done = run([command, *arguments], preexec_fn=narrow)
                check(found, f"{what} {value}: {arguments[0]}:", done)
                if os.path.exists("out.jsonl"):
                    read = run([command, *["analyze", "out.jsonl"]])
                    found.expect(read is not None and read.returncode == 0, what, value,
                                 "what was written cannot be read")
                    os.unlink("out.jsonl")
    os.mkdir("shut", 0o500)
    for arguments in (JOB, PICTURE, MAKE):
        there = [word.replace("out.", "shut/out.") for word in arguments]
        check(found, f"a folder that is shut: {arguments[0]}:", run([command, *there]))
        missing = [word.replace("out.", "no/such/out.") for word in arguments]
        done = run([command, *missing])
        check(found, f"no folder: {arguments[0]}:", done)
        found.expect(done is not None and done.returncode == 2, "no folder:", arguments[0])
        full = [word.replace("out.jsonl", "/dev/full") for word in arguments if word != "-f"]
        if "/dev/full" in full:
            done = run([command, *full])
            check(found, f"/dev/full: {arguments[0]}:", done)
            found.expect(done is not None and done.returncode == 3, "/dev/full:", arguments[0])
    os.chdir("/")
    folder.cleanup()
    found.end("limits")


if __name__ == "__main__":
    main()
