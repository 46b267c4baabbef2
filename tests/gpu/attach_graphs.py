# SPDX-License-Identifier: Apache-2.0
"""attach() around operators that are captured into CUDA graphs: four processes on one GPU, and a
stand-in for deep_ep whose kernels add known waits. The first operation of all is inside a capture,
captures in the global mode go on while the diagnosis samples, and every window must be a whole
number of what one replay adds.

    python3 tests/gpu/attach_graphs.py [--captures 1000]
    python3 tests/gpu/attach_graphs.py --device cpu      (without captures, to try the script)
"""
import argparse
import json
import socket
import sys
import tempfile
import time
import types
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

RANKS, EXPERTS, LATE = 4, 32, 2
#: What one operation adds on every rank but the late one, by the rank waited for.
WAITS = {"dispatch": [2000, 2100, 90000, 2300], "combine": [20000, 21000, 22000, 23000]}


class Buffer:
    """As much of deep_ep.Buffer as attach() looks at."""

    def __init__(self, group, low_latency_mode=False):
        self.group, self.low_latency_mode = group, low_latency_mode

    def low_latency_dispatch(self, x, topk_idx, num_max_dispatch_tokens_per_rank, num_experts,
                             dispatch_wait_recv_cost_stats=None, return_recv_hook=False):
        dispatch_wait_recv_cost_stats.add_(topk_idx)
        self.dispatch_stats = dispatch_wait_recv_cost_stats

    def low_latency_combine(self, x, topk_idx, topk_weights, handle,
                            combine_wait_recv_cost_stats=None):
        combine_wait_recv_cost_stats.add_(topk_idx)
        self.combine_stats = combine_wait_recv_cost_stats


class Job:
    """One rank: something to capture, and its waits."""

    def __init__(self, rank, device):
        self.buffer = Buffer(dist.group.WORLD, low_latency_mode=True)
        self.x = torch.ones(256, 256, device=device)
        self.rows = {name: torch.tensor(row, device=device) * (rank != LATE or name == "combine")
                     for name, row in WAITS.items()}
        self.device = device

    def step(self):
        _ = self.x @ self.x
        self.buffer.low_latency_dispatch(self.x, self.rows["dispatch"], 16, EXPERTS)
        self.buffer.low_latency_combine(self.x, self.rows["combine"], None, None)

    def round(self):
        """Capture and replay; the number of steps that were run."""
        if self.device == "cpu":
            self.step()
            time.sleep(0.002)
            return 1
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        for _ in range(20):
            graph.replay()
        torch.cuda.synchronize()
        return 20


def worker(rank, port, device, captures, folder):
    sys.modules["deep_ep"] = module = types.ModuleType("deep_ep")
    module.Buffer = Buffer
    import deepxtrace
    deepxtrace.attach(interval=0.5, output=folder)
    if device == "cuda":
        torch.cuda.set_device(0)
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=RANKS)
    job = Job(rank, device)
    if device == "cuda":
        job.x @ job.x  # the first use of the library for this may not be captured
        torch.cuda.synchronize()
    steps, end = 0, time.monotonic() + 8
    rounds = 0
    while rounds < captures or time.monotonic() < end:
        steps += job.round()
        rounds += 1
    for name, stats in (("dispatch", job.buffer.dispatch_stats),
                        ("combine", job.buffer.combine_stats)):
        added = (job.rows[name] * steps).tolist()
        assert stats.tolist() == added, f"rank {rank}: {name} has {stats.tolist()}, not {added}"
    print(f"rank {rank}: {rounds} captures, {steps} steps, counters exact", flush=True)
    dist.barrier()


def check(folder):
    windows = [json.loads(line) for line in
               (Path(folder) / "diagnose_rank0.jsonl").read_text().splitlines()]
    assert len(windows) >= 10, f"{len(windows)} windows"
    for window in windows:
        for rank, row in enumerate(window["wait"]):
            unit = WAITS[window["phase"]]
            if row is None or (rank == LATE and window["phase"] == "dispatch"):
                continue
            steps = row[0] // unit[0]
            assert row == [steps * value for value in unit], f"{window['phase']}: {row}"
    log = (Path(folder) / "diagnose_rank0.log").read_text()
    assert "failed" not in log and f"{EXPERTS} experts" in log, log
    # However small its share of the time is, the late rank's column is the one that stands out.
    named = log.count(f"'abnormal_cols': [[{LATE}, ")
    assert 2 * named >= len(windows) - 2, log
    print(f"{len(windows)} windows, all whole; the late rank stands out in {named} of them")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--captures", type=int, default=1000)
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(worker, (port, options.device, options.captures, folder), nprocs=RANKS)
        check(folder)


if __name__ == "__main__":
    main()
