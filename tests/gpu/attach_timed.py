# SPDX-License-Identifier: Apache-2.0
"""attach(collectives=True) around NCCL's all-to-all: a process for each GPU computes and exchanges 4 MB,
one of them a little longer than the others. Every window must name that rank and nobody else, and steps
must take as long as without.

    python3 tests/gpu/attach_timed.py [--ranks 2] [--seconds 25] [--pairs 80] [--keep FOLDER]
    python3 tests/gpu/attach_timed.py --device cpu --steps 4e-3 --seconds 8 --late 0.5   (to try the script)

It prints a line for each case, and fails if fewer than 98 % of the windows are right, or if the median
ratio of step times is above 1.002. The recordings, with their truth as `label`, stay in the folder of
--keep. All that it needs is the package, torch, and `deepxtrace` beside its library.
"""
import argparse
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

BYTES = 4 << 20
JITTER = 0.05
LATE_RANK = 1
LIMIT, RATIO = 0.98, 1.002
PAIR_SECONDS = 0.25  # of a run with, and of one without: shorter than what drifts


class Work:
    """A step of one rank: compute for a while, then exchange."""

    def __init__(self, rank, ranks, device, step):
        self.rank, self.cuda, self.step = rank, device == "cuda", step
        self.x = torch.ones(BYTES // 4 // ranks * ranks, device=device)
        self.out = torch.empty_like(self.x)
        self.chance = random.Random(rank)
        self.exchange = dist.all_to_all_single
        self.cycles = self.calibrate() if self.cuda else 0
        self.behind = None
        for _ in range(20):
            self.exchange(self.out, self.x)
        # The first ones are slower: NCCL is still setting up.
        self.transfer = min(self.time_of_exchange(50) for _ in range(8))
        self.compute_seconds = max(step - self.transfer, step / 10)

    def calibrate(self):
        """Cycles of torch.cuda._sleep() in a second."""
        torch.cuda._sleep(1000)
        return 10_000_000 / self.time_of(lambda: torch.cuda._sleep(10_000_000), 3)

    def time_of_exchange(self, times):
        """Of the GPU, which waits until all are queued: a call keeps its host for as long."""
        if not self.cuda:
            return self.time_of(lambda: self.exchange(self.out, self.x), times)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(int(0.02 * self.cycles))
        self.exchange(self.out, self.x)
        begin.record()
        for _ in range(times):
            self.exchange(self.out, self.x)
        end.record()
        self.wait()
        return begin.elapsed_time(end) / 1e3 / times

    def time_of(self, call, times=200):
        self.wait()
        begin = time.perf_counter()
        for _ in range(times):
            call()
        self.wait()
        return (time.perf_counter() - begin) / times

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def compute(self, late):
        seconds = self.compute_seconds * self.chance.gauss(1, JITTER)
        seconds += late * self.step if self.rank == LATE_RANK else 0
        if self.cuda:
            torch.cuda._sleep(max(int(seconds * self.cycles), 1))
        else:
            time.sleep(max(seconds, 0))

    def run(self, seconds, late, exchange):
        """Steps for about so long, as many on all ranks; seconds of one."""
        done, begin = 0, time.perf_counter()
        many = max(int(seconds / self.step), 20)
        while done < many:
            for _ in range(min(100, many - done)):
                self.compute(late)
                exchange(self.out, self.x)
                done += 1
            self.follow()
        self.wait()
        return (time.perf_counter() - begin) / done

    def follow(self):
        """The host must not run ahead for seconds; but if it waited until its GPU has nothing more
        to do, what NCCL's watchdog holds it up by, some ms ten times a second, would be in steps."""
        if self.cuda:
            self.behind, before = torch.cuda.Event(), self.behind
            self.behind.record()
            if before is not None:
                before.synchronize()


def worker(rank, port, options, step, late, folder, results):
    import deepxtrace
    original = dist.all_to_all_single
    deepxtrace.attach(interval=options.interval, output=folder, collectives=True)
    if options.device == "cuda":
        torch.cuda.set_device(rank)
    torch.set_num_threads(1)
    dist.init_process_group("nccl" if options.device == "cuda" else "gloo",
                            f"tcp://127.0.0.1:{port}", rank=rank, world_size=options.ranks)
    assert dist.all_to_all_single is not original, "nothing was attached"
    work = Work(rank, options.ranks, options.device, step)
    work.run(3, late, work.exchange)  # how often to measure is chosen in the first second
    if late is not None and options.pairs == 0:
        work.run(options.seconds, late, work.exchange)
    ratios = []
    for pair in range(options.pairs):
        order = (original, work.exchange) if pair % 2 else (work.exchange, original)
        took = {call: work.run(PAIR_SECONDS, 0, call) for call in order}
        ratios.append(took[work.exchange] / took[original])
    if rank == 0:
        results.put((work.transfer, statistics.median(ratios) if ratios else None))
    dist.barrier()
    deepxtrace.detach()


def spawn(options, step, late, folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results = mp.get_context("spawn").SimpleQueue()
    mp.spawn(worker, (port, options, step, late, str(folder), results), nprocs=options.ranks)
    return results.get()


def label(path, late, keep):
    """Copy a recording with its truth, without the windows in which it began or ended."""
    windows = [json.loads(line) for line in path.read_text().splitlines()][1:-1]
    truth = {"late_rank": LATE_RANK, "share": late} if late else {}
    kept = keep / f"{path.parent.name}.jsonl"
    kept.write_text("".join(json.dumps({**w, "label": truth}) + "\n" for w in windows))
    return windows, kept


def judge(recording, late, options):
    """How many windows are right, of how many."""
    import deepxtrace
    command = Path(deepxtrace.get_library()).resolve().parent.parent / "bin" / "deepxtrace"
    said = subprocess.run([command, "analyze", "--json", recording], check=True, text=True,
                          capture_output=True).stdout.splitlines()
    right, total = 0, 0
    for line in map(json.loads, said):
        if "findings" not in line:
            continue
        named = [f for f in line["findings"] if f["kind"] != "early_rank"]
        wanted = [f for f in named if f["kind"] == "late_rank" and f["rank"] == LATE_RANK]
        right += (len(wanted) == 1 == len(named)) if late else not named
        total += 1
    return right, total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=float, nargs="+", default=[170e-6, 2e-3])
    parser.add_argument("--late", type=float, nargs="*", default=[0, 0.06, 0.12, 0.30])
    parser.add_argument("--seconds", type=float, default=25, help="of each case")
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=80, help="of runs with and without; 0: none")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    failed, pairs = False, options.pairs
    with tempfile.TemporaryDirectory() as scratch:
        keep = options.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        for step in options.steps:
            options.pairs = 0
            for late in options.late:
                folder = Path(scratch) / f"all-to-all-{step * 1e6:.0f}us-late-{late * 100:.0f}"
                folder.mkdir()
                # At 2 ms a window of 200 operations needs more than a second.
                own = argparse.Namespace(**vars(options))
                own.interval = max(options.interval, 400 * step)
                transfer, _ = spawn(own, step, late, folder)
                windows, kept = label(next(folder.glob("*.jsonl")), late, keep)
                right, total = judge(kept, late, options)
                bad = total == 0 or right < LIMIT * total
                failed |= bad
                samples = sorted(w.get("samples", 0) for w in windows)
                print(f"step {step * 1e6:.0f} us (transfer {transfer * 1e6:.0f}), late by"
                      f" {late:.0%}: {right} of {total} windows right, {samples[len(samples) // 2]}"
                      f" operations in the middle one{' FAILED' if bad else ''}", flush=True)
            options.pairs = pairs
            if pairs:
                folder = Path(scratch) / f"pairs-{step}"
                _, ratio = spawn(options, step, 0, folder)
                bad = ratio > RATIO
                failed |= bad
                print(f"step {step * 1e6:.0f} us: median ratio of {pairs} pairs {ratio:.4f}"
                      f"{' FAILED' if bad else ''}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
