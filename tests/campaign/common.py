# SPDX-License-Identifier: Apache-2.0
"""What the parts of the campaign have in common."""
import os
import signal
import subprocess
import sys
import tempfile
import time


class Findings:
    """What went wrong; each is printed at once."""

    def __init__(self):
        self.count = self.tried = 0

    def expect(self, holds, *what):
        if not holds:
            self.count += 1
            print("FINDING:", *what, flush=True)
        return holds

    def end(self, what):
        print(f"{what}: {self.tried} tried, {self.count} findings", flush=True)
        sys.exit(self.count > 0)


def heed_signals():
    """Whoever interrupts a part leaves no folder behind."""
    # Whoever starts this in the background of a script ignores them, and so would every command.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))


def scratch():
    """A folder of this run, which becomes the current one."""
    heed_signals()
    folder = tempfile.TemporaryDirectory(prefix="dxt-campaign-")
    os.chdir(folder.name)
    return folder


def run(command, seconds=60, **keywords):
    """A process that has ended, or None if it had to be killed."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds, **keywords)
    except subprocess.TimeoutExpired:
        return None


def mpirun_options(mpirun):
    """What a machine with few processors, a container and a campaign need."""
    done = run([mpirun, "--version"])
    if done is None or b"Open" not in done.stdout:
        return []
    return ["--oversubscribe", "--bind-to", "none",
            *(["--allow-run-as-root"] if os.geteuid() == 0 else [])]


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def holds(pid):
    """Memory in kB, descriptors and threads of a process."""
    status = {}
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            status[name] = value.split()
    return int(status["VmRSS"][0]), len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"][0])


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
