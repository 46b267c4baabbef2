# SPDX-License-Identifier: Apache-2.0
"""What the diagnosis costs a step: python_overhead.py [--device cpu|cuda] [--pairs N] [--steps
N] [--interval SECONDS]. Blocks of steps with the diagnosing thread and without it take turns;
printed is the median of the ratios of neighbours, with the middle half of them. On cuda a step
is the replay of a graph of 20 kernels, on the CPU a matrix product; both end with an addition
to the counters. Last, the CPU time of a window with nothing else running, which a busy machine
blurs less."""
import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "python"))
from threads import make_all  # noqa: E402


def make_step(device, tensors):
    size = 512 if device == "cuda" else 192
    work = torch.ones(size, size, device=device)
    wait = torch.ones_like(tensors[0])

    def kernels():
        for _ in range(20 if device == "cuda" else 1):
            torch.mm(work, work)
        for tensor in tensors:
            tensor.add_(wait)

    if device == "cpu":
        return kernels, lambda: None
    kernels()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kernels()
    return graph.replay, torch.cuda.synchronize


def time_block(step, finish, steps):
    finish()
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    finish()
    return (time.perf_counter() - begin) / steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["DEEPEP_DIAGNOSE_LOG_PATH"] = tempfile.mkdtemp()
    made = make_all(2, dist.HashStore(), interval=options.interval, enable_async=True,
                    device=options.device)
    tensors = made[0].get_stats_ll_stats_tensor()
    step, finish = make_step(options.device, tensors)
    time_block(step, finish, options.steps)
    ratios, plain = [], []
    for pair in range(options.pairs):
        times = {}
        for on in (pair % 2 == 0, pair % 2 == 1):
            for diagnosis in made:
                (diagnosis.start_async_diagnose if on else diagnosis.stop_async_diagnose)()
            times[on] = time_block(step, finish, options.steps)
        ratios.append(times[True] / times[False])
        plain.append(times[False])
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"{options.device}: step {statistics.median(plain) * 1e6:.1f} µs, interval "
          f"{options.interval:g} s, {options.pairs} pairs of {options.steps} steps: ratio "
          f"with/without {middle:.4f} ({low:.4f} to {high:.4f})", flush=True)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    begin = time.process_time()
    time.sleep(20 * options.interval)
    spent = (time.process_time() - begin) / 20
    print(f"CPU time of rank 0 and another for a window, nothing else running: "
          f"{spent * 1000:.2f} ms, {100 * spent / options.interval:.3f} % of a core")


if __name__ == "__main__":
    main()
