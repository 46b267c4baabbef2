# SPDX-License-Identifier: Apache-2.0
"""Start jobs of job.py, and do to them what happens to jobs."""
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
STORE = """
import sys, time
import torch.distributed as dist
sys.stdin.readline()
store = dist.TCPStore("127.0.0.1", int(sys.argv[1]), None, True, wait_for_workers=False)
print("ready", flush=True)
time.sleep(10**6)
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Job:
    """A key-value store in a process of its own, and the ranks. For ``with``."""

    def __init__(self, folder, ranks=4, interval=0.25, with_steps=False):
        self.folder, self.ranks, self.port = Path(folder), ranks, free_port()
        self.next_store = None
        self.killed = set()
        self.store = self.start_store()
        environment = {**os.environ, "DEEPEP_DIAGNOSE_LOG_PATH": ".", "OMP_NUM_THREADS": "1",
                       "DEEPEP_DIAGNOSE_WARMING_TIME": "0"}
        self.processes = [
            subprocess.Popen([sys.executable, HERE / "job.py", str(rank), str(ranks),
                              str(self.port), str(interval),
                              f"steps{rank}.npy" if with_steps else "-"],
                             cwd=self.folder, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
            for rank in range(ranks)]

    def prepare_store(self):
        """The process of the next start_store(). Ranks whose store is away keep the processors
        busy: torch is better loaded before."""
        self.next_store = subprocess.Popen([sys.executable, "-c", STORE, str(self.port)],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start_store(self):
        if self.next_store is None:
            self.prepare_store()
        store, self.next_store = self.next_store, None
        store.stdin.write("\n")
        store.stdin.close()
        assert select.select([store.stdout], [], [], 90)[0], "the store does not start"
        assert store.stdout.readline() == "ready\n"
        return store

    def kill_store(self):
        self.store.kill()
        self.store.wait()
        self.store.stdout.close()

    def signal(self, rank, number):
        if number == signal.SIGKILL:
            self.killed.add(rank)
        self.processes[rank].send_signal(number)

    def check(self):
        """Fail, with what it wrote, if a rank has ended that should live."""
        for rank, process in enumerate(self.processes):
            if rank not in self.killed and process.poll() is not None:
                out, err = process.communicate()
                raise AssertionError(f"rank {rank} has ended, {process.returncode}\n{out}{err}")

    def until(self, condition, seconds=90):
        """Wait for what a job that goes on will do."""
        def checked():
            value = condition()
            if not value:
                self.check()
            return value
        return until(checked, seconds)

    def finish(self):
        """Ask all ranks to end; what each wrote, and its exit status."""
        (self.folder / "end").write_text("")
        done = []
        for process in self.processes:
            out, err = process.communicate(timeout=120)
            done.append((process.returncode, out, err))
        return done

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in filter(None, [*self.processes, self.store, self.next_store]):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, condition
        time.sleep(0.05)
